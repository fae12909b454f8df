//! Captures that nobody here made: every one is read to its end, and counts are those of capinfos.
//!
//! The captures lie beside the repository, where they are present; each test says when it skips.

use overheard_dissect::capture::{Reader, Summary};
use overheard_dissect::decode::{Decoder, Undecoded};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The folder of shared captures, if it is here.
fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let present = path.is_dir();
    if !present {
        eprintln!("skipped: no captures at {}", path.display());
    }
    present.then_some(path)
}

/// What reading one capture came to.
struct Outcome {
    summary: Summary,
    packets: u64,
    undecoded: BTreeMap<String, u64>,
}

fn read(path: &Path) -> Outcome {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = Reader::new(file);
    let mut decoder = Decoder::default();
    let (mut packets, mut undecoded) = (0, BTreeMap::new());
    while let Some(frame) = reader.next_frame() {
        match decoder.decode(&frame) {
            Ok(packet) => packets += u64::from(packet.frames),
            Err(Undecoded::Fragment) => {}
            Err(reason) => *undecoded.entry(format!("{reason:?}")).or_default() += 1,
        }
    }
    decoder.abandon_fragments();
    while let Some(packet) = decoder.pop_abandoned() {
        packets += u64::from(packet.frames);
    }
    Outcome { summary: reader.into_summary(), packets, undecoded }
}

/// Every capture below a folder.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ending = name.trim_end_matches(".gz").rsplit_once('.').map_or("", |(_, ending)| ending);
        if path.is_dir() {
            found.extend(captures(&path));
        } else if ["pcap", "pcapng", "cap"].contains(&ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn tcpdump_captures_have_the_packets_that_capinfos_counts() {
    let Some(shared) = shared() else { return };
    let table = fs::read_to_string(shared.join("tcpdump/capinfos.tsv")).unwrap();
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, kind, file_type, _, packets] = columns[..] else { panic!("{line}") };
        let outcome = read(&shared.join("tcpdump").join(kind).join(file));
        // capinfos refuses link types that it does not know; we read the records all the same.
        if file_type != "UNREADABLE" {
            assert_eq!(outcome.summary.packets.to_string(), packets, "{file}: {:?}", outcome.summary);
            assert_eq!(outcome.summary.format, file_type, "{file}");
        }
        assert!(outcome.summary.complete, "{file}: {:?}", outcome.summary.problems);
    }
}

#[test]
fn every_frame_becomes_a_packet_or_is_counted() {
    let Some(shared) = shared() else { return };
    let mut read_captures = 0;
    for folder in ["tcpdump", "suricata", "ndpi/pcap", "zeek", "ja4", "captures_misc"] {
        for path in captures(&shared.join(folder)) {
            let outcome = read(&path);
            let undecoded: u64 = outcome.undecoded.values().sum();
            assert_eq!(outcome.packets + undecoded, outcome.summary.packets, "{}", path.display());
            let told = outcome.summary.complete != outcome.summary.problems.iter().any(|p| is_fatal(&p.kind));
            assert!(told, "{}: {:?}", path.display(), outcome.summary.problems);
            read_captures += 1;
        }
    }
    assert!(read_captures > 0);
}

/// Problems after which reading does not go on.
fn is_fatal(kind: &str) -> bool {
    ["truncated-file", "bad-block", "read-error", "unknown-format"].contains(&kind)
}

/// tshark's reading of a capture lies beside it.
#[test]
fn frames_without_ip_are_those_that_tshark_finds() {
    let Some(shared) = shared() else { return };
    let mut differing = Vec::new();
    for (captures_in, expected_in) in [
        ("ndpi/pcap", "ndpi/tshark_expected"),
        ("zeek/pcap", "zeek/tshark_expected"),
        ("ja4/pcap", "ja4/tshark_expected"),
        ("captures_misc", "captures_misc/tshark_expected"),
    ] {
        for path in captures(&shared.join(captures_in)) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap();
            let expected = shared.join(expected_in).join(format!("{name}.tshark.json"));
            let Ok(expected) = fs::read(expected) else { continue };
            let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
            let outcome = read(&path);
            let undecoded: u64 = outcome.undecoded.values().sum();
            if expected["packets"] != outcome.summary.packets || expected["packets_without_ip"] != undecoded {
                let (theirs, ours) = (&expected["packets_without_ip"], outcome.undecoded);
                differing.push(format!("{name}: tshark {theirs}, ours {ours:?}"));
            }
        }
    }
    eprintln!("{} captures differ:\n{}", differing.len(), differing.join("\n"));
}

#[test]
fn conversations_are_those_of_tshark() {
    let Some(shared) = shared() else { return };
    for (captures_in, expected_in) in [
        ("ndpi/pcap", "ndpi/tshark_expected"),
        ("zeek/pcap", "zeek/tshark_expected"),
        ("ja4/pcap", "ja4/tshark_expected"),
        ("captures_misc", "captures_misc/tshark_expected"),
    ] {
        for path in captures(&shared.join(captures_in)) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap();
            let expected = shared.join(expected_in).join(format!("{name}.tshark.json"));
            let Ok(expected) = fs::read(expected) else { continue };
            let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
            let mut theirs: BTreeMap<String, (u64, u64)> = BTreeMap::new();
            for flow in expected["flows"].as_array().unwrap() {
                let t = |k: &str| flow[k].as_str().unwrap_or_default().to_string();
                let mut ends = [t("a") + "|" + &t("a_port"), t("b") + "|" + &t("b_port")];
                ends.sort();
                let e = theirs.entry(format!("{} {} {}", t("proto"), ends[0], ends[1])).or_default();
                e.0 += flow["pkts_ab"].as_u64().unwrap() + flow["pkts_ba"].as_u64().unwrap();
                e.1 += flow["bytes_ab"].as_u64().unwrap() + flow["bytes_ba"].as_u64().unwrap();
            }
            let mut ours: BTreeMap<String, (u64, u64)> = BTreeMap::new();
            let mut reader = Reader::new(File::open(&path).unwrap());
            let mut decoder = Decoder::default();
            let mut add = |p: overheard_dissect::packet::Packet| {
                use overheard_dissect::packet::Segment::*;
                let (proto, sp, dp) = match p.segment {
                    Tcp(t) => ("tcp".to_string(), t.src_port.to_string(), t.dst_port.to_string()),
                    Udp { src_port, dst_port, .. } => {
                        ("udp".into(), src_port.to_string(), dst_port.to_string())
                    }
                    Sctp { src_port, dst_port } => {
                        ("sctp".into(), src_port.to_string(), dst_port.to_string())
                    }
                    Icmp { transport, .. } | Other { transport } => {
                        (transport.to_string(), String::new(), String::new())
                    }
                };
                let mut ends = [format!("{}|{sp}", p.src), format!("{}|{dp}", p.dst)];
                ends.sort();
                let e = ours.entry(format!("{proto} {} {}", ends[0], ends[1])).or_default();
                e.0 += u64::from(p.frames);
                e.1 += p.wire_bytes;
            };
            while let Some(frame) = reader.next_frame() {
                if let Ok(p) = decoder.decode(&frame) {
                    add(p)
                }
            }
            decoder.abandon_fragments();
            while let Some(p) = decoder.pop_abandoned() {
                add(p)
            }
            for (k, v) in &theirs {
                if ours.get(k) != Some(v) {
                    println!("{name}: THEIRS {k} {v:?} OURS {:?}", ours.get(k));
                }
            }
            for (k, v) in &ours {
                if !theirs.contains_key(k) {
                    println!("{name}: EXTRA {k} {v:?}");
                }
            }
        }
    }
}
