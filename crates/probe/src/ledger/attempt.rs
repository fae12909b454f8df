//! A run in the making: a folder that counts for nothing until one step renames it.

use super::charter::sync_folder;
use super::fault::{LedgerFault, at};
use super::record::Record;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const UNFINISHED: &str = ".partial";

/// A run in the making; dropped without being kept, it leaves nothing.
#[derive(Debug)]
pub struct Attempt {
    folder: PathBuf,
    complete: PathBuf,
}

impl Attempt {
    pub(super) fn begin(runs: &Path, name: &str) -> Result<Self, LedgerFault> {
        let folder = runs.join(format!(".{name}{UNFINISHED}"));
        fs::create_dir(&folder).map_err(at(&folder))?;
        Ok(Self { folder, complete: runs.join(name) })
    }

    /// Where the run's files go.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the run count.
    pub fn keep(self, record: &Record) -> Result<(), LedgerFault> {
        let path = self.folder.join("run.json");
        let mut json = serde_json::to_vec_pretty(record).map_err(|error| at(&path)(error.into()))?;
        json.push(b'\n');
        fs::write(&path, json).map_err(at(&path))?;
        for file in fs::read_dir(&self.folder).map_err(at(&self.folder))? {
            let file = file.map_err(at(&self.folder))?.path();
            if file.is_file() {
                File::open(&file).and_then(|file| file.sync_all()).map_err(at(&file))?;
            }
        }
        sync_folder(&self.folder)?;
        fs::rename(&self.folder, &self.complete).map_err(at(&self.complete))?;
        sync_folder(self.complete.parent().unwrap_or(Path::new(".")))
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        // It is gone already where it was kept; what cannot be removed now the next call removes.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what a killed call left half made.
pub(super) fn sweep(runs: &Path) -> Result<(), LedgerFault> {
    for folder in entries(runs)?.into_iter().filter(|path| is_unfinished(path)) {
        fs::remove_dir_all(&folder).map_err(at(&folder))?;
    }
    Ok(())
}

/// Folders of the runs that count.
pub(super) fn complete(runs: &Path) -> Result<Vec<PathBuf>, LedgerFault> {
    let mut folders = entries(runs)?;
    folders.retain(|path| path.is_dir() && !is_unfinished(path));
    Ok(folders)
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(UNFINISHED))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, LedgerFault> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(at(folder))).collect()
}
