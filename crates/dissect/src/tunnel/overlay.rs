//! Virtual networks over UDP: VXLAN (RFC 7348) and Geneve (RFC 8926).

use crate::link::{Outcome, Path, Span, cut, ethernet, ethertype};
use crate::packet::Undecoded;

/// VXLAN: a flag that the network number is valid, and an Ethernet frame after eight bytes.
pub(super) fn vxlan<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let ([flags, ..], rest) = span.split::<8>().ok_or(cut("VXLAN header"))?;
    if flags & 0x08 == 0 {
        return Err(Undecoded::NotIp);
    }
    ethernet(rest, path)
}

/// Geneve: version 0, options in words of four bytes, then what the EtherType says.
pub(super) fn geneve<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let ([version, _, high, low, _, _, _, reserved], rest) = span.split::<8>().ok_or(cut("Geneve header"))?;
    if version >> 6 != 0 || *reserved != 0 {
        return Err(Undecoded::NotIp);
    }
    let options = usize::from(version & 0x3f) * 4;
    ethertype(u16::from_be_bytes([*high, *low]), rest.after(options).ok_or(cut("Geneve options"))?, path)
}
