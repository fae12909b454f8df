//! One flow as the table keeps it: counters, the two ends, and boxes for everything rare.
//!
//! Promises: 136 bytes a flow, and what a connection takes where it is of TCP ([`Record::LARGEST`]); it stays as it is
//! when the capture has ended, and becomes a [`overheard_model::Flow`] only when somebody asks ([`super::telling`]).

use super::connection::{Connection, Event};
use super::content::Content;
use super::dialogue::Parties;
use super::inspection::Inspection;
use super::key::{End, Ends, Key};
use super::spare::Spare;
use crate::packet::{Number, Packet, Segment, TcpFlags, TcpSegment, Tunnels};
use crate::proto::ReadDatagram;
use overheard_model::{BeganBy, FlowState, Protocol, Side, Timestamp, Transport, Visibility};
use std::net::IpAddr;

/// How long a flow may be quiet before what its reading holds is let go, nanoseconds: as long as a
/// network address translator must keep a quiet UDP flow (RFC 4787 §4.3).
const QUIET: i64 = 120 * 1_000_000_000;

/// Whether a flow that spoke then, and not since, is quiet.
#[inline]
pub(super) fn is_long_ago(spoke: Timestamp, now: Timestamp) -> bool {
    now.0.saturating_sub(spoke.0) > QUIET
}

/// Packets and bytes that one end sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

/// What is done with a flow's payloads.
#[derive(Debug)]
pub(super) enum Payload {
    /// None came yet; what an earlier connection on the same ports showed is kept.
    Unread(Option<Box<Content>>),
    Inspected(Box<Inspected>),
    /// Each datagram is read by itself; there is no more to tell than protocol and visibility.
    Datagrams(ReadDatagram),
    /// The flow was quiet for long: read on from the next payload, as if the capture began there.
    Paused(Option<Box<Content>>),
    /// Nothing further is learned from them: packets are only counted. Kept where there is more to
    /// tell than protocol and visibility.
    Settled(Option<Box<Content>>),
}

/// The reading of payloads, and what it came to so far.
#[derive(Debug, Default)]
pub(super) struct Inspected {
    pub(super) content: Content,
    pub(super) inspection: Inspection,
    /// Bytes that both took when the latest payload had been read.
    held: usize,
}

impl Inspected {
    /// Forgets what was read, and keeps the room for it.
    pub(super) fn clear(&mut self) {
        self.content = Content::default();
        self.inspection.clear();
        self.held = 0;
    }
}

const _: () = assert!(size_of::<Record>() <= 136, "there is one for each flow");

/// A flow in the making.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) key: Key,
    pub(super) sent: Ends<Count>,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) first_packet: u64,
    pub(super) last_packet: u64,
    /// Of TCP alone: all other flows are spared the room.
    connection: Option<Box<Connection>>,
    pub(super) payload: Payload,
    /// Of its first packet.
    pub(super) tunnels: Tunnels,
    /// The originator.
    pub(super) src: End,
    /// Which end is ours: decided when the capture has ended.
    pub(crate) ours: Side,
    pub(super) protocol: Option<Protocol>,
    pub(super) visibility: Option<Visibility>,
}

impl Record {
    /// The most that a record takes before any payload came, bytes.
    pub(super) const LARGEST: usize = size_of::<Self>() + size_of::<Connection>();

    pub(super) fn begin(key: Key, from: End, packet: &Packet<'_>) -> Self {
        let (src, began_by) = originator(&key, from, packet);
        Self {
            key,
            sent: Ends::default(),
            first: packet.time,
            last: packet.time,
            first_packet: packet.number,
            last_packet: packet.number,
            connection: matches!(packet.segment, Segment::Tcp(_))
                .then(|| Box::new(Connection::begin(began_by))),
            payload: Payload::Unread(None),
            tunnels: packet.tunnels,
            src,
            ours: Side::Src,
            protocol: None,
            visibility: None,
        }
    }

    #[inline]
    pub(super) fn count(&mut self, from: End, packet: &Packet<'_>) {
        let sent = &mut self.sent[from];
        sent.packets += u64::from(packet.frames);
        sent.bytes += packet.wire_bytes;
        self.first = self.first.min(packet.time);
        self.last = self.last.max(packet.time);
        self.last_packet = self.last_packet.max(packet.number);
    }

    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.payload, Payload::Settled(_))
    }

    /// How its next datagram is read, where each is by itself.
    #[inline]
    pub(super) fn datagram_reader(&self) -> Option<ReadDatagram> {
        match self.payload {
            Payload::Datagrams(read) => Some(read),
            _ => None,
        }
    }

    /// Takes the reading of its payloads out, begun where it has not; nothing once the flow is settled, nor where
    /// each datagram is read by itself.
    /// Whoever takes it puts back what it came to: [`Self::keep`] or [`Self::settle`].
    pub(super) fn inspected(&mut self, spare: &mut Spare) -> Option<Box<Inspected>> {
        let start = |end| self.connection.as_ref().and_then(|connection| connection.stream_start(end));
        let starts = [End::Low, End::High].map(start);
        let (content, starts) = match std::mem::replace(&mut self.payload, Payload::Settled(None)) {
            Payload::Inspected(inspected) => return Some(inspected),
            Payload::Unread(content) => (content, starts),
            Payload::Paused(content) => (content, [None; 2]),
            none @ (Payload::Settled(_) | Payload::Datagrams(_)) => {
                self.payload = none;
                return None;
            }
        };
        let mut inspected = spare.take(self.key.transport());
        inspected.content = match content {
            Some(content) => *content,
            None => Content::of(self.protocol, self.visibility),
        };
        inspected.inspection.begin(starts);
        Some(inspected)
    }

    /// Keeps the reading of its payloads until the next one comes.
    pub(super) fn keep(&mut self, mut inspected: Box<Inspected>, spare: &mut Spare) {
        let Inspected { content, inspection, held } = &mut *inspected;
        match inspection.datagram_reader().filter(|_| !content.says_more()) {
            Some(read) => {
                (self.protocol, self.visibility) = (content.protocol, content.visibility);
                self.payload = Payload::Datagrams(read);
                spare.give(inspected, self.key.transport());
            }
            None => {
                *held = content.footprint() + inspection.footprint();
                self.payload = Payload::Inspected(inspected);
            }
        }
    }

    /// Whether its payloads are being read and something is kept for it.
    #[inline]
    pub(super) fn is_read(&self) -> bool {
        matches!(self.payload, Payload::Inspected(_))
    }

    /// Whether its payloads are being read and nothing came for long.
    #[inline]
    pub(super) fn is_quiet(&self, now: Timestamp) -> bool {
        let is_read = matches!(self.payload, Payload::Inspected(_) | Payload::Datagrams(_));
        is_read && is_long_ago(self.last, now)
    }

    /// Nothing further is read of its payloads.
    pub(super) fn settle(&mut self, content: Content) {
        (self.protocol, self.visibility) = (content.protocol, content.visibility);
        self.payload = Payload::Settled(content.says_more().then(|| Box::new(content)));
    }

    /// No payload will be read, and there is nothing to be ended.
    pub(super) fn settle_unread(&mut self) {
        match &mut self.payload {
            Payload::Unread(content) | Payload::Paused(content) => {
                self.payload = Payload::Settled(content.take());
            }
            Payload::Datagrams(_) => self.payload = Payload::Settled(None),
            Payload::Inspected(_) | Payload::Settled(_) => {}
        }
    }

    /// What comes next is read anew, after a pause.
    pub(super) fn pause(&mut self) {
        if let Payload::Settled(content) = &mut self.payload {
            self.payload = Payload::Paused(content.take());
        }
    }

    /// A new connection on the same ports: its payloads are read anew.
    pub(super) fn restart(&mut self) {
        if let Payload::Settled(content) = &mut self.payload {
            self.payload = Payload::Unread(content.take());
        }
    }

    /// What payloads showed beyond protocol and visibility.
    pub(super) fn content(&self) -> Option<&Content> {
        match &self.payload {
            Payload::Unread(content) | Payload::Paused(content) | Payload::Settled(content) => {
                content.as_deref()
            }
            Payload::Inspected(inspected) => Some(&inspected.content),
            Payload::Datagrams(_) => None,
        }
    }

    /// Bytes held beyond the struct itself.
    pub(super) fn held(&self) -> usize {
        match &self.payload {
            Payload::Unread(content) | Payload::Paused(content) | Payload::Settled(content) => {
                content.as_ref().map_or(0, |content| content.footprint())
            }
            Payload::Inspected(inspected) => inspected.held,
            Payload::Datagrams(_) => 0,
        }
    }

    /// Both ends spoke.
    pub(super) fn answered(&self) -> bool {
        self.sent[End::Low].packets > 0 && self.sent[End::High].packets > 0
    }

    pub(super) fn parties(&self) -> Parties {
        Parties {
            transport: self.key.transport(),
            src: self.src,
            src_port: self.key.port(self.src),
            dst_port: self.key.port(self.src.other()),
        }
    }

    /// Takes the header of a segment.
    #[inline]
    pub(super) fn observe(&mut self, from: End, segment: &TcpSegment<'_>, time: Timestamp) -> Event {
        let Some(connection) = &mut self.connection else { return Event::Segment };
        // A SYN that came after the first packet still says who began.
        if connection.began_by != BeganBy::Syn
            && let Some(src) = syn_sender(from, segment)
        {
            self.src = src;
            connection.began_by = BeganBy::Syn;
        }
        connection.observe(from, segment, time)
    }

    pub(super) fn began_by(&self) -> BeganBy {
        self.connection.as_ref().map_or(BeganBy::FirstPacket, |connection| connection.began_by)
    }

    pub(crate) fn transport(&self) -> Transport {
        self.key.transport()
    }

    /// The address at a side.
    pub(crate) fn address(&self, side: Side) -> IpAddr {
        self.key.address(self.end(side))
    }

    /// The address at a side as a number, and whether it is of IPv6.
    pub(crate) fn number(&self, side: Side) -> (Number, bool) {
        self.key.number(self.end(side))
    }

    /// The port at a side; 0 where the transport has none.
    pub(crate) fn port(&self, side: Side) -> u16 {
        self.key.port(self.end(side))
    }

    /// Packets and bytes that a side sent.
    pub(crate) fn sent(&self, side: Side) -> (u64, u64) {
        let Count { packets, bytes } = self.sent[self.end(side)];
        (packets, bytes)
    }

    pub(super) fn state(&self) -> FlowState {
        match &self.connection {
            Some(connection) => connection.state(self.answered()),
            None if self.answered() => FlowState::Established,
            None => FlowState::Unanswered,
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        match self.key.transport() {
            Transport::Icmp | Transport::Icmp6 => Protocol::Icmp,
            _ => self.judged().0.unwrap_or(Protocol::NoPayload),
        }
    }

    pub(crate) fn visibility(&self) -> Visibility {
        match self.key.transport() {
            Transport::Icmp | Transport::Icmp6 => Visibility::Readable,
            _ => self.judged().1.unwrap_or(Visibility::Unknown),
        }
    }

    /// Protocol and visibility; while payloads are being read, as far as they tell so far.
    fn judged(&self) -> (Option<Protocol>, Option<Visibility>) {
        let Payload::Inspected(inspected) = &self.payload else { return (self.protocol, self.visibility) };
        let Inspected { content, inspection, .. } = &**inspected;
        match content.protocol {
            Some(_) => (content.protocol, content.visibility),
            None => inspection.judged().unzip(),
        }
    }

    pub(crate) fn rtt_ms(&self) -> Option<f64> {
        self.connection.as_ref()?.rtt_ms()
    }

    pub(super) fn retransmissions(&self) -> u32 {
        self.connection.as_ref().map_or(0, |connection| connection.retransmissions)
    }

    /// Where both of its streams end, once both sides have ended theirs.
    #[inline]
    pub(super) fn ends(&self) -> Option<Ends<u32>> {
        self.connection.as_ref()?.ends()
    }

    /// When its first and last packet came.
    pub(crate) fn span(&self) -> (Timestamp, Timestamp) {
        (self.first, self.last)
    }

    /// Number of its first packet.
    pub(crate) fn first_packet(&self) -> u64 {
        self.first_packet
    }

    fn end(&self, side: Side) -> End {
        if side == Side::Src { self.src } else { self.src.other() }
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

#[inline]
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
