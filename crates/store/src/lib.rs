//! Keeps: a study and all that was found, in one SQLite file.
//!
//! For: rendering every report again without the captures, and for whoever wants to ask in SQL.
//! Promises: the only crate that knows SQL; a file it wrote is read by every later version
//! (`schema`); a study is written whole or not at all; what is opened equals what was saved.
//! Refuses: to write over a file that is no study.
//! To extend: a new column is a migration at the end of `schema::MIGRATIONS`, and its line in
//! `flow` or `endpoint`.

#![forbid(unsafe_code)]

mod blob;
mod column;
mod endpoint;
mod flow;
mod read;
mod schema;
mod write;

use overheard_model::Bundle;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Why a study could not be kept or opened. Messages name what is wrong with the file, not its path.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("this is no study of Overheard (expected a file that `overheard compare --save` wrote)")]
    NotAStudy,
    #[error(
        "a file of that name exists and is no study of Overheard: choose another name, or move it out of the way"
    )]
    Occupied,
    #[error("the study is of format {found}, and this version reads up to {known}: use a newer Overheard")]
    Newer { found: i64, known: i64 },
    #[error("the study is damaged at {place}: {what}")]
    Damaged { place: String, what: String },
    #[error("the database refused: {0}")]
    Sql(#[from] rusqlite::Error),
}

impl Error {
    fn damaged(place: impl Into<String>, what: impl ToString) -> Self {
        Self::Damaged { place: place.into(), what: what.to_string() }
    }
}

/// Writes the bundle to a file at `path`, whole or not at all. A study that is there already is replaced.
///
/// # Errors
/// [`Error::Occupied`] where another kind of file has that name; [`Error::Io`] and [`Error::Sql`] where the
/// disk or the folder does not let it be written. Nothing is left behind then.
pub fn save(path: &Path, bundle: &Bundle) -> Result<(), Error> {
    if path.exists() && !is_study(path) {
        return Err(Error::Occupied);
    }
    let draft = Draft::beside(path)?;
    write::bundle(Connection::open(&draft.0)?, bundle)?;
    File::open(&draft.0)?.sync_all()?;
    fs::rename(&draft.0, path)?;
    Ok(())
}

/// No locks inside SQLite: one thread at a time uses a connection.
const READ_ONLY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Reads a bundle back, but for its flows, each of which is read when it is told.
///
/// # Errors
/// [`Error::NotAStudy`], [`Error::Newer`], or [`Error::Damaged`] with the place of the damage; where that is a
/// flow, [`overheard_model::Flows::failure`] says so once it was asked for.
pub fn open(path: &Path) -> Result<Bundle, Error> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(Error::NotAStudy);
    }
    drop(file);
    let connection = Connection::open_with_flags(path, READ_ONLY)?;
    match schema::version(&connection) {
        Ok(found) if found > schema::NEWEST => Err(Error::Newer { found, known: schema::NEWEST }),
        Ok(found) if found < schema::NEWEST => read::bundle(schema::migrated(&connection)?),
        Ok(_) => read::bundle(connection),
        Err(_) => Err(Error::NotAStudy),
    }
}

fn is_study(path: &Path) -> bool {
    let connection = Connection::open_with_flags(path, READ_ONLY);
    connection.is_ok_and(|connection| schema::version(&connection).is_ok())
}

/// A file beside the one to be written; removed when it has not become that file.
struct Draft(PathBuf);

impl Draft {
    fn beside(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut draft = std::ffi::OsString::from(".");
        draft.push(name);
        draft.push(format!(".{}.partial", std::process::id()));
        let draft = path.with_file_name(draft);
        File::create(&draft)?;
        Ok(Self(draft))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is gone already where it was renamed.
        let _ = fs::remove_file(&self.0);
    }
}
