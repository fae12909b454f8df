//! How many runs a study needs before it can prove anything: the answer of `overheard plan`.

use serde::{Deserialize, Serialize};

/// The power that a number of runs buys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Runs of each build.
    pub runs: u64,
    /// Chance that a server contacted at `rate` by one build and never by the other is found.
    pub power: f64,
    /// Upper 95 % bound on the contact rate when none of these runs shows a contact.
    pub absence_bound: f64,
}

/// Sample sizes for a study that is not yet made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Chance that one run of the build contacts the server.
    pub rate: f64,
    /// Chance that one run of the reference contacts it.
    pub reference_rate: f64,
    /// Endpoints compared side by side.
    pub keys: u64,
    /// False alarms allowed over the whole study.
    pub alpha: f64,
    /// Power asked for.
    pub target: f64,
    /// Runs of each build that reach the target power, where fewer than the search's limit do.
    pub runs_needed: Option<u64>,
    /// The same for a concern named before the data: one test, outside the family.
    pub runs_needed_concern: Option<u64>,
    /// Power at some numbers of runs, rising.
    pub table: Vec<Power>,
}
