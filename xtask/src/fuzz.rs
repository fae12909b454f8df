//! `cargo xtask fuzz [--seconds N] [TARGET…]`: libFuzzer over the surfaces that take bytes from strangers.
//!
//! Promises: the stable toolchain and a C++ compiler are all it needs: coverage comes from LLVM's own pass,
//! which `-C` options reach; what was learned stays in `target/fuzz/corpus` for the next time; an input that
//! broke a promise lies in `target/fuzz/found`, and its panic is printed.

use crate::{must, root};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;

const TARGETS: [&str; 5] = ["capture", "payload", "mmdb", "table", "study"];
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Counters at every edge, and the operands of comparisons for libFuzzer to copy from.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut seconds, mut targets) = (60_u32, Vec::new());
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        match arg {
            "--seconds" => seconds = args.next().context("--seconds N")?.parse()?,
            name if TARGETS.contains(&name) => targets.push(name),
            _ => bail!("usage: cargo xtask fuzz [--seconds N] [{}…]", TARGETS.join("|")),
        }
    }
    if targets.is_empty() {
        targets = TARGETS.to_vec();
    }
    let desk = build()?;
    for target in targets {
        let (corpus, found) = (desk.join("corpus").join(target), desk.join("found").join(target));
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&found)?;
        let program = desk.join(TRIPLE).join("release").join(target);
        let seconds = format!("-max_total_time={seconds}");
        let found = format!("-artifact_prefix={}/", found.display());
        let (corpus, seeds) = (text(corpus), text(desk.join("seeds").join(target)));
        let program = text(program);
        let fixed = ["-dict=fuzz/dictionary.txt", "-max_len=65536", "-timeout=20", "-print_final_stats=1"];
        let args = [&[&*seconds, &found][..], &fixed, &[&corpus, &seeds]].concat();
        must(&program, &args, &[])?;
    }
    Ok(())
}

/// The short run with a fixed seed, without a fuzzer.
pub(crate) fn check() -> Result<()> {
    must("cargo", &["run", "--quiet", "--locked", "--package", "overheard-fuzz", "--", "check"], &[])
}

/// Builds the targets, writes their seeds; the folder where all of it lies.
fn build() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from);
    let desk = target.join("fuzz");
    let (folder, seeds) = (text(desk.clone()), text(desk.join("seeds")));
    must("cargo", &["run", "--quiet", "--package", "overheard-fuzz", "--", "seeds", &seeds], &[])?;
    let manifest = ["--manifest-path", "fuzz/libfuzzer/Cargo.toml", "--target-dir", &folder];
    let build = [&["build", "--release", "--target", TRIPLE][..], &manifest].concat();
    must("cargo", &build, &[("RUSTFLAGS", FLAGS)])?;
    Ok(desk)
}

fn text(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}
