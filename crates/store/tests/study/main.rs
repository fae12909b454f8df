//! Studies kept and opened again: what comes back, and what is refused.

mod arbitrary;

use overheard_model::Bundle;
use overheard_store::{Error, open, save};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A study, kept in the folder.
    fn study(&self) -> PathBuf {
        let path = self.path("study.overheard");
        save(&path, &arbitrary::fixed()).expect("saved");
        path
    }
}

fn sql(path: &PathBuf, statement: &str) {
    let connection = rusqlite::Connection::open(path).expect("a database");
    connection.execute_batch(statement).expect("a statement");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_opened_is_what_was_saved(bundle in arbitrary::bundle()) {
        let folder = Folder::new();
        let path = folder.path("study.overheard");
        save(&path, &bundle).unwrap();
        prop_assert_eq!(open(&path).unwrap(), bundle);
    }

    #[test]
    fn damage_anywhere_is_no_panic(at in 0.0..1.0, byte: u8) {
        let folder = Folder::new();
        let path = folder.study();
        let mut bytes = fs::read(&path).unwrap();
        let index = (bytes.len() as f64 * at) as usize;
        bytes[index] = byte;
        fs::write(&path, bytes).unwrap();
        let _: Result<Bundle, Error> = open(&path);
    }
}

#[test]
fn the_study_is_the_only_file_left() {
    let folder = Folder::new();
    folder.study();
    folder.study();
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 1, "a draft was left behind");
}

#[test]
fn a_file_that_is_no_study_is_not_written_over() {
    let folder = Folder::new();
    let path = folder.path("thesis.txt");
    fs::write(&path, "ten years of work").unwrap();
    assert!(matches!(save(&path, &arbitrary::fixed()), Err(Error::Occupied)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "ten years of work");
}

#[test]
fn a_study_that_cannot_be_written_leaves_the_old_one() {
    let folder = Folder::new();
    let missing = folder.path("no-such-folder").join("study.overheard");
    assert!(matches!(save(&missing, &arbitrary::fixed()), Err(Error::Io(_))));
}

#[test]
fn other_files_are_no_studies() {
    let folder = Folder::new();
    let path = folder.path("other");
    fs::write(&path, "build,run,address\n").unwrap();
    assert!(matches!(open(&path), Err(Error::NotAStudy)));
    fs::write(&path, "").unwrap();
    assert!(matches!(open(&path), Err(Error::NotAStudy)));
    fs::remove_file(&path).unwrap();
    sql(&path, "CREATE TABLE bookmark (url TEXT)");
    assert!(matches!(open(&path), Err(Error::NotAStudy)));
    assert!(matches!(open(folder.0.path()), Err(Error::NotAStudy)));
    assert!(matches!(open(&folder.path("missing")), Err(Error::Io(_))));
}

#[test]
fn a_newer_format_is_named() {
    let folder = Folder::new();
    let path = folder.study();
    sql(&path, "PRAGMA user_version = 99");
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("format 99") && error.contains("newer Overheard"), "{error}");
}

/// What is wrong with a study, to whoever reads all of it.
fn damage(path: &Path) -> String {
    let bundle = match open(path) {
        Ok(bundle) => bundle,
        Err(error) => return error.to_string(),
    };
    bundle.runs.iter().for_each(|run| run.reading.flows.iter().for_each(drop));
    bundle.runs.iter().find_map(|run| run.reading.flows.failure()).expect("damage")
}

#[test]
fn damage_is_located() {
    let cases = [
        ("UPDATE flow SET dst = 'nowhere' WHERE run = 0 AND seq = 0", ["run 0, flow 0", "column dst"]),
        ("UPDATE flow SET protocol = 'telepathy' WHERE seq = 0", ["run 0, flow 0", "column protocol"]),
        ("UPDATE endpoint SET place = '{' WHERE run = 0", ["run 0, endpoint 0", "column place"]),
        (
            "INSERT INTO flow SELECT run, 9, capture, transport, src, src_port, dst, dst_port, began_by, ours, state, packets_out, packets_in, bytes_out, bytes_in, first, last, first_packet, last_packet, retransmissions, gap_bytes, conflicting_bytes, rtt_ms, names, protocol, measure, visibility, ja4, ja4_normalised, community_id, tunnel, country, asn, process FROM flow WHERE run = 0 AND seq = 0",
            ["run 0, flow 1", "missing"],
        ),
        ("UPDATE run SET build = -1", ["run 0", "out of range"]),
        ("DELETE FROM study", ["table study", "no rows"]),
        (
            "UPDATE blob SET bytes = CAST(CAST(bytes AS TEXT) || ' ' AS BLOB) WHERE sha256 = (SELECT comparison FROM study)",
            ["the comparison", ""],
        ),
        ("DELETE FROM blob WHERE sha256 = (SELECT plan FROM study)", ["the plan", "missing"]),
    ];
    for (statement, expected) in cases {
        let folder = Folder::new();
        let path = folder.study();
        sql(&path, &format!("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {statement}"));
        let error = damage(&path);
        for part in expected {
            assert!(error.contains(part), "{statement}: {error}");
        }
    }
}

#[test]
fn findings_and_cells_can_be_asked_for_in_sql() {
    let folder = Folder::new();
    let connection = rusqlite::Connection::open(folder.study()).unwrap();
    let claim: String = connection.query_row("SELECT claim FROM finding", [], |row| row.get(0)).unwrap();
    assert_eq!(claim, "b contacts 192.0.2.1");
    let cell = connection.query_row("SELECT present, runs FROM cell WHERE build = 'b'", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    });
    assert_eq!(cell.unwrap(), (3, 4));
}
