//! The folder for what a race makes: removed at the end, also when interrupted.

use anyhow::{Context, Result};
use std::path::Path;
use tempfile::TempDir;

pub(super) struct Scratch(TempDir);

impl Scratch {
    pub(super) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("overheard-race-").tempdir()?;
        let path = folder.path().to_path_buf();
        ctrlc::set_handler(move || {
            if let Err(error) = std::fs::remove_dir_all(&path) {
                eprintln!("{} is left behind: {error}", path.display());
            }
            std::process::exit(130);
        })
        .context("no handler for interruption")?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}
