//! What `overheard run --dry-run` shows: the plan's hash, how much it is, what is missing for it, and the order of the
//! runs.

use crate::pipeline;
use overheard_probe::schedule::{self, Plan};
use std::fmt::Write;
use std::path::Path;

pub(super) fn text(plan: &Plan, file: &Path, until_settled: bool, missing: &[String]) -> String {
    let design = &plan.design;
    let order = schedule::order(design, design.repeats);
    let mut text = String::new();
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    line(format!("Plan      {}, SHA-256 {}", file.display(), plan.sha256));
    line(format!(
        "Runs      {} in {} blocks, each at most {}; order by seed {}",
        order.len(),
        design.repeats,
        design.limits.run,
        design.seed
    ));
    let concerns: Vec<String> = design.concerns.iter().map(ToString::to_string).collect();
    let concerns = if concerns.is_empty() { "none".into() } else { concerns.join(", ") };
    line(format!("Concerns  {concerns}"));
    if until_settled {
        let looks: Vec<String> =
            pipeline::looks(design.repeats).iter().map(|look| look.block.to_string()).collect();
        line(format!("Looks     may stop after block {}", looks.join(", ")));
    }
    missing.iter().for_each(|what| line(format!("Missing   {what}")));
    let mut block = 0;
    for slot in &order {
        if slot.block != block {
            block = slot.block;
            line(format!("\nBlock {block}"));
        }
        line(format!("  {}", slot.name(design)));
    }
    text
}
