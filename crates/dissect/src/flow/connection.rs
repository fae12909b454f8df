//! What the headers of a TCP connection show: handshake, end, repetitions.
//!
//! For: a flow's state, its round-trip time and its retransmissions, at [`Connection`]'s 72 bytes for each flow of TCP.
//! Round-trip time: from SYN to the handshake's last ACK, as the capturing point saw both. That is
//! the sum of the way to the server and back and the way to the client and back, so wherever the
//! capture was taken it is no less than the server's own. Handshakes with a repeated SYN or SYN-ACK
//! give none, since one cannot tell which copy was answered (Karn and Partridge 1987).
//! A port that is used again stays in the same flow, as Wireshark's and nDPI's counts have it; its
//! streams begin anew.

use super::key::{End, Ends};
use super::sequence;
use crate::packet::{TcpFlags, TcpSegment};
use overheard_model::{BeganBy, FlowState, Timestamp};

/// What a segment means for the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The next segment of the connection.
    Segment,
    /// A new connection on the same ports.
    Restart,
}

/// How much of a side was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Sent {
    #[default]
    Nothing,
    /// A SYN, which takes a sequence number.
    Syn,
    Payload,
}

/// One side's sequence numbers. There are two for each connection: kept small.
#[derive(Clone, Copy, Debug, Default)]
struct Sender {
    /// Initial sequence number; nothing unless `begun`.
    initial: u32,
    /// End of what was sent so far; nothing unless anything was.
    high: u32,
    /// The latest stretch that was jumped over, which may still come.
    hole: (u32, u32),
    /// Where the stream ends; nothing unless `fin`.
    end: u32,
    syns: u8,
    /// A SYN showed the initial sequence number, or a SYN-ACK confirmed it.
    begun: bool,
    fin: bool,
    sent: Sent,
}

impl Sender {
    /// Where its stream ends, once a FIN said so.
    fn end(&self) -> Option<u32> {
        self.fin.then_some(self.end)
    }

    fn spoke(&self) -> bool {
        self.sent == Sent::Payload
    }

    fn initial(&self) -> Option<u32> {
        self.begun.then_some(self.initial)
    }

    fn finish(&mut self, segment: &TcpSegment<'_>) {
        if !self.fin {
            let payload = sequence::length(segment.payload).wrapping_add(segment.missing);
            (self.fin, self.end) = (true, segment.seq.wrapping_add(payload));
        }
    }

    fn begin(&mut self, initial: u32) {
        if !self.begun {
            (self.begun, self.initial) = (true, initial);
        }
    }
}

/// How far the handshake's round trip is known.
#[derive(Clone, Copy, Debug, Default)]
enum RoundTrip {
    #[default]
    Unknown,
    /// The first SYN was seen then, and the handshake is not over.
    Since(Timestamp),
    /// SYN to ACK, nanoseconds. A later connection on the same ports does not change it.
    Took(u32),
}

const _: () = assert!(size_of::<Connection>() <= 72, "there is one for each flow of TCP");

/// Both sides of a TCP connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    senders: Ends<Sender>,
    round_trip: RoundTrip,
    pub(super) retransmissions: u32,
    reset: bool,
    /// What decided who began the flow.
    pub(super) began_by: BeganBy,
}

impl Connection {
    /// One of which no segment was looked at.
    pub(super) fn begin(began_by: BeganBy) -> Self {
        let (senders, round_trip) = (Ends::default(), RoundTrip::Unknown);
        Self { senders, round_trip, retransmissions: 0, reset: false, began_by }
    }

    /// Takes one segment's header.
    #[inline]
    pub(super) fn observe(&mut self, from: End, segment: &TcpSegment<'_>, time: Timestamp) -> Event {
        let event = self.event(from, segment);
        if event == Event::Restart {
            let round_trip = match self.round_trip {
                took @ RoundTrip::Took(_) => took,
                _ => RoundTrip::Unknown,
            };
            *self = Self { round_trip, retransmissions: self.retransmissions, ..Self::begin(self.began_by) };
        }
        self.follow_handshake(from, segment, time);
        self.follow_sequence(from, segment);
        self.reset |= segment.flags.has(TcpFlags::RST);
        if segment.flags.has(TcpFlags::FIN) {
            self.senders[from].finish(segment);
        }
        event
    }

    /// The first sequence number of an end's stream, where the handshake told it.
    pub(super) fn stream_start(&self, end: End) -> Option<u32> {
        self.senders[end].initial().map(|initial| initial.wrapping_add(1))
    }

    /// Where both streams end, once both sides have ended theirs.
    pub(super) fn ends(&self) -> Option<Ends<u32>> {
        let [low, high] = [End::Low, End::High].map(|end| self.senders[end].end());
        Some(Ends::new(low?, high?))
    }

    pub(super) fn rtt_ms(&self) -> Option<f64> {
        match self.round_trip {
            RoundTrip::Took(ns) => Some(f64::from(ns) / 1e6),
            _ => None,
        }
    }

    pub(super) fn state(&self, answered: bool) -> FlowState {
        let [low, high] = [End::Low, End::High].map(|end| self.senders[end]);
        let handshake = low.syns > 0 && high.syns > 0;
        match () {
            () if low.syns == 0 && high.syns == 0 => FlowState::Midstream,
            () if !answered => FlowState::Unanswered,
            () if self.reset && !handshake && !(low.spoke() || high.spoke()) => FlowState::Refused,
            () if low.fin && high.fin => FlowState::Closed,
            () if self.reset => FlowState::Reset,
            () => FlowState::Established,
        }
    }

    /// A SYN begins a new connection when the old one is over or was never seen to begin; a SYN-ACK
    /// does when it confirms another SYN than the one that was seen.
    #[inline]
    fn event(&self, from: End, segment: &TcpSegment<'_>) -> Event {
        if !segment.flags.has(TcpFlags::SYN) {
            return Event::Segment;
        }
        let (sender, peer) = (&self.senders[from], &self.senders[from.other()]);
        let another = match sender.initial() {
            Some(initial) => initial != segment.seq,
            None => sender.spoke(),
        };
        if !another {
            return Event::Segment;
        }
        let over = self.reset || (sender.fin && peer.fin);
        let confirms_another = || peer.initial() != Some(segment.ack.wrapping_sub(1));
        let restarts = match segment.flags.has(TcpFlags::ACK) {
            true => over || confirms_another(),
            false => over || !sender.begun || !(sender.spoke() || peer.spoke()),
        };
        if restarts { Event::Restart } else { Event::Segment }
    }

    #[inline]
    fn follow_handshake(&mut self, from: End, segment: &TcpSegment<'_>, time: Timestamp) {
        let syn = segment.flags.has(TcpFlags::SYN);
        let ack = segment.flags.has(TcpFlags::ACK);
        if syn {
            let sender = &mut self.senders[from];
            sender.syns = sender.syns.saturating_add(1);
            sender.begin(segment.seq);
            if ack {
                self.senders[from.other()].begin(segment.ack.wrapping_sub(1));
            } else if self.senders[from].syns == 1 && self.senders[from.other()].syns == 0 {
                self.await_ack(time);
            }
        } else if ack && let RoundTrip::Since(began) = self.round_trip {
            self.finish_handshake(from, segment.ack, time.0.saturating_sub(began.0));
        }
    }

    fn await_ack(&mut self, time: Timestamp) {
        if !matches!(self.round_trip, RoundTrip::Took(_)) {
            self.round_trip = RoundTrip::Since(time);
        }
    }

    fn finish_handshake(&mut self, from: End, ack: u32, span: i64) {
        let (ours, theirs) = (&self.senders[from], &self.senders[from.other()]);
        let Some(theirs_initial) = theirs.initial().filter(|_| theirs.syns > 0) else { return };
        if ours.syns == 0 || sequence::distance(theirs_initial, ack) < 1 {
            return;
        }
        let clear = ours.syns == 1 && theirs.syns == 1;
        let took = u32::try_from(span).ok().filter(|_| clear);
        self.round_trip = took.map_or(RoundTrip::Unknown, RoundTrip::Took);
    }

    /// Counts segments that repeat what was seen; one that fills the latest hole only came late.
    #[inline]
    fn follow_sequence(&mut self, from: End, segment: &TcpSegment<'_>) {
        let syn = u32::from(segment.flags.has(TcpFlags::SYN));
        let payload = sequence::length(segment.payload).wrapping_add(segment.missing);
        if payload == 0 && syn == 0 {
            return;
        }
        let sender = &mut self.senders[from];
        let (start, end) = (segment.seq, segment.seq.wrapping_add(payload).wrapping_add(syn));
        if sender.sent == Sent::Nothing {
            sender.high = start;
        }
        sender.sent = sender.sent.max(if payload > 0 { Sent::Payload } else { Sent::Syn });
        let high = sender.high;
        if sequence::distance(high, end) > 0 {
            if sequence::distance(high, start) > 0 {
                sender.hole = (high, start);
            }
            sender.high = end;
            return;
        }
        let (hole_start, hole_end) = sender.hole;
        let fills = start != hole_end
            && sequence::distance(hole_start, start) >= 0
            && sequence::distance(end, hole_end) >= 0;
        let keepalive = payload <= 1 && syn == 0 && end == high;
        if fills {
            sender.hole = (end, hole_end);
        } else if !keepalive {
            self.retransmissions = self.retransmissions.saturating_add(1);
        }
    }
}
