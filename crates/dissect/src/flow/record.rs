//! One flow as the table keeps it: counters, the two ends, and boxes for everything rare.

use super::connection::Connection;
use super::content::Content;
use super::dialogue::Parties;
use super::inspection::Inspection;
use super::key::{End, Ends, Key};
use crate::packet::{Packet, Segment, TcpFlags, TcpSegment, Tunnels};
use overheard_model::{BeganBy, Timestamp};

/// Packets and bytes that one end sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

/// A flow in the making.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) key: Key,
    pub(super) sent: Ends<Count>,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) first_packet: u64,
    pub(super) last_packet: u64,
    pub(super) connection: Connection,
    /// Of its first packet.
    pub(super) tunnels: Tunnels,
    /// The originator.
    pub(super) src: End,
    pub(super) began_by: BeganBy,
    /// Nothing further is learned from payloads: packets are only counted.
    pub(super) settled: bool,
    /// What payloads showed, from the first one on.
    pub(super) content: Option<Box<Content>>,
    /// The reading of payloads, from the first one on until the flow is settled.
    pub(super) inspection: Option<Box<Inspection>>,
}

impl Record {
    pub(super) fn begin(key: Key, from: End, packet: &Packet<'_>) -> Self {
        let (src, began_by) = originator(&key, from, packet);
        Self {
            key,
            sent: Ends::default(),
            first: packet.time,
            last: packet.time,
            first_packet: packet.number,
            last_packet: packet.number,
            connection: Connection::default(),
            tunnels: packet.tunnels,
            src,
            began_by,
            settled: false,
            content: None,
            inspection: None,
        }
    }

    pub(super) fn count(&mut self, from: End, packet: &Packet<'_>) {
        let sent = &mut self.sent[from];
        sent.packets += u64::from(packet.frames);
        sent.bytes += packet.wire_bytes;
        self.first = self.first.min(packet.time);
        self.last = self.last.max(packet.time);
        self.last_packet = self.last_packet.max(packet.number);
    }

    /// Bytes held beyond the struct itself.
    pub(super) fn held(&self) -> usize {
        self.content.as_ref().map_or(0, |content| content.footprint())
            + self.inspection.as_ref().map_or(0, |inspection| inspection.footprint())
    }

    /// Both ends spoke.
    pub(super) fn answered(&self) -> bool {
        self.sent[End::Low].packets > 0 && self.sent[End::High].packets > 0
    }

    pub(super) fn parties(&self) -> Parties {
        Parties {
            transport: self.key.transport,
            src: self.src,
            src_port: self.key.port(self.src),
            dst_port: self.key.port(self.src.other()),
        }
    }

    /// A SYN that came after the first packet still says who began.
    pub(super) fn note_syn(&mut self, from: End, segment: &TcpSegment<'_>) {
        if self.began_by != BeganBy::Syn
            && let Some(src) = syn_sender(from, segment)
        {
            self.src = src;
            self.began_by = BeganBy::Syn;
        }
    }
}

/// Who began the flow, judged by its first packet: the sender of the SYN; for a connection whose
/// beginning was missed the side opposite to the only well-known port; else who was seen first.
fn originator(key: &Key, from: End, packet: &Packet<'_>) -> (End, BeganBy) {
    let Segment::Tcp(segment) = packet.segment else { return (from, BeganBy::FirstPacket) };
    if let Some(src) = syn_sender(from, &segment) {
        return (src, BeganBy::Syn);
    }
    match (is_well_known(key.port(from)), is_well_known(key.port(from.other()))) {
        (true, false) => (from.other(), BeganBy::KnownPort),
        (false, true) => (from, BeganBy::KnownPort),
        _ => (from, BeganBy::FirstPacket),
    }
}

fn syn_sender(from: End, segment: &TcpSegment<'_>) -> Option<End> {
    let syn = segment.flags.has(TcpFlags::SYN);
    let ack = segment.flags.has(TcpFlags::ACK);
    syn.then(|| if ack { from.other() } else { from })
}

/// System ports (RFC 6335), and registered ones on which servers commonly listen.
fn is_well_known(port: u16) -> bool {
    const SERVERS: [u16; 18] = [
        1080, 1194, 1433, 1723, 1883, 3128, 3306, 3389, 3478, 5060, 5061, 5222, 5223, 5228, 5432, 6667, 8080,
        8443,
    ];
    (1..1024).contains(&port) || SERVERS.contains(&port)
}
