//! What can be wrong with a study's folder, each with the next step.

use overheard_model::Timestamp;
use std::io;
use std::path::{Path, PathBuf};

/// Why a study cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LedgerFault {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("build {build}: {}: {error}", path.display())]
    NoFile { build: String, path: PathBuf, error: io::Error },
    #[error("{}: another call works on this study", root.display())]
    Busy { root: PathBuf },
    #[error("{}: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    #[error("{}: {what}", path.display())]
    NoRecord { path: PathBuf, what: String },
    #[error("{}: the study changed since it began at {began}:\n{}", root.display(), differences.join("\n"))]
    Changed { root: PathBuf, began: Timestamp, differences: Vec<String> },
    #[error("{}: its runs were made in another order than this plan's", root.display())]
    AnotherOrder { root: PathBuf },
}

impl LedgerFault {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check that the folder exists, is writable and has room",
            Self::NoFile { .. } => {
                "`files` of a build are files that you may read, their paths from the plan's folder: correct them, or leave \
                 them out"
            }
            Self::Busy { .. } => "wait for it to end, or give another folder with --study",
            Self::Damaged { .. } => "restore that file, or begin anew in another folder with --study",
            Self::NoRecord { .. } => {
                "restore that file, or move the run's folder out of the study: the same command makes that run again"
            }
            Self::Changed { .. } => {
                "undo the change, go on with --accept-change (the report will show it), or begin anew with --study"
            }
            Self::AnotherOrder { .. } => {
                "builds, activities, vantages, controls and seed are fixed: begin anew with --study"
            }
        }
    }
}

/// Turns an error of the system into one that names the path.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> LedgerFault + use<> {
    let path = path.to_owned();
    move |error| LedgerFault::Io { path, error }
}
