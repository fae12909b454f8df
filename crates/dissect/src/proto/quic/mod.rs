//! QUIC: recognised by long headers, read up to the ClientHello.
//!
//! For: the name that a client calls, and its JA4, in versions 1 and 2, the drafts from 22 on,
//! Facebook's mvfst, and Google's versions before TLS.
//! Promises: a `Yes` needs a version that exists and lengths that fit, or, where the version is
//! unknown, a datagram that is filled to the size of a client's first one and agrees in every
//! length. Short headers alone claim nothing: one fixed bit is no evidence.

pub(crate) mod decrypt;
mod frame;
mod google;
mod hello;
mod initial;
mod packet;
mod protection;
mod reader;
#[cfg(test)]
mod tests;
mod version;

pub(crate) use reader::QuicReader;

use super::cursor::{Cursor, u32s};
use super::{Dissector, Opening, Reader, Recognition};
use overheard_model::{Protocol, Transport, Visibility};
use packet::{Kind, Packet};

/// Smallest datagram that a client may send first (RFC 9000 §14.1).
const SMALLEST_FIRST: usize = 1200;

/// QUIC of the IETF and, before it, of Google.
#[derive(Debug)]
pub(crate) struct Quic;

impl Dissector for Quic {
    fn protocol(&self) -> Protocol {
        Protocol::Quic
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        if opening.transport != Transport::Udp {
            return Recognition::No;
        }
        let datagram = opening.latest();
        if is_datagram(datagram) {
            Recognition::Yes
        } else if may_be_short(datagram) {
            Recognition::Unsure
        } else {
            Recognition::No
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Udp
            && first.is_some_and(|first| first >= 0x40 || google::may_state_version(first))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Encrypted
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(QuicReader::default()))
    }
}

/// Whether a datagram is QUIC beyond doubt.
fn is_datagram(bytes: &[u8]) -> bool {
    if google::stated_version(bytes).is_some() {
        return true;
    }
    let mut cursor = Cursor(bytes);
    packet::next(&mut cursor).is_some_and(|first| match first.kind {
        Kind::Negotiation => is_negotiation(&first),
        _ if version::is_known(first.version) => is_known_packet(&first),
        _ => is_unknown_version(&first, bytes.len(), cursor.rest()),
    })
}

/// A server's list of versions, at least one of which is known.
fn is_negotiation(packet: &Packet<'_>) -> bool {
    let list = packet.bytes.get(packet.number_at..).unwrap_or_default();
    let known = |version| version::is_known(version) || version::is_google(version);
    list.len() % 4 == 0 && u32s(list).any(known)
}

fn is_known_packet(packet: &Packet<'_>) -> bool {
    const SHORTEST: usize = 20;
    packet.fixed_bit && packet.bytes.len() - packet.number_at + packet.missing >= SHORTEST
}

/// A client that asks for a version which does not exist, or not yet.
fn is_unknown_version(packet: &Packet<'_>, datagram: usize, rest: &[u8]) -> bool {
    const SHORTEST_FIRST_ID: usize = 8;
    let filled = datagram >= SMALLEST_FIRST && packet.missing == 0;
    let first = packet.kind == Kind::Initial && packet.fixed_bit && packet.dcid.len() >= SHORTEST_FIRST_ID;
    let to_the_end = rest.is_empty() || packet::next(&mut Cursor(rest)).is_some();
    filled && first && to_the_end
}

/// Whether it has the form of a packet in an established connection: more may show what it is.
fn may_be_short(bytes: &[u8]) -> bool {
    const SHORTEST: usize = 21;
    bytes.len() >= SHORTEST && bytes.first().is_some_and(|first| first & 0xc0 == 0x40)
}
