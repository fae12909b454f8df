//! `cargo xtask race`: how much reading costs, beside other programs that read the same file.
//!
//! For: every figure of `docs/performance.md`. Promises: the input is made anew from captures and a
//! seed, and removed at the end, also when interrupted; all programs read it from the page cache, in
//! turn, in rounds whose order rotates; figures are medians. Fails where Overheard lacks a name that
//! another program finds, or where a measure misses its floor.
//! To extend: a program is one entry in `contestants` of [`contest`]; a measure is one in [`verdict`].

mod contest;
mod growth;
mod machine;
mod measure;
mod names;
mod scratch;
mod table;
mod verdict;

use crate::mix::{Counts, Size, Source};
use anyhow::{Context, Result, ensure};
use clap::Parser;
use contest::Contest;
use growth::Growth;
use names::Gate;
use scratch::Scratch;
use std::path::{Path, PathBuf};

pub(crate) use measure::run as measure;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask race", about = "Measure reading beside cat, tcpdump and other programs")]
struct Args {
    /// Bytes of the capture that all programs read
    #[arg(long, default_value = "355MB")]
    size: Size,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Replicate the captures below this folder instead of the corpus
    #[arg(long, value_name = "DIR")]
    captures: Option<PathBuf>,
    /// An overheard to be measured, instead of building this one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Measure 2 GB and 10 GB too: needs 11 GB of room at a time
    #[arg(long)]
    growth: bool,
    /// Measure this many threads against one, on 2 GB
    #[arg(long, value_name = "N")]
    threads: Option<u32>,
    /// Measure two thousand small files too
    #[arg(long)]
    many: bool,
    /// Everything: --growth, --many and --threads 2
    #[arg(long)]
    all: bool,
    /// Put the tables into docs/performance.md
    #[arg(long)]
    write: bool,
}

/// What was measured.
struct Outcome {
    input: Input,
    contest: Contest,
    gate: Gate,
    growth: Growth,
}

/// The capture that all programs read.
struct Input {
    path: PathBuf,
    counts: Counts,
    /// How it was made.
    made: String,
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let args = Args::parse_from([String::new()].iter().chain(args));
    ensure!(args.rounds > 0, "--rounds: at least one");
    let program = match &args.program {
        Some(program) => program.canonicalize().with_context(|| format!("{}", program.display()))?,
        None => crate::release()?,
    };
    let source = Source::open(args.captures.as_deref())?;
    let scratch = Scratch::new()?;
    let input = make(&args, &source, scratch.path())?;
    let contest = Contest::run(&input, &program, scratch.path(), args.rounds)?;
    let gate = Gate::hold(&input.path, &program, scratch.path())?;
    let growth = Growth::measure(&args, &source, &program, scratch.path())?;
    let outcome = Outcome { input, contest, gate, growth };
    let verdicts = verdict::all(&outcome);
    let text = table::markdown(&outcome, &verdicts);
    println!("{text}");
    if args.write {
        table::put(&text)?;
    }
    outcome.gate.insist()?;
    verdict::insist(&verdicts)
}

fn make(args: &Args, source: &Source, folder: &Path) -> Result<Input> {
    let path = folder.join("mix.pcap");
    let counts = source.write(&path, args.size.0, args.seed)?;
    let from = args.captures.as_ref().map_or("the corpus".into(), |folder| format!("{}", folder.display()));
    let made =
        format!("{} MB replicated from {from} (seed {}): {counts}", counts.bytes / 1_000_000, args.seed);
    eprintln!("{made}");
    Ok(Input { path, counts, made })
}
