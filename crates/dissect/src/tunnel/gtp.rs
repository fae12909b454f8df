//! GTP-U version 1 (3GPP TS 29.281): user packets of mobile networks.

use crate::ip;
use crate::link::{Outcome, Path, Span, cut};
use crate::packet::Undecoded;

/// A user packet (G-PDU) behind its optional fields and extension headers.
pub(super) fn gtp_u<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    const G_PDU: u8 = 255;
    let ([flags, kind, high, low, ..], rest) = span.split::<8>().ok_or(cut("GTP-U header"))?;
    // Version 1, protocol type GTP.
    if flags & 0xf0 != 0x30 || *kind != G_PDU {
        return Err(Undecoded::NotIp);
    }
    let length = u32::from(u16::from_be_bytes([*high, *low]));
    if length > rest.wire {
        return Err(cut("GTP-U length"));
    }
    let mut rest = rest.up_to(length);
    if flags & 0x07 != 0 {
        let ([.., next], fields) = rest.split::<4>().ok_or(cut("GTP-U options"))?;
        let mut next = *next;
        rest = fields;
        while next != 0 {
            // A length in words of four bytes, the content, and the next header's type.
            let words = usize::from(*rest.bytes.first().ok_or(cut("GTP-U extension"))?);
            let last = (words * 4).checked_sub(1).ok_or(cut("GTP-U extension"))?;
            next = *rest.bytes.get(last).ok_or(cut("GTP-U extension"))?;
            rest = rest.after(words * 4).ok_or(cut("GTP-U extension"))?;
        }
    }
    ip::enter(rest, path)
}
