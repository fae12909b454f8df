//! A study's folder: what was planned and what was run, so that a study can be killed at any instant and go on.
//!
//! ```text
//! messenger.study/
//!   study.json                  what it was begun with: the plan's hash, the builds' files, every later change
//!   plan.toml                   the plan as it was then; plan-2.toml … after changes that were accepted
//!   lock                        held while a call works on the study
//!   runs/0007-regular-log-in-direct/     run.json, capture.pcapng, output.txt
//!   runs/.0008-tom-en-log-in-direct.partial/     being made
//!   failed/                     runs that failed and were made again
//! ```
//!
//! Promises: a run counts from the one step that renames its folder, after all in it has reached the disk; what is
//! half made is removed by the next call. One call at a time. A plan, a repeat count or a build that changed after
//! the study began is refused, or accepted and written down with the runs that stood before it.
//! To extend: a fact of a run is a field of [`Record`], a fact of the study one of [`Charter`]; both are versioned.

mod attempt;
mod charter;
mod fault;
mod pedigree;
mod record;

pub use attempt::Attempt;
pub use charter::{Change, Charter, FORMAT, Terms};
pub use fault::LedgerFault;
pub use pedigree::{FileHash, Pedigree, pedigrees};
pub use record::{Carriage, Outcome, Record};

use crate::lock;
use crate::schedule::{Plan, Slot, order};
use fault::at;
use nix::fcntl::Flock;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// An open study's folder; closed when dropped.
#[derive(Debug)]
pub struct Ledger {
    root: PathBuf,
    charter: Charter,
    _lock: Flock<File>,
}

impl Ledger {
    /// Opens a study's folder, or makes it. `now` is what a study begun at this moment would be begun with;
    /// `accept` takes changes since it began.
    pub fn open(root: &Path, plan: &Plan, now: Charter, accept: bool) -> Result<Self, LedgerFault> {
        must_be_ours(root)?;
        DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(at(root))?;
        let lock = hold(root)?;
        if !root.join("study.json").exists() {
            charter::found(root, plan, &now)?;
        }
        let charter = charter::read(root)?;
        let mut ledger = Self { root: root.to_owned(), charter, _lock: lock };
        attempt::sweep(&ledger.runs_folder())?;
        ledger.agree(plan, now, accept)?;
        Ok(ledger)
    }

    /// What a study was begun with, without opening it; nothing where none was begun in this folder.
    pub fn begun(root: &Path) -> Result<Option<(Terms, Plan)>, LedgerFault> {
        if !root.join("study.json").exists() {
            return Ok(None);
        }
        let charter = charter::read(root)?;
        Ok(Some((charter.terms, charter::plan(root, &charter, 0)?)))
    }

    /// What the study was begun with, and what changed since.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// The plan as the study was begun with it, and as it was after each change.
    pub fn plans(&self) -> Result<Vec<Plan>, LedgerFault> {
        let plan = |changes| charter::plan(&self.root, &self.charter, changes);
        (0..=self.charter.changes.len()).map(plan).collect()
    }

    /// Writes down what the builds call themselves.
    pub fn note_versions(&mut self, versions: BTreeMap<String, String>) -> Result<(), LedgerFault> {
        self.charter.versions = versions;
        charter::write_charter(&self.root, &self.charter)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs that were made, failed ones too, in the order of the schedule.
    pub fn records(&self) -> Result<Vec<Record>, LedgerFault> {
        let mut records = Vec::new();
        for folder in attempt::complete(&self.runs_folder())? {
            records.push(record::read(&folder)?);
        }
        records.sort_by_key(|record| record.slot.number);
        Ok(records)
    }

    /// The runs of the schedule that are still to be made.
    pub fn missing(&self, plan: &Plan, blocks: u32) -> Result<Vec<Slot>, LedgerFault> {
        let made: BTreeSet<u32> = self.records()?.iter().map(|record| record.slot.number).collect();
        let mut missing = order(&plan.design, blocks);
        missing.retain(|slot| !made.contains(&slot.number));
        Ok(missing)
    }

    /// Begins a run: a folder for all that it leaves, which counts once it is kept.
    pub fn begin(&self, name: &str) -> Result<Attempt, LedgerFault> {
        Attempt::begin(&self.runs_folder(), name)
    }

    /// Folder of a run that was kept.
    pub fn folder_of(&self, record: &Record) -> PathBuf {
        self.runs_folder().join(&record.name)
    }

    /// Puts failed runs aside, so that they are made again.
    pub fn retry_failed(&self) -> Result<usize, LedgerFault> {
        let aside = self.root.join("failed");
        let failed: Vec<Record> = self.records()?.into_iter().filter(|record| !record.is_done()).collect();
        for record in &failed {
            fs::create_dir_all(&aside).map_err(at(&aside))?;
            let free = (1..).map(|number| aside.join(format!("{}.{number}", record.name)));
            let Some(free) = free.into_iter().find(|path| !path.exists()) else { continue };
            let folder = self.folder_of(record);
            fs::rename(&folder, &free).map_err(at(&folder))?;
        }
        Ok(failed.len())
    }

    fn runs_folder(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Holds what the study was begun with against what it is now.
    fn agree(&mut self, plan: &Plan, now: Charter, accept: bool) -> Result<(), LedgerFault> {
        let began = charter::plan(&self.root, &self.charter, self.charter.changes.len())?;
        if self.charter.is_as(&now) {
            return Ok(());
        }
        // Runs that were made belong to cells of the old order: they would be counted for others.
        let blocks = plan.design.repeats.min(began.design.repeats).max(1);
        if order(&began.design, blocks) != order(&plan.design, blocks) || began.names() != plan.names() {
            return Err(LedgerFault::AnotherOrder { root: self.root.clone() });
        }
        if !accept {
            return Err(LedgerFault::Changed {
                root: self.root.clone(),
                began: self.charter.began,
                differences: self.charter.differences(&now, &began.text, &plan.text),
            });
        }
        let runs = self.records()?.len();
        self.charter.change(now, runs);
        charter::write(&self.root, &self.charter, plan)
    }
}

/// A folder that holds something and was never locked is somebody else's.
fn must_be_ours(root: &Path) -> Result<(), LedgerFault> {
    let empty = !root.exists() || fs::read_dir(root).map_err(at(root))?.next().is_none();
    match empty || root.join("lock").exists() {
        true => Ok(()),
        false => Err(LedgerFault::Damaged { path: root.to_owned(), what: "no folder of a study".into() }),
    }
}

fn hold(root: &Path) -> Result<Flock<File>, LedgerFault> {
    let path = root.join("lock");
    let file = File::create(&path).map_err(at(&path))?;
    lock::exclusive(file).map_err(at(&path))?.ok_or_else(|| LedgerFault::Busy { root: root.to_owned() })
}

#[cfg(test)]
mod tests;
