//! Both sides of the comparison in one form: tshark's, as kept or as asked, and ours.

use overheard_dissect::{Options, read};
use overheard_model::Transport;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Transport and both ends, the lower first. ICMP has no ports here: its types add up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tuple {
    pub transport: String,
    pub ends: [(String, u16); 2],
}

/// Packets and bytes of the lower end, then of the higher.
pub type Counts = [u64; 4];
pub type Conversations = BTreeMap<Tuple, Counts>;

/// Adds what one end (`a`) sent, and what it was sent.
fn add(
    conversations: &mut Conversations,
    transport: &str,
    [a, b]: [(String, u16); 2],
    counts: Counts,
) -> Tuple {
    let [out, out_bytes, back, back_bytes] = counts;
    let (ends, counts) = match a <= b {
        true => ([a, b], counts),
        false => ([b, a], [back, back_bytes, out, out_bytes]),
    };
    let tuple = Tuple { transport: transport.to_owned(), ends };
    let sum = conversations.entry(tuple.clone()).or_default();
    sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    tuple
}

/// What we count, and the tunnels of it.
pub fn ours(capture: &Path) -> (Conversations, BTreeMap<Tuple, String>) {
    let file = File::open(capture).unwrap_or_else(|error| panic!("{}: {error}", capture.display()));
    let options = Options { hash: false, ..Options::default() };
    let reading = read(file, "differential".into(), &options);
    let (mut conversations, mut tunnels) = (Conversations::new(), BTreeMap::new());
    for flow in reading.flows.iter() {
        let transport = match flow.transport {
            Transport::Icmp6 => "icmpv6".to_owned(),
            other => other.to_string(),
        };
        let port = |port| if flow.transport.has_ports() { port } else { 0 };
        let ends = [(flow.src.to_string(), port(flow.src_port)), (flow.dst.to_string(), port(flow.dst_port))];
        let counts = [flow.packets_out, flow.bytes_out, flow.packets_in, flow.bytes_in];
        let tuple = add(&mut conversations, &transport, ends, counts);
        tunnels.extend(flow.tunnel.map(|tunnel| (tuple, tunnel.to_string())));
    }
    (conversations, tunnels)
}

/// An address as we print it.
fn address(text: &str) -> String {
    text.parse::<IpAddr>().map_or_else(|_| text.to_owned(), |address| address.to_string())
}

/// tshark's answers in a file.
pub fn kept(answer: &Path) -> Conversations {
    let text = std::fs::read_to_string(answer).expect("an answer is text");
    let answer: Value = serde_json::from_str(&text).expect("an answer is JSON");
    let mut conversations = Conversations::new();
    for flow in answer["flows"].as_array().into_iter().flatten() {
        let text = |key: &str| flow[key].as_str().unwrap_or_default();
        let end = |end: &str, port: &str| (address(text(end)), text(port).parse().unwrap_or(0));
        let counts =
            ["pkts_ab", "bytes_ab", "pkts_ba", "bytes_ba"].map(|key| flow[key].as_u64().expect("a count"));
        add(&mut conversations, text("proto"), [end("a", "a_port"), end("b", "b_port")], counts);
    }
    conversations
}

pub fn tshark_is_here() -> bool {
    let version =
        Command::new("tshark").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

const FIELDS: [&str; 14] = [
    "frame.protocols",
    "frame.len",
    "ip.src",
    "ip.dst",
    "ip.proto",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.nxt",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "icmp.type",
    "icmpv6.type",
];

/// tshark's answers of today. Of tunnels and what is in them the innermost counts, but of ICMP the
/// outermost: what is within are quoted headers.
pub fn asked(capture: &Path) -> Conversations {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(capture).args(["-T", "fields"]);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let output = command.stderr(Stdio::null()).output().expect("tshark runs");
    let mut conversations = Conversations::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        // A field that occurs in several layers has its values in their order, with commas between.
        let fields: Vec<Vec<&str>> = line.split('\t').map(|field| field.split(',').collect()).collect();
        frame(&mut conversations, &fields);
    }
    conversations
}

/// Counts one frame; one without IP is in no conversation.
fn frame(conversations: &mut Conversations, fields: &[Vec<&str>]) {
    let [
        layers,
        length,
        src4,
        dst4,
        proto4,
        src6,
        dst6,
        proto6,
        tcp_src,
        tcp_dst,
        udp_src,
        udp_dst,
        icmp,
        icmp6,
    ] = fields
    else {
        panic!("tshark gave {fields:?}");
    };
    let layers: Vec<&str> = layers.iter().flat_map(|layers| layers.split(':')).collect();
    let depth = |name: &str| layers.iter().rposition(|layer| *layer == name);
    let (src, dst, proto) =
        if depth("ipv6") > depth("ip") { (src6, dst6, proto6) } else { (src4, dst4, proto4) };
    let is_there = |field: &[&str]| field.iter().any(|value| !value.is_empty());
    let value = |field: &[&str]| {
        let quotes = is_there(icmp) || is_there(icmp6);
        if quotes { field.first() } else { field.last() }.copied().unwrap_or_default().to_owned()
    };
    let port = |field: &[&str]| value(field).parse().unwrap_or(0);
    let (transport, ports) = match (depth("tcp"), depth("udp")) {
        _ if is_there(icmp) => ("icmp".to_owned(), (0, 0)),
        _ if is_there(icmp6) => ("icmpv6".to_owned(), (0, 0)),
        (None, None) => (format!("ip-{}", value(proto)), (0, 0)),
        (tcp, udp) if tcp > udp => ("tcp".to_owned(), (port(tcp_src), port(tcp_dst))),
        _ => ("udp".to_owned(), (port(udp_src), port(udp_dst))),
    };
    if is_there(src) {
        let bytes = value(length).parse().expect("a length");
        let ends = [(address(&value(src)), ports.0), (address(&value(dst)), ports.1)];
        add(conversations, &transport, ends, [1, bytes, 0, 0]);
    }
}
