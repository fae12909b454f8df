//! The corpus against its truth, stated by hand: every planted endpoint, in just the runs that met it.

mod program;

use program::{Answer, overheard, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use toml::Table;

fn truth(case: &str) -> Table {
    let path = root().join("corpus").join(case).join("truth.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn texts(value: &toml::Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
}

fn read(path: &str) -> Answer {
    let answer = overheard(&["read", path, "--format=jsonl", "--mmdb=corpus/places.mmdb"]);
    assert_eq!(answer.code, 0, "{path}: {}", answer.stderr);
    answer
}

/// Address, port and transport.
fn address(endpoint: &Value) -> (String, i64, String) {
    let text = |field: &str| endpoint[field].as_str().expect(field).to_owned();
    (text("address"), endpoint["port"].as_i64().expect("port"), text("transport"))
}

#[test]
fn the_messenger_study_shows_what_was_planted() {
    let truth = truth("messenger");
    let mut seen: BTreeMap<(String, i64, String), BTreeMap<String, u64>> = BTreeMap::new();
    let mut last: BTreeMap<(String, i64, String), Value> = BTreeMap::new();
    for (build, runs) in truth["runs"].as_table().unwrap() {
        for run in 1..=runs.as_integer().unwrap() {
            for endpoint in read(&format!("corpus/messenger/{build}/run{run}.pcapng")).records("endpoint") {
                *seen.entry(address(&endpoint)).or_default().entry(build.clone()).or_default() += 1;
                last.insert(address(&endpoint), endpoint);
            }
        }
    }
    for planted in truth["endpoint"].as_array().unwrap() {
        let text = |field: &str| planted[field].as_str().unwrap().to_owned();
        let key = (text("address"), planted["port"].as_integer().unwrap(), text("transport"));
        let runs = seen.remove(&key).unwrap_or_default();
        for (build, present) in planted["present"].as_table().unwrap() {
            let found = runs.get(build).copied().unwrap_or(0);
            assert_eq!(found, present.as_integer().unwrap() as u64, "{key:?} in {build}");
        }
        let Some(endpoint) = last.get(&key) else { continue };
        for name in texts(&planted["names"]) {
            let names = endpoint["names"].as_array().unwrap();
            assert!(names.iter().any(|found| found["name"] == *name), "{key:?} is {name}: {names:?}");
        }
        let protocols = endpoint["protocols"].as_array().unwrap();
        assert!(protocols.contains(&text("protocol").into()), "{key:?}: {protocols:?}");
        assert_eq!(endpoint["visibility"], text("visibility"), "{key:?}");
        assert_eq!(endpoint["country"], text("country"), "{key:?}");
    }
    assert!(seen.is_empty(), "nobody planted {seen:?}");
}
