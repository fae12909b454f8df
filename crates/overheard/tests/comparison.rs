//! Real traffic that nobody here made: the same app twice is never called two, four apps once are
//! never called proven. Reads `../shared/data/comparison` and skips where it is absent.

mod program;

use program::{Answer, overheard, shared};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `compare` of builds given as (name, captures).
fn compare(builds: &[(String, Vec<PathBuf>)]) -> Answer {
    let mut args = vec!["compare".to_owned(), "--format=json".into(), "--concern=CN".into()];
    for (name, captures) in builds {
        for (at, capture) in captures.iter().enumerate() {
            let prefix = if at == 0 { format!("{name}=") } else { String::new() };
            args.push(format!("{prefix}{}", capture.display()));
        }
    }
    let answer = overheard(&args);
    assert!([0, 1, 4].contains(&answer.code), "{}", answer.stderr);
    answer
}

/// The builds of a set in `sets.json`, one capture each.
fn set(folder: &Path, name: &str) -> Vec<(String, Vec<PathBuf>)> {
    let sets = std::fs::read_to_string(folder.join("sets.json")).expect("sets.json");
    let sets: Value = serde_json::from_str(&sets).expect("JSON");
    let captures = folder.join("../ndpi/pcap");
    let builds = sets[name].as_object().expect("a set of builds");
    builds.iter().map(|(build, file)| (build.clone(), vec![captures.join(file.as_str().unwrap())])).collect()
}

fn addresses(report: &Value) -> impl Iterator<Item = &Value> {
    report["keys"].as_array().unwrap().iter().filter(|row| row["level"] == "address")
}

fn servers(report: &Value, build: &str) -> usize {
    addresses(report).filter(|row| row["cells"][build]["present"].as_u64() > Some(0)).count()
}

fn never_different(report: &Value) {
    for row in report["keys"].as_array().unwrap() {
        for relation in row["relations"].as_object().unwrap().values() {
            let relation = relation["relation"].as_str().unwrap();
            assert!(["shared", "unproven"].contains(&relation), "{row}");
        }
    }
    for difference in report["distinguishable"].as_object().unwrap().values() {
        assert_ne!(difference["verdict"], "support", "{difference}");
    }
}

/// The servers of `servers.tsv`, counted by build.
fn published(folder: &Path, name: &str) -> BTreeMap<String, usize> {
    let table = std::fs::read_to_string(folder.join(name).join("servers.tsv")).expect("servers.tsv");
    let mut counts = BTreeMap::new();
    for line in table.lines().skip(1) {
        let build = line.split('\t').nth(1).expect("a build column");
        *counts.entry(build.to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn two_sessions_of_one_app_are_not_two_builds() {
    let Some(folder) = shared("comparison") else { return };
    let report = compare(&set(&folder, "skype_2015_two_runs")).json();
    never_different(&report);
    for (build, count) in published(&folder, "skype_2015_two_runs") {
        assert_eq!(servers(&report, &build), count, "{build}");
    }
}

#[test]
fn thirteen_windows_of_one_app_are_not_two_builds() {
    let Some(folder) = shared("comparison") else { return };
    let mut windows: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder.join("skype_windows")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let build = if name.contains("no_unknown") { "second" } else { "first" };
        windows.entry(build.into()).or_default().push(path);
    }
    let mut builds: Vec<_> = windows.into_iter().collect();
    builds.iter_mut().for_each(|(_, captures)| captures.sort());
    never_different(&compare(&builds).json());
}

#[test]
fn four_messengers_once_each_prove_nothing() {
    let Some(folder) = shared("comparison") else { return };
    let answer = compare(&set(&folder, "different_messengers"));
    assert_eq!(answer.code, 4, "too few runs to say");
    let report = answer.json();
    never_different(&report);
    for (build, count) in published(&folder, "different_messengers") {
        assert_eq!(servers(&report, &build), count, "{build}");
    }
    for row in addresses(&report) {
        let present = row["cells"].as_object().unwrap().values().filter(|cell| cell["present"] == 1);
        assert_eq!(present.count(), 1, "the sets are disjoint: {row}");
    }
    for difference in report["distinguishable"].as_object().unwrap().values() {
        assert!(difference["runs_needed"].as_u64() > Some(0), "{difference}");
    }
}
