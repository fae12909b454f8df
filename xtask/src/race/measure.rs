//! What one run of a program costs.
//!
//! Promises: CPU and memory are those of the program and its children alone. The system counts them for
//! all children of a process together, so that each run is given a small parent of its own, which is this
//! program with the hidden chore `measure`.

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Seconds and bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Usage {
    pub wall: f64,
    /// In user and system mode together.
    pub cpu: f64,
    /// The largest resident set.
    pub peak: f64,
}

impl Usage {
    /// The median of each figure.
    pub(super) fn median(runs: &[Self]) -> Self {
        let median = |what: fn(&Self) -> f64| {
            let mut values: Vec<f64> = runs.iter().map(what).collect();
            values.sort_by(f64::total_cmp);
            let middle = values.len() / 2;
            match values.len() % 2 {
                1 => values[middle],
                _ if values.is_empty() => f64::NAN,
                _ => (values[middle - 1] + values[middle]) / 2.0,
            }
        };
        Self { wall: median(|run| run.wall), cpu: median(|run| run.cpu), peak: median(|run| run.peak) }
    }
}

/// Runs a program, its output going to a file.
pub(super) fn usage(output: &Path, command: &[String]) -> Result<Usage> {
    let parent = std::env::current_exe()?;
    let told =
        Command::new(parent).arg("measure").arg(output).args(command).stderr(Stdio::inherit()).output()?;
    if !told.status.success() {
        bail!("{} failed", command.join(" "));
    }
    serde_json::from_slice(&told.stdout).context("measure said something else")
}

/// The hidden chore: `measure OUTPUT PROGRAM ARGUMENT…` prints what the program used, as JSON.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let [output, program, args @ ..] = args else { bail!("usage: measure OUTPUT PROGRAM ARGUMENT…") };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(File::create(output)?).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().with_context(|| format!("{program} did not start"))?;
    let wall = began.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{program}: {status}");
    }
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    let usage = Usage { wall, cpu: micros as f64 / 1e6, peak: used.max_rss() as f64 * 1024.0 };
    println!("{}", serde_json::to_string(&usage)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Usage;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_middle_ones() {
        let runs = [3.0, 1.0, 2.0, 10.0].map(|cpu| Usage { cpu, ..Usage::default() });
        assert_eq!(Usage::median(&runs[..3]).cpu, 2.0);
        assert_eq!(Usage::median(&runs).cpu, 2.5);
    }
}
