//! The corpus against its truth, which was stated by hand before the goldens existed: every flow of
//! every case, and nothing else; every planted endpoint of the study, in just the runs that met it.

mod program;

use program::{Answer, golden, overheard, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use toml::Table;

/// Cases with a list of flows, and their truth.
fn cases() -> Vec<(String, Table)> {
    let folders = std::fs::read_dir(root().join("corpus")).expect("the corpus");
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut cases: Vec<_> = names.filter_map(|name| Some((name.clone(), truth(&name)?))).collect();
    cases.retain(|(_, truth)| truth.contains_key("flow"));
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

fn truth(case: &str) -> Option<Table> {
    let text = std::fs::read_to_string(root().join("corpus").join(case).join("truth.toml")).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{case}: {error}")))
}

fn read(path: &str) -> Answer {
    let answer = overheard(&["read", path, "--format=jsonl", "--mmdb=corpus/places.mmdb"]);
    assert_eq!(answer.code, 0, "{path}: {}", answer.stderr);
    answer
}

fn list<'a>(table: &'a Table, field: &str) -> Vec<&'a str> {
    let values = table.get(field).and_then(|value| value.as_array()).into_iter().flatten();
    values.filter_map(|value| value.as_str()).collect()
}

/// Whether a flow is one that an entry of the truth speaks of.
fn concerns(entry: &Table, flow: &Value) -> bool {
    ["transport", "src", "src_port", "dst", "dst_port"].iter().all(|field| match entry.get(*field) {
        Some(toml::Value::Integer(number)) => flow[field].as_i64() == Some(*number),
        Some(toml::Value::String(text)) => flow[field] == **text,
        _ => true,
    })
}

/// What an entry says of each of its flows.
fn holds(entry: &Table, flow: &Value, place: &str) {
    let text = |field: &str| entry.get(field).and_then(|value| value.as_str());
    let protocols: BTreeSet<&str> = [text("protocol"), text("carries")].into_iter().flatten().collect();
    assert!(protocols.contains(flow["protocol"].as_str().unwrap()), "{place}: {protocols:?} is {flow}");
    assert_eq!(flow["visibility"].as_str(), text("visibility"), "{place}: {flow}");
    let country = flow["country"].as_str().filter(|label| *label != "local");
    assert_eq!(country, text("country"), "{place}: {flow}");
    assert_eq!(flow["tunnel"].as_str(), text("tunnel"), "{place}: {flow}");
    for name in entry.get("names").and_then(|names| names.as_array()).into_iter().flatten() {
        let found = flow["names"].as_array().unwrap();
        let same = |found: &Value| {
            found["name"].as_str() == name["name"].as_str()
                && found["source"].as_str() == name["source"].as_str()
        };
        assert!(found.iter().any(same), "{place}: {name:?} is not among {found:?}");
    }
}

/// Multicast listener reports that the client's kernel sends unasked (RFC 3810): nobody planted them.
fn is_the_kernels(flow: &Value) -> bool {
    flow["transport"] == "icmp6" && flow["dst"] == "ff02::16"
}

/// Every flow of a capture is in the truth, as often as the truth says, and is as it says.
fn capture_holds(truth: &Table, capture: &str, flows: &[Value], place: &str) {
    let mut unplanted: Vec<bool> = vec![true; flows.len()];
    for entry in truth["flow"].as_array().unwrap().iter().filter_map(|entry| entry.as_table()) {
        let captures = list(entry, "captures");
        if !captures.is_empty() && !captures.contains(&capture) {
            continue;
        }
        let like: Vec<usize> = (0..flows.len()).filter(|&at| concerns(entry, &flows[at])).collect();
        let chosen = match entry.get("nth").and_then(|nth| nth.as_integer()) {
            Some(nth) => like.get(nth as usize - 1).copied().into_iter().collect(),
            None => like,
        };
        match entry.get("count") {
            Some(toml::Value::String(_)) => assert!(!chosen.is_empty(), "{place}: none of {entry:?}"),
            count => {
                let count = count.and_then(|count| count.as_integer()).unwrap_or(1);
                assert_eq!(chosen.len() as i64, count, "{place}: flows like {entry:?}");
            }
        }
        for at in chosen {
            holds(entry, &flows[at], place);
            unplanted[at] = false;
        }
    }
    let rest = flows.iter().zip(unplanted).filter_map(|(flow, rest)| rest.then_some(flow));
    let rest: Vec<&Value> = rest.filter(|flow| !is_the_kernels(flow)).collect();
    assert!(rest.is_empty(), "{place}: nobody planted {rest:?}");
}

#[test]
fn every_flow_of_every_case_is_as_stated() {
    let mut wrong = Vec::new();
    for (case, truth) in cases() {
        for capture in list(&truth, "captures") {
            let path = format!("corpus/{case}/{capture}");
            let answer = read(&path);
            let mut flows = answer.records("flow");
            flows.sort_by_key(|flow| flow["first_packet"].as_u64());
            let checked = std::panic::catch_unwind(|| capture_holds(&truth, capture, &flows, &path));
            wrong.extend(checked.err().map(|_| path.clone()));
            golden(&format!("{case}/{capture}.jsonl"), &answer.stdout);
        }
    }
    assert!(wrong.is_empty(), "not as stated: {wrong:?}");
}

#[test]
fn every_file_format_holds_the_same_packets() {
    let truth = truth("formats").expect("the case of file formats");
    let packets = |field: &str| truth["packets"][field].as_integer().map(|count| count as u64);
    let cut = list(truth["cut"].as_table().unwrap(), "captures");
    for capture in list(&truth, "captures") {
        let record = read(&format!("corpus/formats/{capture}")).records("capture").remove(0);
        let whole = !cut.contains(&capture);
        assert_eq!(record["complete"], whole, "{capture}");
        assert_eq!(record["packets"].as_u64(), packets(if whole { "whole" } else { "cut" }), "{capture}");
        let Some(said) = truth["pcapng"].get(capture).and_then(|said| said.as_table()) else { continue };
        let comments = record["comments"].as_array().unwrap();
        for comment in list(said, "comments") {
            assert!(comments.contains(&comment.into()), "{capture}: {comments:?}");
        }
        for field in ["dropped", "secrets"] {
            let Some(count) = said.get(field) else { continue };
            assert_eq!(record[field].as_i64(), count.as_integer(), "{capture}: {field}");
        }
    }
}

/// Address, port and transport.
fn address(endpoint: &Value) -> (String, i64, String) {
    let text = |field: &str| endpoint[field].as_str().expect(field).to_owned();
    (text("address"), endpoint["port"].as_i64().expect("port"), text("transport"))
}

#[test]
fn the_messenger_study_shows_what_was_planted() {
    let truth = truth("messenger").expect("the study");
    let mut seen: BTreeMap<_, BTreeMap<String, i64>> = BTreeMap::new();
    let mut names: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    let mut last: BTreeMap<_, Value> = BTreeMap::new();
    for (build, runs) in truth["runs"].as_table().unwrap() {
        for run in 1..=runs.as_integer().unwrap() {
            for endpoint in read(&format!("corpus/messenger/{build}/run{run}.pcapng")).records("endpoint") {
                *seen.entry(address(&endpoint)).or_default().entry(build.clone()).or_default() += 1;
                let said = endpoint["names"].as_array().unwrap().iter();
                let said = said.map(|name| name["name"].as_str().unwrap().to_owned());
                names.entry(address(&endpoint)).or_default().extend(said);
                last.insert(address(&endpoint), endpoint);
            }
        }
    }
    for planted in truth["endpoint"].as_array().unwrap().iter().filter_map(|planted| planted.as_table()) {
        let text = |field: &str| planted[field].as_str().unwrap().to_owned();
        let key = (text("address"), planted["port"].as_integer().unwrap(), text("transport"));
        let runs = seen.remove(&key).unwrap_or_default();
        for (build, present) in planted["present"].as_table().unwrap() {
            let found = runs.get(build).copied().unwrap_or(0);
            assert_eq!(Some(found), present.as_integer(), "{key:?} in {build}");
        }
        let Some(endpoint) = last.get(&key) else { continue };
        for name in list(planted, "names") {
            assert!(names[&key].contains(name), "{key:?} is {name}: {:?}", names[&key]);
        }
        let protocols = endpoint["protocols"].as_array().unwrap();
        assert!(protocols.contains(&text("protocol").into()), "{key:?}: {protocols:?}");
        assert_eq!(endpoint["visibility"], text("visibility"), "{key:?}");
        assert_eq!(endpoint["place"]["claims"][0]["country"], text("country"), "{key:?}: {endpoint}");
    }
    // The world's resolver, and its kernels' refusals of datagrams that came too late.
    seen.retain(|(_, port, transport), _| *port != 53 && transport != "icmp");
    assert!(seen.is_empty(), "nobody planted {seen:?}");
}
