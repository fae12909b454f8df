//! A world as its file describes it: the table `[world]` of a TOML file. What else the file holds may be the study
//! that is made in that world.
//!
//! Promises: what is read here is sound: every name that is used is declared, every address is of the ranges set
//! aside for tests (198.18.0.0/15, RFC 2544; 2001:2::/48, RFC 5180) or of a local network, and stands for one host.
//! `worlds/README.md` shows the format. To extend it: a field here, its check in [`World::flaws`], its line there.

use super::error::Error;
use overheard_model::Country;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// The routers of every world: who answers for addresses that nobody has.
pub(super) const ROUTER_V4: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
pub(super) const ROUTER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 1);

/// Hosts, names and servers around vantages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct World {
    /// Decides all chance.
    pub seed: u64,
    /// A MaxMind-format table that agrees with the hosts' countries; relative to the file.
    pub places: Option<PathBuf>,
    /// The host that answers DNS.
    pub(super) dns: String,
    pub(super) vantage: BTreeMap<String, Vantage>,
    pub(super) host: BTreeMap<String, Host>,
    #[serde(default)]
    pub(super) name: BTreeMap<String, Name>,
    #[serde(default)]
    pub(super) server: BTreeMap<String, Server>,
    /// Programs that must be installed, each with its Debian package.
    #[serde(default)]
    pub(super) programs: BTreeMap<String, String>,
    /// The folder of the file.
    #[serde(skip)]
    pub(super) folder: PathBuf,
}

/// Where a command runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Vantage {
    pub country: Country,
    /// At most one of a family.
    pub addresses: Vec<IpAddr>,
    #[serde(default)]
    pub link: Link,
}

/// A machine, or several alike, in one country.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Host {
    /// None on a local network.
    pub country: Option<Country>,
    pub addresses: Vec<IpAddr>,
    #[serde(default)]
    pub link: Link,
}

/// What the way to a host, or from a vantage, does to packets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Link {
    /// Round-trip time, ms.
    pub rtt_ms: f64,
    /// At most this much more, each way, ms.
    pub jitter_ms: f64,
    /// Share of packets lost, each way.
    pub loss: f64,
    /// Share of TCP connections that are cut at the client's first bytes.
    pub reset: f64,
    /// A TCP connection is cut when one of these words crosses in one segment.
    pub reset_on: Vec<String>,
    pub down: Option<Down>,
}

/// How a host is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Down {
    /// Nothing comes back.
    Silent,
    /// The router says that there is no such host.
    Unreachable,
}

/// What a DNS name resolves to: each answer is drawn from all addresses of these hosts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Name {
    pub hosts: Vec<String>,
    /// Other hosts for clients in these countries.
    #[serde(default)]
    pub from: BTreeMap<Country, Vec<String>>,
    #[serde(default = "one")]
    pub answers: usize,
    #[serde(default = "minute")]
    pub ttl_s: u32,
}

/// A program that serves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Server {
    /// Whose addresses its templates see.
    pub hosts: Vec<String>,
    /// One process for each address, not one for all.
    #[serde(default)]
    pub each: bool,
    pub command: Vec<String>,
    /// Commands that must succeed before.
    #[serde(default)]
    pub prepare: Vec<Vec<String>>,
    /// Files in its folder, from templates.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Sockets that are bound once it serves.
    pub ready: Vec<Socket>,
}

/// A socket to wait for: `tcp:80`, `udp:53`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Socket {
    Tcp(u16),
    Udp(u16),
}

impl TryFrom<String> for Socket {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = |port: &str| port.parse().map_err(|_| format!("{text:?}: {port:?} is no port"));
        match text.split_once(':') {
            Some(("tcp", port)) => number(port).map(Self::Tcp),
            Some(("udp", port)) => number(port).map(Self::Udp),
            _ => Err(format!("{text:?} is no socket: expected such as \"tcp:80\" or \"udp:53\"")),
        }
    }
}

fn one() -> usize {
    1
}

fn minute() -> u32 {
    60
}

#[derive(Deserialize)]
struct File {
    world: World,
}

impl World {
    /// Reads the table `[world]` of a file and holds it to its promises.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(
                format!("{}: {error}", path.display()),
                "give a world's file, such as worlds/hello.toml",
            )
        })?;
        let folder = path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_path_buf));
        Self::parse(&text, folder.unwrap_or_default()).map_err(|what| {
            Error::new(format!("{}: {what}", path.display()), "worlds/README.md shows the format")
        })
    }

    fn parse(text: &str, folder: PathBuf) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().map_or(0, |span| span.start.min(text.len()));
            format!("line {}: {}", text[..before].matches('\n').count() + 1, error.message())
        })?;
        let world = Self { folder, ..file.world };
        world.flaws().into_iter().next().map_or(Ok(world), Err)
    }

    /// All that is wrong, each with where it stands.
    fn flaws(&self) -> Vec<String> {
        let mut flaws = self.unknown_hosts();
        flaws.extend(self.misplaced());
        flaws.extend(self.links().flat_map(|(whose, link)| link.flaws(&whose)));
        let unassigned = |(_, country): (IpAddr, Country)| Country::assigned(country.as_str()).err();
        flaws.extend(self.countries().filter_map(unassigned));
        let crowded = self.vantage.iter().filter(|(_, at)| {
            let v4 = at.addresses.iter().filter(|address| address.is_ipv4()).count();
            v4 > 1 || at.addresses.len() - v4 > 1
        });
        flaws.extend(
            crowded.map(|(name, _)| format!("[world.vantage.{name}]: more than one address of a family")),
        );
        if self.vantage.is_empty() {
            flaws.push("[world.vantage]: a world needs a vantage to be seen from".into());
        }
        let empty = self.server.iter().filter(|(_, server)| server.command.is_empty());
        flaws.extend(empty.map(|(name, _)| format!("[world.server.{name}]: an empty command")));
        // More would not fit a datagram of 512 bytes.
        let many = self.name.iter().filter(|(_, name)| !(1..=16).contains(&name.answers));
        flaws.extend(many.map(|(name, _)| format!("[world.name.{name:?}]: answers is not between 1 and 16")));
        flaws
    }

    fn unknown_hosts(&self) -> Vec<String> {
        let names = self.name.iter().flat_map(|(name, at)| {
            at.hosts
                .iter()
                .chain(at.from.values().flatten())
                .map(move |host| (format!("name.{name:?}"), host))
        });
        let servers = self
            .server
            .iter()
            .flat_map(|(name, server)| server.hosts.iter().map(move |host| (format!("server.{name}"), host)));
        let uses = names.chain(servers).chain([("dns".to_owned(), &self.dns)]);
        uses.filter(|(_, host)| !self.host.contains_key(*host))
            .map(|(whose, host)| format!("[world.{whose}]: there is no host {host:?}"))
            .collect()
    }

    fn misplaced(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        let mut taken: BTreeSet<IpAddr> = [ROUTER_V4.into(), ROUTER_V6.into()].into();
        let hosts =
            self.host.iter().map(|(name, host)| (format!("host.{name}"), host.country, &host.addresses));
        let vantages = self
            .vantage
            .iter()
            .map(|(name, at)| (format!("vantage.{name}"), Some(at.country), &at.addresses));
        for (whose, country, addresses) in hosts.chain(vantages) {
            if addresses.is_empty() {
                flaws.push(format!("[world.{whose}]: no address"));
            }
            for address in addresses {
                let wrong = match (range(*address), country) {
                    (Range::Foreign, _) => "outside 198.18.0.0/15, 2001:2::/48 and local networks",
                    (Range::Test, None) => "in a range of countries: say which country",
                    (Range::Local, Some(_)) => "on a local network, which is in no country",
                    _ if !taken.insert(*address) => "taken already",
                    _ => continue,
                };
                flaws.push(format!("[world.{whose}]: {address} is {wrong}"));
            }
        }
        flaws
    }

    fn links(&self) -> impl Iterator<Item = (String, &Link)> {
        let hosts = self.host.iter().map(|(name, host)| (format!("host.{name}"), &host.link));
        hosts.chain(self.vantage.iter().map(|(name, at)| (format!("vantage.{name}"), &at.link)))
    }

    /// Every address of these hosts, in the file's order.
    pub(super) fn addresses<'a>(&'a self, hosts: &'a [String]) -> impl Iterator<Item = IpAddr> + 'a {
        hosts.iter().filter_map(|host| self.host.get(host)).flat_map(|host| host.addresses.iter().copied())
    }

    /// Each public address with its country.
    pub(super) fn countries(&self) -> impl Iterator<Item = (IpAddr, Country)> {
        let hosts = self.host.values().filter_map(|host| Some((host.country?, &host.addresses)));
        let vantages = self.vantage.values().map(|at| (at.country, &at.addresses));
        hosts.chain(vantages).flat_map(|(country, at)| at.iter().map(move |address| (*address, country)))
    }
}

impl Link {
    fn flaws(&self, whose: &str) -> Vec<String> {
        let shares = [("loss", self.loss), ("reset", self.reset)];
        let times = [("rtt-ms", self.rtt_ms), ("jitter-ms", self.jitter_ms)];
        let shares = shares.iter().filter(|(_, share)| !(0.0..=1.0).contains(share));
        let times = times.iter().filter(|(_, time)| !(0.0..=60_000.0).contains(time));
        let flaw =
            |(field, value): &(&str, f64)| format!("[world.{whose}.link]: {field} = {value} cannot be");
        shares.chain(times).map(flaw).collect()
    }
}

enum Range {
    /// Set aside for tests; each country has its part of it.
    Test,
    /// Private, link-local, unique local.
    Local,
    Foreign,
}

fn range(address: IpAddr) -> Range {
    match address {
        IpAddr::V4(v4) if v4.octets()[0] == 198 && v4.octets()[1] & 0xfe == 18 => Range::Test,
        IpAddr::V6(v6) if v6.segments()[..3] == [0x2001, 2, 0] => Range::Test,
        IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() => Range::Local,
        IpAddr::V6(v6) if v6.is_unique_local() => Range::Local,
        _ => Range::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        [world]
        seed = 1
        dns = "dns"
        [world.vantage.home]
        country = "NL"
        addresses = ["198.18.0.10"]
        [world.host.dns]
        country = "NL"
        addresses = ["198.18.1.53"]
    "#;

    fn parse(text: &str) -> Result<World, String> {
        World::parse(text, PathBuf::new())
    }

    #[test]
    fn a_small_world_is_sound_and_the_rest_of_its_file_is_left_to_others() {
        assert_eq!(parse(&format!("seed = 9\n{SMALL}")).unwrap().seed, 1);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let cases = [
            ("198.18.1.53", "192.0.2.1", "[world.host.dns]: 192.0.2.1 is outside"),
            ("198.18.1.53", "198.18.0.1", "198.18.0.1 is taken already"),
            ("198.18.1.53", "10.0.0.1", "10.0.0.1 is on a local network"),
            ("dns = \"dns\"", "dns = \"dn\"", "there is no host \"dn\""),
            ("[world.host.dns]", "[world.host.dns]\nlink = { loss = 2 }", "loss = 2 cannot be"),
            (
                "\"198.18.0.10\"",
                "\"198.18.0.10\", \"198.18.0.11\"",
                "home]: more than one address of a family",
            ),
            ("\"NL\"", "\"QQ\"", "QQ is no country"),
            ("seed = 1", "sed = 1", "line 3: unknown field `sed`"),
        ];
        for (old, new, complaint) in cases {
            let flaw = parse(&SMALL.replace(old, new)).expect_err(new);
            assert!(flaw.contains(complaint), "{flaw:?} does not say {complaint:?}");
        }
    }

    #[test]
    fn sockets_are_written_plainly() {
        assert_eq!(Socket::try_from("udp:5060".to_owned()), Ok(Socket::Udp(5060)));
        assert!(Socket::try_from("http:80".to_owned()).is_err());
        assert!(Socket::try_from("tcp:99999".to_owned()).is_err());
    }
}
