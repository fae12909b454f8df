//! Long-header packets, several of which may share a datagram.
//!
//! Sources: RFC 9000 §12.2 and §17.2, RFC 8999 (what holds in every version).
//! Promises: nothing where a connection identifier is longer than 20 bytes or the packet does not
//! reach its own fields. A packet that the capture cut off is as long as what came.

use super::super::cursor::Cursor;
use super::version;

/// What a long-header packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Negotiation,
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

/// One packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    pub(crate) kind: Kind,
    pub(crate) version: u32,
    /// The fixed bit is set, as it must be in a conversation's first packets.
    pub(crate) fixed_bit: bool,
    pub(crate) dcid: &'a [u8],
    /// By which packets are to come back.
    pub(crate) scid: &'a [u8],
    /// From the first byte of the header to the packet's end.
    pub(crate) bytes: &'a [u8],
    /// Where, in `bytes`, the packet number lies; for Negotiation and Retry, what follows the
    /// connection identifiers.
    pub(crate) number_at: usize,
    /// Bytes that the length field promises beyond the datagram.
    pub(crate) missing: usize,
}

/// Takes the next packet of a datagram.
pub(crate) fn next<'a>(datagram: &mut Cursor<'a>) -> Option<Packet<'a>> {
    const LONGEST_ID: usize = 20;
    let all = datagram.rest();
    let mut cursor = *datagram;
    let first = cursor.u8().filter(|first| first & 0x80 != 0)?;
    let version = cursor.u32()?;
    let dcid = cursor.vector8()?;
    let scid = cursor.vector8()?;
    if dcid.len().max(scid.len()) > LONGEST_ID {
        return None;
    }
    let kind = kind(first, version);
    if kind == Kind::Initial {
        let _token = cursor.vector()?;
    }
    let length = match kind {
        Kind::Negotiation | Kind::Retry => cursor.rest().len(),
        _ => usize::try_from(cursor.varint()?).ok()?,
    };
    let number_at = all.len() - cursor.rest().len();
    let here = cursor.take_up_to(length).len();
    *datagram = cursor;
    let bytes = all.get(..number_at + here)?;
    Some(Packet {
        kind,
        version,
        fixed_bit: first & 0x40 != 0,
        dcid,
        scid,
        bytes,
        number_at,
        missing: length - here,
    })
}

fn kind(first: u8, version: u32) -> Kind {
    if version == 0 {
        return Kind::Negotiation;
    }
    let shift = u8::from(version::numbers_types_as_v2(version));
    match ((first >> 4) & 3).wrapping_sub(shift) & 3 {
        0 => Kind::Initial,
        1 => Kind::ZeroRtt,
        2 => Kind::Handshake,
        _ => Kind::Retry,
    }
}
