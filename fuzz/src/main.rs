//! `overheard-fuzz`: the targets without a fuzzer.
//!
//! `check [TARGET…]` runs the short run with a fixed seed, a fixed number of executions of each target;
//! `try TARGET PATH…` runs inputs that were found, or all of a folder; `seeds FOLDER` writes every target's seeds.
//! Promises: needs nothing but the stable toolchain; a run is repeated exactly; an input that breaks a
//! promise is written to a file, whose path is printed.

#![forbid(unsafe_code)]

use anyhow::{Context, Result, bail};
use overheard_fuzz::{Mutator, TARGETS, Target, budget, target};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const SEED: u64 = 20_261_123;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check"] => TARGETS.iter().try_for_each(check),
        ["check", ref names @ ..] => names.iter().try_for_each(|name| check(named(name)?)),
        ["try", name, ref files @ ..] => {
            files.iter().try_for_each(|file| attempt(named(name)?, Path::new(file)))
        }
        ["seeds", folder] => TARGETS.iter().try_for_each(|target| seeds(target, Path::new(folder))),
        _ => bail!("usage: overheard-fuzz check [TARGET…] | try TARGET PATH… | seeds FOLDER"),
    }
}

fn named(name: &str) -> Result<&'static Target> {
    target(name).with_context(|| {
        format!("{name}: no such target; there are {}", TARGETS.map(|target| target.name).join(", "))
    })
}

/// The seeds as they are, then inputs made of them.
fn check(target: &Target) -> Result<()> {
    let began = budget::now();
    let seeds = (target.seeds)();
    let mut mutator = Mutator::new(SEED);
    for seed in &seeds {
        hold(target, seed)?;
    }
    for _ in 0..target.executions {
        hold(target, &mutator.next(target, &seeds))?;
    }
    let (runs, took) = (seeds.len() + target.executions, budget::now() - began);
    println!("{:<8} {runs:>6} executions in {:.1} CPU s", target.name, took.as_secs_f64());
    Ok(())
}

fn hold(target: &Target, input: &[u8]) -> Result<()> {
    // What a body shares between calls is filled once and then only read.
    if catch_unwind(AssertUnwindSafe(|| budget::hold(target, input, false))).is_ok() {
        return Ok(());
    }
    let path = std::env::temp_dir().join(format!("overheard-fuzz-{}-{}", target.name, std::process::id()));
    fs::write(&path, input)?;
    bail!(
        "{}: a promise was broken by the input in {}; once mended, keep it in fuzz/regressions/{}/",
        target.name,
        path.display(),
        target.name
    )
}

fn attempt(target: &Target, path: &Path) -> Result<()> {
    let file = path.display();
    if path.is_dir() {
        return fs::read_dir(path)?.try_for_each(|entry| attempt(target, &entry?.path()));
    }
    let input = fs::read(path).with_context(|| file.to_string())?;
    let began = budget::now();
    budget::hold(target, &input, false);
    println!("{file}: {} bytes, {:.1} ms", input.len(), (budget::now() - began).as_secs_f64() * 1e3);
    Ok(())
}

fn seeds(target: &Target, folder: &Path) -> Result<()> {
    let folder = folder.join(target.name);
    fs::create_dir_all(&folder)?;
    for (index, seed) in (target.seeds)().iter().enumerate() {
        fs::write(folder.join(format!("seed-{index:03}")), seed)?;
    }
    Ok(())
}
