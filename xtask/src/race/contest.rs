//! Who reads the capture, and how often.
//!
//! Promises: a program that is not installed is left out and listed as such. tshark runs in one round
//! alone: its figures are so far from the others that their noise does not matter.

use super::Input;
use super::measure::{Usage, usage};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names that programs have here.
pub(super) const CAT: &str = "cat";
pub(super) const TCPDUMP: &str = "tcpdump -w /dev/null";
pub(super) const TEXT: &str = "overheard read";
pub(super) const JSONL: &str = "overheard read --format jsonl";
pub(super) const NDPI: &str = "ndpiReader -q";
pub(super) const MERCURY: &str = "mercury";
pub(super) const SURICATA: &str = "suricata";
pub(super) const TSHARK_FIELDS: &str = "tshark -T fields";

/// The fields that say the same names as Overheard.
pub(super) const FIELDS: &[&str] = &[
    "tls.handshake.extensions_server_name",
    "gquic.tag.sni",
    "dtls.handshake.extensions_server_name",
    "http.host",
    "http2.headers.authority",
    "dns.qry.name",
    "dns.count.answers",
    "dns.resp.type",
    "dns.a",
    "dns.aaaa",
];

pub(super) struct Contestant {
    pub name: &'static str,
    /// Which names it finds.
    pub finds: &'static str,
    pub version: String,
    pub usage: Usage,
    command: Vec<String>,
    once: bool,
}

pub(super) struct Contest {
    pub rounds: usize,
    pub ran: Vec<Contestant>,
    /// Not installed, or failed.
    pub absent: Vec<&'static str>,
}

impl Contest {
    pub(super) fn run(input: &Input, program: &Path, folder: &Path, rounds: usize) -> Result<Self> {
        let (mut ran, absent): (Vec<_>, Vec<_>) = contestants(&input.path, program, folder)?
            .into_iter()
            .partition(|contestant| !contestant.version.is_empty());
        let mut absent: Vec<&'static str> = absent.iter().map(|contestant| contestant.name).collect();
        let mut runs: Vec<Vec<Usage>> = vec![Vec::new(); ran.len()];
        // The page cache and the programs' own files, warm.
        usage(Path::new("/dev/null"), &ran[0].command)?;
        for round in 0..rounds {
            for turn in 0..ran.len() {
                let at = (turn + round) % ran.len();
                let contestant = &ran[at];
                if absent.contains(&contestant.name) || contestant.once && round > 0 {
                    continue;
                }
                match usage(Path::new("/dev/null"), &contestant.command) {
                    Ok(usage) => runs[at].push(usage),
                    Err(error) => {
                        eprintln!("left out: {error}");
                        absent.push(contestant.name);
                    }
                }
            }
            eprintln!("round {} of {rounds}", round + 1);
        }
        for (contestant, runs) in ran.iter_mut().zip(&runs) {
            contestant.usage = Usage::median(runs);
        }
        ran.retain(|contestant| !absent.contains(&contestant.name));
        Ok(Self { rounds, ran, absent })
    }

    pub(super) fn usage(&self, name: &str) -> Option<Usage> {
        self.ran.iter().find(|contestant| contestant.name == name).map(|contestant| contestant.usage)
    }
}

/// Every program that may take part, the installed ones with their versions.
fn contestants(capture: &Path, program: &Path, folder: &Path) -> Result<Vec<Contestant>> {
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let (file, overheard) = (text(capture.to_path_buf()), text(program.to_path_buf()));
    let out = text(folder.join("out"));
    std::fs::create_dir_all(&out)?;
    let fields = format!("tshark -n -r {file} -Y {} -T fields -e {}", names_alone(), FIELDS.join(" -e "));
    let entry = |name, finds, once, command: String, version: &str| Contestant {
        name,
        finds,
        version: first_line(version),
        usage: Usage::default(),
        command: command.split(' ').map(str::to_owned).collect(),
        once,
    };
    Ok(vec![
        entry(CAT, "", false, format!("cat {file}"), "cat --version"),
        entry(TCPDUMP, "", false, format!("tcpdump -r {file} -w /dev/null"), "tcpdump --version"),
        entry(TEXT, "all", false, format!("{overheard} read {file}"), &format!("{overheard} --version")),
        entry(
            JSONL,
            "all",
            false,
            format!("{overheard} read --format jsonl {file}"),
            &format!("{overheard} --version"),
        ),
        entry("nfpcapd", "none", false, format!("nfpcapd -r {file} -w {out}"), "nfpcapd -V"),
        entry(
            "softflowd",
            "none",
            false,
            format!("softflowd -r {file} -d -m 4000000 -p {out}/pid -c none"),
            "softflowd -h",
        ),
        entry(NDPI, "TLS, QUIC, HTTP, DNS", false, format!("ndpiReader -i {file} -q"), "ndpiReader -h"),
        entry(
            MERCURY,
            "TLS, QUIC, HTTP, DNS",
            false,
            format!("mercury -r {file} -f {out}/mercury.json --metadata"),
            "mercury --version",
        ),
        entry(
            SURICATA,
            "TLS, QUIC, HTTP, DNS",
            false,
            format!("suricata -r {file} -l {out} -k none"),
            "suricata -V",
        ),
        entry(
            "tshark -z conv",
            "none",
            true,
            format!("tshark -n -r {file} -q -z conv,tcp -z conv,udp"),
            "tshark --version",
        ),
        entry(TSHARK_FIELDS, "TLS, QUIC, HTTP, DNS", true, fields, "tshark --version"),
    ])
}

/// tshark's filter for packets that say a name.
pub(super) fn names_alone() -> String {
    let said: Vec<&str> = FIELDS
        .iter()
        .copied()
        .filter(|field| !field.starts_with("dns.") || *field == "dns.qry.name")
        .collect();
    said.join("||")
}

/// What a program says first about its version; empty where it is not installed.
fn first_line(command: &str) -> String {
    let mut words = command.split(' ');
    let Some(output) = words.next().and_then(|program| Command::new(program).args(words).output().ok())
    else {
        return String::new();
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().map(str::trim).find(|line| line.contains(|c: char| c.is_ascii_digit()));
    let line = line.unwrap_or("version unknown");
    line.split(". ").next().unwrap_or(line).trim_end_matches('.').to_owned()
}
