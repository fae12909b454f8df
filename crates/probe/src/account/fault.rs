//! Why a driver ends before it was asked to.

use std::io;
use std::path::PathBuf;

/// Why an account cannot be used, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{server}: {error}")]
    Unreachable { server: String, error: io::Error },
    #[error("{server}: the secure connection failed: {error}")]
    Insecure { server: String, error: io::Error },
    #[error("{}: {why}", file.display())]
    Roots { file: PathBuf, why: String },
    #[error("the login did not stand within {0} s")]
    Slow(u64),
    #[error("the login was refused: {0}")]
    Refused(String),
    #[error("{0}")]
    Unfit(String),
    #[error("the connection was lost: {0}")]
    Lost(String),
    #[error("standard output: {0}")]
    Unheard(io::Error),
}

impl Fault {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "check --server HOST:PORT, and that the network lets it through",
            Self::Insecure { .. } => {
                "check the port and the host's name; --ca FILE trusts an authority of your own"
            }
            Self::Roots { .. } => "give certificates in PEM form",
            Self::Slow(_) => {
                "check that the service is the one that you mean, and look at it with another client"
            }
            Self::Refused(_) => "check the account, its password and whether it is banned",
            Self::Unfit(_) => "`overheard driver --help` has examples",
            Self::Lost(_) => "look whether the account was banned, and whether the service still runs",
            Self::Unheard(_) => "the program that started this driver must read it until it ends",
        }
    }
}

/// What the service says, made fit for one line.
pub(crate) fn line(said: &str) -> String {
    said.split(|c: char| c.is_control())
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
