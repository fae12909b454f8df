//! HTTP/2 in the clear (RFC 9113): with prior knowledge, or after an upgrade from HTTP/1.
//!
//! For: `:authority` of every request.
//! Promises: walks frames without keeping bodies; keeps one header block at a time, bounded. A lost
//! segment ends the reading, since the header table is lost with it.

mod header_block;
mod huffman;

use super::{Appetite, Chunk, Dissector, Notes, Opening, Reader, Recognition, host_name};
use header_block::HeaderTable;
use overheard_model::{NameSource, Protocol, Side, Transport, Visibility};

pub(super) struct Http2;

/// RFC 9113 §3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEADER: usize = 9;
/// Largest header block that is read.
const BLOCK_LIMIT: usize = 64 << 10;

impl Dissector for Http2 {
    fn protocol(&self) -> Protocol {
        Protocol::Http2
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let bytes = opening.latest();
        match opening.transport {
            Transport::Tcp if bytes.len() < PREFACE.len() && PREFACE.starts_with(bytes) => {
                Recognition::Unsure
            }
            Transport::Tcp => bytes.starts_with(PREFACE).into(),
            _ => Recognition::No,
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && first == Some(b'P')
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        let (frame, block, table) = (Vec::new(), Vec::new(), HeaderTable::default());
        Some(Box::new(Http2Reader { client: None, skip: PREFACE.len(), frame, block, table }))
    }
}

struct Http2Reader {
    /// The side that sent the preface.
    client: Option<Side>,
    /// Bytes of the client that are passed over.
    skip: usize,
    /// The header of the frame that is being read, and its payload where that is headers.
    frame: Vec<u8>,
    /// Fragments of the header block that is being read.
    block: Vec<u8>,
    table: HeaderTable,
}

/// Length, type and flags of a frame (RFC 9113 §4.1).
#[derive(Clone, Copy)]
struct Frame {
    length: usize,
    kind: u8,
    flags: u8,
}

impl Frame {
    const HEADERS: u8 = 1;
    const CONTINUATION: u8 = 9;
    const END_HEADERS: u8 = 0x04;
    const PADDED: u8 = 0x08;
    const PRIORITY: u8 = 0x20;

    fn new(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, kind, flags, ..] = bytes.first_chunk::<FRAME_HEADER>()?;
        Some(Self { length: u32::from_be_bytes([0, a, b, c]) as usize, kind, flags })
    }

    fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn holds_headers(self) -> bool {
        matches!(self.kind, Self::HEADERS | Self::CONTINUATION)
    }

    /// The fragment of a header block, without padding and priority (RFC 9113 §6.2).
    fn fragment(self, payload: &[u8]) -> Option<&[u8]> {
        if self.kind == Self::CONTINUATION {
            return Some(payload);
        }
        let (padding, rest) = match self.has(Self::PADDED) {
            true => payload.split_first().map(|(&length, rest)| (usize::from(length), rest))?,
            false => (0, payload),
        };
        let rest = rest.get(if self.has(Self::PRIORITY) { 5 } else { 0 }..)?;
        rest.get(..rest.len().checked_sub(padding)?)
    }
}

impl Reader for Http2Reader {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        if self.client.is_none() && chunk.bytes.first() == PREFACE.first() {
            self.client = Some(chunk.from);
        } else if self.client != Some(chunk.from) {
            return Appetite::More;
        } else if chunk.gap > 0 {
            return Appetite::Sated;
        }
        match self.walk(chunk.bytes, notes) {
            Some(()) => Appetite::More,
            None => Appetite::Sated,
        }
    }

    fn held(&self) -> usize {
        self.frame.capacity() + self.block.capacity() + self.table.held()
    }
}

impl Http2Reader {
    /// Takes the client's next bytes; `None` when the header table is lost.
    fn walk(&mut self, mut bytes: &[u8], notes: &mut Notes) -> Option<()> {
        loop {
            bytes = self.pass_over(bytes);
            if bytes.is_empty() {
                return Some(());
            }
            let wanted = FRAME_HEADER + Frame::new(&self.frame).map_or(0, |frame| frame.length);
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.frame.len()));
            self.frame.extend_from_slice(taken);
            bytes = rest;
            let Some(frame) = Frame::new(&self.frame) else { continue };
            if !frame.holds_headers() {
                self.skip = frame.length;
                self.frame.clear();
            } else if frame.length > BLOCK_LIMIT {
                return None;
            } else if self.frame.len() == FRAME_HEADER + frame.length {
                self.take_headers(frame, notes)?;
                self.frame.clear();
            }
        }
    }

    fn pass_over<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (passed, rest) = bytes.split_at(bytes.len().min(self.skip));
        self.skip -= passed.len();
        rest
    }

    fn take_headers(&mut self, frame: Frame, notes: &mut Notes) -> Option<()> {
        self.block.extend_from_slice(frame.fragment(&self.frame[FRAME_HEADER..])?);
        if self.block.len() > BLOCK_LIMIT {
            return None;
        }
        if frame.has(Frame::END_HEADERS) {
            let authorities = self.table.authorities(&std::mem::take(&mut self.block))?;
            let names = authorities.iter().filter_map(|authority| host_name(authority));
            notes.names.extend(names.map(|name| (name, NameSource::H2Authority)));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{chunk, opening};
    use super::*;

    fn names<'a>(segments: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let (mut reader, mut notes) = (Http2.reader().unwrap(), Notes::default());
        for bytes in segments {
            reader.read(&chunk(Transport::Tcp, 80, Side::Src, bytes), &mut notes);
        }
        notes.names.into_iter().map(|(name, _)| name.to_string()).collect()
    }

    /// Settings, a request (RFC 7541 appendix C.3.1) with padding and priority, data, and the same
    /// request by the header table in two parts (C.3.2 without its last field).
    fn requests() -> Vec<u8> {
        let mut bytes = PREFACE.to_vec();
        bytes.extend(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00");
        bytes.extend(b"\x00\x00\x1c\x01\x2c\x00\x00\x00\x01\x02\x00\x00\x00\x00\x0f");
        bytes.extend(b"\x82\x86\x84\x41\x0fwww.example.com\x00\x00");
        bytes.extend(b"\x00\x00\x05\x00\x00\x00\x00\x00\x01hello");
        bytes.extend(b"\x00\x00\x02\x01\x00\x00\x00\x00\x03\x82\x86");
        bytes.extend(b"\x00\x00\x02\x09\x04\x00\x00\x00\x03\x84\xbe");
        bytes
    }

    #[test]
    fn authorities_are_read_however_the_stream_is_cut() {
        let bytes = requests();
        let expected = ["www.example.com", "www.example.com"];
        assert_eq!(names([&bytes[..]]), expected);
        assert_eq!(names(bytes.chunks(1)), expected);
    }

    #[test]
    fn the_preface_is_recognised() {
        let judge = |src| Http2.recognise(&opening(Transport::Tcp, 80, src, &[]));
        assert_eq!(judge(PREFACE), Recognition::Yes);
        assert_eq!(judge(&PREFACE[..5]), Recognition::Unsure);
        assert_eq!(judge(b"PRIVMSG #a :b\r\n"), Recognition::No);
    }
}
