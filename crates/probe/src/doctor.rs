//! What this machine gives for live runs, and how to mend what it does not.
//!
//! Promises: every check looks at the thing itself; the last word has a room that is opened and closed. Nothing
//! is changed and nothing left behind.
//! To extend: a function that answers with a [`Check`], and a line in [`checks`].

use crate::room::{Error, Missing, Room, Spec};
use nix::sys::statvfs::statvfs;
use nix::unistd::{getegid, geteuid};
use std::fs::{self, OpenOptions};
use std::path::Path;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    /// What was found.
    pub what: String,
    /// What to do about it, where something is to be done.
    pub mend: Option<String>,
    /// Whether no live run is possible without it; the others cost a part of what can be done.
    pub needed: bool,
}

impl Check {
    fn needed(name: &'static str, found: Result<String, (String, String)>) -> Self {
        let (ok, what, mend) = match found {
            Ok(what) => (true, what, None),
            Err((what, mend)) => (false, what, Some(mend)),
        };
        Self { name, ok, what, mend, needed: true }
    }

    fn wanted(name: &'static str, found: Result<String, (String, String)>) -> Self {
        Self { needed: false, ..Self::needed(name, found) }
    }
}

/// Everything that live runs need, then what they are better with.
pub fn checks() -> Vec<Check> {
    let (trial, layers) = trial();
    vec![
        Check::needed("kernel", kernel()),
        Check::needed("user namespaces", user_namespaces()),
        Check::needed("TUN devices", tun()),
        Check::needed("trial room", trial),
        Check::wanted("layers over files", layers),
        Check::wanted("ping", ping()),
        Check::wanted("free space", space(Path::new("."))),
        Check::wanted("worlds", programs(WORLDS)),
    ]
}

/// Whether a live run is possible.
pub fn live(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.ok || !check.needed)
}

type Found = Result<String, (String, String)>;

fn bad(what: impl Into<String>, mend: impl Into<String>) -> Found {
    Err((what.into(), mend.into()))
}

fn kernel() -> Found {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    if version(release) >= Some((5, 12)) {
        return Ok(format!("Linux {release}"));
    }
    bad(format!("Linux {release}: rooms need 5.12 or newer"), Missing::Kernel.mend())
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Settings that forbid user namespaces to ordinary users: the value that does, and one that does not.
/// `kernel.unprivileged_userns_clone` is Debian's, `kernel.apparmor_restrict_unprivileged_userns` Ubuntu's.
const FORBIDDING: &[(&str, &str, &str)] = &[
    ("user.max_user_namespaces", "0", "15000"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
];

fn user_namespaces() -> Found {
    if geteuid().is_root() {
        return Ok("root may make namespaces in any case".into());
    }
    forbidden(&|setting| fs::read_to_string(Path::new("/proc/sys").join(setting.replace('.', "/"))).ok())
}

fn forbidden(read: &dyn Fn(&str) -> Option<String>) -> Found {
    let forbids =
        |(setting, value, _): &&(&str, &str, &str)| read(setting).is_some_and(|now| now.trim() == *value);
    match FORBIDDING.iter().find(forbids) {
        None => Ok("allowed to ordinary users".into()),
        Some((setting, value, better)) => {
            bad(format!("{setting} is {value}"), format!("sudo sysctl {setting}={better}, or run as root"))
        }
    }
}

fn tun() -> Found {
    let path = "/dev/net/tun";
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Ok(format!("{path} can be opened")),
        Err(error) if Path::new(path).exists() => {
            bad(format!("{path}: {error}"), format!("sudo chmod 0666 {path}, or run as root"))
        }
        Err(error) => bad(format!("{path}: {error}"), "sudo modprobe tun"),
    }
}

/// Whether a room opens, and whether it lies behind layers.
fn trial() -> (Found, Found) {
    let opened = Room::open(&Spec::default()).and_then(|(room, _door)| {
        let veiled = room.is_veiled();
        room.close()?;
        Ok(veiled)
    });
    let unknown = || bad("not known without a room", "mend what stands above first");
    match opened {
        Ok(veiled) => {
            let kinds = fs::read_to_string("/proc/filesystems").unwrap_or_default();
            (Ok("a room was opened and closed".into()), layers(veiled, &kinds))
        }
        Err(Error::Missing(missing)) => (bad(missing.to_string(), missing.mend()), unknown()),
        Err(error) => {
            let mend = "mend what stands above first; if nothing does, please report this";
            (bad(error.to_string(), mend), unknown())
        }
    }
}

/// What is lost without layers.
const BARE: &str = "an app may reach who listens at this machine's Unix sockets and named pipes";

/// `kinds` are the file systems that the kernel knows by now: it has tried to load what it lacked (proc_filesystems(5)).
fn layers(veiled: bool, kinds: &str) -> Found {
    let known = kinds.lines().any(|kind| kind.trim_start_matches("nodev").trim() == "overlay");
    match (veiled, known) {
        (true, _) => Ok("rooms show this machine's files through layers of overlayfs".into()),
        (false, false) => bad(format!("this kernel has no overlayfs: {BARE}"), "sudo modprobe overlay"),
        (false, true) => bad(
            format!("overlayfs is not allowed to this user here: {BARE}"),
            "run as root, or in a container start it with --privileged",
        ),
    }
}

/// The gateway carries the app's pings by sockets that a group must be allowed (icmp(7)).
fn ping() -> Found {
    let setting = "net.ipv4.ping_group_range";
    let range = fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap_or_default();
    let ends: Vec<u32> = range.split_whitespace().filter_map(|end| end.parse().ok()).collect();
    let group = getegid().as_raw();
    match ends[..] {
        _ if geteuid().is_root() => Ok("root may ping in any case".into()),
        [from, to] if (from..=to).contains(&group) => Ok(format!("{setting} holds group {group}")),
        _ => bad(
            format!("{setting} does not hold group {group}: pings of the app get no answer"),
            format!("sudo sysctl {setting}='0 2147483647'"),
        ),
    }
}

/// Captures of a study need room; half a gigabyte is little.
const ENOUGH: u64 = 1 << 29;

fn space(folder: &Path) -> Found {
    let Ok(found) = statvfs(folder) else {
        return bad("the present folder cannot be looked at", "call from a folder that you may write to");
    };
    #[allow(clippy::unnecessary_cast, reason = "32-bit machines count in fewer bits")]
    let free = found.blocks_available() as u64 * found.fragment_size() as u64;
    let what = format!("{} MiB in the present folder", free >> 20);
    if free >= ENOUGH {
        Ok(what)
    } else {
        bad(what, "captures of a study need more: free some, or go elsewhere")
    }
}

/// What the emulated networks of `worlds/` are made of, with the Debian package of each: what builds them, and the
/// programs that their files name.
const WORLDS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("baresip", "baresip-core"),
    ("curl", "curl"),
    ("dig", "bind9-dnsutils"),
    ("irssi", "irssi"),
    ("microsocks", "microsocks"),
    ("nginx", "nginx-light"),
    ("ngircd", "ngircd"),
    ("openssl", "openssl"),
    ("perl", "perl-base"),
    ("ping", "iputils-ping"),
    ("poezio", "poezio"),
    ("prosody", "prosody"),
    ("/usr/lib/prosody/modules/mod_firewall/mod_firewall.lua", "prosody-modules"),
    ("sipp", "sip-tester"),
    ("tinyproxy", "tinyproxy-bin"),
    ("unshare", "util-linux"),
];

fn programs(wanted: &[(&str, &str)]) -> Found {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    // Ordinary users of Debian do not have them in their path.
    folders.extend(["/usr/sbin", "/sbin"].map(Into::into));
    let lacks = |(name, _): &&(&str, &str)| !folders.iter().any(|folder| folder.join(name).is_file());
    let missing: Vec<_> = wanted.iter().filter(lacks).collect();
    if missing.is_empty() {
        return Ok("the programs that emulate networks are here".into());
    }
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    bad(
        format!("{}: not here; only needed to emulate networks", names.join(", ")),
        format!("sudo apt install {}", packages.join(" ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("6.18.0-3-amd64"), Some((6, 18)));
        assert!(version("5.4.0") < Some((5, 12)));
        assert!(version("5.12-rc1") >= Some((5, 12)));
        assert_eq!(version("none"), None);
    }

    #[test]
    fn a_setting_that_forbids_is_named_with_one_that_does_not() {
        let ubuntu = |setting: &str| setting.contains("apparmor").then(|| "1\n".to_owned());
        let (what, mend) = forbidden(&ubuntu).expect_err("it forbids");
        assert_eq!(what, "kernel.apparmor_restrict_unprivileged_userns is 1");
        assert!(mend.starts_with("sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"), "{mend}");
        assert!(forbidden(&|_| None).is_ok());
    }

    #[test]
    fn layers_that_are_missing_are_told_from_those_that_are_forbidden() {
        let kinds = "nodev\tsysfs\n\text4\n";
        assert!(layers(true, kinds).is_ok(), "what was laid is there");
        let (what, mend) = layers(false, kinds).expect_err("it is not there");
        assert!(what.starts_with("this kernel has no overlayfs") && mend.contains("modprobe"), "{what}");
        let (what, mend) = layers(false, "nodev\tsysfs\nnodev\toverlay\n").expect_err("it is forbidden");
        assert!(what.contains("not allowed to this user") && mend.contains("root"), "{what}");
        assert!(what.contains("Unix sockets"), "what is lost: {what}");
    }

    #[test]
    fn a_program_that_is_not_here_is_named_with_its_package() {
        let (what, mend) = programs(&[("no-such-program", "its-package")]).expect_err("it is not here");
        assert!(what.contains("no-such-program"), "{what}");
        assert!(mend.contains("its-package"), "{mend}");
    }

    #[test]
    fn all_that_the_worlds_name_is_looked_for() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds");
        let mut named = 0;
        for entry in fs::read_dir(folder).expect("the worlds").map_while(Result::ok) {
            if entry.path().extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let text = fs::read_to_string(entry.path()).expect("a world");
            let file: toml::Table = text.parse().expect("TOML");
            let programs = file["world"].get("programs").and_then(toml::Value::as_table);
            for (program, package) in programs.into_iter().flatten() {
                let wanted = (program.as_str(), package.as_str().expect("a package"));
                assert!(WORLDS.contains(&wanted), "{wanted:?} of {:?}", entry.file_name());
                named += 1;
            }
        }
        assert!(named > 0);
    }

    #[test]
    fn only_what_is_needed_forbids_a_live_run() {
        let missing = || bad("it is not here", "get it");
        assert!(live(&[Check::wanted("a", missing()), Check::needed("b", Ok("here".into()))]));
        assert!(!live(&[Check::wanted("a", Ok("here".into())), Check::needed("b", missing())]));
    }
}
