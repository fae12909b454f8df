//! Kept bytes: a capture file or a table, known by its hash.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A file that observations lead back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// The path as the user gave it; `-` for standard input.
    pub path: Arc<str>,
    /// SHA-256 of the bytes as stored (compressed files unopened), 64 hex digits.
    pub sha256: String,
    /// Size as stored.
    pub bytes: u64,
}
