//! The flow table: every packet finds its flow here.
//!
//! Promises: a packet of a settled flow costs one look-up and a few additions, no allocation and no
//! dynamic dispatch; flows stay in the order of their first packets; memory stays within the bound,
//! and what was given up for it is counted.
//! One flow per 5-tuple and capture, as Wireshark and nDPI count: no idle time ends a flow, and a
//! port that is used again goes on in the same one.
//!
//! Memory: each flow is charged what it takes now and will take when told ([`TOLD`]); answered names
//! have a share of their own, beyond which they are refused (`name-refused`). Over the bound, the
//! streams that were quiet the longest are given up first (`stream-evicted`: the flow still
//! counts), then flows: those that nobody answered, the oldest first, such as a scan leaves by the
//! million (`flow-evicted`). An evicted flow is not told; a later packet of it begins a new one.

use super::connection::Event;
use super::dialogue::Scene;
use super::inspection::Inspection;
use super::key::{End, Key};
use super::record::Record;
use super::stream::{Arrival, Piece};
use crate::packet::{Packet, Segment, TcpSegment};
use crate::problems::Problems;
use crate::proto::Notes;
use crate::resolver::Resolver;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use overheard_model::Flow;
use std::hash::BuildHasher;
use std::sync::Arc;

/// What a flow takes when it is told: the struct, its Community ID and some names.
const TOLD: usize = size_of::<Flow>() + 256;

/// Share of the memory that answered names may take; flows have the rest.
const ANSWERED_SHARE: usize = 4;

/// Share of the memory that contents may take before their streams are given up rather than flows.
const CONTENT_SHARE: usize = 4;

/// Share of the candidates that one eviction removes: its cost is spread over as many new ones.
const EVICTED_SHARE: usize = 8;

/// Packets become flows.
#[derive(Debug)]
pub(crate) struct Table {
    records: Vec<Record>,
    index: HashTable<u32>,
    hasher: RandomState,
    /// The flow of the last packet: packets of one flow come in a row.
    latest: usize,
    memory: usize,
    /// Bytes held by records beyond themselves.
    held: usize,
    notes: Notes,
    resolver: Resolver,
    problems: Problems,
}

/// What the packets came to.
#[derive(Debug)]
pub(crate) struct Told {
    /// In the order of their first packets; whose side is ours and foreign names are not yet decided.
    pub(crate) flows: Vec<Flow>,
    pub(crate) resolver: Resolver,
    pub(crate) problems: Problems,
}

impl Table {
    /// A table that keeps within `memory` bytes.
    pub(crate) fn new(memory: usize) -> Self {
        Self {
            records: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::default(),
            latest: 0,
            memory,
            held: 0,
            notes: Notes::default(),
            resolver: Resolver::within(memory / ANSWERED_SHARE),
            problems: Problems::default(),
        }
    }

    /// Takes the next packet.
    pub(crate) fn observe(&mut self, packet: &Packet<'_>) {
        let (key, from) = Key::of(packet);
        self.latest = self.find_or_begin(&key, from, packet);
        let Some(record) = self.records.get_mut(self.latest) else { return };
        record.count(from, packet);
        match packet.segment {
            Segment::Tcp(segment) => self.observe_tcp(from, &segment, packet),
            Segment::Udp { payload, .. } if !record.settled && !payload.is_empty() => {
                let piece = Piece { bytes: payload, gap: 0, packet: packet.number, time: packet.time };
                self.inspect(|inspection, parties, scene| inspection.datagram(from, &piece, parties, scene));
            }
            _ => {}
        }
        self.keep_within_memory(packet.number);
    }

    /// Ends all flows.
    pub(crate) fn tell(mut self, capture: &Arc<str>) -> Told {
        for at in 0..self.records.len() {
            self.latest = at;
            self.end_inspection();
        }
        let flows = self.records.into_iter().map(|record| super::telling::tell(record, capture)).collect();
        Told { flows, resolver: self.resolver, problems: self.problems }
    }

    fn find_or_begin(&mut self, key: &Key, from: End, packet: &Packet<'_>) -> usize {
        if self.records.get(self.latest).is_some_and(|record| record.key == *key) {
            return self.latest;
        }
        let (records, hasher) = (&self.records, &self.hasher);
        let is_it = |&at: &u32| records.get(at as usize).is_some_and(|record| record.key == *key);
        let hash = hasher.hash_one(key);
        if let Some(&at) = self.index.find(hash, is_it) {
            return at as usize;
        }
        let rehash = |&at: &u32| records.get(at as usize).map_or(0, |record| hasher.hash_one(record.key));
        let at = records.len();
        self.index.insert_unique(hash, at as u32, rehash);
        self.records.push(Record::begin(*key, from, packet));
        at
    }

    fn observe_tcp(&mut self, from: End, segment: &TcpSegment<'_>, packet: &Packet<'_>) {
        let Some(record) = self.records.get_mut(self.latest) else { return };
        let event = record.connection.observe(from, segment, packet.time);
        record.note_syn(from, segment);
        if event == Event::Restart {
            self.end_inspection();
        }
        let Some(record) = self.records.get_mut(self.latest) else { return };
        record.settled &= event != Event::Restart;
        if record.settled || (segment.payload.is_empty() && segment.missing == 0) {
            return;
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
    }

    /// Lets the latest flow's inspection take something; settles the flow when that was the last.
    fn inspect(&mut self, take: impl FnOnce(&mut Inspection, &super::dialogue::Parties, &mut Scene<'_>)) {
        let Some(record) = self.records.get_mut(self.latest) else { return };
        let before = record.held();
        let (parties, connection) = (record.parties(), &record.connection);
        let inspection = record.inspection.get_or_insert_with(|| {
            let start = |end| connection.stream_start(end);
            Box::new(Inspection::of_streams(start(End::Low), start(End::High)))
        });
        let content = record.content.get_or_insert_default();
        let mut scene = Scene { content, resolver: &mut self.resolver, notes: &mut self.notes };
        take(inspection, &parties, &mut scene);
        if inspection.is_over() {
            inspection.leave_counts(content);
            record.inspection = None;
            record.settled = true;
        }
        self.held = (self.held + record.held()).saturating_sub(before);
    }

    /// Ends the latest flow's inspection, if it has one.
    fn end_inspection(&mut self) {
        let Some(record) = self.records.get_mut(self.latest) else { return };
        record.settled = true;
        let before = record.held();
        let Some(inspection) = record.inspection.take() else { return };
        let parties = record.parties();
        let content = record.content.get_or_insert_default();
        let mut scene = Scene { content, resolver: &mut self.resolver, notes: &mut self.notes };
        inspection.finish(&parties, &mut scene);
        self.held = (self.held + record.held()).saturating_sub(before);
    }

    pub(super) fn footprint(&self) -> usize {
        let records = self.records.len() * (size_of::<Record>() + 2 * size_of::<u32>() + TOLD);
        records + self.held + self.resolver.held()
    }

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
        let candidates = self.records.iter().enumerate().filter(|(_, record)| record.inspection.is_some());
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
        self.latest = 0;
        self.index.clear();
        let (records, hasher) = (&self.records, &self.hasher);
        let rehash = |&at: &u32| records.get(at as usize).map_or(0, |record| hasher.hash_one(record.key));
        for (at, record) in records.iter().enumerate() {
            self.index.insert_unique(hasher.hash_one(record.key), at as u32, rehash);
        }
        let text = "flows left out to stay within the memory bound, unanswered and oldest first";
        self.problems.add("flow-evicted", text, Some(packet), share as u64);
    }
}
