//! Teredo (RFC 4380, RFC 6081): IPv6 over UDP across address translation.

use crate::ip;
use crate::link::{Outcome, Path, Span, cut};

/// A packet with its optional headers: authentication first, then origin.
pub(super) fn teredo<'a>(mut span: Span<'a>, path: Path) -> Outcome<'a> {
    if let [0x00, 0x01, id_length, value_length, ..] = span.bytes {
        // Four bytes, both values, a nonce of eight and the confirmation.
        let length = 13 + usize::from(*id_length) + usize::from(*value_length);
        span = span.after(length).ok_or(cut("Teredo authentication"))?;
    }
    if let [0x00, 0x00, ..] = span.bytes {
        span = span.after(8).ok_or(cut("Teredo origin"))?;
    }
    // Trailers may follow the packet (RFC 6081), never a part of it be missing: `strict` sees to that.
    ip::v6(span, path)
}
