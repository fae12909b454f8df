//! The reading of one flow that is not settled: its streams in order, then its dialogue.

use super::content::Content;
use super::dialogue::{Dialogue, Parties, Scene};
use super::key::{End, Ends};
use super::stream::{Arrival, Piece, Stream};
use crate::proto::{Chunk, ReadDatagram};
use overheard_model::{Protocol, Visibility};

/// What it takes to read a flow; dropped when there is nothing further to learn.
#[derive(Debug, Default)]
pub(super) struct Inspection {
    /// Unused by datagrams.
    streams: Ends<Stream>,
    dialogue: Dialogue,
}

impl Inspection {
    /// Begins with streams at the given sequence numbers of the low and the high end, where they are known.
    pub(super) fn begin(&mut self, [low, high]: [Option<u32>; 2]) {
        self.streams[End::Low].begin_at(low);
        self.streams[End::High].begin_at(high);
    }

    /// Forgets what was read, and keeps the streams' buffers.
    pub(super) fn clear(&mut self) {
        self.streams[End::Low].clear();
        self.streams[End::High].clear();
        self.dialogue = Dialogue::default();
    }

    /// How the next datagram will be read, where that is all that is to be kept.
    pub(super) fn datagram_reader(&self) -> Option<ReadDatagram> {
        self.dialogue.datagram_reader()
    }

    pub(super) fn is_over(&self) -> bool {
        self.dialogue.is_over()
    }

    /// What the payloads so far look like, while nobody recognised them.
    pub(super) fn judged(&self) -> Option<(Protocol, Visibility)> {
        self.dialogue.judged()
    }

    /// All that it takes, bytes.
    pub(super) fn footprint(&self) -> usize {
        size_of::<Self>()
            + self.streams[End::Low].held()
            + self.streams[End::High].held()
            + self.dialogue.held()
    }

    pub(super) fn segment(
        &mut self,
        from: End,
        arrival: Arrival<'_>,
        parties: &Parties,
        scene: &mut Scene<'_>,
    ) {
        let Self { streams, dialogue } = self;
        streams[from]
            .push(arrival, &mut |piece| dialogue.hear(&chunk(from, &piece, parties), parties, scene));
    }

    /// Whether both streams were read to their ends.
    pub(super) fn reached(&self, ends: &Ends<u32>) -> bool {
        [End::Low, End::High].into_iter().all(|end| self.streams[end].reached(ends[end]))
    }

    pub(super) fn datagram(
        &mut self,
        from: End,
        piece: &Piece<'_>,
        parties: &Parties,
        scene: &mut Scene<'_>,
    ) {
        self.dialogue.hear(&chunk(from, piece, parties), parties, scene);
    }

    /// Nothing more will come: reads what waits, and measures what was not recognised.
    pub(super) fn finish(&mut self, parties: &Parties, scene: &mut Scene<'_>) {
        let Self { streams, dialogue } = &mut *self;
        for end in [parties.src, parties.src.other()] {
            streams[end].finish(&mut |piece| dialogue.hear(&chunk(end, &piece, parties), parties, scene));
        }
        dialogue.finish(scene.content);
        self.leave_counts(scene.content);
    }

    /// Adds what the streams counted; called once, when the inspection ends.
    pub(super) fn leave_counts(&self, content: &mut Content) {
        for end in [End::Low, End::High] {
            content.gap_bytes += self.streams[end].gap_bytes;
            content.conflicting_bytes += self.streams[end].conflicting_bytes;
        }
    }
}

pub(super) fn chunk<'a>(from: End, piece: &Piece<'a>, parties: &Parties) -> Chunk<'a> {
    Chunk {
        transport: parties.transport,
        from: parties.side(from),
        src_port: parties.src_port,
        dst_port: parties.dst_port,
        bytes: piece.bytes,
        gap: piece.gap,
        packet: piece.packet,
        time: piece.time,
    }
}
