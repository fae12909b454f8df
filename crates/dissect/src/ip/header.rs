//! The headers themselves: IPv4 (RFC 791), IPv6 (RFC 8200) and its extension headers.

use super::{Found, Fragment, payload, segment};
use crate::link::{Outcome, Path, Span, cut};
use crate::packet::{Addresses, Segment, Undecoded};
use overheard_model::Transport;

/// Protocol numbers of extension headers, and of what most often follows (IANA).
mod number {
    pub(super) const TCP: u8 = 6;
    pub(super) const UDP: u8 = 17;
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    /// Authentication Header (RFC 4302), also in IPv4.
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const NO_NEXT_HEADER: u8 = 59;
    pub(super) const DESTINATION_OPTIONS: u8 = 60;
    pub(super) const MOBILITY: u8 = 135;
    pub(super) const HIP: u8 = 139;
    pub(super) const SHIM6: u8 = 140;
}

/// What an IPv4 header says.
struct V4<'a> {
    addresses: Addresses,
    protocol: u8,
    body: Span<'a>,
    id: u16,
    /// Place in the whole payload, bytes, and whether others follow; both zero where it is whole.
    place: (u32, bool),
}

impl<'a> V4<'a> {
    #[inline(always)]
    fn read(span: Span<'a>, strict: bool) -> Result<Self, Undecoded> {
        let (header, _) = span.split::<20>().ok_or(cut("IPv4 header"))?;
        let [first, _, total_high, total_low, id_high, id_low, flags, offset, _, protocol, ..] = *header;
        let [.., s0, s1, s2, s3, d0, d1, d2, d3] = *header;
        let header_length = u32::from(first & 0x0f) * 4;
        if first >> 4 != 4 || header_length < 20 {
            return Err(cut("IPv4 version or header length"));
        }
        // Segmentation offload leaves the total length zero: the packet is what there is.
        let total = match u32::from(u16::from_be_bytes([total_high, total_low])) {
            0 if !strict => span.wire,
            total => total,
        };
        if total < header_length || strict && total > span.wire {
            return Err(cut("IPv4 total length"));
        }
        Ok(Self {
            addresses: Addresses::v4([s0, s1, s2, s3], [d0, d1, d2, d3]),
            protocol,
            body: span.up_to(total).after(header_length as usize).ok_or(cut("IPv4 options"))?,
            id: u16::from_be_bytes([id_high, id_low]),
            place: (u32::from(u16::from_be_bytes([flags & 0x1f, offset])) * 8, flags & 0x20 != 0),
        })
    }
}

/// What an IPv6 header says: addresses, the protocol that follows, and all that does.
#[inline(always)]
fn read_v6(span: Span<'_>, strict: bool) -> Result<(Addresses, u8, Span<'_>), Undecoded> {
    let (header, rest) = span.split::<40>().ok_or(cut("IPv6 header"))?;
    let [first, _, _, _, high, low, next, _, addresses @ ..] = header;
    if first >> 4 != 6 {
        return Err(cut("IPv6 version"));
    }
    // Zero for jumbograms (RFC 2675) and segmentation offload.
    let length = match u32::from(u16::from_be_bytes([*high, *low])) {
        0 if !strict => rest.wire,
        length => length,
    };
    if strict && length > rest.wire {
        return Err(cut("IPv6 payload length"));
    }
    let (src, dst) = addresses.first_chunk().zip(addresses.last_chunk()).ok_or(cut("IPv6 header"))?;
    Ok((Addresses::v6(*src, *dst), *next, rest.up_to(length)))
}

/// Enters an IPv4 packet.
#[inline(always)]
pub(crate) fn v4<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let V4 { addresses, protocol, body, id, place } = V4::read(span, path.strict)?;
    if place == (0, false) {
        return upper(addresses, protocol, body, path);
    }
    fragment(addresses, u32::from(id), protocol, place, body, path)
}

/// Enters an IPv6 packet.
#[inline]
pub(crate) fn v6<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (addresses, next, body) = read_v6(span, path.strict)?;
    upper(addresses, next, body, path)
}

/// The TCP segment or datagram of a whole packet, where nothing lies between, and no tunnel within.
#[inline(always)]
pub(super) fn straight(span: Span<'_>) -> Option<(Addresses, Segment<'_>)> {
    let (addresses, protocol, body) = match span.bytes.first()? >> 4 {
        4 => {
            let V4 { addresses, protocol, body, place, .. } = V4::read(span, false).ok()?;
            (place == (0, false)).then_some((addresses, protocol, body))?
        }
        6 => read_v6(span, false).ok()?,
        _ => return None,
    };
    let segment = match protocol {
        number::TCP => segment::tcp(body)?,
        number::UDP => segment::untunnelled_udp(body)?,
        _ => return None,
    };
    Some((addresses, segment))
}

/// Passes over extension headers to the payload.
#[inline(always)]
pub(crate) fn upper<'a>(addresses: Addresses, mut next: u8, mut span: Span<'a>, path: Path) -> Outcome<'a> {
    let six = addresses.v6;
    loop {
        let length = match (next, span.bytes) {
            (number::TCP | number::UDP, _) => break,
            (number::AUTHENTICATION, [_, length, ..]) => (usize::from(*length) + 2) * 4,
            (number::FRAGMENT, [inner, _, high, low, id @ ..]) if six => {
                let Some(id) = id.first_chunk() else { break };
                let offset = u16::from_be_bytes([*high, *low]);
                let (place, more) = (u32::from(offset & !7), offset & 1 != 0);
                if place != 0 || more {
                    let body = span.after(8).ok_or(cut("fragment header"))?;
                    let id = u32::from_be_bytes(*id);
                    return fragment(addresses, id, *inner, (place, more), body, path);
                }
                8
            }
            (
                number::HOP_BY_HOP
                | number::ROUTING
                | number::DESTINATION_OPTIONS
                | number::MOBILITY
                | number::HIP
                | number::SHIM6,
                [_, length, ..],
            ) if six => (usize::from(*length) + 1) * 8,
            _ => break,
        };
        let Some((inner, rest)) = span.bytes.first().zip(span.after(length)) else { break };
        // A header that is a message of its own, when nothing follows, is what the packet carries.
        let message = matches!(next, number::MOBILITY | number::HIP | number::SHIM6);
        if message && *inner == number::NO_NEXT_HEADER {
            break;
        }
        (next, span) = (*inner, rest);
    }
    payload(addresses, next, span, path)
}

/// A fragment to keep. One that was cut short cannot be put together: the first still shows its
/// ports, the others nothing.
fn fragment<'a>(
    addresses: Addresses,
    id: u32,
    protocol: u8,
    (offset, more): (u32, bool),
    span: Span<'a>,
    path: Path,
) -> Outcome<'a> {
    if span.missing() == 0 {
        let bytes = span.bytes;
        return Ok(Found::Fragment(Fragment { addresses, id, protocol, offset, more, bytes, path }));
    }
    if offset == 0 {
        return upper(addresses, protocol, span, path);
    }
    let segment = Segment::Other { transport: Transport::from(protocol) };
    Ok(Found::Packet { addresses, segment, tunnels: path.tunnels })
}
