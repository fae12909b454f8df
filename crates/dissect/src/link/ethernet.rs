//! Ethernet: II (RFC 894) and IEEE 802.3 with LLC and SNAP (RFC 1042).

use super::{Outcome, Path, Span, cut, ethertype};
use crate::ip;
use crate::packet::Undecoded;

/// Values below are lengths, not types.
const FIRST_TYPE: u16 = 0x0600;

/// A frame from its destination address on.
#[inline(always)]
pub(crate) fn ethernet<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (addresses, rest) = span.split::<12>().ok_or(cut("Ethernet header"))?;
    if is_isl(addresses) {
        return Err(Undecoded::NotIp);
    }
    typed(rest, path.past_link()?)
}

/// Cisco ISL puts a header of 26 bytes before the frame, known by its destination.
#[inline(always)]
fn is_isl(addresses: &[u8; 12]) -> bool {
    matches!(addresses, [0x01 | 0x03, 0x00, 0x0c, 0x00, 0x00, ..])
}

/// The IP packet of a frame that says to hold one.
#[inline(always)]
pub(super) fn ip_at_once(span: Span<'_>) -> Option<Span<'_>> {
    let (addresses, rest) = span.split::<12>()?;
    let (kind, rest) = rest.split::<2>()?;
    (matches!(kind, [0x08, 0x00] | [0x86, 0xdd]) && !is_isl(addresses)).then_some(rest)
}

/// From the type or length on.
#[inline(always)]
pub(super) fn typed<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (kind, rest) = span.split::<2>().ok_or(cut("Ethernet type"))?;
    match u16::from_be_bytes(*kind) {
        length @ ..FIRST_TYPE => llc(rest.up_to(u32::from(length)), path),
        kind => ethertype(kind, rest, path),
    }
}

/// IEEE 802.2: IP by its own access point or, with SNAP, by its EtherType.
pub(super) fn llc<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (header, rest) = span.split::<3>().ok_or(cut("LLC header"))?;
    match header {
        [0xaa, 0xaa, 0x03] => {
            let (snap, rest) = rest.split::<5>().ok_or(cut("SNAP header"))?;
            match snap {
                // RFC 1042 and IEEE 802.1H.
                [0x00, 0x00, 0x00 | 0xf8, high, low] => {
                    ethertype(u16::from_be_bytes([*high, *low]), rest, path)
                }
                // Bridged Ethernet (RFC 2684), with or without its check sequence.
                [0x00, 0x80, 0xc2, 0x00, 0x01 | 0x07] => super::ethernet(rest, path),
                _ => Err(Undecoded::NotIp),
            }
        }
        [0x06, 0x06, 0x03] => ip::enter(rest, path),
        _ => Err(Undecoded::NotIp),
    }
}
