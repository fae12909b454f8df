//! `overheard watch`: lines for pipes, what is kept, and what is refused.

mod program;

use program::{command, overheard, overheard_fed, root};
use std::io::Read;
use std::process::Stdio;

const RUN: &str = "corpus/messenger/co-branded/run1.pcapng";
const PLACES: &str = "corpus/places.mmdb";

fn watch(more: &[&str]) -> program::Answer {
    let args = ["watch", "--from", RUN, "--speed", "max", "--plain", "--mmdb", PLACES];
    overheard(&[&args, more].concat())
}

/// Lines as their fields.
fn fields(stdout: &str) -> Vec<Vec<&str>> {
    stdout.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn every_endpoint_is_a_line_and_every_change_another() {
    let answer = watch(&["--concern", "CN"]);
    assert_eq!(answer.code, 1, "a concern was met: {answer:?}");
    assert!(answer.stderr.contains("the capture ended after 243 packets"), "{}", answer.stderr);
    let lines = fields(&answer.stdout);
    assert!(lines.iter().all(|line| line.len() == 10), "{}", answer.stdout);
    assert_eq!(lines[0][0], "time");
    let news: Vec<&str> = lines.iter().filter(|line| line[1] == "new").map(|line| line[4]).collect();
    let read = overheard(&["read", RUN, "--mmdb", PLACES, "--format", "jsonl"]);
    assert_eq!(news.len(), read.records("endpoint").len());
    let keywords: Vec<&Vec<&str>> = lines.iter().filter(|line| line[4] == "198.18.60.31:80").collect();
    assert_eq!(keywords[0][1..4], ["new", "●", "CN"]);
    let last = keywords.last().expect("it was met");
    assert_eq!(last[5..9], ["keywords.lantern.example", "http", "readable", "Lantern Network"]);
}

#[test]
fn where_nothing_was_feared_nothing_is_found() {
    let answer = watch(&[]);
    assert_eq!(answer.code, 0);
    assert!(!answer.stdout.contains('●'));
}

#[test]
fn what_comes_through_a_pipe_is_kept_to_the_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("kept.pcapng");
    let bytes = std::fs::read(root().join(RUN)).expect("the capture is there");
    let args = ["watch", "--from", "-", "--keep", kept.to_str().expect("UTF-8")];
    let answer = overheard_fed(&args, &bytes);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stdout.contains("keywords.lantern.example"), "lines are what a pipe gets");
    assert!(std::fs::read(&kept).expect("it was kept") == bytes);
    overheard_fed(&args, &bytes).refuses("--keep");
}

#[test]
fn a_capture_that_is_cut_short_is_watched_to_its_end() {
    let bytes = std::fs::read(root().join(RUN)).expect("the capture is there");
    let answer = overheard_fed(&["watch", "--from", "-"], &bytes[..bytes.len() - 5]);
    assert_eq!(answer.code, 0);
    assert!(answer.stderr.contains("truncated-file"), "{}", answer.stderr);
    assert!(answer.stdout.contains("login.kite.example"));
}

/// The first line comes while the source is still silent.
#[test]
fn lines_are_flushed() {
    let mut child = command(&["watch", "--from", RUN, "--plain"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut first = [0; 4];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("a line");
    assert_eq!(&first, b"time");
    // Whoever read has gone away: it ends by itself, well before the capture would.
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn mistakes_are_refused() {
    overheard(&["watch", "--from", "README.md"]).refuses("README.md");
    overheard(&["watch", "--from", "corpus/nowhere.pcap"]).refuses("corpus/nowhere.pcap");
    overheard(&["watch", "--from", "corpus/messenger/regular"]).refuses("more than one file");
    overheard(&["watch", "--from", RUN, "--seconds", "nan"]).refuses("--seconds");
    let answer = overheard(&["watch", "--from", RUN, "--speed", "fast"]);
    assert_eq!((answer.code, answer.stderr.contains("a number such as 10")), (2, true), "{answer:?}");
}
