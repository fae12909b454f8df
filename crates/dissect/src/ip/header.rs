//! The headers themselves: IPv4 (RFC 791), IPv6 (RFC 8200) and its extension headers.

use super::{Found, Fragment, payload};
use crate::link::{Outcome, Path, Span, cut};
use crate::packet::{Addresses, Segment};
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

/// Enters an IPv4 packet.
#[inline(always)]
pub(crate) fn v4<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (header, _) = span.split::<20>().ok_or(cut("IPv4 header"))?;
    let [first, _, total_high, total_low, id_high, id_low, flags, offset, _, protocol, ..] = *header;
    let [.., s0, s1, s2, s3, d0, d1, d2, d3] = *header;
    let header_length = u32::from(first & 0x0f) * 4;
    if first >> 4 != 4 || header_length < 20 {
        return Err(cut("IPv4 version or header length"));
    }
    // Segmentation offload leaves the total length zero: the packet is what there is.
    let total = match u32::from(u16::from_be_bytes([total_high, total_low])) {
        0 if !path.strict => span.wire,
        total => total,
    };
    if total < header_length || path.strict && total > span.wire {
        return Err(cut("IPv4 total length"));
    }
    let addresses = Addresses::v4([s0, s1, s2, s3], [d0, d1, d2, d3]);
    let body = span.up_to(total).after(header_length as usize).ok_or(cut("IPv4 options"))?;
    let more = flags & 0x20 != 0;
    let place = u32::from(u16::from_be_bytes([flags & 0x1f, offset])) * 8;
    if !more && place == 0 {
        return upper(addresses, protocol, body, path);
    }
    let id = u32::from(u16::from_be_bytes([id_high, id_low]));
    fragment(addresses, id, protocol, (place, more), body, path)
}

/// Enters an IPv6 packet.
#[inline]
pub(crate) fn v6<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (header, rest) = span.split::<40>().ok_or(cut("IPv6 header"))?;
    let [first, _, _, _, high, low, next, _, addresses @ ..] = header;
    if first >> 4 != 6 {
        return Err(cut("IPv6 version"));
    }
    // Zero for jumbograms (RFC 2675) and segmentation offload.
    let length = match u32::from(u16::from_be_bytes([*high, *low])) {
        0 if !path.strict => rest.wire,
        length => length,
    };
    if path.strict && length > rest.wire {
        return Err(cut("IPv6 payload length"));
    }
    let (src, dst) = addresses.first_chunk().zip(addresses.last_chunk()).ok_or(cut("IPv6 header"))?;
    upper(Addresses::v6(*src, *dst), *next, rest.up_to(length), path)
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
