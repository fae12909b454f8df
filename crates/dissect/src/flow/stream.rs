//! One direction of a TCP connection, put in order.
//!
//! Promises: each byte of the stream is delivered once, in order, whatever the order, repetition or
//! overlap of segments. Where two segments disagree on a byte the first copy wins and the disagreement
//! is counted. What never came is a gap: counted, and told to the reader with the next bytes.
//! A segment that comes in order is passed on without a copy; others wait, within [`MAX_WAITING`].
//! Offline there is no hurry: a hole is given up only when too much waits behind it, or at the end.

use super::sequence;
use overheard_model::Timestamp;
use std::collections::VecDeque;

/// Bytes that may wait behind a hole.
const MAX_WAITING: usize = 128 << 10;
/// Segments that may wait behind a hole.
const MAX_SEGMENTS: usize = 256;
/// No window is larger (RFC 7323 §2.3): what lies farther ahead is no part of the stream.
const MAX_AHEAD: i64 = 1 << 30;
/// Delivered bytes kept to compare repetitions with: the opening, where evasion pays.
const MAX_KEPT: usize = 2 << 10;

/// In-order bytes of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes that were lost just before these.
    pub(super) gap: u64,
    /// The packet that brought them.
    pub(super) packet: u64,
    pub(super) time: Timestamp,
}

/// A segment as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    /// Sequence number of the first byte.
    pub(super) seq: u32,
    pub(super) bytes: &'a [u8],
    /// Bytes after `bytes` that the snapshot length cut off.
    pub(super) missing: u32,
    pub(super) packet: u64,
    pub(super) time: Timestamp,
}

/// A segment behind a hole.
#[derive(Debug)]
struct Waiting {
    seq: u32,
    bytes: Box<[u8]>,
    missing: u32,
    packet: u64,
    time: Timestamp,
}

impl Waiting {
    /// Sequence number after the last byte that was captured.
    fn end(&self) -> u32 {
        self.seq.wrapping_add(sequence::length(&self.bytes))
    }

    fn arrival(&self) -> Arrival<'_> {
        Arrival {
            seq: self.seq,
            bytes: &self.bytes,
            missing: self.missing,
            packet: self.packet,
            time: self.time,
        }
    }
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Sequence number of the next byte to deliver; unknown until a SYN or the first bytes.
    next: Option<u32>,
    /// Sorted by sequence number, disjoint, all beyond `next`.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// The first bytes delivered without a gap, and where they end.
    kept: Vec<u8>,
    kept_end: u32,
    /// Lost since the last delivery.
    gap: u64,
    pub(super) gap_bytes: u64,
    pub(super) conflicting_bytes: u64,
}

impl Stream {
    /// Begins with the given byte, where it is known, else with the first that comes.
    pub(super) fn begin_at(&mut self, next: Option<u32>) {
        self.next = next;
    }

    /// Forgets everything, and keeps the buffer of what was delivered, which is small.
    pub(super) fn clear(&mut self) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.clear();
        *self = Self { kept, ..Self::default() };
    }

    /// Whether everything up to its end was delivered. Where nobody knows how the stream began, bytes
    /// that the capture saw after its end may still come.
    pub(super) fn reached(&self, end: u32) -> bool {
        self.waiting.is_empty() && self.next == Some(end)
    }

    /// Bytes held beyond the struct itself.
    pub(super) fn held(&self) -> usize {
        self.waiting_bytes + self.waiting.len() * size_of::<Waiting>() + self.kept.capacity()
    }

    /// Takes a segment; hands what is now in order to `deliver`.
    pub(super) fn push(&mut self, arrival: Arrival<'_>, deliver: &mut impl FnMut(Piece<'_>)) {
        let next = *self.next.get_or_insert(arrival.seq);
        if next == arrival.seq && self.waiting.is_empty() {
            return self.advance(arrival, deliver);
        }
        match sequence::distance(next, arrival.seq) {
            ..=0 => {
                self.advance(arrival, deliver);
                self.drain(deliver);
            }
            1..=MAX_AHEAD => self.hold(&arrival),
            _ => {}
        }
        while self.waiting_bytes > MAX_WAITING || self.waiting.len() > MAX_SEGMENTS {
            self.give_up_hole();
            self.drain(deliver);
        }
    }

    /// Nothing more will come: delivers what waits, each hole a gap.
    pub(super) fn finish(&mut self, deliver: &mut impl FnMut(Piece<'_>)) {
        while !self.waiting.is_empty() {
            self.give_up_hole();
            self.drain(deliver);
        }
    }

    /// Delivers what is new of a segment that begins at or before `next`.
    fn advance(&mut self, arrival: Arrival<'_>, deliver: &mut impl FnMut(Piece<'_>)) {
        let next = self.next.unwrap_or(arrival.seq);
        let seen = next.wrapping_sub(arrival.seq) as usize;
        let (old, new) = arrival.bytes.split_at_checked(seen).unwrap_or((arrival.bytes, &[]));
        self.compare_with_kept(arrival.seq, old);
        let reach = sequence::length(arrival.bytes).wrapping_add(arrival.missing);
        let Some(ahead) = (reach as usize).checked_sub(seen).filter(|&ahead| ahead > 0) else { return };
        if !new.is_empty() {
            self.keep(next, new);
            let gap = std::mem::take(&mut self.gap);
            deliver(Piece { bytes: new, gap, packet: arrival.packet, time: arrival.time });
        }
        self.lose((ahead - new.len()) as u64);
        self.next = Some(arrival.seq.wrapping_add(reach));
    }

    fn lose(&mut self, bytes: u64) {
        self.gap += bytes;
        self.gap_bytes += bytes;
    }

    /// Delivers the waiting segments that have come in order.
    fn drain(&mut self, deliver: &mut impl FnMut(Piece<'_>)) {
        while let (Some(first), Some(next)) = (self.waiting.front(), self.next) {
            if sequence::distance(next, first.seq) > 0 {
                return;
            }
            let Some(first) = self.waiting.pop_front() else { return };
            self.waiting_bytes -= first.bytes.len();
            self.advance(first.arrival(), deliver);
        }
    }

    /// Moves on to the first waiting segment.
    fn give_up_hole(&mut self) {
        let (Some(first), Some(next)) = (self.waiting.front(), self.next) else { return };
        let first = first.seq;
        self.lose(u64::from(first.wrapping_sub(next)));
        self.next = Some(first);
    }

    /// Keeps the parts of a segment that no waiting segment covers.
    fn hold(&mut self, arrival: &Arrival<'_>) {
        let mut seq = arrival.seq;
        let mut rest = arrival.bytes;
        let mut at = self.waiting.partition_point(|other| sequence::distance(other.end(), seq) >= 0);
        while let Some(other) = self.waiting.get(at)
            && !rest.is_empty()
        {
            let before = sequence::distance(seq, other.seq).max(0) as usize;
            if before >= rest.len() {
                break;
            }
            let (uncovered, overlap) = rest.split_at(before);
            let start = sequence::distance(other.seq, seq).max(0) as usize;
            let there = other.bytes.get(start..).unwrap_or(&[]);
            let covered = there.len().min(overlap.len());
            self.conflicting_bytes += differing(there, overlap);
            if !uncovered.is_empty() {
                self.insert(at, Arrival { seq, bytes: uncovered, missing: 0, ..*arrival });
                at += 1;
            }
            seq = seq.wrapping_add((before + covered) as u32);
            rest = &overlap[covered..];
            at += 1;
        }
        if !rest.is_empty() {
            self.insert(at, Arrival { seq, bytes: rest, ..*arrival });
        }
    }

    fn insert(&mut self, at: usize, part: Arrival<'_>) {
        let Arrival { seq, bytes, missing, packet, time } = part;
        self.waiting_bytes += bytes.len();
        self.waiting.insert(at, Waiting { seq, bytes: bytes.into(), missing, packet, time });
    }

    fn keep(&mut self, seq: u32, bytes: &[u8]) {
        if self.kept.is_empty() {
            self.kept_end = seq;
        }
        let room = MAX_KEPT - self.kept.len();
        if room > 0 && self.kept_end == seq {
            let kept = bytes.get(..room).unwrap_or(bytes);
            let (len, capacity) = (self.kept.len(), self.kept.capacity());
            if len + kept.len() > capacity {
                // As a vector grows, yet to no more room than is ever needed.
                self.kept.reserve_exact((2 * capacity).clamp(len + kept.len(), MAX_KEPT) - len);
            }
            self.kept.extend_from_slice(kept);
            self.kept_end = seq.wrapping_add(kept.len() as u32);
        }
    }

    /// Counts where a repetition contradicts what was delivered.
    fn compare_with_kept(&mut self, seq: u32, repeated: &[u8]) {
        let start = self.kept_end.wrapping_sub(self.kept.len() as u32);
        let offset = sequence::distance(start, seq);
        let (kept_from, repeated_from) = (offset.max(0) as usize, (-offset).max(0) as usize);
        if let (Some(kept), Some(repeated)) = (self.kept.get(kept_from..), repeated.get(repeated_from..)) {
            self.conflicting_bytes += differing(kept, repeated);
        }
    }
}

/// Number of positions at which both have a byte and the bytes differ.
fn differing(a: &[u8], b: &[u8]) -> u64 {
    a.iter().zip(b).filter(|(a, b)| a != b).count() as u64
}
