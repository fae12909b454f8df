//! Apple's PKTAP, which macOS and iOS record with the process and then the frame of its own link.

use super::{Outcome, Path, Span, cut, enter};
use crate::packet::Undecoded;

/// LINKTYPE_PKTAP: a little-endian header that tells its length and the link within.
pub(super) fn pktap<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    const PACKET: u32 = 1;
    let (header, _) = span.split::<12>().ok_or(cut("PKTAP header"))?;
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *header;
    let length = u32::from_le_bytes([a, b, c, d]);
    let kind = u32::from_le_bytes([e, f, g, h]);
    let link = u32::from_le_bytes([i, j, k, l]);
    if kind != PACKET || matches!(link, 149 | 192 | 258) {
        return Err(Undecoded::NotIp);
    }
    enter(link, span.after(length as usize).ok_or(cut("PKTAP header"))?, path)
}
