//! What a run left: `run.json`.

use super::fault::{LedgerFault, at};
use super::pedigree::FileHash;
use crate::schedule::Slot;
use overheard_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

/// One run that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub slot: Slot,
    /// Of its folder: number, arm, activity and vantage.
    pub name: String,
    pub began: Timestamp,
    pub ended: Timestamp,
    pub outcome: Outcome,
    /// The capture, with its path in the run's folder; absent where nothing was recorded.
    pub capture: Option<FileHash>,
    /// What the app left running when it had ended by itself, by name: it ended with the room.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left: BTreeMap<String, u64>,
    /// What the vantage's proxy did; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Carriage>,
    /// Ways out beside the network that stood open and that the plan does not ask for, in words.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub doors: BTreeSet<String>,
}

/// What a proxy did for a run: connections, and associations for datagrams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carriage {
    /// Those that it made, or not for a reason of their server's.
    pub carried: u64,
    /// Those that it did not, by why.
    pub failed: BTreeMap<String, u64>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Done,
    /// It counts for nothing but itself: its last output lies beside it.
    Failed {
        reason: String,
    },
}

impl Record {
    pub fn is_done(&self) -> bool {
        self.outcome == Outcome::Done
    }

    /// How long it took, seconds.
    pub fn seconds(&self) -> f64 {
        (self.ended.ms_since(self.began) / 1000.0).max(0.0)
    }
}

impl Carriage {
    /// All that it was asked for.
    pub fn all(&self) -> u64 {
        self.carried + self.failed.values().sum::<u64>()
    }

    pub fn add(&mut self, other: &Self) {
        self.carried += other.carried;
        other.failed.iter().for_each(|(why, times)| *self.failed.entry(why.clone()).or_default() += times);
    }

    /// `it refused the login (407) (12), it does not offer that (1)`.
    pub fn reasons(&self) -> String {
        let each = self.failed.iter().map(|(why, times)| format!("{why} ({times})"));
        each.collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn read(folder: &Path) -> Result<Record, LedgerFault> {
    let path = folder.join("run.json");
    let text = fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            LedgerFault::NoRecord { path: path.clone(), what: "the record of this run is gone".into() }
        }
        _ => at(&path)(error),
    })?;
    serde_json::from_slice(&text)
        .map_err(|error| LedgerFault::NoRecord { path, what: format!("no record of a run: {error}") })
}
