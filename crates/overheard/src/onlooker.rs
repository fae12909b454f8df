//! Whoever watches a live study: says how far it is, reads each capture as it comes, and stops the study once every
//! concern is settled.
//!
//! Promises: a study that may stop early does so at its looks and nowhere else.

use crate::exit::Failure;
use crate::pipeline::{self, LiveStudy};
use crate::progress::Progress;
use overheard_model::Verdict;
use overheard_probe::execute::Watch;
use overheard_probe::ledger::{Ledger, Outcome, Record};
use overheard_probe::schedule::Slot;
use std::ops::ControlFlow;

/// Watches one call.
#[derive(Debug)]
pub struct Onlooker<'a> {
    pub live: LiveStudy<'a>,
    ledger: &'a Ledger,
    progress: &'a Progress,
    /// Blocks after which the study may stop; none where it may not.
    looks: Vec<u32>,
    /// Runs of the whole study, and how long those of this call took.
    runs: usize,
    seconds: Vec<f64>,
    left: usize,
    /// Why a capture could not be read.
    pub failure: Option<Failure>,
}

impl<'a> Onlooker<'a> {
    /// `runs` in all, of which `left` are to be made; `ceiling` where the study may stop early.
    pub fn new(
        live: LiveStudy<'a>,
        ledger: &'a Ledger,
        progress: &'a Progress,
        (runs, left): (usize, usize),
        ceiling: Option<u32>,
    ) -> Self {
        let looks = ceiling.map(|ceiling| pipeline::looks(ceiling).iter().map(|look| look.block).collect());
        let looks = looks.unwrap_or_default();
        Self { live, ledger, progress, looks, runs, seconds: Vec::new(), left, failure: None }
    }

    /// Takes a run that was made, in this call or an earlier one.
    pub fn take(&mut self, record: &Record) {
        let folder = self.ledger.folder_of(record);
        if let Err(failure) = self.live.take(record, &folder, self.progress) {
            self.failure.get_or_insert(failure);
        }
    }

    fn time_left(&self) -> String {
        if self.seconds.is_empty() {
            return String::new();
        }
        let mean = self.seconds.iter().sum::<f64>() / self.seconds.len() as f64;
        let seconds = mean * self.left as f64;
        match seconds {
            0.0..90.0 => format!(", about {seconds:.0} s left"),
            90.0..5400.0 => format!(", about {:.0} min left", seconds / 60.0),
            _ => format!(", about {:.1} h left", seconds / 3600.0),
        }
    }
}

impl Watch for Onlooker<'_> {
    fn begins(&mut self, slot: &Slot, name: &str) {
        let at = self.runs - self.left + 1;
        self.progress.say(&format!(
            "run {at} of {}, block {}: {name}{}",
            self.runs,
            slot.block,
            self.time_left()
        ));
    }

    fn ended(&mut self, record: &Record) {
        self.left = self.left.saturating_sub(1);
        self.seconds.push(record.seconds());
        if let Outcome::Failed { reason } = &record.outcome {
            self.progress.note(&format!("{} failed: {reason}", record.name));
        }
        self.take(record);
    }

    fn block_done(&mut self, block: u32, _: &[Record]) -> ControlFlow<()> {
        if self.failure.is_some() {
            return ControlFlow::Break(());
        }
        let standings = self.live.standings();
        let builds = &self.live.plan.design.builds;
        for standing in &standings {
            let verdict = match standing.verdict {
                Some(Verdict::Support) => "support",
                Some(Verdict::Refute) => "refute",
                Some(Verdict::Abstain) | None => "open",
            };
            self.progress.say(&format!(
                "  block {block}: {} for {}: {} of runs against {} of the reference, e {:.3} (20 settles): {verdict}",
                standing.concern, builds[standing.build].name, standing.cell, standing.reference, standing.e
            ));
        }
        let settled = standings.iter().all(|standing| standing.verdict.is_some());
        match settled && !standings.is_empty() && self.looks.contains(&block) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}
