//! A study's runs, one after the other, until they are done, settled, or cannot go on.
//!
//! Promises: each run that came to its end is in the ledger before the next begins; a run that was interrupted is
//! not; when more runs failed than the plan allows, the study stops and says why.

use super::run::{Performed, Script, perform};
use super::stage::{Setting, Stages};
use crate::clock::now;
use crate::ledger::{FileHash, Ledger, LedgerFault, Outcome, Record};
use crate::schedule::{Arm, Plan, Slot, block};
use overheard_model::Timestamp;
use overheard_model::design::{BuildDesign, VantageDesign};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How a study is conducted.
#[derive(Debug)]
pub struct Conduct<'a> {
    pub ledger: &'a Ledger,
    pub plan: &'a Plan,
    /// The plan's folder.
    pub base: &'a Path,
    pub blocks: u32,
    /// Set from a signal handler.
    pub interrupted: &'a AtomicBool,
}

/// Whoever watches a study: shows progress, and may stop it between blocks.
pub trait Watch {
    fn begins(&mut self, slot: &Slot, name: &str);
    fn ended(&mut self, record: &Record);
    /// After the last run of a block, with all runs so far; `Break` where the study is settled.
    fn block_done(&mut self, block: u32, records: &[Record]) -> ControlFlow<()>;
}

/// Why no more runs are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All runs of the plan are made.
    Complete,
    /// The watcher stopped after this block.
    Settled {
        block: u32,
    },
    /// The next call goes on.
    Interrupted,
    TooManyFailures {
        failed: usize,
        last: String,
    },
}

/// Makes the runs that are missing.
pub fn conduct(
    conduct: &Conduct,
    stages: &mut dyn Stages,
    watch: &mut dyn Watch,
) -> Result<Ended, LedgerFault> {
    let mut missing = conduct.ledger.missing(conduct.plan, conduct.blocks)?.into_iter().peekable();
    // The call before may have been killed when a block was done and the watcher not yet asked.
    if let Some(first) = missing.peek().filter(|first| first.block > 1)
        && conduct.is_first(first)
        && watch.block_done(first.block - 1, &conduct.ledger.records()?).is_break()
    {
        return Ok(Ended::Settled { block: first.block - 1 });
    }
    while let Some(slot) = missing.next() {
        if let Some(ended) = conduct.too_many_failures()? {
            return Ok(ended);
        }
        let name = slot.name(&conduct.plan.design);
        watch.begins(&slot, &name);
        match conduct.run(slot, &name, stages)? {
            None => return Ok(Ended::Interrupted),
            Some(record) => watch.ended(&record),
        }
        let more = missing.peek().is_some_and(|next| next.block == slot.block);
        if !more && watch.block_done(slot.block, &conduct.ledger.records()?).is_break() {
            return Ok(Ended::Settled { block: slot.block });
        }
    }
    Ok(conduct.too_many_failures()?.unwrap_or(Ended::Complete))
}

impl Conduct<'_> {
    fn too_many_failures(&self) -> Result<Option<Ended>, LedgerFault> {
        let records = self.ledger.records()?;
        let failures = records.iter().filter_map(|record| match &record.outcome {
            Outcome::Failed { reason } => Some(format!("{}: {reason}", record.name)),
            Outcome::Done => None,
        });
        let failures: Vec<String> = failures.collect();
        let many = failures.len() > self.plan.design.limits.failures as usize;
        let last = failures.last().filter(|_| many);
        Ok(last.map(|last| Ended::TooManyFailures { failed: failures.len(), last: last.clone() }))
    }

    /// Makes one run and keeps it; none where it was interrupted.
    fn run(&self, slot: Slot, name: &str, stages: &mut dyn Stages) -> Result<Option<Record>, LedgerFault> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let attempt = self.ledger.begin(name)?;
        let design = &self.plan.design;
        let home = design.home.clone();
        let setting = Setting {
            folder: attempt.folder(),
            base: self.base,
            build: slot.cell.arm.name(design),
            run: name,
            vantage: self.vantage(slot),
            home: &home,
            doors: &design.doors,
        };
        let (began, clock) = (now(), Instant::now());
        let Some(done) = perform(stages, &setting, self.script(slot), &design.limits, self.interrupted)
        else {
            return Ok(None);
        };
        // The clock may be set while a run lasts; what passed is measured by one that is not.
        let ended =
            Timestamp(began.0.saturating_add(i64::try_from(clock.elapsed().as_nanos()).unwrap_or(i64::MAX)));
        let Performed { outcome, output, capture, left, proxy, doors } = done;
        let keep_output = attempt.folder().join("output.txt");
        fs::write(&keep_output, output).map_err(|error| LedgerFault::Io { path: keep_output, error })?;
        let capture =
            capture.map(|path| FileHash::of(&path)).transpose()?.map(|hash| hash.within(attempt.folder()));
        let name = name.to_owned();
        let record = Record { slot, name, began, ended, outcome, capture, left, proxy, doors };
        attempt.keep(&record)?;
        Ok(Some(record))
    }

    /// Whether the slot begins its block.
    fn is_first(&self, slot: &Slot) -> bool {
        block(&self.plan.design, slot.block).first() == Some(&slot.cell)
    }

    fn vantage(&self, slot: Slot) -> &VantageDesign {
        &self.plan.design.vantages[slot.cell.vantage]
    }

    fn script(&self, slot: Slot) -> Script<'_> {
        let design = &self.plan.design;
        let activity = &design.activities[slot.cell.activity];
        let build = |at: usize| -> &BuildDesign { &design.builds[at] };
        match slot.cell.arm {
            Arm::Build(at) => Script::App { build: build(at), activity },
            Arm::Twin => Script::App { build: build(design.reference()), activity },
            Arm::Idle => Script::Idle(activity.idle_time().0),
        }
    }
}
