//! What a build is made of: the hashes of its files, recorded before the first run.

use super::fault::{LedgerFault, at};
use crate::digest;
use overheard_model::design::BuildDesign;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};

/// One build's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pedigree {
    pub build: String,
    pub files: Vec<FileHash>,
}

/// A file as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileHash {
    pub path: PathBuf,
    pub sha256: String,
    pub bytes: u64,
}

impl FileHash {
    pub fn of(path: &Path) -> Result<Self, LedgerFault> {
        let (sha256, bytes) = File::open(path).and_then(digest::of).map_err(at(path))?;
        Ok(Self { path: path.to_owned(), sha256, bytes })
    }

    /// With its path from this folder on.
    pub fn within(mut self, folder: &Path) -> Self {
        if let Ok(path) = self.path.strip_prefix(folder) {
            self.path = path.to_owned();
        }
        self
    }
}

impl Pedigree {
    pub(super) fn differences(&self, now: &Self) -> Vec<String> {
        let others = |file: &&FileHash, from: &[FileHash]| !from.contains(file);
        let line = |sign: char, file: &FileHash| {
            format!("{sign} build {}: {} sha256 {}", self.build, file.path.display(), file.sha256)
        };
        let gone = self.files.iter().filter(|file| others(file, &now.files)).map(|file| line('-', file));
        let come = now.files.iter().filter(|file| others(file, &self.files)).map(|file| line('+', file));
        gone.chain(come).collect()
    }
}

/// Reads the files of all builds; relative paths go from `base`, the plan's folder.
pub fn pedigrees(builds: &[BuildDesign], base: &Path) -> Result<Vec<Pedigree>, LedgerFault> {
    let of = |build: &BuildDesign| {
        let hash = |file: &PathBuf| {
            let hash = FileHash::of(&base.join(file)).map(|hash| hash.within(base));
            hash.map_err(|fault| match fault {
                LedgerFault::Io { path, error } => {
                    LedgerFault::NoFile { build: build.name.clone(), path, error }
                }
                other => other,
            })
        };
        let files = build.files.iter().map(hash);
        Ok(Pedigree { build: build.name.clone(), files: files.collect::<Result<_, _>>()? })
    };
    builds.iter().map(of).collect()
}
