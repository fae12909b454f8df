//! What can be wrong with a world, in a form that crosses from the process inside to the one outside.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Names the thing, says what was expected, hints at the next step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    pub what: String,
    pub hint: String,
    /// A privilege or a program is missing; nothing is wrong with the world itself.
    pub missing: bool,
}

impl Error {
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into(), missing: false }
    }

    pub(super) fn missing(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { missing: true, ..Self::new(what, hint) }
    }

    /// A step that the operating system refused.
    pub(super) fn step(step: &str, why: impl fmt::Display) -> Self {
        Self::new(
            format!("the world could not {step}: {why}"),
            "`overheard doctor` says what is missing here",
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}
