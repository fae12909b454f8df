//! L2TP version 2 (RFC 2661): PPP over UDP.

use crate::link::{Outcome, Path, Span, cut, ppp};
use crate::packet::Undecoded;

/// A data message; control messages are the outer flow's own.
pub(super) fn l2tp<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    const CONTROL: u8 = 0x80;
    const LENGTH: u8 = 0x40;
    const SEQUENCE: u8 = 0x08;
    const OFFSET: u8 = 0x02;
    let ([flags, version], mut rest) = span.split::<2>().ok_or(cut("L2TP header"))?;
    if version & 0x0f != 2 || flags & CONTROL != 0 {
        return Err(Undecoded::NotIp);
    }
    // Tunnel and session, with the length before and the sequence numbers after them.
    let length = 4 + usize::from(flags & LENGTH != 0) * 2 + usize::from(flags & SEQUENCE != 0) * 4;
    rest = rest.after(length).ok_or(cut("L2TP header"))?;
    if flags & OFFSET != 0 {
        let (size, padded) = rest.split::<2>().ok_or(cut("L2TP offset"))?;
        rest = padded.after(usize::from(u16::from_be_bytes(*size))).ok_or(cut("L2TP offset"))?;
    }
    ppp(rest, path)
}
