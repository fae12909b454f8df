//! What each side of each conversation said: its payloads, in order and in one piece, with the packets they came in.
//!
//! For: looking for something in what was sent, wherever it stands in a stream.
//! Promises: pure; bytes of TCP that were sent again are there once; where bytes are missing, what follows is there all
//! the same, right behind. One stream keeps [`MOST_OF_STREAM`] bytes and all together [`MOST`]: what is beyond them is
//! left out, and that is told. TLS and QUIC for which the capture holds the secrets are there twice: as they were sent,
//! and what they held, as [`crate::proto`] opens it, which is never more.

use crate::capture::Summary;
use crate::packet::{Packet, Segment, TcpFlags, TcpSegment};
use crate::proto::decrypt::{self, KeyLog};
use crate::walk::{Audience, walk};
use overheard_model::Transport;
use std::collections::HashMap;
use std::io::Read;
use std::net::IpAddr;

/// Most bytes of one stream, and of all.
const MOST_OF_STREAM: usize = 16 << 20;
const MOST: usize = 256 << 20;

/// Who said it to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Way {
    pub transport: Transport,
    pub from: (IpAddr, u16),
    pub to: (IpAddr, u16),
}

impl Way {
    /// Who answers.
    pub(crate) fn back(self) -> Self {
        Self { from: self.to, to: self.from, ..self }
    }
}

/// One side of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    pub way: Way,
    /// Whether this is what TLS records held, whose bytes are taken to be of the packet in which the record begins, or
    /// what a stream or the datagrams of QUIC did.
    pub decrypted: bool,
    pub bytes: Vec<u8>,
    /// Where in the bytes each packet begins, in the order of the bytes.
    pub packets: Vec<(usize, u64)>,
}

/// All that a capture's packets carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payloads {
    pub payloads: Vec<Payload>,
    /// Bytes that were left out, where there are any.
    pub left_out: HashMap<Way, u64>,
    /// Bytes of TLS and QUIC that no secret of the capture opens, where there are any; of QUIC only where there are secrets.
    pub sealed: HashMap<Way, u64>,
}

impl Payload {
    /// The packet that the byte at this place came in.
    pub fn packet_at(&self, offset: usize) -> Option<u64> {
        let after = self.packets.partition_point(|(begins, _)| *begins <= offset);
        self.packets.get(after.checked_sub(1)?).map(|(_, packet)| *packet)
    }

    /// The bytes that came in these packets, and where they begin.
    pub fn between(&self, first: u64, last: u64) -> (usize, &[u8]) {
        let within = |(_, packet): &&(usize, u64)| (first..=last).contains(packet);
        let start = self.packets.iter().find(within).map_or(self.bytes.len(), |(begins, _)| *begins);
        let end = self.packets.iter().rposition(|entry| within(&entry));
        let end = end.and_then(|at| self.packets.get(at + 1)).map_or(self.bytes.len(), |(begins, _)| *begins);
        (start, self.bytes.get(start..end).unwrap_or_default())
    }
}

/// Reads a capture to its end.
pub fn read(mut source: impl Read) -> Payloads {
    let mut heard = Heard::default();
    let (summary, _) = walk(&mut source, &mut heard);
    heard.finish(&summary)
}

impl Audience for Heard {
    fn packet(&mut self, packet: &Packet<'_>, _: &[u8]) {
        self.take(packet);
    }

    fn exchange(&mut self, _: Option<Vec<u8>>) -> Option<Vec<u8>> {
        None
    }
}

/// Takes packets as they come.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    sides: Vec<Side>,
    /// The latest of each way: a port that is used again begins another.
    latest: HashMap<Way, usize>,
    kept: usize,
    left_out: HashMap<Way, u64>,
}

#[derive(Debug)]
struct Side {
    way: Way,
    /// The sequence number that the stream began with; none for datagrams.
    began: Option<u32>,
    kept: usize,
    pieces: Vec<Piece>,
}

/// A part of a stream.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Place in the stream, as far as that is known.
    pub(crate) at: u64,
    pub(crate) packet: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Piece {
    pub(crate) fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

impl Heard {
    /// All that was said, of a capture that came to this.
    pub(crate) fn finish(self, summary: &Summary) -> Payloads {
        let sides = self.sides.into_iter().filter(|side| !side.pieces.is_empty());
        let mut payloads: Vec<Payload> = sides.map(|side| join(side.way, side.pieces)).collect();
        let opened = decrypt::decrypt(&payloads, &KeyLog::read(&summary.secrets));
        payloads.extend(opened.payloads);
        Payloads { payloads, left_out: self.left_out, sealed: opened.sealed }
    }

    pub(crate) fn take(&mut self, packet: &Packet<'_>) {
        let (transport, ports, payload) = match packet.segment {
            Segment::Tcp(TcpSegment { src_port, dst_port, payload, .. }) => {
                (Transport::Tcp, (src_port, dst_port), payload)
            }
            Segment::Udp { src_port, dst_port, payload, .. } => {
                (Transport::Udp, (src_port, dst_port), payload)
            }
            Segment::Icmp { transport, rest, .. } => (transport, (0, 0), rest),
            Segment::Sctp { .. } | Segment::Other { .. } => return,
        };
        let (src, dst) = (packet.addresses.src(), packet.addresses.dst());
        let way = Way { transport, from: (src, ports.0), to: (dst, ports.1) };
        let tcp = match packet.segment {
            Segment::Tcp(segment) => Some(segment),
            _ => None,
        };
        let side = self.side(way, tcp);
        if payload.is_empty() {
            return;
        }
        if self.kept + payload.len() > MOST || self.sides[side].kept + payload.len() > MOST_OF_STREAM {
            *self.left_out.entry(way).or_default() += payload.len() as u64;
            return;
        }
        self.kept += payload.len();
        let side = &mut self.sides[side];
        let at = match (side.began, tcp) {
            // Streams of less than 4 GiB: see the bound.
            (Some(began), Some(segment)) => u64::from(segment.seq.wrapping_sub(began)),
            _ => side.kept as u64,
        };
        side.kept += payload.len();
        side.pieces.push(Piece { at, packet: packet.number, bytes: payload.to_vec() });
    }

    /// The side that a packet belongs to.
    fn side(&mut self, way: Way, tcp: Option<TcpSegment<'_>>) -> usize {
        let syn = tcp.is_some_and(|segment| segment.flags.has(TcpFlags::SYN));
        let began = tcp.map(|segment| segment.seq.wrapping_add(u32::from(syn)));
        if let Some(&known) = self.latest.get(&way)
            && !(syn && self.sides[known].began != began)
        {
            return known;
        }
        self.sides.push(Side { way, began, kept: 0, pieces: Vec::new() });
        self.latest.insert(way, self.sides.len() - 1);
        self.sides.len() - 1
    }
}

/// The stream of these pieces, which came in any order.
pub(crate) fn join(way: Way, mut pieces: Vec<Piece>) -> Payload {
    // A capture that began in the middle may have a later byte first: what is before it wraps around, to the end.
    pieces.sort_by_key(|piece| (piece.at, piece.packet));
    let mut payload = Payload { way, decrypted: false, bytes: Vec::new(), packets: Vec::new() };
    let mut known = 0_u64;
    for piece in pieces {
        let again = usize::try_from(known.saturating_sub(piece.at)).unwrap_or(usize::MAX);
        if let Some(new) = piece.bytes.get(again..).filter(|new| !new.is_empty()) {
            payload.packets.push((payload.bytes.len(), piece.packet));
            payload.bytes.extend_from_slice(new);
        }
        known = known.max(piece.end());
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Addresses, Tunnels};
    use overheard_model::Timestamp;
    use proptest::prelude::*;

    fn heard(segments: &[(u32, u8, &[u8])]) -> Vec<Payload> {
        let mut heard = Heard::default();
        for (number, &(seq, flags, payload)) in (1..).zip(segments) {
            let segment = TcpSegment {
                src_port: 5000,
                dst_port: 443,
                seq,
                ack: 0,
                flags: TcpFlags(flags),
                payload,
                missing: 0,
            };
            heard.take(&Packet {
                number,
                time: Timestamp(0),
                addresses: Addresses::v4([10, 0, 0, 1], [192, 0, 2, 1]),
                segment: Segment::Tcp(segment),
                frames: 1,
                wire_bytes: 0,
                tunnels: Tunnels::default(),
            });
        }
        let sides = heard.sides.into_iter().filter(|side| !side.pieces.is_empty());
        sides.map(|side| join(side.way, side.pieces)).collect()
    }

    #[test]
    fn what_is_too_much_is_told_with_its_way() {
        let mut heard = Heard::default();
        let full = vec![0; 60_000];
        let sent = |port| Packet {
            number: 1,
            time: Timestamp(0),
            addresses: Addresses::v4([10, 0, 0, 1], [192, 0, 2, 1]),
            segment: Segment::Udp { src_port: port, dst_port: 443, payload: &full, missing: 0 },
            frames: 1,
            wire_bytes: 0,
            tunnels: Tunnels::default(),
        };
        let most = MOST_OF_STREAM / full.len();
        (0..most + 2).for_each(|_| heard.take(&sent(5000)));
        heard.take(&sent(5001));
        let left_out: Vec<(u16, u64)> =
            heard.left_out.iter().map(|(way, bytes)| (way.from.1, *bytes)).collect();
        assert_eq!(left_out, [(5000, 120_000)]);
    }

    #[test]
    fn bytes_are_in_order_and_there_once() {
        let near_the_end = u32::MAX - 1;
        let seq = |offset: u32| near_the_end.wrapping_add(1 + offset);
        let segments: &[(u32, u8, &[u8])] = &[
            (near_the_end, TcpFlags::SYN, b""),
            (seq(0), 0, b"abc"),
            (seq(6), 0, b"ghi"),
            (seq(2), 0, b"cdef"),
            (seq(0), 0, b"abc"),
            (7000, TcpFlags::SYN, b""),
            (7001, 0, b"again"),
        ];
        let payloads = heard(segments);
        assert_eq!(payloads[0].bytes, b"abcdefghi");
        assert_eq!(payloads[0].packets, [(0, 2), (3, 4), (6, 3)]);
        assert_eq!((payloads[0].packet_at(4), payloads[0].packet_at(8)), (Some(4), Some(3)));
        assert_eq!(payloads[1].bytes, b"again", "a port that is used again");
        assert_eq!(payloads[0].between(2, 3).1, b"abcdefghi");
        assert_eq!(payloads[0].between(4, 4), (3, &b"def"[..]));
        assert_eq!(payloads[0].between(8, 9).1, b"");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes[..]);
        }

        #[test]
        fn a_stream_in_any_order_is_the_stream(order in Just((0..9_u32).collect::<Vec<_>>()).prop_shuffle()) {
            let text = b"the quick brown fox jumps";
            let cuts: Vec<&[u8]> = text.chunks(3).collect();
            let mut segments: Vec<(u32, u8, &[u8])> = vec![(99, TcpFlags::SYN, b"")];
            segments.extend(order.iter().map(|at| (100 + 3 * at, 0, cuts[*at as usize])));
            prop_assert_eq!(&heard(&segments)[0].bytes, text);
        }
    }
}
