//! Observations: one fact each, with the evidence that it leads back to.
//!
//! Promises: what `overheard read --format jsonl` prints is exactly these, one a line.

use crate::{Artifact, Capture, Endpoint, Flow, Flows};
use serde::{Deserialize, Serialize};

/// One fact about an artifact. Evidence is inside: the artifact's path and hash, and packet numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Observation {
    Capture(Capture),
    Flow(Flow),
    Endpoint(Endpoint),
    /// As an endpoint, but nothing is known to have been carried to it: no contact.
    Attempt(Endpoint),
}

/// All observations of one artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub capture: Capture,
    pub flows: Flows,
    /// Whom something went to. Sorted by address, port and transport.
    pub endpoints: Vec<Endpoint>,
    /// Whom something was sent to that is not known to have been carried there, as our own recordings say: no contacts,
    /// and no absences. Sorted likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Endpoint>,
}

impl Reading {
    /// All that was met, attempts last.
    pub fn met(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().chain(&self.attempts)
    }

    /// The artifact that was read, where it was hashed.
    pub fn artifact(&self) -> Option<Artifact> {
        let sha256 = self.capture.sha256.clone()?;
        Some(Artifact { path: self.capture.path.clone(), sha256, bytes: self.capture.bytes })
    }
}
