//! DNS over UDP and TCP, multicast DNS and LLMNR: what addresses are called.
//!
//! For: the answers that names come from (RFC 1035, RFC 6762, RFC 4795, RFC 9460).
//! Promises: off the known ports only a message that parses to its last byte is taken for DNS. A
//! name server gets no name from what it was asked.

mod answers;
mod message;

use super::cursor::Cursor;
use super::{
    Answer, Appetite, Chunk, Dissector, Notes, Opening, ReadDatagram, Reader, Recognition, Spelling,
};
pub(super) use answers::Way;
use message::{Message, Question};
use overheard_model::{NameSource, Protocol, Transport, Visibility};

const DNS_PORT: u16 = 53;
const MDNS_PORT: u16 = 5353;
const LLMNR_PORT: u16 = 5355;
/// NetBIOS names have DNS's format and name no host of the internet (RFC 1002 §4.2).
const NETBIOS_PORT: u16 = 137;

/// One of the three protocols with DNS's message format.
pub(super) struct Dns(Protocol);

pub(super) static DNS: Dns = Dns(Protocol::Dns);
pub(super) static MDNS: Dns = Dns(Protocol::Mdns);
pub(super) static LLMNR: Dns = Dns(Protocol::Llmnr);

impl Dissector for Dns {
    fn protocol(&self) -> Protocol {
        self.0
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        if by_port(opening) != self.0 || opening.on_port(NETBIOS_PORT) {
            return Recognition::No;
        }
        let known_port = [DNS_PORT, MDNS_PORT, LLMNR_PORT].iter().any(|&port| opening.on_port(port));
        match opening.transport {
            Transport::Tcp => recognise_stream(opening, known_port),
            _ => match judge(opening.latest()) {
                Shape::Whole => Recognition::Yes,
                Shape::Beginning if known_port => Recognition::Yes,
                // Junk may precede a query between the same ports.
                _ if known_port => Recognition::Unsure,
                _ => Recognition::No,
            },
        }
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn datagram_reader(&self) -> Option<ReadDatagram> {
        // A name server gets a flow of its own for every question: half of all flows are such.
        Some(match self.0 {
            Protocol::Mdns => |chunk, to, by| read_message(chunk.bytes, NameSource::Mdns, chunk, to, by),
            Protocol::Llmnr => |chunk, to, by| read_message(chunk.bytes, NameSource::Llmnr, chunk, to, by),
            _ => |chunk, to, by| read_message(chunk.bytes, NameSource::Dns, chunk, to, by),
        })
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        let direct = match self.0 {
            Protocol::Mdns => NameSource::Mdns,
            Protocol::Llmnr => NameSource::Llmnr,
            _ => NameSource::Dns,
        };
        Some(Box::new(DnsReader { direct, pending: [Vec::new(), Vec::new()] }))
    }
}

/// Unicast DNS may come from any port, also from those of its relatives.
fn by_port(opening: &Opening<'_>) -> Protocol {
    if opening.on_port(DNS_PORT) {
        Protocol::Dns
    } else if opening.on_port(MDNS_PORT) {
        Protocol::Mdns
    } else if opening.on_port(LLMNR_PORT) {
        Protocol::Llmnr
    } else {
        Protocol::Dns
    }
}

/// How much of some bytes is a DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// All of them, with nothing left over.
    Whole,
    /// Header and questions are sound; records are cut short or malformed.
    Beginning,
    None,
}

fn judge(bytes: &[u8]) -> Shape {
    const KNOWN_OPCODES: [u16; 5] = [0, 1, 2, 4, 5];
    const HIGHEST_RCODE: u16 = 11;
    const CLASSES: [u16; 4] = [1, 3, 254, 255];
    let Some(message) = Message::new(bytes) else { return Shape::None };
    let plausible = KNOWN_OPCODES.contains(&message.opcode())
        && message.rcode() <= HIGHEST_RCODE
        && (message.is_response() || message.rcode() == 0)
        && message.question_count() as u32 + message.record_count() > 0;
    if !plausible {
        return Shape::None;
    }
    let accepts = |question: Question| CLASSES.contains(&question.class) && question.kind != 0;
    let Some(at) = message.after_questions(accepts) else { return Shape::None };
    let (records, end) = message.records(at).fold((0, at), |(records, _), (_, end)| (records + 1, end));
    let complete = records == message.record_count() && end == bytes.len();
    if complete && message.question_count() > 0 { Shape::Whole } else { Shape::Beginning }
}

/// Over TCP a length of two octets precedes each message (RFC 1035 §4.2.2).
const LENGTH: usize = 2;

fn recognise_stream(opening: &Opening<'_>, known_port: bool) -> Recognition {
    let Some((length, rest)) = opening.latest().split_first_chunk() else {
        return Recognition::Unsure;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    match rest.get(..length) {
        Some(message) if length >= 12 => match judge(message) {
            Shape::Whole => Recognition::Yes,
            Shape::Beginning => known_port.into(),
            Shape::None => Recognition::No,
        },
        None if length >= 12 && (known_port || rest.len() < 12) => Recognition::Unsure,
        _ => Recognition::No,
    }
}

struct DnsReader {
    direct: NameSource,
    /// Of each side's stream, the bytes of a message that is not yet complete.
    pending: [Vec<u8>; 2],
}

impl Reader for DnsReader {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        if chunk.transport == Transport::Tcp {
            self.read_stream(chunk, notes);
        } else {
            read_message(chunk.bytes, self.direct, chunk, &mut notes.answers, &mut notes.spelling);
        }
        Appetite::More
    }

    fn held(&self) -> usize {
        self.pending.iter().map(Vec::capacity).sum()
    }
}

impl DnsReader {
    fn read_stream(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) {
        let mut pending = std::mem::take(&mut self.pending[chunk.from as usize]);
        if chunk.gap > 0 {
            pending.clear();
        }
        pending.extend_from_slice(chunk.bytes);
        let mut read = 0;
        while let Some(message) = pending.get(read..).and_then(|rest| Cursor(rest).vector16()) {
            read_message(message, self.direct, chunk, &mut notes.answers, &mut notes.spelling);
            read += LENGTH + message.len();
        }
        pending.drain(..read);
        self.pending[chunk.from as usize] = pending;
    }
}

fn read_message(
    bytes: &[u8],
    direct: NameSource,
    chunk: &Chunk<'_>,
    answers: &mut Vec<Answer>,
    spelling: &mut Spelling,
) {
    let Some(message) = Message::new(bytes).filter(Message::is_response) else { return };
    answers::read(&message, direct, spelling, &mut |address, name, source| {
        let (packet, time) = (chunk.packet, chunk.time);
        answers.push(Answer { address, name, source, packet, time });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::tests;
    use overheard_model::{Side, Timestamp};

    /// A query for example.org and its answer, as `dig` and a resolver write them.
    const QUERY: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
        \x07example\x03org\x00\x00\x01\x00\x01";
    const RESPONSE: &[u8] = b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\
        \x07example\x03org\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x05";

    fn opening(transport: Transport, dst_port: u16, src: &[u8]) -> Opening<'_> {
        tests::opening(transport, dst_port, src, &[])
    }

    fn chunk(transport: Transport, bytes: &[u8]) -> Chunk<'_> {
        Chunk { packet: 3, time: Timestamp(7), ..tests::chunk(transport, 53, Side::Dst, bytes) }
    }

    #[test]
    fn ports_tell_the_relatives_apart() {
        for (port, dissector) in [(53, &DNS), (5353, &MDNS), (5355, &LLMNR), (9999, &DNS)] {
            let opening = opening(Transport::Udp, port, QUERY);
            assert_eq!(dissector.recognise(&opening), Recognition::Yes, "port {port}");
        }
        assert_eq!(DNS.recognise(&opening(Transport::Udp, 137, QUERY)), Recognition::No);
        assert_eq!(MDNS.recognise(&opening(Transport::Udp, 53, QUERY)), Recognition::No);
    }

    #[test]
    fn off_port_a_message_must_be_whole() {
        let cut = &QUERY[..QUERY.len() - 1];
        assert_eq!(DNS.recognise(&opening(Transport::Udp, 9999, cut)), Recognition::No);
        let longer = [QUERY, b"\x00"].concat();
        assert_eq!(DNS.recognise(&opening(Transport::Udp, 9999, &longer)), Recognition::No);
        assert_eq!(DNS.recognise(&opening(Transport::Udp, 53, &longer)), Recognition::Yes);
        assert_eq!(DNS.recognise(&opening(Transport::Udp, 53, b"junk")), Recognition::Unsure);
    }

    #[test]
    fn a_stream_may_come_byte_by_byte() {
        let framed = [&[0, RESPONSE.len() as u8], RESPONSE].concat();
        assert_eq!(DNS.recognise(&opening(Transport::Tcp, 53, &framed[..9])), Recognition::Unsure);
        assert_eq!(DNS.recognise(&opening(Transport::Tcp, 53, &framed)), Recognition::Yes);
        let (mut reader, mut notes) = (DNS.reader().unwrap(), Notes::default());
        for byte in framed.repeat(2) {
            reader.read(&chunk(Transport::Tcp, &[byte]), &mut notes);
        }
        let answer = Answer {
            address: "192.0.2.5".parse().unwrap(),
            name: "example.org".into(),
            source: NameSource::Dns,
            packet: 3,
            time: Timestamp(7),
        };
        assert_eq!(notes.answers, [answer.clone(), answer]);
    }

    #[test]
    fn a_query_names_nothing() {
        let (mut reader, mut notes) = (DNS.reader().unwrap(), Notes::default());
        reader.read(&chunk(Transport::Udp, QUERY), &mut notes);
        assert_eq!(notes, Notes::default());
    }
}
