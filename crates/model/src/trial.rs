//! Trials: one randomized act each, what became of it, and what the client sent afterwards.
//!
//! Promises: lags are whole seconds from the act; the order of trials carries no meaning.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a trial was assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// A message that may be filtered.
    Trigger,
    /// A message of the same length and script that is not.
    Benign,
    /// Nothing was sent.
    Sham,
}

/// What the client sent to one endpoint after the act.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Flows that began in each second.
    pub flows: Vec<u64>,
    /// Bytes out in each second.
    pub bytes_out: Vec<u64>,
}

/// One act and what followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub arm: Arm,
    /// Whether the message arrived; absent where none was sent or nobody looked.
    pub delivered: Option<bool>,
    /// By endpoint; an endpoint that is absent was sent nothing.
    pub traffic: BTreeMap<String, Traffic>,
    /// Levels of the factors of the design, such as `user` → `carol`.
    pub factors: BTreeMap<String, String>,
}

/// What a filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Dropped,
    Copied,
    Both,
    Neither,
}

/// What is compared at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UploadStatistic {
    /// Whether it was sent anything.
    Contacted,
    /// Flows begun.
    Flows,
    BytesOut,
    /// Seconds in which at least `from` and less than `to` bytes went out.
    Bursts {
        from: u64,
        to: u64,
    },
}

/// An endpoint that is sent more after a trigger than after a benign message, or after any message than after none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub endpoint: String,
    pub statistic: UploadStatistic,
    /// The window in which it shows best: this many seconds from the act.
    pub window_s: usize,
    /// Adjusted for all endpoints, statistics, windows and levels of factors.
    pub p: f64,
    /// Median bytes out in the window after a trigger, minus the median after a benign message; after any message, minus
    /// that after sham acts, where a factor is the trigger. Where it shows by bursts, their median size instead.
    pub bytes_more: i64,
    /// The level of a factor that is the trigger, whatever the message says; empty: its text is.
    pub factors: BTreeMap<String, String>,
}

/// The smallest upload after every trigger from which on all sizes tried would have been seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detectable {
    /// To which endpoint; absent: to one that is sent nothing else.
    pub endpoint: Option<String>,
    /// Absent where none of the sizes tried would have been.
    pub bytes: Option<u64>,
    /// Chance with which it would have been seen.
    pub power: f64,
    /// After how many of the triggers, at least, it would still have been seen; absent where it would not after all.
    pub triggers: Option<u64>,
}

/// What a level of a factor does to the share of messages that do not arrive, or that are followed by an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Where the upload goes; absent where it is about arrivals.
    pub endpoint: Option<String>,
    pub factor: String,
    pub level: String,
    /// Lost, or followed by the upload, of the triggers with this level; of all messages with it, where an upload has a
    /// level for its cause.
    pub count: u64,
    pub of: u64,
    /// The share with this level minus the share with any other, with its 95 % interval.
    pub difference: f64,
    pub low: f64,
    pub high: f64,
}

/// A test of whether more is lost than otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DropTest {
    /// The level of a factor that is tested, whatever its messages say; empty: triggers against benign messages.
    pub factors: BTreeMap<String, String>,
    /// Lost, of all: triggers. With a level, stretches of acts with the same clients of whose messages less than half
    /// arrived.
    pub lost: u64,
    pub of: u64,
    /// The same of benign messages, or of stretches with another level.
    pub others_lost: u64,
    pub others_of: u64,
    /// Of Fisher's test, adjusted for levels of factors.
    pub p: f64,
    /// Shares that are lost above this are ruled out at 95 %, whatever is lost anyway: one-sided, exact.
    pub at_most: f64,
    /// Whether that is proof.
    pub dropped: bool,
}

/// The customary level: what is no more likely by chance is not called nothing. Proof asks for far less.
pub const HINT: f64 = 0.05;

/// What the trials of a study say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uploads {
    pub outcome: Outcome,
    /// Of triggers, then of each level of each factor.
    pub drops: Vec<DropTest>,
    /// Of the largest statistic of the whole family, adjusted for levels of factors.
    pub copied_p: f64,
    /// How often the trials were looked at, this time among them: every p is multiplied by two for each look before.
    pub looks: u32,
    pub uploads: Vec<Upload>,
    /// What may be an upload and may be chance: p is no more than [`HINT`], and no proof. Given where nothing was copied.
    pub hints: Vec<Upload>,
    /// Endpoints that are sent more after a harmless message than after none, the message's own way among them: a copy of
    /// every message is none of `uploads`. Absent where too few acts sent nothing.
    pub after_every_message: Option<Vec<Upload>>,
    /// Given where nothing was copied.
    pub detectable: Vec<Detectable>,
    pub effects: Vec<Effect>,
}

impl Uploads {
    /// The least p of `drops`.
    pub fn dropped_p(&self) -> f64 {
        self.drops.iter().map(|test| test.p).fold(1.0, f64::min)
    }
}
