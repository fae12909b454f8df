//! What a conversation says does not depend on how the wire cut it: real conversations of the corpus
//! are played again with their streams in other pieces, the pieces of a turn in another order within
//! the reassembly window, and some of them twice.
//!
//! Promises: every protocol with a reader for streams takes part; a failure names the capture, the
//! ports and the seed that shows it.

use overheard_dissect::capture::Reader;
use overheard_dissect::decode::Decoder;
use overheard_dissect::packet::{Packet, Segment, TcpFlags, TcpSegment};
use overheard_dissect::{Options, read};
use overheard_model::{NameSource, Protocol, Side, Visibility};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::net::IpAddr;
use std::path::Path;

/// One folder of the corpus for each reader of streams, and what it must show.
const CASES: [(&str, &[Protocol]); 13] = [
    ("tls12", &[Protocol::Tls]),
    ("tls13", &[Protocol::Tls]),
    ("http1", &[Protocol::Http]),
    ("http2-plain", &[Protocol::Http2]),
    ("dns", &[Protocol::Dns]),
    ("mail", &[Protocol::Smtp, Protocol::Pop, Protocol::Imap]),
    ("ftp", &[Protocol::Ftp]),
    ("xmpp", &[Protocol::Xmpp]),
    ("irc", &[Protocol::Irc]),
    ("socks", &[]),
    ("ssh", &[Protocol::Ssh]),
    ("mqtt", &[Protocol::Mqtt]),
    ("messenger", &[]),
];

/// Bytes of a conversation that are played; every reader has learned what it can long before.
const PLAYED: usize = 24 << 10;

/// How often each conversation is played.
const SEEDS: u64 = 12;

/// What one side says until the other speaks, as it was cut.
#[derive(Clone, Debug)]
struct Turn {
    from: Side,
    pieces: Vec<Vec<u8>>,
}

impl Turn {
    fn bytes(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

/// A TCP connection that was seen from its beginning.
#[derive(Debug, Default)]
struct Conversation {
    src: Option<(IpAddr, u16)>,
    dst_port: u16,
    /// The next sequence number of each side.
    next: [Option<u32>; 2],
    turns: Vec<Turn>,
    /// Bytes are missing: what follows is left out.
    torn: bool,
}

impl Conversation {
    fn take(&mut self, packet: &Packet<'_>, segment: &TcpSegment<'_>) {
        let sender = (packet.addresses.src(), segment.src_port);
        let syn = segment.flags.has(TcpFlags::SYN);
        if syn && !segment.flags.has(TcpFlags::ACK) && self.src.is_none() {
            (self.src, self.dst_port) = (Some(sender), segment.dst_port);
        }
        let from = if self.src == Some(sender) { Side::Src } else { Side::Dst };
        let next = &mut self.next[from as usize];
        if syn {
            next.get_or_insert(segment.seq.wrapping_add(1));
            return;
        }
        let Some(next) = next.as_mut().filter(|_| !segment.payload.is_empty()) else { return };
        let seen = next.wrapping_sub(segment.seq) as usize;
        if seen > segment.payload.len() {
            self.torn |= seen > 1 << 31;
            return;
        }
        let bytes = segment.payload[seen..].to_vec();
        *next = next.wrapping_add(bytes.len() as u32);
        let played: usize = self.turns.iter().flat_map(|turn| &turn.pieces).map(Vec::len).sum();
        if bytes.is_empty() || self.torn || played > PLAYED {
            return;
        }
        match self.turns.last_mut().filter(|turn| turn.from == from) {
            Some(turn) => turn.pieces.push(bytes),
            None => self.turns.push(Turn { from, pieces: vec![bytes] }),
        }
    }
}

/// The connections of a capture that began in it and said something.
fn conversations(path: &Path) -> Vec<Conversation> {
    let mut found: BTreeMap<[(IpAddr, u16); 2], Conversation> = BTreeMap::new();
    let mut reader = Reader::new(File::open(path).expect("a capture of the corpus"));
    let mut decoder = Decoder::default();
    while let Some(frame) = reader.next_frame() {
        let Ok(packet) = decoder.decode(&frame) else { continue };
        let Segment::Tcp(segment) = packet.segment else { continue };
        let mut ends =
            [(packet.addresses.src(), segment.src_port), (packet.addresses.dst(), segment.dst_port)];
        ends.sort();
        found.entry(ends).or_default().take(&packet, &segment);
    }
    found.into_values().filter(|talk| talk.src.is_some() && !talk.turns.is_empty()).collect()
}

/// A xorshift generator (Marsaglia 2003): the same choices for the same seed.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }
}

/// A piece of one side's stream and where it lies in it.
#[derive(Clone)]
struct Piece {
    from: Side,
    at: usize,
    bytes: Vec<u8>,
}

/// The turns cut anew.
fn cut(turns: &[Turn], choices: &mut Choices) -> Vec<Piece> {
    const LONGEST: [usize; 6] = [1, 3, 40, 600, 1460, 60_000];
    const WINDOWS: [usize; 4] = [1, 2, 8, 64];
    let longest = LONGEST[choices.below(LONGEST.len())];
    let window = WINDOWS[choices.below(WINDOWS.len())];
    let repeats = choices.below(2) == 1;
    let (mut played, mut said): (Vec<Piece>, [usize; 2]) = (Vec::new(), [0, 0]);
    for turn in turns {
        let bytes = turn.bytes();
        let (mut pieces, mut rest) = (Vec::new(), &bytes[..]);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((1 + choices.below(longest)).min(rest.len()));
            pieces.push(Piece { from: turn.from, at: said[turn.from as usize], bytes: piece.to_vec() });
            said[turn.from as usize] += piece.len();
            rest = after;
        }
        for window in pieces.chunks_mut(window) {
            (1..window.len()).rev().for_each(|at| window.swap(at, choices.below(at + 1)));
        }
        for piece in pieces {
            played.push(piece);
            if repeats && choices.below(4) == 0 {
                played.push(played[choices.below(played.len())].clone());
            }
        }
    }
    played
}

/// As the capture has them.
fn uncut(turns: &[Turn]) -> Vec<Piece> {
    let mut said = [0, 0];
    let pieces = turns.iter().flat_map(|turn| turn.pieces.iter().map(|bytes| (turn.from, bytes)));
    pieces
        .map(|(from, bytes)| {
            let at = said[from as usize];
            said[from as usize] += bytes.len();
            Piece { from, at, bytes: bytes.clone() }
        })
        .collect()
}

/// A pcap of IPv4 packets (LINKTYPE_RAW) in which the pieces are sent, a handshake before them.
fn capture(ports: [u16; 2], pieces: &[Piece]) -> Vec<u8> {
    const INITIAL: [u32; 2] = [u32::MAX - 100, 7_000];
    const ADDRESSES: [[u8; 4]; 2] = [[192, 0, 2, 1], [198, 51, 100, 2]];
    let mut bytes = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x65\0\0\0".to_vec();
    let mut packet = |number: usize, from: Side, flags: u8, seq: u32, ack: u32, payload: &[u8]| {
        let (ours, theirs) = (from as usize, 1 - from as usize);
        let length = 40 + payload.len();
        for field in [number as u32, 0, length as u32, length as u32] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend([0x45, 0]);
        bytes.extend((length as u16).to_be_bytes());
        bytes.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        bytes.extend([ADDRESSES[ours], ADDRESSES[theirs]].concat());
        bytes.extend([ports[ours], ports[theirs]].iter().flat_map(|port| port.to_be_bytes()));
        bytes.extend([seq, ack].iter().flat_map(|number| number.to_be_bytes()));
        bytes.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend(payload);
    };
    let [src, dst] = INITIAL;
    packet(0, Side::Src, TcpFlags::SYN, src, 0, &[]);
    packet(1, Side::Dst, TcpFlags::SYN | TcpFlags::ACK, dst, src.wrapping_add(1), &[]);
    for (number, piece) in pieces.iter().enumerate() {
        let seq = INITIAL[piece.from as usize].wrapping_add(1 + piece.at as u32);
        packet(2 + number, piece.from, TcpFlags::ACK, seq, 1, &piece.bytes);
    }
    bytes
}

/// What was learned of the conversation.
#[derive(Debug, PartialEq, Eq)]
struct Learned {
    protocol: Protocol,
    visibility: Visibility,
    names: BTreeSet<(String, NameSource)>,
    ja4: [Option<String>; 2],
    lost: [u64; 2],
}

fn learned(ports: [u16; 2], pieces: &[Piece]) -> Learned {
    let reading = read(&capture(ports, pieces)[..], "played".into(), &Options::default());
    assert_eq!(reading.flows.len(), 1);
    let flow = reading.flows.iter().next().expect("one flow");
    let text = |ja4: &Option<std::sync::Arc<str>>| ja4.as_ref().map(ToString::to_string);
    Learned {
        protocol: flow.protocol,
        visibility: flow.visibility,
        names: flow.names.iter().map(|name| (name.name.to_string(), name.source)).collect(),
        ja4: [text(&flow.ja4), text(&flow.ja4_normalised)],
        lost: [flow.gap_bytes, flow.conflicting_bytes],
    }
}

#[test]
fn what_is_learned_does_not_depend_on_the_segments() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    let mut failures = Vec::new();
    for (folder, protocols) in CASES {
        let mut shown = BTreeSet::new();
        let mut paths: Vec<_> =
            corpus.join(folder).read_dir().expect("a case").flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| {
            path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng")
        });
        paths.sort();
        for path in paths.iter().take(4) {
            for talk in conversations(path) {
                let ports = [talk.src.map_or(0, |(_, port)| port), talk.dst_port];
                let expected = learned(ports, &uncut(&talk.turns));
                shown.insert(expected.protocol);
                for seed in 1..=SEEDS {
                    let pieces = cut(&talk.turns, &mut Choices(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
                    let found = learned(ports, &pieces);
                    if found != expected {
                        failures.push(format!(
                            "{} {ports:?} seed {seed}: {found:?}\n  instead of {expected:?}",
                            path.display()
                        ));
                    }
                }
            }
        }
        assert!(protocols.iter().all(|protocol| shown.contains(protocol)), "{folder} shows {shown:?}");
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
