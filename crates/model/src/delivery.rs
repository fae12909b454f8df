//! Messages that were sent on trial, and what became of each.
//!
//! Promises: the text of a message is not kept, only its SHA-256; every message that was spent is here, answered or not.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    Delivered,
    /// It did not arrive within the window.
    Lost,
    /// As [`Self::Lost`], and the sender's client reported an error for it.
    Refused,
}

/// Events between two accounts that answer no question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strays {
    /// Messages that arrived after their window, and so count as lost.
    pub late: u64,
    /// Messages that arrived more than once.
    pub repeated: u64,
    /// Messages that nobody sent: somebody else's, or altered on the way.
    pub unknown: u64,
    /// What the sender's client said of a message that it was not asked for.
    pub misplaced: u64,
}

impl Strays {
    pub fn add(&mut self, other: Self) {
        self.late += other.late;
        self.repeated += other.repeated;
        self.unknown += other.unknown;
        self.misplaced += other.misplaced;
    }
}

/// One message that was spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// From 1, in the order of sending.
    pub number: u64,
    /// That sent it.
    pub account: String,
    pub text_sha256: String,
    pub sent: Timestamp,
    /// Absent where the program ended before it was known.
    pub fate: Option<Fate>,
    /// Why it was refused, as the sender's client says, without the message's text; absent where it was not, or nobody said.
    pub reason: Option<String>,
    /// From sending to arrival, milliseconds; absent where it did not arrive.
    pub after_ms: Option<u64>,
}
