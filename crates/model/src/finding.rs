//! Findings: one claim each, with its verdict and what supports it.

use serde::{Deserialize, Serialize};

/// What the evidence does to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The evidence carries the claim at the stated error rate.
    Support,
    /// The evidence carries its opposite, within a stated bound.
    Refute,
    /// Too little evidence either way.
    Abstain,
}

/// What a finding stands on: a key of the comparison and the runs that show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Support {
    pub build: String,
    /// Names of the runs in which the key was seen.
    pub runs: Vec<String>,
}

/// One claim that a report may print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The question it answers, such as `endpoints`.
    pub question: String,
    /// One sentence in plain words.
    pub claim: String,
    pub verdict: Verdict,
    /// Whether it is a reason for concern, which decides the exit code: a concern contacted more or less
    /// often than by the reference, or a key that differs. Sets that differ as wholes are none by
    /// themselves.
    pub concern: bool,
    /// The adjusted (or, for a concern named beforehand, plain) p-value behind it.
    pub p: Option<f64>,
    /// Further runs of each build that would settle it, where the verdict is to abstain.
    pub runs_needed: Option<u64>,
    pub support: Vec<Support>,
}
