//! A race as Markdown, and its place in `docs/performance.md`.
//!
//! Promises: nothing of the document changes but what stands between the markers.

use super::contest::{Contestant, TEXT};
use super::names::Kind;
use super::verdict::Verdict;
use super::{Outcome, machine};
use anyhow::{Context, Result};
use std::fmt::Write;

const DOCUMENT: &str = "docs/performance.md";
const BEGIN: &str = "<!-- race: begin -->\n";
const END: &str = "<!-- race: end -->\n";

pub(super) fn markdown(outcome: &Outcome, verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    let contest = &outcome.contest;
    // Writing to a string cannot fail.
    let _ = writeln!(text, "Input: {}.\nMachine: {}.", outcome.input.made, machine::describe());
    let _ = writeln!(text, "Medians of {} rounds; tshark ran in one.\n", contest.rounds);
    text.push_str("| program | names | CPU s | MB per CPU s | wall s | peak MiB | CPU against overheard |\n");
    text.push_str("|---|---|---:|---:|---:|---:|---:|\n");
    let ours = contest.usage(TEXT).map_or(f64::NAN, |usage| usage.cpu);
    let megabytes = outcome.input.counts.bytes as f64 / 1e6;
    for Contestant { name, finds, usage, .. } in &contest.ran {
        let peak = usage.peak / 1_048_576.0;
        let (rate, ratio) = (megabytes / usage.cpu, usage.cpu / ours);
        let _ = writeln!(
            text,
            "| `{name}` | {finds} | {:.3} | {rate:.0} | {:.3} | {peak:.0} | {ratio:.2} × |",
            usage.cpu, usage.wall
        );
    }
    let versions: Vec<&str> = contest.ran.iter().map(|contestant| contestant.version.as_str()).collect();
    let mut versions = versions;
    versions.dedup();
    let _ = writeln!(text, "\nVersions: {}.", versions.join("; "));
    if !contest.absent.is_empty() {
        let _ = writeln!(text, "Not installed: {}.", contest.absent.join(", "));
    }
    text.push_str("\n| measure | here | to reach | at the least | |\n|---|---:|---:|---:|---|\n");
    for verdict in verdicts {
        let Verdict { measure, shown, aim, floor, .. } = verdict;
        let _ = writeln!(text, "| {measure} | {shown} | {aim} | {floor} | {} |", verdict.word());
    }
    names(&mut text, outcome);
    text
}

/// The name gate: unique names of each program.
fn names(text: &mut String, outcome: &Outcome) {
    let gate = &outcome.gate;
    let others: Vec<&str> = gate.others.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(
        text,
        "\n| unique names | overheard | {} | their union | lacking here |",
        others.join(" | ")
    );
    let _ = writeln!(text, "|---|---:|{}---:|---:|", "---:|".repeat(others.len()));
    for kind in Kind::ALL {
        let count = |names: &super::names::Names| names.get(&kind).map_or(0, |names| names.len()).to_string();
        let theirs: Vec<String> = gate.others.iter().map(|(_, names)| count(names)).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            kind.label(),
            count(&gate.overheard),
            theirs.join(" | "),
            gate.union(kind).len(),
            gate.lacking(kind).len()
        );
    }
}

/// Puts the tables between the markers of the document.
pub(super) fn put(tables: &str) -> Result<()> {
    let path = crate::root().join(DOCUMENT);
    let document = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    std::fs::write(&path, between(&document, tables)?).with_context(|| format!("{}", path.display()))
}

fn between(document: &str, tables: &str) -> Result<String> {
    let (before, rest) = document.split_once(BEGIN).context("docs/performance.md lacks its first marker")?;
    let (_, after) = rest.split_once(END).context("docs/performance.md lacks its last marker")?;
    Ok(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, between};

    #[test]
    fn what_stands_between_the_markers_is_replaced() {
        let document = format!("a\n{BEGIN}old\n{END}b\n");
        assert_eq!(between(&document, "new").expect("both markers"), format!("a\n{BEGIN}\nnew\n{END}b\n"));
        assert!(between("no marker", "new").is_err());
    }
}
