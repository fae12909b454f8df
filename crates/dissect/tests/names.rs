//! Names held against tshark's on captures that nobody here made: HTTP hosts, HTTP/2 authorities and
//! DNS answers.
//!
//! The captures lie beside the repository, where they are present; the test says when it skips.
//! tshark lists a DNS question with all addresses of its response, those of other names too, so that an
//! address counts as found when the response's reader named it at all.

#[path = "shared/files.rs"]
mod files;
mod shared;

use files::files;
use overheard_dissect::capture;
use overheard_dissect::decode::Decoder;
use overheard_dissect::packet::Segment;
use overheard_dissect::proto::{Chunk, DISSECTORS, Notes, Opening, Recognition, host_name};
use overheard_dissect::{Options, read};
use overheard_model::{NameSource, Protocol, Side, Transport};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Captures that tshark read to their end, with what it read.
fn cases() -> Vec<(PathBuf, Value)> {
    let mut cases = Vec::new();
    for folder in ["ndpi", "ja4", "zeek", "captures_misc"].into_iter().filter_map(shared::folder) {
        let before = cases.len();
        let captures = files(&folder);
        for path in files(&folder.join("tshark_expected")) {
            let Ok(Ok(expected)) = fs::read(&path).map(|bytes| serde_json::from_slice::<Value>(&bytes))
            else {
                continue;
            };
            let named = |capture: &&PathBuf| {
                capture.file_name().and_then(|name| name.to_str()) == expected["file"].as_str()
            };
            if let Some(capture) = captures.iter().find(named) {
                cases.push((capture.clone(), expected));
            }
        }
        assert!(cases.len() > before, "{}", folder.display());
    }
    cases
}

/// Hosts and authorities of one capture: transport, either end, name.
fn expected_hosts(expected: &Value) -> BTreeSet<(String, String)> {
    let mut hosts = BTreeSet::new();
    for flow in expected["flows"].as_array().into_iter().flatten() {
        let text = |field: &str| flow[field].as_str().unwrap_or_default().to_string();
        let mut ends = [text("a") + " " + &text("a_port"), text("b") + " " + &text("b_port")];
        ends.sort();
        for name in flow["names"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let host = name.strip_prefix("http-host:").or_else(|| name.strip_prefix("h2-authority:"));
            if let Some(host) = host.and_then(|host| host_name(host.as_bytes())) {
                hosts.insert((ends.join(" "), host.to_string()));
            }
        }
    }
    hosts
}

fn found_hosts(path: &Path) -> BTreeSet<(String, String)> {
    let file = File::open(path).expect("the capture was listed");
    let reading = read(file, "case".into(), &Options::default());
    let mut hosts = BTreeSet::new();
    for flow in &reading.flows {
        let mut ends = [format!("{} {}", flow.src, flow.src_port), format!("{} {}", flow.dst, flow.dst_port)];
        ends.sort();
        let said = |source| {
            matches!(source, NameSource::HttpHost | NameSource::HttpConnect | NameSource::H2Authority)
        };
        for name in flow.names.iter().filter(|name| said(name.source)) {
            hosts.insert((ends.join(" "), name.name.to_string()));
        }
    }
    hosts
}

#[test]
fn hosts_are_those_that_tshark_found() {
    let (mut matched, mut total, mut more) = (0, 0, 0);
    for (path, expected) in cases() {
        let (expected, found) = (expected_hosts(&expected), found_hosts(&path));
        total += expected.len();
        matched += expected.intersection(&found).count();
        more += found.difference(&expected).count();
        for missed in expected.difference(&found) {
            println!("missed {}: {missed:?}", path.display());
        }
        for extra in found.difference(&expected) {
            println!("more {}: {extra:?}", path.display());
        }
    }
    println!("hosts: {matched} of {total}, and {more} that tshark did not list");
    assert!(matched * 100 >= total * 98, "{matched} of {total} hosts");
}

/// Question and address of one capture.
fn expected_answers(expected: &Value) -> BTreeSet<(String, String)> {
    let mut answers = BTreeSet::new();
    for question in expected["dns"].as_array().into_iter().flatten() {
        let name = question["name"].as_str().unwrap_or_default();
        for address in question["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            answers.insert((name.to_lowercase(), address.to_string()));
        }
    }
    answers
}

/// What the readers of DNS make of every datagram, and of the start of every segment.
fn found_answers(path: &Path) -> BTreeSet<(String, String)> {
    let mut reader = capture::Reader::new(File::open(path).expect("the capture was listed"));
    let mut decoder = Decoder::default();
    let mut notes = Notes::default();
    while let Some(frame) = reader.next_frame() {
        let Ok(packet) = decoder.decode(&frame) else { continue };
        let (transport, src_port, dst_port, bytes) = match packet.segment {
            Segment::Udp { src_port, dst_port, payload, .. } => (Transport::Udp, src_port, dst_port, payload),
            Segment::Tcp(segment) => (Transport::Tcp, segment.src_port, segment.dst_port, segment.payload),
            _ => continue,
        };
        let from = Side::Src;
        let opening = Opening { transport, src_port, dst_port, from, src: bytes, dst: &[], earlier: &[] };
        let dns = |protocol| matches!(protocol, Protocol::Dns | Protocol::Mdns | Protocol::Llmnr);
        let known = DISSECTORS.iter().filter(|dissector| dns(dissector.protocol()));
        for dissector in known.filter(|dissector| dissector.recognise(&opening) == Recognition::Yes) {
            let (packet, time) = (packet.number, packet.time);
            let chunk = Chunk { transport, from, src_port, dst_port, bytes, gap: 0, packet, time };
            dissector.reader().expect("DNS has a reader").read(&chunk, &mut notes);
        }
    }
    notes.answers.iter().map(|answer| (answer.name.to_string(), answer.address.to_string())).collect()
}

#[test]
fn dns_answers_are_those_that_tshark_found() {
    let (mut exact, mut by_other_name, mut total) = (0, 0, 0);
    for (path, expected) in cases() {
        let (expected, found) = (expected_answers(&expected), found_answers(&path));
        let addresses: BTreeSet<&String> = found.iter().map(|(_, address)| address).collect();
        total += expected.len();
        exact += expected.intersection(&found).count();
        for missed in expected.difference(&found) {
            let named = addresses.contains(&missed.1);
            by_other_name += usize::from(named);
            println!("{} {}: {missed:?}", if named { "other name" } else { "missed" }, path.display());
        }
    }
    println!("DNS: {exact} of {total} by the name asked for, {by_other_name} by another");
    assert!((exact + by_other_name) * 100 >= total * 99, "{exact} + {by_other_name} of {total} answers");
}
