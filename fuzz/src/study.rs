//! A saved study that somebody tampered with: opened and reported in every format.
//!
//! The input: the bytes of a SQLite file; or, when they do not begin as one, edits of a sound study. An
//! edit is a byte for what is edited, one for the row, one for the length of the new value, and the value.
//! Holds: the study is refused with the place of the damage, or its reports keep their promises.

use crate::{output, seeds, table};
use overheard_dissect::Options;
use overheard_dissect::place::Atlas;
use overheard_model::{Build, Bundle, Run, Study};
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use serde_json::Value as Json;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Edits of one input.
const EDITS: usize = 16;

pub(crate) fn body(input: &[u8]) {
    let path = DESK.path(&format!("{:?}.overheard", std::thread::current().id()));
    if input.starts_with(MAGIC) {
        fs::write(&path, input).expect("written");
    } else {
        fs::write(&path, &DESK.loose).expect("written");
        // An edit that SQLite refuses changes nothing.
        let _ = edit(&path, input);
    }
    let Ok(bundle) = overheard_store::open(&path) else { return };
    let mut readings = Vec::new();
    let reports = output::of_bundle(&bundle);
    readings.extend(bundle.runs.iter().map(|run| run.reading.clone()));
    output::of_readings(&readings);
    let again = overheard_store::open(&path).expect("what opened once opens again");
    assert!(reports == output::of_bundle(&again), "the same study was reported differently");
}

/// Where studies lie while they are tried.
struct Desk {
    folder: TempDir,
    /// A study as it is saved.
    saved: Vec<u8>,
    /// The same rows in tables without types and constraints, as somebody else may write them.
    loose: Vec<u8>,
}

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("seed.overheard");
    overheard_store::save(&path, &bundle()).expect("saved");
    let saved = fs::read(&path).expect("read");
    loosen(&path).expect("loosened");
    Desk { loose: fs::read(&path).expect("read"), saved, folder }
});

impl Desk {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Two builds with two runs each.
fn bundle() -> Bundle {
    let captures = seeds::captures();
    let small = captures.iter().filter(|capture| capture.len() < 5000).take(4);
    let runs = small.enumerate().map(|(index, capture)| {
        let path = format!("{index}.pcap");
        let reading = overheard_dissect::read(&capture[..], path.as_str().into(), &Options::default());
        Run { build: index % 2, name: path, began: reading.capture.first, reading }
    });
    let mut runs: Vec<Run> = runs.collect();
    Atlas::embedded().place(runs.iter_mut().map(|run| &mut run.reading), None);
    let builds = ["a", "b"].map(|name| Build { name: name.into() }).to_vec();
    let vantage = "LU".parse().ok();
    let study = Study {
        builds,
        reference: 0,
        concerns: table::concerns(),
        vantage,
        seed: 1,
        places: vec![],
        registration: None,
    };
    let comparison = overheard_analyze::compare(&study, &runs);
    Bundle { study, runs, comparison }
}

fn loosen(path: &PathBuf) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA foreign_keys = OFF; DROP VIEW finding; DROP VIEW cell;")?;
    for table in TABLES {
        connection.execute_batch(&format!(
            "CREATE TABLE loose AS SELECT * FROM {table}; DROP TABLE {table}; ALTER TABLE loose RENAME TO {table};"
        ))?;
    }
    connection.execute_batch("VACUUM")
}

const TABLES: [&str; 6] = ["blob", "study", "artifact", "run", "flow", "endpoint"];
/// Those whose columns are edited; documents are edited by their JSON.
const EDITED: [&str; 3] = ["run", "flow", "endpoint"];
const DOCUMENTS: [(&str, &str); 3] = [("study", "plan"), ("study", "comparison"), ("run", "capture")];

fn edit(path: &PathBuf, input: &[u8]) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")?;
    let mut rest = input;
    for _ in 0..EDITS {
        let Some((&[what, row, length], after)) = rest.split_first_chunk::<3>() else { break };
        let (value, after) = after.split_at(usize::from(length).min(after.len()));
        // What SQLite does not take is left as it was.
        let _ = match what % 16 {
            at @ 0..3 => edit_document(&connection, DOCUMENTS[usize::from(at)], row, value),
            3 => connection.execute_batch("UPDATE flow SET run = 0").map(|()| 0),
            4 => connection.execute_batch("DELETE FROM flow WHERE seq > 0").map(|()| 0),
            5 => connection.execute_batch("INSERT INTO endpoint SELECT * FROM endpoint LIMIT 50").map(|()| 0),
            _ => edit_row(&connection, EDITED[usize::from(what) % 3], usize::from(what) / 16, row, value),
        };
        rest = after;
    }
    connection.execute_batch("COMMIT")
}

/// Sets one column of one row; the row's highest bits say what kind of value it becomes.
fn edit_row(
    connection: &Connection,
    table: &str,
    column: usize,
    row: u8,
    value: &[u8],
) -> rusqlite::Result<usize> {
    let columns: Vec<String> = connection
        .prepare(&format!("SELECT * FROM {table}"))?
        .column_names()
        .map(ToString::to_string)
        .collect();
    // A value's first byte reaches the columns beyond the sixteenth.
    let column = column + usize::from(value.first().copied().unwrap_or(0)) % 3 * 16;
    let Some(column) = columns.get(column % columns.len()) else { return Ok(0) };
    let count: u8 =
        connection.query_row(&format!("SELECT min(count(*), 63) FROM {table}"), [], |row| row.get(0))?;
    let text = || String::from_utf8_lossy(value).into_owned();
    let number = value.iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
    let new = match row >> 6 {
        0 => Value::Text(text()),
        1 => Value::Integer(number),
        2 => text().parse().map_or(Value::Null, Value::Real),
        _ => Value::Blob(value.to_vec()),
    };
    let update = format!(
        "UPDATE {table} SET {column} = ?1 WHERE rowid = (SELECT rowid FROM {table} LIMIT 1 OFFSET ?2)"
    );
    connection.execute(&update, params![new, (row & 63).checked_rem(count).unwrap_or(0)])
}

/// Sets one value within a document, which gets the hash of its new bytes.
fn edit_document(
    connection: &Connection,
    (table, column): (&str, &str),
    place: u8,
    value: &[u8],
) -> rusqlite::Result<usize> {
    let find = format!("SELECT bytes FROM blob WHERE sha256 = (SELECT {column} FROM {table} LIMIT 1)");
    let bytes: Vec<u8> = connection.query_row(&find, [], |row| row.get(0))?;
    let Ok(mut document) = serde_json::from_slice::<Json>(&bytes) else { return Ok(0) };
    let text = String::from_utf8_lossy(value);
    let new = serde_json::from_str(&text).unwrap_or_else(|_| Json::String(text.into_owned()));
    let values = count(&document);
    let place = usize::from(place) * values / 256;
    set(&mut document, &mut place.clone(), &new);
    let bytes = document.to_string().into_bytes();
    let hash = sha256(&bytes);
    connection.execute("INSERT INTO blob (sha256, bytes) VALUES (?, ?)", params![hash, bytes])?;
    connection.execute(&format!("UPDATE {table} SET {column} = ?"), params![hash])
}

/// Values in a document, the nested ones and itself.
fn count(document: &Json) -> usize {
    1 + match document {
        Json::Array(items) => items.iter().map(count).sum(),
        Json::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Replaces the value that comes after so many others.
fn set(document: &mut Json, place: &mut usize, new: &Json) {
    if *place == 0 {
        *document = new.clone();
    }
    *place = place.wrapping_sub(1);
    match document {
        Json::Array(items) => items.iter_mut().for_each(|item| set_below(item, place, new)),
        Json::Object(fields) => fields.values_mut().for_each(|field| set_below(field, place, new)),
        _ => {}
    }
}

fn set_below(document: &mut Json, place: &mut usize, new: &Json) {
    if *place < usize::MAX / 2 {
        set(document, place, new);
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let edits: [&[u8]; 8] = [
        b"",
        b"\x00\x10\x03\"x\"\x01\x80\x05[1,2]",
        b"\x01\x20\x041e99\x02\x08\x04null",
        b"\x06\x00\x05<a b>\x17\x00\x02=1",
        b"\x27\x40\x08\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x28\x81\x03NaN\x38\xc0\x02\xff\xfe",
        b"\x47\x00\x07\x1b[2J\xe2\x80\xae",
        b"\x03\x00\x00\x04\x00\x00\x05\x00\x00",
    ];
    edits.iter().map(|edits| edits.to_vec()).chain([DESK.saved.clone()]).collect()
}
