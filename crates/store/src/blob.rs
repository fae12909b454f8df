//! Documents by their SHA-256.
//!
//! Promises: equal bytes are kept once; a document whose bytes are not those of its hash is damaged.

use crate::Error;
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Write;

/// Keeps a value as JSON and returns its hash.
pub(crate) fn keep(connection: &Connection, value: &impl Serialize) -> Result<String, Error> {
    let bytes = serde_json::to_vec(value).map_err(|error| Error::damaged("the study to be saved", error))?;
    let sha256 = hash(&bytes);
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO blob (sha256, bytes) VALUES (?, ?)")?;
    insert.execute(params![sha256, bytes])?;
    Ok(sha256)
}

/// Finds a value; `what` names it in the error.
pub(crate) fn find<T: DeserializeOwned>(
    connection: &Connection,
    sha256: &str,
    what: &str,
) -> Result<T, Error> {
    let mut select = connection.prepare_cached("SELECT bytes FROM blob WHERE sha256 = ?")?;
    let bytes: Option<Vec<u8>> = select.query_row([sha256], |row| row.get(0)).optional()?;
    let bytes = bytes.ok_or_else(|| Error::damaged(what, "it is missing"))?;
    if hash(&bytes) != sha256 {
        return Err(Error::damaged(what, format!("its bytes are not those of SHA-256 {sha256}")));
    }
    serde_json::from_slice(&bytes).map_err(|error| Error::damaged(what, error))
}

fn hash(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
