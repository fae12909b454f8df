//! Finished records become flows of the model, each when it is asked for.
//!
//! For: whoever shows or keeps flows. A capture can hold millions, of which a report may show none:
//! records stay compact, and names are joined and identifiers computed as each flow is told.

use super::community_id::community_id;
use super::content::Said;
use super::owners::Owners;
use super::record::Record;
use crate::heard::Heard;
use crate::resolver::Resolver;
use overheard_model::{Flow, Learned, Name, Process, Side, Tell};
use std::sync::Arc;

/// The flows of a capture that was read to its end, in the order of their first packets.
#[derive(Debug)]
pub(crate) struct Conversations {
    pub(crate) capture: Arc<str>,
    pub(crate) records: Vec<Record>,
    pub(crate) resolver: Resolver,
    pub(crate) owners: Owners,
}

/// The same, lent: of a capture that was read to its end, or of one that still goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lent<'a> {
    pub(crate) capture: &'a Arc<str>,
    pub(crate) records: &'a [Record],
    pub(crate) resolver: &'a Resolver,
    pub(crate) owners: &'a Owners,
}

impl Conversations {
    pub(crate) fn lend(&self) -> Lent<'_> {
        let Self { capture, records, resolver, owners } = self;
        Lent { capture, records, resolver, owners }
    }
}

impl Lent<'_> {
    pub(crate) fn tell(&self, index: usize) -> Option<Flow> {
        self.records.get(index).map(|record| self.told(record))
    }

    fn told(self, record: &Record) -> Flow {
        let (src, dst) = (Side::Src, Side::Dst);
        let [(packets_out, bytes_out), (packets_in, bytes_in)] = [src, dst].map(|side| record.sent(side));
        let content = record.content();
        let (ja4, ja4_normalised) = content.and_then(|content| content.ja4.clone()).unzip();
        let remote = record.address(record.ours.other());
        let answered = self.resolver.answered(remote).names(record.first_packet);
        let mut names: Vec<Name> = record.said().chain(answered).map(Heard::to_name).collect();
        names.sort_by_key(|name| (name.rank(), name.packet));
        Flow {
            capture: self.capture.clone(),
            transport: record.key.transport(),
            src: record.address(src),
            src_port: record.port(src),
            dst: record.address(dst),
            dst_port: record.port(dst),
            began_by: record.began_by(),
            ours: record.ours,
            state: record.state(),
            packets_out,
            packets_in,
            bytes_out,
            bytes_in,
            first: record.first,
            last: record.last,
            first_packet: record.first_packet,
            last_packet: record.last_packet,
            retransmissions: u64::from(record.retransmissions()),
            gap_bytes: content.map_or(0, |content| content.gap_bytes),
            conflicting_bytes: content.map_or(0, |content| content.conflicting_bytes),
            rtt_ms: record.rtt_ms(),
            names,
            protocol: record.protocol(),
            measure: content.and_then(|content| content.measure.as_deref().copied()),
            visibility: record.visibility(),
            ja4,
            ja4_normalised,
            community_id: community_id(&record.key, record.src),
            tunnel: record.tunnels.label().map(Arc::from),
            country: None,
            asn: None,
            process: self.owners.of(record.first_packet),
        }
    }
}

impl Tell for Conversations {
    fn len(&self) -> usize {
        self.records.len()
    }

    fn tell(&self, index: usize) -> Option<Flow> {
        self.lend().tell(index)
    }

    fn process(&self, index: usize) -> Option<Arc<Process>> {
        self.records.get(index).and_then(|record| self.owners.of(record.first_packet))
    }
}

impl Record {
    /// Names that the flow said of its responder, in the order in which it said them.
    pub(crate) fn said(&self) -> impl Iterator<Item = Heard<'_>> {
        let said = self.content().map_or(&[][..], |content| content.names.as_slice());
        said.iter().map(|Said { name, source, packet }| Heard {
            name,
            source: *source,
            packet: Some(*packet),
            learned: Learned::Within,
        })
    }
}
