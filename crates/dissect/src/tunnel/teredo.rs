//! Teredo (RFC 4380, RFC 6081): IPv6 over UDP across address translation.

use super::Entrance;
use crate::ip;
use crate::link::{Outcome, Path, Span, cut};
use crate::packet::Tunnel;

/// A packet with its optional headers. Trailers may follow it (RFC 6081), never a part of it be
/// missing: `strict` sees to that.
pub(super) fn teredo<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    ip::v6(without_headers(span).ok_or(cut("Teredo headers"))?, path)
}

/// Behind authentication and then origin, where they are there.
fn without_headers(mut span: Span<'_>) -> Option<Span<'_>> {
    if let [0x00, 0x01, id_length, value_length, ..] = span.bytes {
        // Four bytes, both values, a nonce of eight and the confirmation.
        let length = 13 + usize::from(*id_length) + usize::from(*value_length);
        span = span.after(length)?;
    }
    if let [0x00, 0x00, ..] = span.bytes { span.after(8) } else { Some(span) }
}

/// Teredo between clients, on any port: an IPv6 packet that fills the payload to the byte, with a
/// Teredo address (RFC 4380 §2.6) at one end at least.
#[inline]
pub(super) fn recognise(span: Span<'_>) -> Option<Entrance> {
    const PREFIX: &[u8] = &[0x20, 0x01, 0, 0];
    if !matches!(span.bytes, [0x60..=0x6f, ..] | [0x00, 0x00 | 0x01, ..]) {
        return None;
    }
    let packet = without_headers(span)?;
    let header: &[u8; 40] = packet.bytes.first_chunk()?;
    let length = 40 + u32::from(u16::from_be_bytes([header[4], header[5]]));
    let between = header[8..].starts_with(PREFIX) || header[24..].starts_with(PREFIX);
    (header[0] >> 4 == 6 && length == packet.wire && between).then_some((Tunnel::Teredo, teredo))
}
