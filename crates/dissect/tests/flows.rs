//! Real captures that nobody here made, with known answers: flows, names and Community IDs.
//!
//! Reads `../shared/data` beside the repository where it is present, and says that it skipped where
//! it is not. Orientation is left aside: the known answers call the first packet's sender `a`, we call
//! the side that began `src`.

#[path = "shared/files.rs"]
mod files;
mod shared;

use files::files;
use overheard_dissect::{Options, read};
use overheard_model::{Flow, Learned, NameSource, Reading, Transport};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

fn reading_of(path: &Path) -> Reading {
    let file = File::open(path).expect("the listed capture opens");
    read(file, path.display().to_string().into(), &Options::default())
}

/// Both ends, the lower first, as the known answers write them.
type Tuple = (String, (String, u32), (String, u32));
/// Packets and bytes of the lower end, then of the higher.
type Counts = [u64; 4];

fn tuple(proto: &str, a: (String, u32), b: (String, u32)) -> (Tuple, bool) {
    let swapped = a > b;
    let (low, high) = if swapped { (b, a) } else { (a, b) };
    ((proto.to_owned(), low, high), swapped)
}

fn counts(swapped: bool, ab: (u64, u64), ba: (u64, u64)) -> Counts {
    let (low, high) = if swapped { (ba, ab) } else { (ab, ba) };
    [low.0, low.1, high.0, high.1]
}

fn tuple_of(flow: &Flow) -> (Tuple, bool) {
    let proto = match flow.transport {
        Transport::Icmp6 => "icmpv6".to_owned(),
        other => other.to_string(),
    };
    let (src, dst) = (flow.src.to_string(), flow.dst.to_string());
    tuple(&proto, (src, flow.src_port.into()), (dst, flow.dst_port.into()))
}

/// Our flows by their ends; ICMP flows of different message types between two hosts add up, as the
/// known answers count them.
fn flows_by_tuple(reading: &Reading) -> HashMap<Tuple, Counts> {
    let mut flows = HashMap::<Tuple, Counts>::new();
    for flow in &reading.flows {
        let (tuple, swapped) = tuple_of(&flow);
        let counts = counts(swapped, (flow.packets_out, flow.bytes_out), (flow.packets_in, flow.bytes_in));
        let sum = flows.entry(tuple).or_default();
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    flows
}

/// Every flow on which nDPI and tshark agree.
#[test]
fn flows_match_ndpi_and_tshark() {
    let Some(folder) = shared::folder("ndpi") else { return };
    let rows = std::fs::read_to_string(folder.join("ndpi_flows.tsv")).expect("the table is text");
    let mut wanted = BTreeMap::<&str, Vec<(Tuple, Counts)>>::new();
    for row in rows.lines().skip(1) {
        let fields: Vec<&str> = row.split('\t').collect();
        let [file, proto, a, a_port, b, b_port, pkts_ab, bytes_ab, pkts_ba, bytes_ba, .., "exact"] =
            fields[..]
        else {
            continue;
        };
        let number = |field: &str| field.parse::<u64>().expect("a count");
        let port = |field: &str| field.parse::<u32>().expect("a port");
        let address =
            |text: &str| text.parse::<std::net::IpAddr>().map_or(text.to_owned(), |a| a.to_string());
        let (tuple, swapped) = tuple(proto, (address(a), port(a_port)), (address(b), port(b_port)));
        let (ab, ba) = ((number(pkts_ab), number(bytes_ab)), (number(pkts_ba), number(bytes_ba)));
        wanted.entry(file).or_default().push((tuple, counts(swapped, ab, ba)));
    }
    let (mut matched, mut wrong) = (0, Vec::new());
    for (file, flows) in wanted {
        let ours = flows_by_tuple(&reading_of(&folder.join("pcap").join(file)));
        for (tuple, counts) in flows {
            match ours.get(&tuple) == Some(&counts) {
                true => matched += 1,
                false => wrong.push(format!("{file} {tuple:?} {counts:?} {:?}", ours.get(&tuple))),
            }
        }
    }
    println!("{matched} flows match");
    for w in &wrong {
        println!("  {w}");
    }
    assert!(matched > 0 && wrong.is_empty(), "{wrong:#?}");
}

/// A capture with what tshark says of it.
struct Known {
    label: String,
    path: PathBuf,
    expected: Value,
    reading: Reading,
}

fn known(folder: &str) -> Vec<Known> {
    let Some(folder) = shared::folder(folder) else { return Vec::new() };
    let named = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), path));
    let captures: HashMap<String, PathBuf> = files(&folder).into_iter().filter_map(named).collect();
    let read_one = |answer: PathBuf| {
        let text = std::fs::read_to_string(&answer).expect("an answer is text");
        let expected: Value = serde_json::from_str(&text).expect("an answer is JSON");
        let file = answer.file_name()?.to_str()?.strip_suffix(".tshark.json")?.to_owned();
        let path = captures.get(&file)?.clone();
        Some(Known { label: file, expected, reading: reading_of(&path), path })
    };
    files(&folder.join("tshark_expected")).into_iter().filter_map(read_one).collect()
}

/// Lower case, without port and trailing dot, as we print names.
fn plain(name: &str) -> String {
    let host = overheard_dissect::proto::host_name(name.as_bytes());
    host.map_or_else(|| name.to_owned(), |host| host.to_string())
}

/// The names that tshark gives of each flow.
fn expected_names(expected: &Value) -> Vec<(Tuple, BTreeSet<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let port = |value: &Value| text(value).parse().unwrap_or(0);
    let flow = |flow: &Value| {
        let ends = [(text(&flow["a"]), port(&flow["a_port"])), (text(&flow["b"]), port(&flow["b_port"]))];
        let [a, b] = ends;
        let (tuple, _) = tuple(&text(&flow["proto"]), a, b);
        let names = flow["names"].as_array().into_iter().flatten().map(text);
        let named = names.filter_map(|name| {
            let (source, name) = name.split_once(':')?;
            let host = overheard_dissect::proto::host_name(name.as_bytes())?;
            (source != "ja3").then(|| format!("{source}:{host}"))
        });
        (tuple, named.collect())
    };
    expected["flows"].as_array().into_iter().flatten().map(flow).collect()
}

/// Names that tshark finds and we do not, at most, by folder: in HTTP/2 inside TLS, which tshark decrypts
/// with the secrets that the capture carries, in DTLS inside RDP's own UDP transport, and in
/// `CONNECT /HTTP/1.1`.
const UNREACHED: [(&str, usize); 4] = [("ndpi", 1), ("zeek", 1), ("ja4", 3), ("captures_misc", 0)];

/// What the comparison with tshark came to for one folder.
#[derive(Debug, Default)]
struct Score {
    names: usize,
    missing_names: Vec<String>,
    unexplained_names: Vec<String>,
}

impl Score {
    fn add(&mut self, known: &Known, ndpi: &HashMap<String, BTreeSet<String>>) {
        let mut said = names_by_tuple(&known.reading);
        let label = &known.label;
        for (tuple, theirs) in expected_names(&known.expected) {
            self.names += theirs.len();
            let ours = said.entry(tuple).or_default();
            let missing = theirs.iter().filter(|&name| !ours.remove(name));
            self.missing_names.extend(missing.map(|name| format!("{label} {name}")));
        }
        let stored = std::fs::read(&known.path).expect("the capture was read before").to_ascii_lowercase();
        let known_to_ndpi = |host: &str| ndpi.get(label).is_some_and(|names| names.contains(host));
        for name in said.into_values().flatten() {
            let host = name.split_once(':').map_or(&*name, |(_, host)| host);
            if !known_to_ndpi(host) && !stands_in(host, &stored) {
                self.unexplained_names.push(format!("{label} {name}"));
            }
        }
    }
}

/// Whether the host's own bytes stand in the capture: the reason for a name that tshark has not.
fn stands_in(host: &str, stored: &[u8]) -> bool {
    stored.windows(host.len()).any(|window| window == host.as_bytes())
}

/// The names that nDPI found, by capture.
fn ndpi_names() -> HashMap<String, BTreeSet<String>> {
    let mut names = HashMap::<String, BTreeSet<String>>::new();
    let Some(folder) = shared::folder("ndpi") else { return names };
    let rows = std::fs::read_to_string(folder.join("ndpi_flows.tsv")).expect("the table is text");
    for row in rows.lines().skip(1) {
        let fields: Vec<&str> = row.split('\t').collect();
        names.entry(fields[0].to_owned()).or_default().insert(plain(fields[10]));
    }
    names
}

/// What our flows say of their responders, with the source, by their ends. Certificates and CONNECT
/// are left out: tshark's answers do not list them.
fn names_by_tuple(reading: &Reading) -> HashMap<Tuple, BTreeSet<String>> {
    let unlisted = [NameSource::TlsCertificate, NameSource::HttpConnect];
    let mut said = HashMap::<Tuple, BTreeSet<String>>::new();
    for flow in &reading.flows {
        let within = flow.names.iter().filter(|name| name.learned == Learned::Within);
        let within = within.filter(|name| !unlisted.contains(&name.source));
        let within = within.map(|name| format!("{}:{}", name.source, name.name));
        said.entry(tuple_of(&flow).0).or_default().extend(within);
    }
    said
}

#[test]
fn names_match_tshark() {
    let ndpi = ndpi_names();
    for (folder, names) in UNREACHED {
        let mut score = Score::default();
        known(folder).iter().for_each(|known| score.add(known, &ndpi));
        println!("{folder}: {} names", score.names);
        let Score { missing_names, unexplained_names, .. } = &score;
        assert!(missing_names.len() <= names, "{folder}: {missing_names:#?}");
        assert_eq!(unexplained_names, &[""; 0], "{folder}");
    }
}

#[test]
fn community_ids_match_the_reference() {
    let Some(folder) = shared::folder("captures_misc/communityid") else { return };
    let text = std::fs::read_to_string(folder.join("baseline/baseline_deflt.json")).expect("the baseline");
    let baseline: Value = serde_json::from_str(&text).expect("the baseline is JSON");
    let rows = baseline.as_array().into_iter().flatten();
    let wanted: BTreeSet<String> =
        rows.filter_map(|row| row["communityid"].as_str().map(str::to_owned)).collect();
    let reading = reading_of(&folder.join("combined.pcap.gz"));
    let ours: BTreeSet<String> = reading.flows.iter().map(|flow| flow.community_id).collect();
    let missing: Vec<_> = wanted.difference(&ours).collect();
    assert!(!wanted.is_empty() && missing.is_empty(), "{missing:?}");
}
