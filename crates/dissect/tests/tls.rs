//! Names and JA4 of TLS, QUIC and DTLS in captures that nobody here made, against what other programs
//! read in them.
//!
//! The captures lie beside the repository, where they are present; each test says when it skips.
//! Printed are matched and total, and every disagreement.

#[path = "shared/files.rs"]
mod files;
mod shared;

use files::files;
use overheard_dissect::proto::host_name;
use overheard_dissect::{Options, read};
use overheard_model::{Flow, NameSource, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Both ends of a flow, the lesser first, and its transport.
type Key = (String, [(String, u16); 2]);

/// Every file below a folder, by name.
fn by_name(folder: &Path) -> BTreeMap<String, PathBuf> {
    let named = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), path));
    files(folder).into_iter().filter_map(named).collect()
}

fn key(transport: &str, a: &str, a_port: &str, b: &str, b_port: &str) -> Option<Key> {
    let mut ends = [(a.to_owned(), a_port.parse().ok()?), (b.to_owned(), b_port.parse().ok()?)];
    ends.sort();
    Some((transport.to_owned(), ends))
}

fn flows(path: &Path) -> Vec<Flow> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read(file, path.to_string_lossy().into(), &Options::default()).flows.iter().collect()
}

fn flow_key(flow: &Flow) -> Key {
    let mut ends = [(flow.src.to_string(), flow.src_port), (flow.dst.to_string(), flow.dst_port)];
    ends.sort();
    (flow.transport.to_string(), ends)
}

/// What flows said: a name or a JA4 each.
type Said = BTreeSet<(Key, String)>;

/// The names that hellos said in a capture, and the JA4s, each with its flow.
fn said(path: &Path) -> (Said, Said) {
    const HELLO: [NameSource; 3] = [NameSource::TlsSni, NameSource::QuicSni, NameSource::DtlsSni];
    let (mut names, mut fingerprints) = (Said::new(), Said::new());
    for flow in flows(path).iter().filter(|flow| matches!(flow.transport, Transport::Tcp | Transport::Udp)) {
        let hello = flow.names.iter().filter(|name| HELLO.contains(&name.source));
        names.extend(hello.map(|name| (flow_key(flow), name.name.to_string())));
        fingerprints.extend(flow.ja4.iter().map(|ja4| (flow_key(flow), ja4.to_string())));
    }
    (names, fingerprints)
}

/// The hello names that tshark read in a capture, as host names are shown here.
fn tshark_names(report: &Path) -> Said {
    let text = fs::read_to_string(report).expect("a report of tshark's");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut names = Said::new();
    for flow in report["flows"].as_array().into_iter().flatten() {
        let field = |name: &str| flow[name].as_str().unwrap_or_default();
        let Some(key) = key(field("proto"), field("a"), field("a_port"), field("b"), field("b_port")) else {
            continue;
        };
        for name in flow["names"].as_array().into_iter().flatten().filter_map(|name| name.as_str()) {
            let sni =
                ["tls-sni:", "quic-sni:", "dtls-sni:"].iter().find_map(|source| name.strip_prefix(source));
            names.extend(
                sni.and_then(|sni| host_name(sni.as_bytes())).map(|sni| (key.clone(), sni.to_string())),
            );
        }
    }
    names
}

/// Names of one folder's captures against tshark's, of which some lie in what is not taken apart.
fn compare_names(folder: &str, unreached: usize) {
    let Some(root) = shared::folder(folder) else { return };
    let captures = by_name(&root);
    let (mut matched, mut total, mut more) = (0, 0, 0);
    for (name, report) in captures.iter().filter(|(name, _)| name.ends_with(".tshark.json")) {
        let Some(capture) = captures.get(name.trim_end_matches(".tshark.json")) else { continue };
        let expected = tshark_names(report);
        let (found, _) = said(capture);
        total += expected.len();
        matched += expected.intersection(&found).count();
        more += found.difference(&expected).count();
        expected.difference(&found).for_each(|missed| println!("missed {}: {missed:?}", capture.display()));
        found.difference(&expected).for_each(|added| println!("added {}: {added:?}", capture.display()));
    }
    println!("{folder}: {matched} of {total} hello names as tshark's, {more} that tshark did not show");
    assert_eq!(matched + unreached, total, "{folder}");
}

#[test]
fn names_in_ndpis_captures_are_those_that_tshark_reads() {
    // RDP over UDP.
    compare_names("ndpi", 1);
}

#[test]
fn names_in_zeeks_captures_are_those_that_tshark_reads() {
    compare_names("zeek", 0);
}

#[test]
fn names_in_ja4s_captures_are_those_that_tshark_reads() {
    compare_names("ja4", 0);
}

#[test]
fn names_in_mercurys_capture_are_those_that_tshark_reads() {
    compare_names("captures_misc", 0);
}

/// Rows of a table with a header line.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("a table");
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// JA4s of a table (file, transport and two ends first) against ours: matched, total, disagreements.
fn compare_ja4(folder: &str, table: &str, ja4: usize, shown: fn(&str) -> String) -> (usize, usize) {
    let Some(root) = shared::folder(folder) else { return (0, 0) };
    let captures = by_name(&root.join("pcap"));
    let mut by_file: BTreeMap<String, Vec<(Key, String)>> = BTreeMap::new();
    for row in rows(&root.join(table)) {
        let field = |at: usize| row.get(at).map(String::as_str).unwrap_or_default();
        let key = key(field(1), field(2), field(3), field(4), field(5));
        if let Some(key) = key.filter(|_| !field(ja4).is_empty()) {
            by_file.entry(field(0).to_owned()).or_default().push((key, field(ja4).to_owned()));
        }
    }
    let (mut matched, mut total) = (0, 0);
    for (file, expected) in by_file {
        let Some(capture) = captures.get(&file) else { continue };
        let (_, found) = said(capture);
        for (key, ja4) in expected {
            total += 1;
            if found.iter().any(|(other, ours)| *other == key && shown(ours) == shown(&ja4)) {
                matched += 1;
            } else {
                let ours: Vec<_> =
                    found.iter().filter(|(other, _)| *other == key).map(|(_, ja4)| ja4).collect();
                println!("{file} {key:?}: theirs {ja4}, ours {ours:?}");
            }
        }
    }
    println!("{folder}: {matched} of {total} JA4");
    (matched, total)
}

#[test]
fn ja4_is_that_of_its_authors() {
    let (matched, total) = compare_ja4("ja4", "ja4_tls_expected.tsv", 7, str::to_owned);
    assert_eq!(matched, total);
}

/// JA4 without what nDPI does in ways of its own. It says `d` also where there is no server name;
/// shows the first two characters of the ALPN value, not the first and the last; and hashes the
/// empty list, where the method asks for zeros.
fn without_ndpis_ways(ja4: &str) -> String {
    const HASH_OF_NOTHING: &str = "e3b0c44298fc";
    let kept = |(at, c): (usize, char)| (at != 3 && at != 9).then_some(c);
    ja4.char_indices().filter_map(kept).collect::<String>().replace(HASH_OF_NOTHING, "000000000000")
}

#[test]
fn ja4_is_that_of_ndpi() {
    let (matched, total) = compare_ja4("ndpi", "ndpi_flows.tsv", 12, without_ndpis_ways);
    // What is left: see docs/methods/names.md.
    assert!(matched * 100 >= total * 97, "{matched} of {total}");
}

/// Flow and server name of each line of one of Zeek's logs that has one.
fn zeek_names(log: &Path) -> Said {
    let Ok(text) = fs::read_to_string(log) else { return Said::new() };
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    let fields =
        text.lines().find_map(|line| line.strip_prefix("#fields\t")).map(columns).unwrap_or_default();
    let transport = if log.ends_with("quic.log") { "udp" } else { "tcp" };
    let mut names = Said::new();
    for row in text.lines().filter(|line| !line.starts_with('#')).map(columns) {
        let field = |name: &str| {
            let at = fields.iter().position(|field| field == name);
            at.and_then(|at| row.get(at)).map(String::as_str).unwrap_or_default()
        };
        let key =
            key(transport, field("id.orig_h"), field("id.orig_p"), field("id.resp_h"), field("id.resp_p"));
        let name = Some(field("server_name"))
            .filter(|name| *name != "-")
            .and_then(|name| host_name(name.as_bytes()));
        names.extend(key.zip(name.map(|name| name.to_string())));
    }
    names
}

#[test]
fn names_in_zeeks_captures_are_those_of_its_logs() {
    let Some(root) = shared::folder("zeek") else { return };
    let (mut matched, mut total) = (0, 0);
    for row in rows(&root.join("trace_to_baseline.tsv")) {
        let [trace, baseline] = row.as_slice() else { continue };
        let (found, _) = said(&root.join("pcap").join(trace));
        for log in ["ssl.log", "quic.log"] {
            for (key, name) in zeek_names(&root.join("baseline").join(baseline).join(log)) {
                // Zeek writes the TLS inside QUIC into ssl.log too, without the transport.
                let seen =
                    ["tcp", "udp"].map(|transport| ((transport.to_owned(), key.1.clone()), name.clone()));
                total += 1;
                match seen.iter().any(|seen| found.contains(seen)) {
                    true => matched += 1,
                    false => println!("missed {trace}: {key:?} {name}"),
                }
            }
        }
    }
    println!("zeek: {matched} of {total} server names of its logs");
    assert_eq!(matched, total);
}
