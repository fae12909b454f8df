//! What a flow turns into: TLS after STARTTLS, anything after CONNECT or SOCKS.
//!
//! For: readers whose protocol hands the connection over; the bytes are judged anew by the room's own
//! dissectors.
//! Promises: keeps a bounded beginning of each side until one of them says yes. The outer protocol
//! states which it accepts, so that the nesting ends.

use super::{Appetite, Chunk, Dissector, Notes, Opening, Reader, Recognition, asked};
use overheard_model::{Protocol, Side};

/// Bytes of each side that are kept for judging.
const OPENING_LIMIT: usize = 16 << 10;

/// The flow within a flow.
pub(super) struct Inner {
    accepts: fn(Protocol) -> bool,
    /// Whether the flow takes the inner protocol's name.
    renames: bool,
    said: [Vec<u8>; 2],
    verdict: Verdict,
}

enum Verdict {
    Open,
    Recognised(Option<Box<dyn Reader>>),
    Unknown,
}

impl Inner {
    /// What a tunnel or a proxy carries: the flow takes its name.
    pub(super) fn carried(accepts: fn(Protocol) -> bool) -> Self {
        Self { accepts, renames: true, said: [Vec::new(), Vec::new()], verdict: Verdict::Open }
    }

    /// TLS that a protocol turns itself into: mail stays mail, but nobody reads it any more.
    pub(super) fn secured() -> Self {
        Self { renames: false, ..Self::carried(|protocol| protocol == Protocol::Tls) }
    }

    /// Whether the bytes so far have been given a protocol.
    pub(super) fn is_recognised(&self) -> bool {
        matches!(self.verdict, Verdict::Recognised(_))
    }

    /// Bytes held beyond the struct itself.
    pub(super) fn held(&self) -> usize {
        let reader = match &self.verdict {
            Verdict::Recognised(Some(reader)) => reader.footprint(),
            _ => 0,
        };
        self.said.iter().map(Vec::capacity).sum::<usize>() + reader
    }

    /// The next bytes of one side. Sated when there is nothing further to learn.
    pub(super) fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        match &mut self.verdict {
            Verdict::Recognised(Some(reader)) => reader.read(chunk, notes),
            Verdict::Recognised(None) | Verdict::Unknown => Appetite::Sated,
            Verdict::Open => self.judge(chunk, notes),
        }
    }

    fn judge(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        let said = &mut self.said[chunk.from as usize];
        let room = OPENING_LIMIT.saturating_sub(said.len());
        said.extend_from_slice(&chunk.bytes[..chunk.bytes.len().min(room)]);
        let full = said.len() == OPENING_LIMIT;
        let opening = Opening {
            transport: chunk.transport,
            src_port: chunk.src_port,
            dst_port: chunk.dst_port,
            from: chunk.from,
            src: &self.said[Side::Src as usize],
            dst: &self.said[Side::Dst as usize],
            earlier: &[],
        };
        let mut unsure = false;
        for dissector in asked(&opening).filter(|dissector| (self.accepts)(dissector.protocol())) {
            match dissector.recognise(&opening) {
                Recognition::Yes => return self.settle(dissector, chunk, notes),
                Recognition::Unsure => unsure = true,
                Recognition::No => {}
            }
        }
        if full || !unsure {
            self.verdict = Verdict::Unknown;
            self.said = [Vec::new(), Vec::new()];
        }
        Appetite::More
    }

    /// Hands what both sides have said to the protocol's reader.
    fn settle(&mut self, dissector: &dyn Dissector, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        notes.protocol = self.renames.then_some(dissector.protocol());
        notes.visibility = Some(dissector.visibility());
        let mut reader = dissector.reader();
        let mut appetite = if reader.is_some() { Appetite::More } else { Appetite::Sated };
        for (side, bytes) in [Side::Src, Side::Dst].into_iter().zip(std::mem::take(&mut self.said)) {
            if let Some(reader) = &mut reader
                && appetite == Appetite::More
                && !bytes.is_empty()
            {
                appetite = reader.read(&Chunk { from: side, bytes: &bytes, gap: 0, ..*chunk }, notes);
            }
        }
        self.verdict = Verdict::Recognised(reader);
        appetite
    }
}
