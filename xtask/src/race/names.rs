//! The name gate: no figure counts unless Overheard found every name that the others found.
//!
//! For: holding the unique names of Overheard against those of tshark and of nDPI over the same file.
//! Promises: a name that Overheard lacks is listed and fails the race, unless `reviewed.txt` says why it
//! need not be there. Names are compared in lower case, without a port and without the root's dot.
//! A DNS name counts where a server answered an address and a flow went to it: that is what Overheard
//! tells of DNS. Names that were only asked for are counted beside.
//! To extend: another program is a function that gives its [`Names`], and a line in [`Gate::hold`].

use super::contest::{FIELDS, names_alone};
use anyhow::{Context, Result, bail};
use overheard_model::Side;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Reviewed exceptions: a kind, a name and a reason in each line.
const REVIEWED: &str = include_str!("reviewed.txt");

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Server names of TLS, DTLS and QUIC.
    Server,
    /// Hosts of HTTP requests.
    Http,
    /// Answered, and a flow went to the address.
    Dns,
    /// Asked for in DNS; nobody need have answered.
    Asked,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Server, Self::Http, Self::Dns, Self::Asked];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Server => "TLS and QUIC",
            Self::Http => "HTTP",
            Self::Dns => "DNS, answered and contacted",
            Self::Asked => "DNS, asked at all",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Http => "http",
            Self::Dns => "dns",
            Self::Asked => "asked",
        }
    }
}

/// Unique names by what said them.
pub(super) type Names = BTreeMap<Kind, BTreeSet<String>>;

pub(super) struct Gate {
    pub overheard: Names,
    /// The other programs that could be asked.
    pub others: Vec<(&'static str, Names)>,
}

impl Gate {
    pub(super) fn hold(capture: &Path, program: &Path, folder: &Path) -> Result<Self> {
        let (overheard, contacted) = overheard(capture, program, folder)?;
        let mut others = Vec::new();
        others.extend(tshark(capture, &contacted)?.map(|names| ("tshark", names)));
        others.extend(ndpi(capture, folder)?.map(|names| ("nDPI", names)));
        Ok(Self { overheard, others })
    }

    /// What all others together found.
    pub(super) fn union(&self, kind: Kind) -> BTreeSet<&String> {
        self.others.iter().filter_map(|(_, names)| names.get(&kind)).flatten().collect()
    }

    /// What Overheard lacks and nobody reviewed.
    pub(super) fn lacking(&self, kind: Kind) -> Vec<&String> {
        let known = |name: &&String| self.overheard.get(&kind).is_some_and(|names| names.contains(*name));
        self.union(kind).into_iter().filter(|name| !known(name) && !reviewed(kind, name)).collect()
    }

    /// Fails where a name lacks that must be there.
    pub(super) fn insist(&self) -> Result<()> {
        let mut lacking = 0;
        for kind in [Kind::Server, Kind::Http, Kind::Dns] {
            for name in self.lacking(kind) {
                eprintln!("name gate: overheard lacks {}: {name:?}", kind.word());
                lacking += 1;
            }
        }
        if lacking > 0 {
            bail!(
                "name gate: {lacking} names lack: find out why, or review them in xtask/src/race/reviewed.txt"
            );
        }
        Ok(())
    }
}

fn reviewed(kind: Kind, name: &str) -> bool {
    REVIEWED.lines().filter(|line| !line.starts_with('#')).any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(kind.word()) && words.next() == Some(name)
    })
}

/// The form in which names are compared; `None` for what is no host's name.
fn normal(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    let name = match name.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => &name,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let fits = |c: char| c.is_alphanumeric() || "-_.:".contains(c);
    (!name.is_empty() && name.chars().all(fits)).then(|| name.to_owned())
}

/// A line of Overheard's; only flows say whose side is ours.
#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    names: Vec<Name>,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    ours: Option<Side>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
    source: String,
}

/// Names by source, and the addresses that flows went to or came from.
fn overheard(capture: &Path, program: &Path, folder: &Path) -> Result<(Names, BTreeSet<IpAddr>)> {
    let path = folder.join("overheard.jsonl");
    let mut command = Command::new(program);
    command.args(["read", "--format", "jsonl", "--output"]).arg(&path).arg(capture);
    anyhow::ensure!(command.status()?.success(), "overheard read failed");
    let (mut names, mut addresses) = (Names::new(), BTreeSet::new());
    for line in BufReader::new(File::open(&path)?).lines() {
        let record: Record = serde_json::from_str(&line?)?;
        addresses.extend(match record.ours {
            Some(Side::Src) => record.dst,
            Some(Side::Dst) => record.src,
            None => None,
        });
        for Name { name, source } in &record.names {
            let kind = match source.as_str() {
                "tls-sni" | "quic-sni" | "dtls-sni" => Kind::Server,
                "http-host" | "http-connect" | "h2-authority" => Kind::Http,
                "dns" | "dns-cname" | "dns-https" | "mdns" | "llmnr" => Kind::Dns,
                _ => continue,
            };
            names.entry(kind).or_default().extend(normal(name));
        }
    }
    let answered = names.get(&Kind::Dns).cloned().unwrap_or_default();
    names.entry(Kind::Asked).or_default().extend(answered);
    std::fs::remove_file(path)?;
    Ok((names, addresses))
}

/// The names in tshark's fields; `None` where it is not installed.
fn tshark(capture: &Path, contacted: &BTreeSet<IpAddr>) -> Result<Option<Names>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(capture).args(["-Y", &names_alone(), "-T", "fields"]);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
        return Ok(None);
    };
    let mut names = Names::new();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        let values: BTreeMap<&str, &str> = FIELDS.iter().copied().zip(line.split('\t')).collect();
        let said =
            |field: &str| values.get(field).unwrap_or(&"").split(',').filter_map(normal).collect::<Vec<_>>();
        for field in FIELDS {
            let kind = match *field {
                field if field.ends_with("server_name") || field == "gquic.tag.sni" => Kind::Server,
                "http.host" | "http2.headers.authority" => Kind::Http,
                "dns.qry.name" => Kind::Asked,
                _ => continue,
            };
            names.entry(kind).or_default().extend(said(field));
        }
        let known = |address: &String| address.parse().is_ok_and(|address| contacted.contains(&address));
        if answered(&said).iter().any(known) {
            names.entry(Kind::Dns).or_default().extend(said("dns.qry.name"));
        }
    }
    anyhow::ensure!(child.wait()?.success(), "tshark failed");
    Ok(Some(names))
}

/// The addresses that a response gives for the name that was asked: those of its answers, not of the
/// name servers that come with them.
fn answered(said: &impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let answers = said("dns.count.answers").iter().filter_map(|count| count.parse::<usize>().ok()).sum();
    let kinds = said("dns.resp.type");
    let of_kind = |kind: &str| kinds.iter().take(answers).filter(|said| *said == kind).count();
    let (a, aaaa) = (of_kind("1"), of_kind("28"));
    said("dns.a").into_iter().take(a).chain(said("dns.aaaa").into_iter().take(aaaa)).collect()
}

/// The names in ndpiReader's table of flows; `None` where it is not installed.
fn ndpi(capture: &Path, folder: &Path) -> Result<Option<Names>> {
    let path = folder.join("ndpi.csv");
    let mut command = Command::new("ndpiReader");
    command.arg("-q").arg("-i").arg(capture).arg("-C").arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_err() {
        return Ok(None);
    }
    let mut table = csv::ReaderBuilder::new().flexible(true).quoting(false).from_path(&path)?;
    let column = |headers: &csv::ByteRecord, name: &[u8]| {
        headers.iter().position(|header| header == name).context("ndpiReader's table has other columns")
    };
    let headers = table.byte_headers()?.clone();
    let (number, said) = (column(&headers, b"ndpi_proto_num")?, column(&headers, b"server_name_sni")?);
    let mut names = Names::new();
    for row in table.byte_records() {
        let row = row?;
        let field = |at: usize| String::from_utf8_lossy(row.get(at).unwrap_or_default()).into_owned();
        // The lower protocol's number, as nDPI's list has it.
        let kind = match field(number).split('.').next().unwrap_or_default() {
            "91" | "188" => Kind::Server,
            "7" | "130" => Kind::Http,
            "5" => Kind::Asked,
            _ => continue,
        };
        names.entry(kind).or_default().extend(normal(&field(said)));
    }
    std::fs::remove_file(path)?;
    Ok(Some(names))
}

#[cfg(test)]
mod tests {
    use super::{Gate, Kind, Names, normal};

    #[test]
    fn names_are_compared_without_case_port_and_final_dot() {
        assert_eq!(normal("WWW.Example.:8080").as_deref(), Some("www.example"));
        assert_eq!(normal("[2001:db8::1]:80").as_deref(), Some("2001:db8::1"));
        assert_eq!(normal("2001:db8::1").as_deref(), Some("2001:db8::1"));
        assert_eq!(normal(" ."), None);
        assert_eq!(normal("%s"), None);
    }

    #[test]
    fn a_name_that_lacks_fails() {
        let names = |said: &[&str]| {
            Names::from([(Kind::Server, said.iter().map(|name| (*name).to_owned()).collect())])
        };
        let gate = |ours: &[&str]| Gate {
            overheard: names(ours),
            others: vec![("a", names(&["x.example"])), ("b", names(&["y.example"]))],
        };
        assert!(gate(&["x.example", "y.example", "z.example"]).insist().is_ok());
        assert!(gate(&["x.example"]).insist().is_err());
    }
}
