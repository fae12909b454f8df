//! Values in columns: numbers, words of the model's vocabulary, and small JSON where there are several.
//!
//! Promises: reads back exactly what it wrote, or says which column does not hold what it should; a
//! repeated text becomes one shared string.

use crate::Error;
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{CachedStatement, Connection};
use serde::de::{DeserializeOwned, value};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An unsigned number as SQLite's signed one, all 64 bits of it.
pub(crate) fn bits(number: u64) -> i64 {
    number.cast_signed()
}

/// The columns of a row, read one after the other in the table's order.
pub(crate) struct Columns<'r, 's> {
    row: &'r rusqlite::Row<'s>,
    next: usize,
}

/// Writes rows of a table that belong to a run: first its number and the row's, then the columns.
pub(crate) fn insert_into<'c>(
    connection: &'c Connection,
    (table, columns): (&str, &str),
) -> rusqlite::Result<CachedStatement<'c>> {
    let values = ", ?".repeat(columns.split(',').count());
    connection.prepare_cached(&format!("INSERT INTO {table} (run, seq, {columns}) VALUES (?, ?{values})"))
}

/// The rows of a table that belong to one run, in order. What is wrong with one names the run, the
/// table, the row's number and the column.
pub(crate) fn rows_of<T>(
    connection: &Connection,
    (table, columns): (&str, &str),
    run: i64,
    mut read: impl FnMut(Columns) -> Result<T, Wrong>,
) -> Result<Vec<T>, Error> {
    let select = format!("SELECT {columns} FROM {table} WHERE run = ? ORDER BY seq");
    let mut select = connection.prepare_cached(&select)?;
    let mut rows = select.query([run])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let place = || format!("run {run}, {table} {}", found.len());
        let read = read(Columns::of(row)).map_err(|what| Error::damaged(place(), what))?;
        found.push(read);
    }
    Ok(found)
}

/// What is wrong with a column.
pub(crate) type Wrong = String;

impl<'r, 's> Columns<'r, 's> {
    pub(crate) fn of(row: &'r rusqlite::Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    fn value(&mut self) -> Result<ValueRef<'r>, Wrong> {
        let index = self.next;
        self.next += 1;
        self.row.get_ref(index).map_err(|error| error.to_string())
    }

    fn named<T>(&self, result: Result<T, impl fmt::Display>) -> Result<T, Wrong> {
        // Not before there is an error: the name takes longer than the value.
        result.map_err(|what| {
            let column = self.next.checked_sub(1).and_then(|index| self.row.as_ref().column_name(index).ok());
            format!("column {}: {what}", column.unwrap_or("?"))
        })
    }

    /// A number, or nothing, as SQLite holds it.
    pub(crate) fn get<T: FromSql>(&mut self) -> Result<T, Wrong> {
        let value = self.value()?;
        self.named(T::column_result(value))
    }

    pub(crate) fn count(&mut self) -> Result<u64, Wrong> {
        self.get::<i64>().map(i64::cast_unsigned)
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<&'r str>, Wrong> {
        let value = self.value()?;
        self.named(value.as_str_or_null())
    }

    pub(crate) fn text(&mut self) -> Result<&'r str, Wrong> {
        let value = self.value()?;
        self.named(value.as_str())
    }

    /// An address or another value with a written form.
    pub(crate) fn parsed<T: FromStr<Err: fmt::Display>>(&mut self) -> Result<T, Wrong> {
        let text = self.text()?;
        self.named(text.parse::<T>())
    }

    /// A variant without fields.
    pub(crate) fn word<T: Deserialize<'r>>(&mut self) -> Result<T, Wrong> {
        let deserializer: value::BorrowedStrDeserializer<'r, value::Error> =
            value::BorrowedStrDeserializer::new(self.text()?);
        self.named(T::deserialize(deserializer))
    }

    /// JSON, or the default where there is none.
    pub(crate) fn json<T: DeserializeOwned + Clone + Default>(
        &mut self,
        known: &mut Parsed<T>,
    ) -> Result<T, Wrong> {
        match self.maybe_text()? {
            None => Ok(T::default()),
            Some(text) => self.named(known.json(text)),
        }
    }

    /// A text that many rows share.
    pub(crate) fn shared(&mut self, strings: &mut Strings) -> Result<Option<Arc<str>>, Wrong> {
        Ok(self.maybe_text()?.map(|text| strings.shared(text)))
    }
}

/// A variant without fields, written as the model serialises it.
pub(crate) struct Word<T>(pub(crate) T);

impl<T: Serialize> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

/// JSON of a list, or nothing for an empty one.
pub(crate) fn list<T: Serialize>(list: &[T]) -> Result<Option<String>, serde_json::Error> {
    if list.is_empty() { Ok(None) } else { serde_json::to_string(list).map(Some) }
}

/// Parses each distinct text once.
pub(crate) struct Parsed<T>(HashMap<Box<str>, T>);

impl<T> Default for Parsed<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// Distinct texts remembered; a study has few networks and many packet numbers.
const REMEMBERED: usize = 4096;

impl<T: DeserializeOwned + Clone> Parsed<T> {
    fn json(&mut self, text: &str) -> Result<T, serde_json::Error> {
        if let Some(known) = self.0.get(text) {
            return Ok(known.clone());
        }
        let value: T = serde_json::from_str(text)?;
        if self.0.len() < REMEMBERED {
            self.0.insert(text.into(), value.clone());
        }
        Ok(value)
    }
}

/// One string for all equal texts.
#[derive(Default)]
pub(crate) struct Strings(HashMap<Box<str>, Arc<str>>);

impl Strings {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let shared: Arc<str> = text.into();
        if self.0.len() < REMEMBERED {
            self.0.insert(text.into(), shared.clone());
        }
        shared
    }
}
