//! Keeps: a study and all that was found, in one SQLite file.
//!
//! Promises: the only crate that knows SQL; a file it wrote is read by every later version.

#![forbid(unsafe_code)]

use overheard_model::Bundle;
use std::path::Path;

/// Why a study could not be kept or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Placeholder(String),
}

/// Writes the bundle to a new file at `path`, whole or not at all.
pub fn save(_path: &Path, _bundle: &Bundle) -> Result<(), Error> {
    todo!()
}

/// Reads a bundle back.
pub fn open(_path: &Path) -> Result<Bundle, Error> {
    todo!()
}
