//! What both sides say, shown to the dissectors until one knows it, then to its reader.
//!
//! The dissectors are asked in their order with each new chunk; the first `Yes` wins and its reader
//! gets all that was said so far, then the rest until it is sated. When all say no, a few more turns
//! are tried (servers greet, media channels are set up with odd packets); while one is unsure it is
//! shown more. Then the flow counts as unknown and is measured.
//! The first chunk, which settles most flows, is judged and read where it lies; only what nobody
//! recognises is kept.

use super::content::Content;
use super::key::{End, Ends};
use super::preface::proxy_header;
use crate::proto::{
    Appetite, Chunk, Dissector, Ja4, Notes, Opening, ReadDatagram, Reader, Recognition, asked,
};
use crate::resolver::Resolver;
use overheard_model::{Protocol, Side, Timestamp, Transport, Visibility};

/// How much is looked at before a flow counts as unknown.
#[derive(Clone, Copy, Debug)]
struct Patience {
    turns: usize,
    bytes: usize,
}

const NO: Patience = Patience { turns: 8, bytes: 2 << 10 };
const UNSURE: Patience = Patience { turns: 64, bytes: 16 << 10 };

/// Chunks after which those of one turn are kept as one.
const MOST_MARKS: usize = 64;

/// The unchanging facts of a flow that a chunk repeats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parties {
    pub(super) transport: Transport,
    /// The originator.
    pub(super) src: End,
    pub(super) src_port: u16,
    pub(super) dst_port: u16,
}

impl Parties {
    pub(super) fn side(&self, end: End) -> Side {
        if end == self.src { Side::Src } else { Side::Dst }
    }

    fn end(&self, side: Side) -> End {
        if side == Side::Src { self.src } else { self.src.other() }
    }
}

/// A chunk that was said before the protocol was known, within [`Opened::said`].
#[derive(Debug)]
struct Mark {
    from: End,
    start: usize,
    end: usize,
    gap: u64,
    packet: u64,
    time: Timestamp,
}

/// What was said so far.
#[derive(Debug)]
struct Opened {
    said: Ends<Vec<u8>>,
    marks: Vec<Mark>,
    /// Datagrams, or what one side of a stream said until the other spoke: how a stream was cut into
    /// segments must not matter.
    turns: usize,
    patience: Patience,
}

impl Default for Opened {
    fn default() -> Self {
        Self { said: Ends::default(), marks: Vec::new(), turns: 0, patience: NO }
    }
}

enum Stage {
    Opening(Opened),
    Reading(Box<dyn Reader>),
    /// Each datagram is read by itself.
    Datagrams(ReadDatagram),
    Over,
}

/// One flow's payload on its way to the dissectors.
pub(super) struct Dialogue {
    stage: Stage,
}

impl std::fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stage = match &self.stage {
            Stage::Opening(opened) => return opened.fmt(f),
            Stage::Reading(_) => "Reading",
            Stage::Datagrams(_) => "Datagrams",
            Stage::Over => "Over",
        };
        f.write_str(stage)
    }
}

impl Default for Dialogue {
    fn default() -> Self {
        Self { stage: Stage::Opening(Opened::default()) }
    }
}

impl Dialogue {
    /// How its next datagram will be read, where the dialogue is nothing but that.
    pub(super) fn datagram_reader(&self) -> Option<ReadDatagram> {
        match self.stage {
            Stage::Datagrams(read) => Some(read),
            _ => None,
        }
    }

    /// Whether there is nothing further to learn.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Bytes held beyond the struct itself.
    pub(super) fn held(&self) -> usize {
        match &self.stage {
            Stage::Opening(opened) => opened.held(),
            Stage::Reading(reader) => reader.footprint(),
            Stage::Datagrams(_) | Stage::Over => 0,
        }
    }

    /// Takes the next chunk.
    pub(super) fn hear(&mut self, chunk: &Chunk<'_>, parties: &Parties, scene: &mut Scene<'_>) {
        match &mut self.stage {
            Stage::Opening(opened) => {
                let chunk = opened.without_preface(chunk, parties);
                if !chunk.bytes.is_empty()
                    && let Some(next) = opened.hear(&chunk, parties, scene)
                {
                    self.stage = next;
                }
            }
            Stage::Reading(reader) => {
                if scene.read(reader.as_mut(), chunk) == Appetite::Sated {
                    self.stage = Stage::Over;
                }
            }
            Stage::Datagrams(read) => scene.read_datagram(*read, chunk),
            Stage::Over => {}
        }
    }

    /// What the bytes so far look like, while nobody recognised them.
    pub(super) fn judged(&self) -> Option<(Protocol, Visibility)> {
        let Stage::Opening(opened) = &self.stage else { return None };
        let said = opened.both();
        let (_, protocol, visibility) =
            said.iter().any(|bytes| !bytes.is_empty()).then(|| super::measure::judge(said))?;
        Some((protocol, visibility))
    }

    /// Nothing more will be said: what was not recognised is measured.
    pub(super) fn finish(&mut self, content: &mut Content) {
        if let Stage::Opening(opened) = std::mem::replace(&mut self.stage, Stage::Over) {
            content.measured(opened.both());
        }
    }
}

/// Asks the dissectors; what to wait for where none says yes.
fn recognise(opening: &Opening<'_>) -> Result<&'static dyn Dissector, Patience> {
    let mut patience = NO;
    for dissector in asked(opening) {
        match dissector.recognise(opening) {
            Recognition::Yes => return Ok(dissector),
            Recognition::Unsure => patience = UNSURE,
            Recognition::No => {}
        }
    }
    Err(patience)
}

impl Opened {
    /// Takes the next chunk; says what follows when the opening is over.
    fn hear(&mut self, chunk: &Chunk<'_>, parties: &Parties, scene: &mut Scene<'_>) -> Option<Stage> {
        let first = self.marks.is_empty();
        let is_stream = parties.transport == Transport::Tcp;
        // A turn counts as a whole or not at all, wherever its first segment ends.
        if is_stream && self.turns >= self.patience.turns && self.begins_turn(chunk, parties) {
            scene.content.measured(self.both());
            return Some(Stage::Over);
        }
        if !first {
            self.note(chunk, parties);
        }
        let opening = if first { first_opening(chunk) } else { self.opening(chunk, parties) };
        self.patience = match recognise(&opening) {
            Ok(dissector) => {
                scene.content.recognised(dissector.protocol(), dissector.visibility());
                if let Some(read) = dissector.datagram_reader().filter(|_| !is_stream) {
                    match first {
                        true => scene.read_datagram(read, chunk),
                        false => self.chunks(parties).for_each(|chunk| scene.read_datagram(read, &chunk)),
                    }
                    return Some(Stage::Datagrams(read));
                }
                let Some(mut reader) = dissector.reader() else { return Some(Stage::Over) };
                let appetite = match first {
                    true => scene.read(reader.as_mut(), chunk),
                    false => self.replay(reader.as_mut(), parties, scene),
                };
                return Some(if appetite == Appetite::Sated { Stage::Over } else { Stage::Reading(reader) });
            }
            Err(patience) => patience,
        };
        if first {
            self.note(chunk, parties);
        }
        if !is_stream && self.turns >= self.patience.turns || self.bytes() >= self.patience.bytes {
            scene.content.measured(self.both());
            return Some(Stage::Over);
        }
        None
    }

    /// The chunk without the header that a load balancer put before the originator's first bytes.
    fn without_preface<'a>(&self, chunk: &Chunk<'a>, parties: &Parties) -> Chunk<'a> {
        let first = chunk.from == Side::Src && self.said[parties.src].is_empty();
        let preface =
            if first && parties.transport == Transport::Tcp { proxy_header(chunk.bytes) } else { 0 };
        Chunk { bytes: chunk.bytes.get(preface..).unwrap_or_default(), ..*chunk }
    }

    /// Whether a chunk is not what the side that spoke last goes on to say.
    fn begins_turn(&self, chunk: &Chunk<'_>, parties: &Parties) -> bool {
        let goes_on = parties.transport == Transport::Tcp && chunk.gap == 0;
        !goes_on || self.marks.last().is_none_or(|last| last.from != parties.end(chunk.from))
    }

    fn note(&mut self, chunk: &Chunk<'_>, parties: &Parties) {
        let begins_turn = self.begins_turn(chunk, parties);
        self.turns += usize::from(begins_turn);
        let from = parties.end(chunk.from);
        let said = &mut self.said[from];
        let start = said.len();
        said.extend_from_slice(chunk.bytes);
        let (end, gap, packet, time) = (said.len(), chunk.gap, chunk.packet, chunk.time);
        let full = self.marks.len() >= MOST_MARKS;
        match self.marks.last_mut().filter(|_| full && !begins_turn) {
            Some(last) => (last.end, last.packet, last.time) = (end, packet, time),
            None => self.marks.push(Mark { from, start, end, gap, packet, time }),
        }
    }

    fn bytes(&self) -> usize {
        self.both().iter().map(|said| said.len()).sum()
    }

    fn both(&self) -> [&[u8]; 2] {
        [&self.said[End::Low], &self.said[End::High]]
    }

    fn held(&self) -> usize {
        let said = self.said[End::Low].capacity() + self.said[End::High].capacity();
        said + self.marks.capacity() * size_of::<Mark>()
    }

    fn opening<'a>(&'a self, chunk: &Chunk<'a>, parties: &Parties) -> Opening<'a> {
        let shown = |end: End| match parties.transport {
            Transport::Tcp => self.stream(end),
            _ if parties.side(end) == chunk.from => chunk.bytes,
            _ => self.first_datagram(end),
        };
        Opening {
            transport: parties.transport,
            src_port: parties.src_port,
            dst_port: parties.dst_port,
            from: chunk.from,
            src: shown(parties.src),
            dst: shown(parties.src.other()),
            earlier: self.datagram_before(chunk, parties),
        }
    }

    /// The datagram that the same side sent before the latest one.
    fn datagram_before(&self, chunk: &Chunk<'_>, parties: &Parties) -> &[u8] {
        let end = parties.end(chunk.from);
        let mark = self.marks.iter().rev().filter(|mark| mark.from == end).nth(1);
        let mark = mark.filter(|_| parties.transport != Transport::Tcp);
        mark.and_then(|mark| self.said[end].get(mark.start..mark.end)).unwrap_or(&[])
    }

    /// A stream's beginning up to its first gap; a gap before everything is no matter.
    fn stream(&self, end: End) -> &[u8] {
        let gap = self.marks.iter().find(|mark| mark.from == end && mark.start > 0 && mark.gap > 0);
        let said = &self.said[end];
        gap.and_then(|gap| said.get(..gap.start)).unwrap_or(said)
    }

    fn first_datagram(&self, end: End) -> &[u8] {
        let first = self.marks.iter().find(|mark| mark.from == end);
        first.and_then(|mark| self.said[end].get(mark.start..mark.end)).unwrap_or(&[])
    }

    /// Hands all that was said to the protocol's reader.
    fn replay(&self, reader: &mut dyn Reader, parties: &Parties, scene: &mut Scene<'_>) -> Appetite {
        let sated = self.chunks(parties).any(|chunk| scene.read(reader, &chunk) == Appetite::Sated);
        if sated { Appetite::Sated } else { Appetite::More }
    }

    /// All that was said, in the chunks in which it was.
    fn chunks(&self, parties: &Parties) -> impl Iterator<Item = Chunk<'_>> {
        let Parties { transport, src_port, dst_port, .. } = *parties;
        self.marks.iter().map(move |mark| Chunk {
            transport,
            from: parties.side(mark.from),
            src_port,
            dst_port,
            bytes: self.said[mark.from].get(mark.start..mark.end).unwrap_or(&[]),
            gap: mark.gap,
            packet: mark.packet,
            time: mark.time,
        })
    }
}

/// What one side says before anything else was said.
fn first_opening<'a>(chunk: &Chunk<'a>) -> Opening<'a> {
    let (src, dst) = match chunk.from {
        Side::Src => (chunk.bytes, &[][..]),
        Side::Dst => (&[][..], chunk.bytes),
    };
    let Chunk { transport, src_port, dst_port, from, .. } = *chunk;
    Opening { transport, src_port, dst_port, from, src, dst, earlier: &[] }
}

/// Reads a datagram of a flow of which each is read by itself.
pub(super) fn read_datagram(
    read: ReadDatagram,
    chunk: &Chunk<'_>,
    notes: &mut Notes,
    resolver: &mut Resolver,
) {
    read(chunk, &mut notes.answers, &mut notes.spelling);
    notes.answers.drain(..).for_each(|answer| resolver.add(answer));
}

/// Where what is learned goes.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) content: &'a mut Content,
    pub(super) resolver: &'a mut Resolver,
    /// Empty between chunks; lent out so that it is allocated once.
    pub(super) notes: &'a mut Notes,
}

impl Scene<'_> {
    fn read(&mut self, reader: &mut dyn Reader, chunk: &Chunk<'_>) -> Appetite {
        let appetite = reader.read(chunk, self.notes);
        self.take_notes(chunk.packet);
        appetite
    }

    fn read_datagram(&mut self, read: ReadDatagram, chunk: &Chunk<'_>) {
        read_datagram(read, chunk, self.notes, self.resolver);
    }

    fn take_notes(&mut self, packet: u64) {
        let Notes { names, answers, ja4, protocol, visibility, spelling } = &mut *self.notes;
        for (mut name, source) in names.drain(..) {
            spelling.texts.share(&mut name);
            self.content.add_name(name, source, packet);
        }
        for answer in answers.drain(..) {
            self.resolver.add(answer);
        }
        if let Some((plain, normalised)) = ja4.take() {
            let mut shared = |ja4: Ja4| spelling.texts.shared(ja4.as_str());
            self.content.ja4.get_or_insert_with(|| (shared(plain), shared(normalised)));
        }
        self.content.protocol = protocol.take().or(self.content.protocol);
        self.content.visibility = visibility.take().or(self.content.visibility);
    }
}
