//! `cargo xtask instructions`: how many instructions a packet costs, held to what was accepted.
//!
//! For: noticing that reading became dearer, on machines too noisy for clocks. The released program
//! runs under `valgrind --tool=callgrind`, which counts every instruction of a fixed input.
//! Promises: fails where a count grew by more than [`GROWTH`] over `xtask/instructions.toml`, until
//! `--bless` accepts it. The counts belong to one compiler and one kind of processor: where either
//! differs from the file's, they are printed and not held to it.
//! To extend: one line in [`works`].

use crate::mix::Source;
use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const FILE: &str = "xtask/instructions.toml";

/// A count may be this much larger than the accepted one.
const GROWTH: f64 = 1.05;

/// The input, bytes and seed: another input needs another blessing.
const SIZE: u64 = 4_000_000;
const SEED: u64 = 1;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask instructions", about = "Count instructions per packet")]
struct Args {
    /// Accept the counts as they are now
    #[arg(long)]
    bless: bool,
    /// Count this often and print how far the counts lie apart
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// An overheard to be measured, instead of building this one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// What was accepted.
#[derive(Debug, Default, Deserialize)]
struct Accepted {
    rustc: String,
    processor: String,
    per_packet: BTreeMap<String, f64>,
}

/// A run of the program over so many packets.
struct Work {
    name: &'static str,
    args: Vec<String>,
    packets: u64,
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let args = Args::parse_from([String::new()].iter().chain(args));
    ensure!(args.rounds > 0, "--rounds: at least one");
    let program = match &args.program {
        Some(program) => program.canonicalize().with_context(|| format!("{}", program.display()))?,
        None => crate::release()?,
    };
    let folder = tempfile::Builder::new().prefix("overheard-instructions-").tempdir()?;
    let mut counted = BTreeMap::new();
    for work in works(folder.path())? {
        let rounds: Result<Vec<u64>> =
            (0..args.rounds).map(|_| count(&program, &work, folder.path())).collect();
        counted.insert(work.name.to_owned(), mean(&work, &rounds?));
    }
    let (rustc, processor) = (rustc()?, std::env::consts::ARCH.to_owned());
    let now = Accepted { rustc, processor, per_packet: counted };
    if args.bless {
        return std::fs::write(crate::root().join(FILE), now.to_toml()).context(FILE);
    }
    let text = std::fs::read_to_string(crate::root().join(FILE)).context(FILE)?;
    now.hold(&toml::from_str(&text).context(FILE)?)
}

/// What is counted.
fn works(folder: &Path) -> Result<Vec<Work>> {
    let mix = folder.join("mix.pcap");
    let packets = Source::open(None)?.write(&mix, SIZE, SEED)?.packets;
    let mix = mix.to_string_lossy().into_owned();
    let study = crate::root().join("corpus/messenger");
    let messenger = Source::open(Some(&study))?.packets();
    let builds = ["regular", "co-branded", "co-branded-zh"];
    let builds = builds.iter().map(|build| format!("{build}={}/", study.join(build).display()));
    let read = |format: &str| vec!["read".to_owned(), "--format".into(), format.into(), mix.clone()];
    Ok(vec![
        Work { name: "read-text", args: read("text"), packets },
        Work { name: "read-jsonl", args: read("jsonl"), packets },
        Work {
            name: "compare-messenger",
            args: ["compare".to_owned()].into_iter().chain(builds).collect(),
            packets: messenger,
        },
    ])
}

/// All instructions of one run. Findings are no failure.
fn count(program: &Path, work: &Work, folder: &Path) -> Result<u64> {
    let told = folder.join("callgrind.out");
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", told.display()));
    command.arg(program).args(&work.args).stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.output().context("valgrind did not start: is it installed?")?;
    let code = output.status.code();
    ensure!(
        matches!(code, Some(0 | 1 | 4)),
        "{}: exit code {code:?}: {}",
        work.name,
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(&told).with_context(|| format!("{}", told.display()))?;
    total(&text).with_context(|| format!("{}: callgrind told no total", work.name))
}

/// The sum that a callgrind file ends with.
fn total(told: &str) -> Option<u64> {
    let totals = told.lines().rev().find_map(|line| line.strip_prefix("totals:"))?;
    totals.split_whitespace().next()?.parse().ok()
}

/// Instructions per packet; prints how far the rounds lie apart.
fn mean(work: &Work, rounds: &[u64]) -> f64 {
    let mean = rounds.iter().sum::<u64>() as f64 / rounds.len() as f64;
    if let (Some(least), Some(most), 2..) = (rounds.iter().min(), rounds.iter().max(), rounds.len()) {
        let spread = (most - least) as f64 / mean * 100.0;
        eprintln!("{}: {least} to {most} instructions, {spread:.3} % apart", work.name);
    }
    mean / work.packets as f64
}

/// The compiler's version, such as `1.95.0`.
fn rustc() -> Result<String> {
    let output = Command::new("rustc").arg("--version").current_dir(crate::root()).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().nth(1).context("rustc told no version")?.to_owned())
}

impl Accepted {
    fn to_toml(&self) -> String {
        let mut text = format!(
            "# Instructions per packet, accepted with `cargo xtask instructions --bless`.\n\
             rustc = {:?}\nprocessor = {:?}\n\n[per_packet]\n",
            self.rustc, self.processor
        );
        for (name, count) in &self.per_packet {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name} = {count:.1}");
        }
        text
    }

    /// Fails where these counts grew over the accepted ones.
    fn hold(&self, accepted: &Self) -> Result<()> {
        let comparable = self.rustc == accepted.rustc && self.processor == accepted.processor;
        let mut grown = Vec::new();
        for (name, now) in &self.per_packet {
            let before = accepted.per_packet.get(name).copied();
            let change = before.map_or(f64::INFINITY, |before| now / before);
            let hint = if change < 1.0 / GROWTH { "; bless it, so that it stays so" } else { "" };
            eprintln!("{name}: {now:.1} instructions per packet, accepted {before:?}{hint}");
            if change > GROWTH {
                grown.push(name.as_str());
            }
        }
        if !comparable {
            eprintln!(
                "not held to {FILE}: that is of rustc {} on {}, this is rustc {} on {}",
                accepted.rustc, accepted.processor, self.rustc, self.processor
            );
        } else if !grown.is_empty() {
            bail!("dearer than accepted: {}; `cargo xtask instructions --bless` accepts", grown.join(", "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Accepted, total};
    use std::collections::BTreeMap;

    fn counts(rustc: &str, count: f64) -> Accepted {
        let per_packet = BTreeMap::from([("read-text".to_owned(), count)]);
        Accepted { rustc: rustc.into(), processor: "x86_64".into(), per_packet }
    }

    #[test]
    fn growth_beyond_five_percent_fails_with_the_same_compiler() {
        assert!(counts("1.95.0", 1049.0).hold(&counts("1.95.0", 1000.0)).is_ok());
        assert!(counts("1.95.0", 1051.0).hold(&counts("1.95.0", 1000.0)).is_err());
        assert!(counts("1.96.0", 1051.0).hold(&counts("1.95.0", 1000.0)).is_ok());
    }

    #[test]
    fn a_work_that_nobody_accepted_fails() {
        let nothing = Accepted { per_packet: BTreeMap::new(), ..counts("1.95.0", 0.0) };
        assert!(counts("1.95.0", 1.0).hold(&nothing).is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let read: Accepted = toml::from_str(&counts("1.95.0", 1000.04).to_toml()).expect("our own file");
        assert_eq!(read.per_packet["read-text"], 1000.0);
        assert_eq!((read.rustc.as_str(), read.processor.as_str()), ("1.95.0", "x86_64"));
    }

    #[test]
    fn the_total_is_callgrinds() {
        assert_eq!(total("fn=(1)\n1 2\n\ntotals: 123456\n"), Some(123_456));
    }
}
