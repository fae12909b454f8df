//! What each stage of reading costs: `cargo bench -p overheard-dissect`.
//!
//! Over captures of the corpus, from memory: the file alone, the layers of its frames, the whole read,
//! and one conversation of each protocol that says names. Items are packets; they and bytes are of the capture,
//! for a conversation of its payload.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use overheard_dissect::capture::Reader;
use overheard_dissect::decode::Decoder;
use overheard_dissect::packet::{Frame, Packet, Segment};
use overheard_dissect::proto::{Appetite, Chunk, DISSECTORS, Notes};
use overheard_dissect::{Options, read};
use overheard_model::{Side, Timestamp, Transport};
use std::path::Path;
use std::sync::Arc;

const CAPTURES: &[&str] = &[
    "messenger/regular/run1.pcapng",
    "tls12/tls12.pcap",
    "tls13/tls13.pcap",
    "quic/chromium.pcap",
    "dns/dns.pcap",
    "http1/http1.pcap",
    "sip/sip-rtp.pcap",
];

/// A protocol, a capture that holds it, and the server's port.
const CONVERSATIONS: &[(&str, &str, u16)] = &[
    ("tls", "tls13/tls13.pcap", 443),
    ("quic", "quic/chromium.pcap", 443),
    ("dns", "dns/dns.pcap", 53),
    ("http", "http1/http1.pcap", 80),
];

fn main() {
    divan::main();
}

fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn each_frame(bytes: &[u8], mut see: impl FnMut(&Frame<'_>)) {
    let mut reader = Reader::new(bytes);
    while let Some(frame) = reader.next_frame() {
        see(&frame);
    }
}

fn packets(bytes: &[u8]) -> u64 {
    let mut packets = 0;
    each_frame(bytes, |_| packets += 1);
    packets
}

/// The file's records, nothing more.
#[divan::bench(args = CAPTURES)]
fn capture(bencher: Bencher, name: &str) {
    let bytes = bytes(name);
    bencher.counter(BytesCount::of_slice(&bytes)).counter(ItemsCount::new(packets(&bytes))).bench_local(
        || {
            each_frame(&bytes, |frame| {
                black_box(frame.wire_len);
            })
        },
    );
}

/// Records and layers.
#[divan::bench(args = CAPTURES)]
fn decode(bencher: Bencher, name: &str) {
    let bytes = bytes(name);
    bencher.counter(BytesCount::of_slice(&bytes)).counter(ItemsCount::new(packets(&bytes))).bench_local(
        || {
            let mut decoder = Decoder::default();
            each_frame(&bytes, |frame| {
                let _ = black_box(decoder.decode(frame).map(|packet| packet.frames));
            });
        },
    );
}

/// Everything that becomes of a capture, places aside.
#[divan::bench(args = CAPTURES)]
fn whole(bencher: Bencher, name: &str) {
    let bytes = bytes(name);
    let options = Options::default();
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .counter(ItemsCount::new(packets(&bytes)))
        .bench_local(|| read(black_box(&bytes[..]), Arc::from("bench"), &options));
}

/// What one side said at once.
struct Said {
    transport: Transport,
    ports: (u16, u16),
    from: Side,
    payload: Vec<u8>,
}

fn said(packet: &Packet<'_>, server: u16) -> Option<Said> {
    let (transport, src, dst, payload) = match packet.segment {
        Segment::Tcp(tcp) => (Transport::Tcp, tcp.src_port, tcp.dst_port, tcp.payload),
        Segment::Udp { src_port, dst_port, payload, .. } => (Transport::Udp, src_port, dst_port, payload),
        _ => return None,
    };
    let (client, from) = if dst == server { (src, Side::Src) } else { (dst, Side::Dst) };
    let ours = (src == server || dst == server) && !payload.is_empty();
    ours.then(|| Said { transport, ports: (client, server), from, payload: payload.to_vec() })
}

/// The first conversation with a server's port in a capture.
fn conversation(bytes: &[u8], server: u16) -> Vec<Said> {
    let mut all: Vec<Said> = Vec::new();
    let mut decoder = Decoder::default();
    each_frame(bytes, |frame| {
        all.extend(decoder.decode(frame).ok().and_then(|packet| said(&packet, server)));
    });
    let first = all.first().map(|said| said.ports);
    all.retain(|said| Some(said.ports) == first);
    all
}

/// One conversation, from its first payload until its reader has learned all.
#[divan::bench(args = CONVERSATIONS)]
fn dissect(bencher: Bencher, (protocol, name, port): &(&str, &str, u16)) {
    let said = conversation(&bytes(name), *port);
    let dissector = DISSECTORS
        .iter()
        .find(|dissector| dissector.protocol().to_string() == *protocol)
        .unwrap_or_else(|| panic!("{protocol} is no protocol"));
    let length: usize = said.iter().map(|said| said.payload.len()).sum();
    bencher.counter(BytesCount::new(length)).counter(ItemsCount::new(said.len())).bench_local(|| {
        let mut reader = dissector.reader().expect("a protocol that says names");
        let mut notes = Notes::default();
        for (packet, said) in (1..).zip(&said) {
            let chunk = Chunk {
                transport: said.transport,
                from: said.from,
                src_port: said.ports.0,
                dst_port: said.ports.1,
                bytes: &said.payload,
                gap: 0,
                packet,
                time: Timestamp(0),
            };
            if reader.read(&chunk, &mut notes) == Appetite::Sated {
                break;
            }
        }
        notes
    });
}
