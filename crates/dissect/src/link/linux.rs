//! What Linux records for its `any` device (SLL) and for firewall logs (NFLOG).

use super::ethernet::llc;
use super::{Outcome, Path, Span, cut, ethertype};
use crate::ip;
use crate::packet::Undecoded;

/// LINKTYPE_LINUX_SLL: 16 bytes that end with the protocol.
pub(super) fn cooked<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (header, rest) = span.split::<16>().ok_or(cut("SLL header"))?;
    let [_, _, device_high, device_low, .., high, low] = header;
    let device = u16::from_be_bytes([*device_high, *device_low]);
    protocol(u16::from_be_bytes([*high, *low]), device, rest, path)
}

/// LINKTYPE_LINUX_SLL2: 20 bytes that begin with the protocol.
pub(super) fn cooked_v2<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (header, rest) = span.split::<20>().ok_or(cut("SLL2 header"))?;
    let [high, low, _, _, _, _, _, _, device_high, device_low, ..] = header;
    let device = u16::from_be_bytes([*device_high, *device_low]);
    protocol(u16::from_be_bytes([*high, *low]), device, rest, path)
}

/// The protocol field: what it means depends on the kind of device (ARPHRD_*).
fn protocol<'a>(protocol: u16, device: u16, span: Span<'a>, path: Path) -> Outcome<'a> {
    const ARPHRD_NETLINK: u16 = 824;
    const ETH_P_802_2: u16 = 4;
    match (device, protocol) {
        (ARPHRD_NETLINK, _) => Err(Undecoded::NotIp),
        (_, ETH_P_802_2) => llc(span, path),
        _ => ethertype(protocol, span, path),
    }
}

/// LINKTYPE_NFLOG: attributes in the byte order of the machine, one of which holds the IP packet.
pub(super) fn nflog<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    const NFULA_PAYLOAD: u16 = 9;
    let ([_family, version, _, _], mut rest) = span.split::<4>().ok_or(cut("NFLOG header"))?;
    if *version != 0 {
        return Err(Undecoded::NotIp);
    }
    while let Some(([a, b, c, d], value)) = rest.split::<4>() {
        // Lengths count their header. Nearly every machine is little-endian; in the other order such
        // a length would reach past any packet.
        let little = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
        let big = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
        let (length, kind) = if u32::from(little.0) <= rest.wire { little } else { big };
        let length = u32::from(length).checked_sub(4).ok_or(cut("NFLOG attribute"))?;
        if kind & 0x7fff == NFULA_PAYLOAD {
            return ip::enter(value.up_to(length), path);
        }
        rest = value.after(length.next_multiple_of(4) as usize).ok_or(cut("NFLOG attribute"))?;
    }
    Err(Undecoded::NotIp)
}
