//! Bad input gets a clear message, a hint and exit code 2, and leaves standard output alone.

mod program;

use program::{overheard, overheard_fed};
use std::fs;

const REGULAR_RUN: &str = "corpus/messenger/regular/run2.pcapng";
const REGULAR: &str = "regular=corpus/messenger/regular";

#[test]
fn a_missing_file() {
    overheard(&["read", "nowhere.pcap"]).refuses("nowhere.pcap");
    overheard(&["compare", REGULAR, "other=nowhere/"]).refuses("nowhere/");
    overheard(&["report", "nowhere.overheard"]).refuses("nowhere.overheard");
    overheard(&["read", "--mmdb", "nowhere.mmdb", "corpus/messenger/regular"]).refuses("nowhere.mmdb");
}

#[test]
fn an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    overheard(&["read", path]).refuses(path);
    overheard(&["compare", REGULAR, &format!("other={path}")]).refuses(path);
}

#[test]
fn a_text_file() {
    overheard(&["read", "README.md"]).refuses("README.md");
    overheard(&["compare", REGULAR, "other=README.md"]).refuses("README.md");
    overheard_fed(&["read", "-"], b"no capture at all").refuses("-");
}

#[test]
fn an_empty_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.pcap");
    fs::write(&path, b"").unwrap();
    overheard(&["read", path.to_str().unwrap()]).refuses("empty.pcap");
}

#[test]
fn two_builds_with_the_same_name() {
    overheard(&["compare", REGULAR, "regular=corpus/messenger/co-branded"]).refuses("regular");
}

#[test]
fn a_single_build() {
    overheard(&["compare", REGULAR]).refuses("two builds");
}

#[test]
fn the_same_capture_twice() {
    let run = "corpus/messenger/regular/run1.pcapng";
    overheard(&["compare", &format!("a={run}"), &format!("b={run}")]).refuses("same packets");
}

#[test]
fn the_same_run_in_another_format() {
    let plain = "plain=corpus/formats/big-endian.pcap";
    overheard(&["compare", plain, "packed=corpus/formats/gzip.pcap.gz"]).refuses("same packets");
}

#[test]
fn a_report_over_its_own_capture() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run1.pcapng");
    fs::copy(program::root().join("corpus/messenger/regular/run1.pcapng"), &run).unwrap();
    let (path, before) = (run.to_str().unwrap(), fs::read(&run).unwrap());
    overheard(&["read", path, "-o", path]).refuses("replace");
    let link = folder.path().join("link");
    fs::hard_link(&run, &link).unwrap();
    overheard(&["read", path, "-o", link.to_str().unwrap()]).refuses("replace");
    overheard(&["read", REGULAR_RUN, "--mmdb", path, "-o", path]).refuses("replace");
    let other = "b=corpus/messenger/co-branded/run1.pcapng";
    overheard(&["compare", &format!("a={path}"), other, "-o", path]).refuses("replace");
    overheard(&["compare", REGULAR, other, "--save", "kept", "-o", "kept"]).refuses("replace");
    assert_eq!(fs::read(&run).unwrap(), before);
}

#[test]
fn a_reference_that_is_no_build() {
    let answer =
        overheard(&["compare", REGULAR, "other=corpus/messenger/co-branded", "--reference", "nobody"]);
    answer.refuses("nobody");
    assert!(answer.stderr.contains("regular, other"), "{}", answer.stderr);
}

#[test]
fn a_concern_that_is_none() {
    let concern = |concern: &str| {
        let answer = overheard(&["compare", REGULAR, "b=corpus/messenger/co-branded", "--concern", concern]);
        assert_eq!(answer.code, 2, "{concern}");
        answer.stderr
    };
    assert!(concern("China").contains("AS4134"), "says what was expected");
    assert!(concern("UK").contains("GB"));
    assert!(concern("198.18.60.21").contains("address"));
}

#[test]
fn a_table_with_a_bad_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, "build,run,address\na,1,198.18.0.1\nb,1,not-an-address\n").unwrap();
    let answer = overheard(&["compare", path.to_str().unwrap()]);
    answer.refuses("line 3");
    assert!(answer.stderr.contains("not-an-address"), "{}", answer.stderr);
}

#[test]
fn a_proportion_out_of_range() {
    overheard(&["plan", "--rate", "1.5"]).refuses("--rate 1.5");
    overheard(&["plan", "--rate", "0"]).refuses("no difference");
}

#[test]
fn a_database_of_places_that_is_none() {
    overheard(&["read", "--mmdb", "README.md", "corpus/messenger/regular"]).refuses("README.md");
}

#[test]
fn a_study_that_is_none() {
    overheard(&["report", "README.md"]).refuses("README.md");
}
