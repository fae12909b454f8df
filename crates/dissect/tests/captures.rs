//! Captures that nobody here made: every one is read to its end, and counts are those of capinfos.
//!
//! The captures lie beside the repository, where they are present; each test says when it skips.

#[path = "shared/files.rs"]
mod files;
mod shared;

use files::files;
use overheard_dissect::capture::{Reader, Summary};
use overheard_dissect::decode::Decoder;
use overheard_dissect::packet::{Packet, Segment, Undecoded};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// What reading one capture came to.
#[derive(Default)]
struct Outcome {
    summary: Summary,
    /// Frames that are, or belong to, a packet.
    packets: u64,
    undecoded: BTreeMap<String, u64>,
    conversations: Conversations,
}

/// Frames and bytes on the wire between two ends, both ways together.
type Conversations = BTreeMap<Ends, (u64, u64)>;

/// Transport and the two ends, the lower first; each an address and a port, where there is one.
type Ends = (String, [String; 2]);

fn ends(transport: &str, mut ends: [String; 2]) -> Ends {
    ends.sort();
    (transport.into(), ends)
}

impl Outcome {
    fn add(&mut self, packet: &Packet<'_>) {
        let ports = match packet.segment {
            Segment::Tcp(tcp) => Some((tcp.src_port, tcp.dst_port)),
            Segment::Udp { src_port, dst_port, .. } | Segment::Sctp { src_port, dst_port } => {
                Some((src_port, dst_port))
            }
            Segment::Icmp { .. } | Segment::Other { .. } => None,
        };
        let transport = match packet.segment {
            Segment::Tcp(_) => "tcp",
            Segment::Udp { .. } => "udp",
            Segment::Sctp { .. } => "sctp",
            Segment::Icmp { .. } | Segment::Other { .. } => "",
        };
        self.packets += u64::from(packet.frames);
        if let Some((src, dst)) = ports {
            let key = ends(
                transport,
                [format!("{} {src}", packet.addresses.src()), format!("{} {dst}", packet.addresses.dst())],
            );
            let (packets, bytes) = self.conversations.entry(key).or_default();
            *packets += u64::from(packet.frames);
            *bytes += packet.wire_bytes;
        }
    }
}

fn read(path: &Path) -> Outcome {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = Reader::new(file);
    let mut decoder = Decoder::default();
    let mut outcome = Outcome::default();
    while let Some(frame) = reader.next_frame() {
        match decoder.decode(&frame) {
            Ok(packet) => outcome.add(&packet),
            Err(Undecoded::Fragment) => {}
            Err(reason) => *outcome.undecoded.entry(format!("{reason:?}")).or_default() += 1,
        }
    }
    decoder.abandon_fragments();
    while let Some(packet) = decoder.pop_abandoned() {
        outcome.add(&packet);
    }
    outcome.summary = reader.into_summary();
    outcome
}

/// Every capture below a folder.
fn captures(folder: &Path) -> impl Iterator<Item = PathBuf> {
    files(folder).into_iter().filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ending = name.trim_end_matches(".gz").rsplit_once('.').map_or("", |(_, ending)| ending);
        ["pcap", "pcapng", "cap"].contains(&ending)
    })
}

#[test]
fn tcpdump_captures_have_the_packets_that_capinfos_counts() {
    let Some(tcpdump) = shared::folder("tcpdump") else { return };
    let table = fs::read_to_string(tcpdump.join("capinfos.tsv")).unwrap();
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, kind, file_type, _, packets] = columns[..] else { panic!("{line}") };
        let outcome = read(&tcpdump.join(kind).join(file));
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
    for folder in ["tcpdump", "suricata", "ndpi/pcap", "zeek", "ja4", "captures_misc"] {
        let Some(folder) = shared::folder(folder) else { continue };
        let mut read_captures = 0;
        for path in captures(&folder) {
            let outcome = read(&path);
            let undecoded: u64 = outcome.undecoded.values().sum();
            assert_eq!(outcome.packets + undecoded, outcome.summary.packets, "{}", path.display());
            let told = outcome.summary.complete != outcome.summary.problems.iter().any(|p| is_fatal(&p.kind));
            assert!(told, "{}: {:?}", path.display(), outcome.summary.problems);
            read_captures += 1;
        }
        assert!(read_captures > 0, "{}", folder.display());
    }
}

/// Problems after which reading does not go on.
fn is_fatal(kind: &str) -> bool {
    ["truncated-file", "bad-block", "read-error", "unknown-format"].contains(&kind)
}

/// What tshark reads in the captures, which lies beside them.
fn with_tshark(mut compare: impl FnMut(&str, &Outcome, &serde_json::Value)) {
    for folder in ["ndpi", "zeek", "ja4", "captures_misc"].into_iter().filter_map(shared::folder) {
        let mut compared = 0;
        for path in captures(&folder) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap();
            let expected = folder.join("tshark_expected").join(format!("{name}.tshark.json"));
            if let Ok(expected) = fs::read(expected) {
                compare(name, &read(&path), &serde_json::from_slice(&expected).unwrap());
                compared += 1;
            }
        }
        assert!(compared > 0, "{}", folder.display());
    }
}

#[test]
fn frames_without_ip_are_those_that_tshark_finds() {
    with_tshark(|name, outcome, expected| {
        // tshark also shows blocks that are no packets; capinfos does not count them.
        if expected["packets"] == outcome.summary.packets {
            let undecoded: u64 = outcome.undecoded.values().sum();
            assert_eq!(expected["packets_without_ip"], undecoded, "{name}: {:?}", outcome.undecoded);
        }
    });
}

/// Conversations with ports. Where tshark shows fragments between two addresses it counts the last
/// with its ports and the others without, and we all of them with the ports: those are left out. What
/// still differs are fragments around tunnels, and tunnels of which tshark's table mixes one layer's
/// addresses with another's ports: few.
#[test]
fn conversations_are_those_of_tshark() {
    let (mut all, mut differing) = (0_usize, Vec::new());
    with_tshark(|name, outcome, expected| {
        let mut theirs = Conversations::new();
        let mut fragmented = BTreeSet::new();
        for flow in expected["flows"].as_array().unwrap() {
            let text = |key: &str| flow[key].as_str().unwrap_or_default();
            let count = |key: &str| flow[key].as_u64().unwrap();
            let end = |address, port| format!("{} {}", text(address), text(port));
            let (a, b) = (end("a", "a_port"), end("b", "b_port"));
            if text("proto").starts_with("ip-") {
                fragmented.extend([format!("{a}{b}"), format!("{b}{a}")]);
            }
            if ["tcp", "udp", "sctp"].contains(&text("proto")) {
                let (packets, bytes) = theirs.entry(ends(text("proto"), [a, b])).or_default();
                *packets += count("pkts_ab") + count("pkts_ba");
                *bytes += count("bytes_ab") + count("bytes_ba");
            }
        }
        let address = |end: &str| end.split(' ').next().unwrap_or_default().to_owned() + " ";
        theirs.retain(|(_, [a, b]), _| !fragmented.contains(&(address(a) + &address(b))));
        all += theirs.len();
        let differs = |(key, counts): &(&Ends, &(u64, u64))| outcome.conversations.get(*key) != Some(*counts);
        differing.extend(theirs.iter().filter(differs).map(|(key, counts)| {
            format!("{name}: {key:?} tshark {counts:?}, ours {:?}", outcome.conversations.get(key))
        }));
    });
    eprintln!("{} of {all} conversations differ:\n{}", differing.len(), differing.join("\n"));
    assert!(differing.len() * 200 <= all, "one in two hundred at most");
}
