//! CAPWAP data (RFC 5415 §4.3, RFC 5416): what wireless access points carry to their controller.
//!
//! Refuses what DTLS encrypts, and fragments of frames, which are not put together.

use crate::link::{Outcome, Path, Span, cut, dot11_in_either_order, ethernet};
use crate::packet::Undecoded;

const NATIVE_FRAME: u32 = 0x100;
const FRAGMENT: u32 = 0x80;
/// The wireless binding of IEEE 802.11.
const DOT11: u32 = 1;

/// A header of as many words as it says, then an Ethernet frame, or an 802.11 frame where the header
/// says that the frame is the radio's own.
pub(super) fn data<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let ([preamble, high, middle, low, ..], _) = span.split::<8>().ok_or(cut("CAPWAP header"))?;
    let fields = u32::from_be_bytes([0, *high, *middle, *low]);
    let (words, binding) = ((fields >> 19) & 0x1f, (fields >> 9) & 0x1f);
    if *preamble != 0 || words < 2 || fields & FRAGMENT != 0 {
        return Err(Undecoded::NotIp);
    }
    let frame = span.after(words as usize * 4).ok_or(cut("CAPWAP header"))?;
    match (fields & NATIVE_FRAME != 0, binding) {
        (false, _) => ethernet(frame, path),
        (true, DOT11) => dot11_in_either_order(frame, path),
        (true, _) => Err(Undecoded::NotIp),
    }
}
