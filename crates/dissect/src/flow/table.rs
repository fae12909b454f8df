//! The flow table: every packet finds its flow here.
//!
//! Promises: a packet of a settled flow costs one look-up and a few additions, no allocation and no
//! dynamic dispatch; flows stay in the order of their first packets; memory stays within the bound,
//! and what was given up for it is counted.
//! What the reading of payloads holds is let go when a flow was quiet for two minutes; where it speaks
//! again, it is read on as if the capture began there.
//! One flow per 5-tuple and capture, as Wireshark and nDPI count: no idle time ends a flow, and a
//! port that is used again goes on in the same one.
//!
//! Memory: each flow is charged what it takes now and will take in the end ([`ENDPOINT`]); answered names
//! have a share of their own, beyond which they are refused (`name-refused`). Over the bound, the
//! streams that were quiet the longest are given up first (`stream-evicted`: the flow still
//! counts), then flows: those that nobody answered, the oldest first, such as a scan leaves by the
//! million (`flow-evicted`). An evicted flow is not told; a later packet of it begins a new one.

use super::connection::Event;
use super::dialogue::{Parties, Scene, read_datagram};
use super::index::{self, Index};
use super::inspection::{Inspection, chunk};
use super::key::{End, Key};
use super::record::{Inspected, Payload, Record, is_long_ago};
use super::spare::Spare;
use super::stream::{Arrival, Piece};
use crate::packet::{Packet, Segment, TcpSegment};
use crate::problems::Problems;
use crate::proto::Notes;
use crate::resolver::Resolver;
use foldhash::fast::RandomState;
use overheard_model::{Endpoint, Timestamp};
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;

/// What a flow takes when the capture has ended: it may stand for an endpoint of its own.
const ENDPOINT: usize = size_of::<Endpoint>() + 256;

/// Share of the memory that answered names may take; flows have the rest.
const ANSWERED_SHARE: usize = 4;

/// Share of the memory that contents may take before their streams are given up rather than flows.
const CONTENT_SHARE: usize = 4;

/// Share of the candidates that one eviction removes: its cost is spread over as many new ones.
const EVICTED_SHARE: usize = 8;

/// Packets between two looks for flows that became quiet.
const PAUSE_AFTER: u64 = 1 << 14;

/// By which a table finds flows; seeded anew for each table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hasher(RandomState);

impl Hasher {
    /// The hash of a packet's flow.
    #[inline]
    pub(crate) fn hash(&self, packet: &Packet<'_>) -> u64 {
        self.of(&Key::of(packet).0)
    }

    #[inline(always)]
    fn of(&self, key: &Key) -> u64 {
        self.0.hash_one(key)
    }
}

/// Packets become flows.
#[derive(Debug)]
pub(crate) struct Table {
    records: Vec<Record>,
    index: Index,
    hasher: Hasher,
    /// The flow of the last packet: packets of one flow come in a row.
    latest: usize,
    memory: usize,
    /// Bytes held by records beyond themselves.
    held: usize,
    /// Flows whose payloads are read, and some for which that is over, each with a time at which it spoke: nearly in
    /// the order of these times, so that a look meets no flow that was met in the last two minutes.
    inspected: VecDeque<(Timestamp, u32)>,
    spare: Spare,
    /// Packets until the quiet flows are looked for.
    until_pause: u64,
    notes: Notes,
    resolver: Resolver,
    problems: Problems,
}

/// What the packets came to.
#[derive(Debug)]
pub(crate) struct Told {
    /// In the order of their first packets; whose side is ours is not yet decided.
    pub(crate) records: Vec<Record>,
    pub(crate) resolver: Resolver,
    pub(crate) problems: Problems,
}

impl Table {
    /// A table that keeps within `memory` bytes.
    pub(crate) fn new(memory: usize) -> Self {
        Self {
            records: Vec::new(),
            index: Index::default(),
            hasher: Hasher::default(),
            latest: 0,
            memory,
            held: 0,
            inspected: VecDeque::new(),
            spare: Spare::default(),
            until_pause: PAUSE_AFTER,
            notes: Notes::default(),
            resolver: Resolver::within(memory / ANSWERED_SHARE),
            problems: Problems::default(),
        }
    }

    /// For whoever hashes packets before they are observed.
    pub(crate) fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// Looks where the flows of coming packets are, or will be: what is far in memory comes nearer, for many at once.
    pub(crate) fn look_ahead(&self, hashes: impl Iterator<Item = u64>) {
        black_box(hashes.filter_map(|hash| self.index.first_place(hash)).fold(0, |seen, place| seen ^ place));
    }

    /// Takes the next packet.
    #[inline]
    pub(crate) fn observe(&mut self, packet: &Packet<'_>) {
        self.observe_hashed(packet, None);
    }

    /// The same; of some packets the hash is known.
    #[inline]
    pub(crate) fn observe_hashed(&mut self, packet: &Packet<'_>, hash: Option<u64>) {
        let (key, from) = Key::of(packet);
        self.latest = self.find_or_begin(&key, hash, from, packet);
        self.pause_if_quiet(packet.time);
        let Some(record) = self.records.get_mut(self.latest) else { return };
        record.count(from, packet);
        match packet.segment {
            Segment::Tcp(segment) => self.observe_tcp(from, &segment, packet),
            Segment::Udp { payload, .. } if !record.is_settled() && !payload.is_empty() => {
                let piece = Piece { bytes: payload, gap: 0, packet: packet.number, time: packet.time };
                match record.datagram_reader() {
                    Some(read) => {
                        let chunk = chunk(from, &piece, &record.parties());
                        read_datagram(read, &chunk, &mut self.notes, &mut self.resolver);
                    }
                    None => self.inspect(|inspection, parties, scene| {
                        inspection.datagram(from, &piece, parties, scene);
                    }),
                }
            }
            _ => {}
        }
        self.keep_within_memory(packet.number);
        self.until_pause -= 1;
        if self.until_pause == 0 {
            self.pause_the_quiet(packet.time);
        }
    }

    /// Ends all flows.
    pub(crate) fn tell(mut self) -> Told {
        self.end();
        Told { records: self.records, resolver: self.resolver, problems: self.problems }
    }

    /// Ends the reading of all payloads: no more packets will come.
    pub(crate) fn end(&mut self) {
        let mut read: Vec<u32> = self.inspected.drain(..).map(|(_, at)| at).collect();
        read.sort_unstable();
        for at in read {
            self.latest = at as usize;
            self.end_inspection();
        }
        debug_assert!(!self.records.iter().any(Record::is_read), "all that are read were listed");
    }

    /// The flows so far, none of them ended for it, with what was answered and what went wrong.
    pub(crate) fn so_far(&mut self) -> (&mut [Record], &Resolver, &Problems) {
        (&mut self.records, &self.resolver, &self.problems)
    }

    /// Takes a name that was not read from a packet.
    pub(crate) fn add_name(&mut self, address: IpAddr, name: Arc<str>) {
        self.resolver.add_block(address, name);
    }

    #[inline(always)]
    fn find_or_begin(&mut self, key: &Key, hash: Option<u64>, from: End, packet: &Packet<'_>) -> usize {
        if self.records.get(self.latest).is_some_and(|record| record.key == *key) {
            return self.latest;
        }
        let hash = hash.unwrap_or_else(|| self.hasher.of(key));
        let is_it = |at: usize| self.records.get(at).is_some_and(|record| record.key == *key);
        match self.index.find(hash, is_it) {
            Some(at) => at,
            None => self.begin(hash, *key, from, packet),
        }
    }

    #[inline(never)]
    fn begin(&mut self, hash: u64, key: Key, from: End, packet: &Packet<'_>) -> usize {
        let at = self.records.len();
        self.index.insert(hash, at);
        self.records.push(Record::begin(key, from, packet));
        at
    }

    #[inline]
    fn observe_tcp(&mut self, from: End, segment: &TcpSegment<'_>, packet: &Packet<'_>) {
        let Some(record) = self.records.get_mut(self.latest) else { return };
        let event = record.observe(from, segment, packet.time);
        if event == Event::Restart {
            self.end_inspection();
        }
        let Some(record) = self.records.get_mut(self.latest) else { return };
        if event == Event::Restart {
            record.restart();
        }
        if record.is_settled() {
            return;
        }
        if segment.payload.is_empty() && segment.missing == 0 {
            return self.end_what_was_read_whole();
        }
        let syn = segment.flags.has(crate::packet::TcpFlags::SYN);
        let arrival = Arrival {
            seq: segment.seq.wrapping_add(u32::from(syn)),
            bytes: segment.payload,
            missing: segment.missing,
            packet: packet.number,
            time: packet.time,
        };
        self.inspect(|inspection, parties, scene| inspection.segment(from, arrival, parties, scene));
        self.end_what_was_read_whole();
    }

    /// Ends the latest flow's inspection where both streams were read to their ends: what it holds is
    /// not needed until the capture ends.
    fn end_what_was_read_whole(&mut self) {
        let Some(record) = self.records.get(self.latest) else { return };
        if let Payload::Inspected(inspected) = &record.payload
            && let Some(ends) = record.ends()
            && inspected.inspection.reached(&ends)
        {
            self.end_inspection();
        }
    }

    /// Lets go what the latest flow's inspection holds where the flow was quiet for long. That it is
    /// done when the flow speaks again makes the result the same whenever the others are looked at.
    #[inline]
    fn pause_if_quiet(&mut self, now: Timestamp) {
        if self.records.get(self.latest).is_some_and(|record| record.is_quiet(now)) {
            self.end_inspection();
            self.records[self.latest].pause();
        }
    }

    /// Lets go what the inspections of quiet flows hold.
    fn pause_the_quiet(&mut self, now: Timestamp) {
        let latest = self.latest;
        let mut still = Vec::new();
        while let Some((_, at)) = self.inspected.pop_front_if(|(spoke, _)| is_long_ago(*spoke, now)) {
            self.latest = at as usize;
            self.pause_if_quiet(now);
            let record = self.records.get(self.latest).filter(|record| record.is_read());
            still.extend(record.map(|record| (record.last, at)));
        }
        // A flow that was read, paused and read again is listed twice.
        still.sort_unstable();
        still.dedup();
        self.inspected.extend(still);
        self.latest = latest;
        self.until_pause = PAUSE_AFTER;
    }

    /// Lets the latest flow's inspection take something; settles the flow when that was the last.
    fn inspect(&mut self, take: impl FnOnce(&mut Inspection, &Parties, &mut Scene<'_>)) {
        let Some(record) = self.records.get_mut(self.latest) else { return };
        let (before, parties) = (record.held(), record.parties());
        let was_read = record.is_read();
        let Some(mut inspected) = record.inspected(&mut self.spare) else { return };
        let Inspected { content, inspection, .. } = &mut *inspected;
        let mut scene = Scene { content, resolver: &mut self.resolver, notes: &mut self.notes };
        take(inspection, &parties, &mut scene);
        if inspection.is_over() {
            inspection.leave_counts(content);
            settle(record, inspected, &mut self.spare);
        } else {
            record.keep(inspected, &mut self.spare);
            let listed = (record.last, self.latest as u32);
            self.inspected.extend((!was_read && record.is_read()).then_some(listed));
        }
        self.held = (self.held + record.held()).saturating_sub(before);
    }

    /// Ends the latest flow's inspection, if it has one.
    fn end_inspection(&mut self) {
        let Some(record) = self.records.get_mut(self.latest) else { return };
        if !record.is_read() {
            return record.settle_unread();
        }
        let (before, parties) = (record.held(), record.parties());
        let Some(mut inspected) = record.inspected(&mut self.spare) else { return };
        let Inspected { content, inspection, .. } = &mut *inspected;
        let mut scene = Scene { content, resolver: &mut self.resolver, notes: &mut self.notes };
        inspection.finish(&parties, &mut scene);
        settle(record, inspected, &mut self.spare);
        self.held = (self.held + record.held()).saturating_sub(before);
    }

    #[inline]
    pub(super) fn footprint(&self) -> usize {
        let records = self.records.len() * (Record::LARGEST + index::PER_FLOW + ENDPOINT);
        records + self.held + self.resolver.held()
    }

    #[inline]
    fn keep_within_memory(&mut self, packet: u64) {
        if self.footprint() <= self.memory {
            return;
        }
        if self.held > self.memory / CONTENT_SHARE {
            self.evict_streams(packet);
        }
        if self.footprint() > self.memory {
            self.evict_flows(packet);
        }
    }

    /// Settles the inspected flows that were quiet the longest.
    fn evict_streams(&mut self, packet: u64) {
        let candidates = self.records.iter().enumerate().filter(|(_, record)| record.is_read());
        let mut candidates: Vec<_> = candidates.map(|(at, record)| (record.last, at)).collect();
        if candidates.is_empty() {
            return;
        }
        let share = candidates.len().div_ceil(EVICTED_SHARE);
        candidates.sort_unstable();
        for &(_, at) in candidates.iter().take(share) {
            self.latest = at;
            self.end_inspection();
        }
        let text = "payloads no longer read to stay within the memory bound; their flows still count";
        self.problems.add("stream-evicted", text, Some(packet), share as u64);
    }

    /// Drops the flows that matter least: unanswered before answered, then the oldest.
    fn evict_flows(&mut self, packet: u64) {
        let rank = |record: &Record| (record.answered(), record.last, record.first_packet);
        let mut ranks: Vec<_> = self.records.iter().map(rank).collect();
        let share = ranks.len().div_ceil(EVICTED_SHARE);
        let (_, &mut last_evicted, _) = ranks.select_nth_unstable(share - 1);
        self.records.retain(|record| rank(record) > last_evicted);
        self.held = self.records.iter().map(Record::held).sum();
        let read = (0_u32..).zip(&self.records).filter(|(_, record)| record.is_read());
        let mut read: Vec<_> = read.map(|(at, record)| (record.last, at)).collect();
        read.sort_unstable();
        self.inspected = read.into();
        self.latest = 0;
        self.index.clear();
        for (at, record) in self.records.iter().enumerate() {
            self.index.insert(self.hasher.of(&record.key), at);
        }
        let text = "flows left out to stay within the memory bound, unanswered and oldest first";
        self.problems.add("flow-evicted", text, Some(packet), share as u64);
    }
}

/// Nothing further is read of the flow's payloads; what they showed is kept.
fn settle(record: &mut Record, mut inspected: Box<Inspected>, spare: &mut Spare) {
    record.settle(std::mem::take(&mut inspected.content));
    spare.give(inspected, record.key.transport());
}
