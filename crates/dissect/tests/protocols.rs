//! Protocols held against nDPI's labels on captures that nobody here made.
//!
//! The captures lie beside the repository, where they are present; the test says when it skips. nDPI
//! is an opinion, not the truth: it also names flows by address, port or certificate. Its labels are
//! `Protocol.App`; flows that it names by the app alone count for neither side.

mod shared;

use overheard_dissect::{Options, read};
use overheard_model::{Flow, Protocol};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

/// The protocol that the first part of a label stands for.
fn labelled(label: &str) -> Option<Protocol> {
    Some(match label.split('.').next().unwrap_or(label) {
        "TLS" | "IMAPS" | "POPS" | "SMTPS" | "FTPS" => Protocol::Tls,
        "QUIC" => Protocol::Quic,
        "DTLS" => Protocol::Dtls,
        "HTTP" | "HTTP_Proxy" | "HTTP_Connect" | "WebSocket" => Protocol::Http,
        "HTTP2" => Protocol::Http2,
        "DNS" => Protocol::Dns,
        "MDNS" => Protocol::Mdns,
        "LLMNR" => Protocol::Llmnr,
        "SSH" => Protocol::Ssh,
        "STUN" => Protocol::Stun,
        "RTP" | "RTCP" | "SRTP" => Protocol::Rtp,
        "SIP" => Protocol::Sip,
        "Jabber" => Protocol::Xmpp,
        "IRC" => Protocol::Irc,
        "SMTP" => Protocol::Smtp,
        "IMAP" => Protocol::Imap,
        "POP3" => Protocol::Pop,
        "FTP_CONTROL" => Protocol::Ftp,
        "NTP" => Protocol::Ntp,
        "BitTorrent" => Protocol::Bittorrent,
        "WireGuard" => Protocol::Wireguard,
        "OpenVPN" => Protocol::Openvpn,
        "SOCKS" => Protocol::Socks,
        "MQTT" => Protocol::Mqtt,
        "RDP" => Protocol::Rdp,
        "DHCP" | "DHCPV6" => Protocol::Dhcp,
        "SSDP" => Protocol::Ssdp,
        _ => return None,
    })
}

/// Agreement on one protocol.
#[derive(Default)]
struct Row {
    labelled: u32,
    /// Labelled so, and found so.
    agreed: u32,
    found: u32,
    missed_as: BTreeMap<String, u32>,
    instead_of: BTreeMap<String, u32>,
}

/// Transport and both ends in one order, as the table of labels writes them.
type Key = (String, [(String, String); 2]);

fn key(transport: &str, a: (&str, &str), b: (&str, &str)) -> Key {
    let mut ends = [a, b].map(|(address, port)| (address.to_string(), port.to_string()));
    ends.sort();
    (transport.to_string(), ends)
}

fn key_of(flow: &Flow) -> Key {
    let text =
        (flow.src.to_string(), flow.src_port.to_string(), flow.dst.to_string(), flow.dst_port.to_string());
    key(&flow.transport.to_string(), (&text.0, &text.1), (&text.2, &text.3))
}

/// Labels by capture and flow.
fn labels(folder: &Path) -> BTreeMap<String, BTreeMap<Key, String>> {
    let table = fs::read_to_string(folder.join("ndpi_flows.tsv")).expect("the table is text");
    let mut labels: BTreeMap<String, BTreeMap<Key, String>> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let column: Vec<&str> = line.split('\t').collect();
        let key = key(column[1], (column[2], column[3]), (column[4], column[5]));
        labels.entry(column[0].to_string()).or_default().insert(key, column[11].to_string());
    }
    labels
}

#[test]
fn protocols_agree_with_ndpi() {
    let Some(folder) = shared::folder("ndpi") else { return };
    let labels = labels(&folder);
    let mut rows: BTreeMap<Protocol, Row> = BTreeMap::new();
    for (name, labels) in &labels {
        let Ok(file) = File::open(folder.join("pcap").join(name)) else { continue };
        let reading = read(file, name.as_str().into(), &Options::default());
        for flow in &reading.flows {
            let Some(label) = labels.get(&key_of(&flow)) else { continue };
            count(&mut rows, flow.protocol, label);
        }
    }
    println!(
        "{:<12}{:>9}{:>8}{:>8}{:>8}{:>10}",
        "protocol", "labelled", "agreed", "found", "recall", "precision"
    );
    for (protocol, row) in &rows {
        let share = |whole: u32| f64::from(row.agreed) / f64::from(whole.max(1));
        println!(
            "{:<12}{:>9}{:>8}{:>8}{:>8.3}{:>10.3}  missed as {:?}, instead of {:?}",
            protocol.to_string(),
            row.labelled,
            row.agreed,
            row.found,
            share(row.labelled),
            share(row.found),
            row.missed_as,
            row.instead_of
        );
    }
    let sum = |count: fn(&Row) -> u32| rows.values().map(count).sum::<u32>();
    let (labelled, agreed, found) = (sum(|row| row.labelled), sum(|row| row.agreed), sum(|row| row.found));
    println!("all: {agreed} of {labelled} labelled flows agree; {found} found");
    let silent: u32 = rows.values().filter_map(|row| row.missed_as.get("no-payload")).sum();
    assert!(agreed * 100 >= (labelled - silent) * 95, "{agreed} of {labelled} labelled, {silent} silent");
}

fn count(rows: &mut BTreeMap<Protocol, Row>, found: Protocol, label: &str) {
    let expected = labelled(label);
    if let Some(expected) = expected {
        let row = rows.entry(expected).or_default();
        row.labelled += 1;
        match found == expected {
            true => row.agreed += 1,
            false => *row.missed_as.entry(found.to_string()).or_default() += 1,
        }
    }
    if is_recognised(found) {
        let row = rows.entry(found).or_default();
        row.found += 1;
        if expected != Some(found) {
            *row.instead_of.entry(label.to_string()).or_default() += 1;
        }
    }
}

fn is_recognised(protocol: Protocol) -> bool {
    use Protocol::*;
    !matches!(protocol, NoPayload | UnknownPlaintext | UnknownBinary | UnknownHighEntropy | Icmp)
}
