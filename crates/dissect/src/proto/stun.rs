//! STUN (RFC 8489), its classic form (RFC 3489) and TURN's channels (RFC 8656): how peers find a path
//! for calls. What follows on the path is told apart by its first byte (RFC 7983).
//!
//! Promises: without the magic cookie every attribute must be a known one and fit, or the port be STUN's.

use super::inner::Inner;
use super::{Appetite, Chunk, Dissector, Notes, Opening, Reader, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Stun;

const HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const PORTS: [u16; 2] = [3478, 3479];

impl Dissector for Stun {
    fn protocol(&self) -> Protocol {
        Protocol::Stun
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let bytes = opening.latest();
        let on_port = PORTS.iter().any(|&port| opening.on_port(port));
        match opening.transport {
            // Alone, or behind the two octets of RFC 4571.
            Transport::Tcp => {
                let framed = bytes.get(2..).is_some_and(|bytes| message(bytes).is_some_and(|m| m.cookie));
                (framed || message(bytes).is_some_and(|m| m.cookie)).into()
            }
            _ => {
                let whole = message(bytes).filter(|m| m.length == bytes.len());
                let known = whole.is_some_and(|m| m.cookie || (m.classic && (on_port || m.known_attributes)));
                (known || (on_port && is_channel(bytes))).into()
            }
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        // A stream may frame its messages by their length.
        transport == Transport::Tcp || matches!(first, Some(..0x50))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(PathReader::default()))
    }
}

/// A STUN message that its buffer holds wholly.
struct Message {
    length: usize,
    cookie: bool,
    /// A request or answer of RFC 3489.
    classic: bool,
    known_attributes: bool,
}

fn message(bytes: &[u8]) -> Option<Message> {
    const CLASSIC: [u16; 6] = [0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112];
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let kind = u16::from_be_bytes([header[0], header[1]]);
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let attributes = rest.get(..length)?;
    (kind < 0x4000 && length.is_multiple_of(4)).then(|| Message {
        length: HEADER + length,
        cookie: header[4..8] == COOKIE,
        classic: CLASSIC.contains(&kind),
        known_attributes: has_known_attributes(attributes),
    })
}

/// RFC 3489 §11.2 and the extensions that its clients sent.
fn has_known_attributes(mut attributes: &[u8]) -> bool {
    let any = !attributes.is_empty();
    while let Some((&[k0, k1, l0, l1], rest)) = attributes.split_first_chunk() {
        let known = matches!(u16::from_be_bytes([k0, k1]), 1..=0x25 | 0x8000..=0x80ff);
        let length = usize::from(u16::from_be_bytes([l0, l1])).next_multiple_of(4);
        match rest.get(length..) {
            Some(after) if known => attributes = after,
            _ => return false,
        }
    }
    any && attributes.is_empty()
}

/// ChannelData: a channel number, the length, and at most three octets of padding (RFC 8656 §12.4).
fn is_channel(bytes: &[u8]) -> bool {
    let Some((&[high, low, l0, l1], rest)) = bytes.split_first_chunk() else { return false };
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    (0x4000..0x5000).contains(&u16::from_be_bytes([high, low]))
        && (length..length + 4).contains(&rest.len())
        && length > 0
}

/// Looks at what comes after the path was found.
#[derive(Default)]
struct PathReader {
    dtls: Option<Inner>,
    read: usize,
    streams: [Messages; 2],
}

impl Reader for PathReader {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        /// Datagrams after which the path serves whatever it serves, and bytes of a stream.
        const LIMIT: usize = 200;
        const STREAM_LIMIT: usize = LIMIT << 10;
        if chunk.transport == Transport::Tcp {
            self.read += chunk.bytes.len();
            let messages = &mut self.streams[chunk.from as usize];
            messages.walk(chunk, &mut |first| note_visibility(first, notes));
            return if self.read < STREAM_LIMIT { Appetite::More } else { Appetite::Sated };
        }
        self.read += 1;
        match chunk.bytes.first() {
            // DTLS keys a call's media (RFC 5764): nothing of it can be read.
            Some(20..=63) => {
                let dtls =
                    self.dtls.get_or_insert_with(|| Inner::carried(|protocol| protocol == Protocol::Dtls));
                if dtls.read(chunk, notes) == Appetite::Sated && dtls.is_recognised() {
                    return Appetite::Sated;
                }
            }
            Some(&first) if self.dtls.is_none() => note_visibility(first, notes),
            _ => {}
        }
        if self.read < LIMIT { Appetite::More } else { Appetite::Sated }
    }

    fn held(&self) -> usize {
        self.dtls.as_ref().map_or(0, Inner::held)
    }
}

/// Channels and media: their payload may be encrypted or not.
fn note_visibility(first: u8, notes: &mut Notes) {
    if matches!(first, 64..=79 | 128..=191) {
        notes.visibility = Some(Visibility::Unknown);
    }
}

/// The messages of one side of a stream, however it was cut: one after another, or each behind its
/// length (RFC 4571). Only where one begins matters.
#[derive(Default)]
struct Messages {
    framed: Option<bool>,
    head: [u8; Self::HEAD],
    filled: usize,
    /// Bytes to pass over before the next message.
    skip: usize,
    /// Bytes were lost: where a message begins is unknown.
    lost: bool,
}

impl Messages {
    /// What it takes to tell the two forms apart: a length and the beginning of a message up to its cookie.
    const HEAD: usize = 10;

    fn walk(&mut self, chunk: &Chunk<'_>, begins: &mut impl FnMut(u8)) {
        self.lost |= chunk.gap > 0;
        let mut rest = chunk.bytes;
        while !rest.is_empty() && !self.lost {
            let passed = self.skip.min(rest.len());
            self.skip -= passed;
            let wanted = if self.framed.is_none() { Self::HEAD } else { 4 };
            let taken = rest.get(passed..).unwrap_or_default();
            let taken = taken.get(..wanted - self.filled).unwrap_or(taken);
            for (to, from) in self.head.iter_mut().skip(self.filled).zip(taken) {
                *to = *from;
            }
            self.filled += taken.len();
            rest = rest.get(passed + taken.len()..).unwrap_or_default();
            if self.filled == wanted {
                begins(self.begin());
            }
        }
    }

    /// Takes the head that was filled; the first byte of its message.
    fn begin(&mut self) -> u8 {
        let [a, b, c, d, .., w, x, y, z] = self.head;
        let framed = *self.framed.get_or_insert([w, x, y, z] == COOKIE);
        let length = |high, low| usize::from(u16::from_be_bytes([high, low]));
        let (first, whole) = match a {
            _ if framed => (c, 2 + length(a, b)),
            ..0x40 => (a, HEADER + length(c, d)),
            _ => (a, 4 + length(c, d).next_multiple_of(4)),
        };
        // A message may be shorter than what was taken of it: the next one has begun.
        match whole.checked_sub(self.filled) {
            Some(skip) => self.skip = skip,
            None => self.lost = true,
        }
        self.filled = 0;
        first
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{chunk, opening, read};
    use super::*;
    use overheard_model::Side;

    fn judge(transport: Transport, dst_port: u16, src: &[u8]) -> Recognition {
        Stun.recognise(&opening(transport, dst_port, src, &[]))
    }

    #[test]
    fn a_binding_request_is_recognised() {
        let mut request = b"\x00\x01\x00\x00\x21\x12\xa4\x42".to_vec();
        request.extend([5; 12]);
        assert_eq!(judge(Transport::Udp, 9999, &request), Recognition::Yes);
        let framed = [&[0, 20], &request[..]].concat();
        assert_eq!(judge(Transport::Tcp, 443, &framed), Recognition::Yes);
        request.push(0);
        assert_eq!(judge(Transport::Udp, 9999, &request), Recognition::No);
    }

    #[test]
    fn the_classic_form_needs_known_attributes() {
        let header = |length| [&[0, 1, 0, length][..], &[7; 16]].concat();
        let change_request = [&header(8)[..], &[0, 3, 0, 4, 0, 0, 0, 6]].concat();
        assert_eq!(judge(Transport::Udp, 9999, &change_request), Recognition::Yes);
        assert_eq!(judge(Transport::Udp, 9999, &header(0)), Recognition::No);
        let unknown = [&header(8)[..], &[0x70, 3, 0, 4, 0, 0, 0, 6]].concat();
        assert_eq!(judge(Transport::Udp, 9999, &unknown), Recognition::No);
    }

    #[test]
    fn channels_of_a_stream_are_seen_however_it_is_cut() {
        let message = [&b"\x00\x01\x00\x08\x21\x12\xa4\x42"[..], &[0x40; 20]].concat();
        let channel = b"\x40\x01\x00\x05abcde\0\0\0";
        let behind = |bytes: &[u8]| [&[0, bytes.len() as u8][..], bytes].concat();
        let plain = [&message[..], &message].concat();
        let framed = [behind(&message), behind(&message), behind(channel)].concat();
        let streams = [(plain.clone(), false), ([&plain[..], channel].concat(), true), (framed, true)];
        for (stream, has_channel) in streams {
            for length in 1..stream.len() {
                let pieces = stream.chunks(length).map(|piece| chunk(Transport::Tcp, 443, Side::Src, piece));
                let (notes, _) = read(&mut PathReader::default(), pieces);
                let expected = has_channel.then_some(Visibility::Unknown);
                assert_eq!(notes.visibility, expected, "in pieces of {length}");
            }
        }
    }

    #[test]
    fn channels_count_on_the_port() {
        let channel = b"\x40\x01\x00\x03abc\x00";
        assert_eq!(judge(Transport::Udp, 3478, channel), Recognition::Yes);
        assert_eq!(judge(Transport::Udp, 9999, channel), Recognition::No);
    }
}
