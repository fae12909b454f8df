//! Fragments put together again.
//!
//! Promises: bounded in bytes and in packets under way; what does not complete is handed out as such,
//! never lost.
//! Overlaps: for IPv4 the bytes that came first stay (as BSD has it for most overlaps; Linux lets
//! some later ones win: the receiver may have read something else, RFC 1858); for IPv6 an overlap
//! spoils the packet (RFC 5722), unless it repeats a fragment.

use super::{Found, Fragment, header};
use crate::link::{Path, Span};
use crate::packet::Undecoded;
use crate::packet::{Addresses, Packet, Segment, Tunnels};
use overheard_model::{Timestamp, Transport};
use std::collections::{HashMap, VecDeque};

/// Packets under way at once.
const MAX_PACKETS: usize = 4096;
/// Packets that began within the timeout, completed ones among them.
const MAX_ORDER: usize = 4 * MAX_PACKETS;
/// Bytes of those under way.
const MAX_BYTES: usize = 32 << 20;
/// The longest payload of an IP packet.
const MAX_PAYLOAD: u32 = 65_535;
/// How long a packet waits for its fragments (RFC 8200, section 4.5), in nanoseconds.
const TIMEOUT: i64 = 60 * 1_000_000_000;

/// What makes fragments belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    addresses: Addresses,
    id: u32,
    /// IPv6 leaves the protocol out.
    protocol: Option<u8>,
    tunnels: Tunnels,
}

/// The frames that a packet came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// Number and time of the latest.
    pub(crate) number: u64,
    pub(crate) time: Timestamp,
    pub(crate) frames: u32,
    pub(crate) wire_bytes: u64,
}

impl Origin {
    fn add(&mut self, other: Self) {
        self.number = other.number;
        self.time = other.time;
        self.frames = self.frames.saturating_add(other.frames);
        self.wire_bytes = self.wire_bytes.saturating_add(other.wire_bytes);
    }
}

/// A packet of which some fragments have come.
#[derive(Debug)]
struct Partial {
    bytes: Vec<u8>,
    /// What is there of it: sorted, disjoint, not touching.
    parts: Vec<(u32, u32)>,
    /// Length, once the last fragment has come.
    length: Option<u32>,
    /// It cannot be completed; later fragments are only counted.
    spoilt: bool,
    protocol: u8,
    path: Path,
    began: Timestamp,
    origin: Origin,
}

/// A packet put together.
#[derive(Debug)]
pub(crate) struct Whole {
    addresses: Addresses,
    protocol: u8,
    bytes: Vec<u8>,
    path: Path,
    pub(crate) origin: Origin,
}

impl Whole {
    /// What it holds.
    pub(crate) fn enter(&self) -> Result<Found<'_>, Undecoded> {
        header::upper(self.addresses, self.protocol, Span::whole(&self.bytes), self.path)
    }
}

/// The packets under way.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    partials: HashMap<Key, Partial>,
    /// In the order in which they began; keys that are gone are passed over.
    order: VecDeque<(Key, Timestamp)>,
    bytes: usize,
    abandoned: VecDeque<Packet<'static>>,
}

impl Reassembly {
    /// Adds a fragment; gives the packet that it completes.
    pub(crate) fn add(&mut self, fragment: &Fragment<'_>, origin: Origin) -> Option<Whole> {
        self.expire(origin.time);
        while self.partials.len() > MAX_PACKETS || self.bytes > MAX_BYTES || self.order.len() > MAX_ORDER {
            self.abandon_oldest();
        }
        let key = Key {
            addresses: fragment.addresses,
            id: fragment.id,
            protocol: (!fragment.addresses.v6).then_some(fragment.protocol),
            tunnels: fragment.path.tunnels,
        };
        let partial = match self.partials.get_mut(&key) {
            Some(partial) => {
                partial.origin.add(origin);
                partial
            }
            None => {
                self.order.push_back((key, origin.time));
                self.partials.entry(key).or_insert_with(|| Partial::new(fragment, origin))
            }
        };
        let before = partial.bytes.len();
        partial.add(fragment);
        let (after, complete) = (partial.bytes.len(), partial.is_complete());
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
        if complete { self.complete(&key) } else { None }
    }

    /// The next packet that was given up.
    pub(crate) fn pop_abandoned(&mut self) -> Option<Packet<'static>> {
        self.abandoned.pop_front()
    }

    /// Gives up all packets under way.
    pub(crate) fn abandon_all(&mut self) {
        while !self.order.is_empty() {
            self.abandon_oldest();
        }
    }

    fn complete(&mut self, key: &Key) -> Option<Whole> {
        let partial = self.partials.remove(key)?;
        self.bytes = self.bytes.saturating_sub(partial.bytes.len());
        Some(Whole {
            addresses: key.addresses,
            protocol: partial.protocol,
            bytes: partial.bytes,
            path: partial.path,
            origin: partial.origin,
        })
    }

    /// Gives up what has waited too long, by the time of the packets.
    fn expire(&mut self, now: Timestamp) {
        while let Some((_, began)) = self.order.front() {
            if now.0.saturating_sub(began.0) <= TIMEOUT {
                break;
            }
            self.abandon_oldest();
        }
    }

    fn abandon_oldest(&mut self) {
        let Some((key, began)) = self.order.pop_front() else { return };
        // A completed packet's key may be in use again: that one is younger.
        if self.partials.get(&key).is_none_or(|partial| partial.began != began) {
            return;
        }
        let Some(partial) = self.partials.remove(&key) else { return };
        self.bytes = self.bytes.saturating_sub(partial.bytes.len());
        self.abandoned.push_back(Packet {
            number: partial.origin.number,
            time: partial.origin.time,
            addresses: key.addresses,
            segment: Segment::Other { transport: Transport::from(partial.protocol) },
            frames: partial.origin.frames,
            wire_bytes: partial.origin.wire_bytes,
            tunnels: key.tunnels,
        });
    }
}

impl Partial {
    fn new(fragment: &Fragment<'_>, origin: Origin) -> Self {
        Self {
            bytes: Vec::new(),
            parts: Vec::new(),
            length: None,
            spoilt: false,
            protocol: fragment.protocol,
            path: fragment.path,
            began: origin.time,
            origin,
        }
    }

    fn is_complete(&self) -> bool {
        let whole = |length| self.parts.as_slice() == [(0, length)];
        !self.spoilt && self.length.is_some_and(whole)
    }

    fn add(&mut self, fragment: &Fragment<'_>) {
        // All but the last are multiples of eight bytes.
        let length = fragment.bytes.len() as u32;
        let length = if fragment.more { length & !7 } else { length };
        let (start, end) = (fragment.offset, fragment.offset.saturating_add(length));
        if end > MAX_PAYLOAD || start == end {
            self.spoil();
        }
        if self.spoilt {
            return;
        }
        if start == 0 {
            // In IPv6 only the first fragment's next header counts.
            self.protocol = fragment.protocol;
        }
        if !fragment.more && self.length.is_none() {
            self.length = Some(end);
        }
        let overlaps = self.parts.iter().any(|part| part.0 < end && start < part.1);
        if overlaps && fragment.addresses.v6 {
            let repeats =
                self.bytes.get(start as usize..end as usize) == fragment.bytes.get(..length as usize);
            let covered = self.parts.iter().any(|part| part.0 <= start && end <= part.1);
            if !(repeats && covered) {
                self.spoil();
            }
            return;
        }
        self.fill(start, end, fragment.bytes);
        if self.length.is_some_and(|length| self.parts.last().is_some_and(|part| part.1 > length)) {
            // Something lies behind the end: whoever sent this wants to be misread.
            self.spoil();
        }
    }

    fn spoil(&mut self) {
        self.spoilt = true;
        self.bytes = Vec::new();
        self.parts = Vec::new();
    }

    /// Writes what is not there yet of `start..end`.
    fn fill(&mut self, start: u32, end: u32, bytes: &[u8]) {
        if self.bytes.len() < end as usize {
            self.bytes.resize(end as usize, 0);
        }
        let mut at = start;
        for part in self.parts.iter().copied().chain([(end, end)]) {
            let gap_end = part.0.min(end);
            if at < gap_end {
                let target = self.bytes.get_mut(at as usize..gap_end as usize);
                let source = bytes.get((at - start) as usize..(gap_end - start) as usize);
                if let Some((target, source)) = target.zip(source) {
                    target.copy_from_slice(source);
                }
            }
            at = at.max(part.1);
        }
        self.note(start, end);
    }

    /// Merges `start..end` into the parts.
    fn note(&mut self, start: u32, end: u32) {
        let first = self.parts.partition_point(|part| part.1 < start);
        let last = self.parts.partition_point(|part| part.0 <= end);
        let touched = self.parts.get(first..last).unwrap_or_default();
        let start = touched.first().map_or(start, |part| part.0.min(start));
        let end = touched.last().map_or(end, |part| part.1.max(end));
        self.parts.splice(first..last, [(start, end)]);
    }
}
