//! How the cost grows: with the size of a capture, with the number of files, and with threads.
//!
//! Promises: one large file exists at a time, and is removed at once.

use super::Args;
use super::measure::{Usage, usage};
use crate::mix::{Counts, Source};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

const GIGABYTE: u64 = 1_000_000_000;

/// Files of the many.
pub(super) const FILES: u64 = 2000;

/// Runs of which the median is taken; a long run is its own mean.
const ROUNDS: usize = 3;

#[derive(Default)]
pub(super) struct Growth {
    /// By size, the smallest first.
    pub sizes: Vec<Sized>,
    pub many: Option<Sized>,
    pub threads: Option<Threads>,
}

/// What reading captures of this size costs.
pub(super) struct Sized {
    pub counts: Counts,
    /// Flows in the report: fewer than were begun where the bound of memory made room for new ones.
    pub told: u64,
    pub usage: Usage,
}

pub(super) struct Threads {
    pub number: u32,
    pub one: Usage,
    pub all: Usage,
    /// Both wrote the same bytes.
    pub identical: bool,
}

impl Growth {
    pub(super) fn measure(args: &Args, source: &Source, program: &Path, folder: &Path) -> Result<Self> {
        let mut growth = Self::default();
        let path = folder.join("growth.pcap");
        let text = program.to_string_lossy().into_owned();
        let read = [text, "read".into(), path.to_string_lossy().into_owned()];
        let threads = args.threads.or(args.all.then_some(2)).filter(|_| knows_threads(program));
        let grow = args.growth || args.all;
        for size in [args.size.0, 2 * GIGABYTE, 10 * GIGABYTE] {
            let two = size == 2 * GIGABYTE && threads.is_some();
            if !grow && !two {
                continue;
            }
            let counts = source.write(&path, size, args.seed)?;
            if grow {
                growth.sizes.push(measured(counts, &read, folder)?);
            }
            if let (true, Some(number)) = (two, threads) {
                growth.threads = Some(Threads::measure(number, &read, folder)?);
            }
            fs::remove_file(&path)?;
        }
        if args.many || args.all {
            fs::create_dir(&path)?;
            let counts = source.write_many(&path, FILES, args.size.0, args.seed)?;
            growth.many = Some(measured(counts, &read, folder)?);
            fs::remove_dir_all(&path)?;
        }
        Ok(growth)
    }
}

/// Reads until warm, then measures.
fn measured(counts: Counts, read: &[String], folder: &Path) -> Result<Sized> {
    let out = folder.join("report.txt");
    usage(&out, read)?;
    let told = flows(&fs::read_to_string(&out)?);
    let usage = median(read)?;
    eprintln!("{counts}, {told} told: {:.2} s of CPU, {:.0} MiB", usage.cpu, usage.peak / 1_048_576.0);
    Ok(Sized { counts, told, usage })
}

fn median(read: &[String]) -> Result<Usage> {
    let runs: Result<Vec<Usage>> = (0..ROUNDS).map(|_| usage(Path::new("/dev/null"), read)).collect();
    Ok(Usage::median(&runs?))
}

/// The sum of the flows in the heads of a text report: `pcap, 1,000 packets, 80 flows, …`.
fn flows(report: &str) -> u64 {
    let heads = report.lines().filter_map(|line| line.split_once(" flows,").or(line.split_once(" flow,")));
    let number = |head: &str| -> Option<u64> {
        let word = head.rsplit(", ").next()?;
        word.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok()
    };
    heads.filter_map(|(head, _)| number(head)).sum()
}

impl Threads {
    /// In turn, so that what else the machine does hits both.
    fn measure(number: u32, read: &[String], folder: &Path) -> Result<Self> {
        let with = |threads: u32| [read, &["--threads".into(), threads.to_string()]].concat();
        let (mut one, mut all) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            one.push(usage(Path::new("/dev/null"), &with(1))?);
            all.push(usage(Path::new("/dev/null"), &with(number))?);
        }
        let wrote = |threads: u32| -> Result<Vec<u8>> {
            let path = folder.join(format!("threads-{threads}"));
            let command = [&with(threads)[..], &["--format".into(), "jsonl".into()]].concat();
            usage(&path, &command)?;
            let bytes = fs::read(&path).with_context(|| format!("{}", path.display()))?;
            fs::remove_file(path)?;
            Ok(bytes)
        };
        let first = wrote(1)?;
        ensure!(!first.is_empty(), "overheard wrote nothing");
        Ok(Self {
            number,
            one: Usage::median(&one),
            all: Usage::median(&all),
            identical: first == wrote(number)?,
        })
    }
}

fn knows_threads(program: &Path) -> bool {
    let help = Command::new(program).args(["read", "--help"]).output();
    let knows = help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--threads"));
    if !knows {
        eprintln!("this overheard has no --threads: not measured");
    }
    knows
}

#[cfg(test)]
mod tests {
    use super::flows;

    #[test]
    fn flows_are_read_from_the_heads() {
        let report = "a.pcap\n  pcap, 101 packets, 7 flows, 4 endpoints\n\nb.pcap\n  pcap, 1,101 packets, 1,007 flows, 4 endpoints\n";
        assert_eq!(flows(report), 1014);
    }
}
