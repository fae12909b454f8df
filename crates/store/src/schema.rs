//! The schema and its history.
//!
//! Promises: `PRAGMA application_id` marks a study, `PRAGMA user_version` counts the migrations that a
//! file has had. A migration that was released is never changed; a new one goes to the end.

use crate::Error;
use rusqlite::{Connection, backup::Backup};
use std::time::Duration;

/// `ovrh`, so that `file` and we can tell a study from another SQLite database.
const APPLICATION_ID: i64 = 0x6f76_7268;

/// What turns format n into format n + 1.
const MIGRATIONS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

/// The format that this version writes.
pub(crate) const NEWEST: i64 = MIGRATIONS.len() as i64;

/// The format of an opened file; an error where it is no study.
pub(crate) fn version(connection: &Connection) -> Result<i64, Error> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    match pragma("application_id")? {
        APPLICATION_ID => Ok(pragma("user_version")?),
        _ => Err(Error::NotAStudy),
    }
}

/// Brings an empty or older database to [`NEWEST`], all steps or none.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let transaction = connection.transaction()?;
    let done: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(done).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", NEWEST)?;
    Ok(transaction.commit()?)
}

/// A copy in memory at [`NEWEST`]: opening an old study does not change it.
pub(crate) fn migrated(connection: &Connection) -> Result<Connection, Error> {
    let mut copy = Connection::open_in_memory()?;
    Backup::new(connection, &mut copy)?.run_to_completion(1000, Duration::ZERO, None)?;
    migrate(&mut copy)?;
    Ok(copy)
}
