//! IEEE 802.11 data frames, and the headers that capture tools put before them.

use super::ethernet::llc;
use super::{Outcome, Path, Span, cut, enter};
use crate::packet::Undecoded;

/// A frame from its frame control on. Encrypted ones are [`Undecoded::NotIp`].
pub(crate) fn dot11<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let ([control, flags], _) = span.split::<2>().ok_or(cut("802.11 header"))?;
    body([*control, *flags], span, false, path)
}

/// The same where the sender may have written the frame control low byte last, as access points of
/// Cisco's do: a data frame has neither version nor other type in its first byte.
pub(crate) fn dot11_in_either_order<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    const DATA_OF_VERSION_0: u8 = 0x08;
    let ([first, second], _) = span.split::<2>().ok_or(cut("802.11 header"))?;
    match first & 0x0f {
        DATA_OF_VERSION_0 => dot11(span, path),
        _ => body([*second, *first], span, false, path),
    }
}

/// A data frame's LLC, after a header that is padded to four bytes where the adapter does so.
fn body<'a>([control, flags]: [u8; 2], span: Span<'a>, padded: bool, path: Path) -> Outcome<'a> {
    const DATA: u8 = 2;
    let (kind, subtype) = ((control >> 2) & 3, control >> 4);
    let (quality, empty) = (subtype & 8 != 0, subtype & 4 != 0);
    let (both_systems, encrypted, ordered) = (flags & 3 == 3, flags & 0x40 != 0, flags & 0x80 != 0);
    if kind != DATA || empty || encrypted {
        return Err(Undecoded::NotIp);
    }
    let addresses = if both_systems { 30 } else { 24 };
    let control_at = addresses;
    let mut length = addresses;
    if quality {
        length += if ordered { 6 } else { 2 };
    }
    if padded {
        length = usize::next_multiple_of(length, 4);
    }
    let rest = span.after(length).ok_or(cut("802.11 header"))?;
    let aggregated = quality && span.bytes.get(control_at).is_some_and(|control| control & 0x80 != 0);
    if aggregated {
        // The first subframe: two addresses and a length.
        let (header, rest) = rest.split::<14>().ok_or(cut("A-MSDU header"))?;
        let [.., high, low] = header;
        return llc(rest.up_to(u32::from(u16::from_be_bytes([*high, *low]))), path);
    }
    llc(rest, path)
}

/// Radiotap (radiotap.org): of its fields only the flags matter, which say whether the header of the
/// frame is padded.
pub(super) fn radiotap<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    const PADDED: u8 = 0x20;
    let ([_, _, low, high], _) = span.split::<4>().ok_or(cut("radiotap header"))?;
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    let frame = span.after(length).ok_or(cut("radiotap header"))?;
    let header = span.bytes.get(..length).unwrap_or_default();
    let padded = radiotap_flags(header).is_some_and(|flags| flags & PADDED != 0);
    let ([control, flags], _) = frame.split::<2>().ok_or(cut("802.11 header"))?;
    body([*control, *flags], frame, padded, path)
}

/// The flags field, where the header has one: after the bitmaps and the time stamp.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    const TIME: u32 = 1;
    const FLAGS: u32 = 2;
    const MORE: u32 = 1 << 31;
    let word = |at: usize| Some(u32::from_le_bytes(*header.get(at..)?.first_chunk()?));
    let present = word(4)?;
    let mut at = 8;
    let mut bitmap = present;
    while bitmap & MORE != 0 {
        bitmap = word(at)?;
        at += 4;
    }
    if present & TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    if present & FLAGS != 0 { header.get(at).copied() } else { None }
}

/// Prism: a message length at offset 4 in the byte order of the machine; some drivers write the
/// header of AVS under this link type.
pub(super) fn prism<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let ([a, b, c, _, e, f, g, h], _) = span.split::<8>().ok_or(cut("Prism header"))?;
    if [*a, *b, *c] == [0x80, 0x21, 0x10] {
        return avs(span, path);
    }
    let length = [*e, *f, *g, *h];
    let length = u32::from_le_bytes(length).min(u32::from_be_bytes(length));
    dot11(span.after(length as usize).ok_or(cut("Prism header"))?, path)
}

/// AVS: a length at offset 4 in network byte order.
pub(super) fn avs<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let ([_, _, _, _, e, f, g, h], _) = span.split::<8>().ok_or(cut("AVS header"))?;
    let length = u32::from_be_bytes([*e, *f, *g, *h]);
    dot11(span.after(length as usize).ok_or(cut("AVS header"))?, path)
}

/// Per-Packet Information: a length and the link type within, little-endian.
pub(super) fn ppi<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let ([_, _, low, high, a, b, c, d], _) = span.split::<8>().ok_or(cut("PPI header"))?;
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    let link = u32::from_le_bytes([*a, *b, *c, *d]);
    if matches!(link, 149 | 192 | 258) {
        return Err(Undecoded::NotIp);
    }
    enter(link, span.after(length).ok_or(cut("PPI header"))?, path)
}
