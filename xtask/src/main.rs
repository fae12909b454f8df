//! The project's chores, run as `cargo xtask NAME`.
//!
//! To extend: a file with `pub(crate) fn run(args: &[String]) -> anyhow::Result<()>` and a line in [`CHORES`].

mod bench_keywords;
mod ci;
mod fuzz;
mod instructions;
mod licenses;
mod mix;
mod places;
mod race;
mod tidy;
mod worlds;

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

type Chore = (&'static str, &'static str, fn(&[String]) -> Result<()>);

const CHORES: &[Chore] = &[
    ("ci", "format, lints, tests, tidy, docs, instructions: what a change must pass", ci::run),
    ("tidy", "the architecture's invariants", tidy::run),
    ("licenses", "write the list of libraries and their licences", licenses::run),
    ("places", "pack the embedded tables of places from unpacked npm packages", places::run),
    ("mix", "write a capture of any size, replicated from small ones", mix::run),
    ("race", "measure reading beside cat, tcpdump and other programs", race::run),
    (
        "instructions",
        "count instructions per packet under valgrind, held to what was accepted",
        instructions::run,
    ),
    ("bench-keywords", "measure the search for a filter's words", bench_keywords::run),
    ("fuzz", "search for input that breaks a promise, with libFuzzer", fuzz::run),
    ("worlds", "hold every emulated internet of worlds/ to its stated truth", worlds::run),
    ("bless", "accept the goldens of corpus/ and the snapshots as they are now", ci::bless),
];

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    if name == "measure" {
        return race::measure(&rest);
    }
    match CHORES.iter().find(|(known, ..)| *known == name) {
        Some((_, _, run)) => run(&rest),
        None => {
            for (name, what, _) in CHORES {
                eprintln!("cargo xtask {name:<12} {what}");
            }
            bail!("which chore?")
        }
    }
}

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// The program, built as it is released.
pub(crate) fn release() -> Result<PathBuf> {
    must("cargo", &["build", "--release", "--locked", "--package", "overheard"], &[])?;
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from);
    let program = folder.join("release/overheard");
    program.canonicalize().with_context(|| format!("{} was not built", program.display()))
}

/// Runs a command in the root folder and insists that it succeeds.
pub(crate) fn must(program: &str, args: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    eprintln!("\n$ {program} {}", args.join(" "));
    let status = std::process::Command::new(program)
        .args(args)
        .envs(environment.iter().copied())
        .current_dir(root())
        .status()
        .with_context(|| format!("{program} did not start"))?;
    if !status.success() {
        bail!("{program} {} failed: {status}", args.join(" "));
    }
    Ok(())
}
