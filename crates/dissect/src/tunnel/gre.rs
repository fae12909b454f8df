//! GRE (RFC 2784, RFC 2890), its version for PPTP (RFC 2637), and mirrored Ethernet in it (ERSPAN).

use crate::link::{Outcome, Path, Span, cut, dot11, ethernet, ethertype, ppp};

/// Flags in the first byte.
const CHECKSUM: u8 = 0x80;
const ROUTING: u8 = 0x40;
const KEY: u8 = 0x20;
const SEQUENCE: u8 = 0x10;
/// Flag in the second byte, version 1.
const ACKNOWLEDGEMENT: u8 = 0x80;

/// From the flags on.
pub(super) fn gre<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let ([flags, second, high, low], rest) = span.split::<4>().ok_or(cut("GRE header"))?;
    let kind = u16::from_be_bytes([*high, *low]);
    let words = |bit: u8, byte: u8| usize::from(byte & bit != 0) * 4;
    match second & 0x07 {
        0 => {
            let options = words(CHECKSUM | ROUTING, *flags) + words(KEY, *flags) + words(SEQUENCE, *flags);
            let mut rest = rest.after(options).ok_or(cut("GRE options"))?;
            if flags & ROUTING != 0 {
                rest = without_routes(rest)?;
            }
            carried(kind, flags & SEQUENCE != 0, rest, path)
        }
        1 if kind == 0x880b => {
            let options = words(KEY, *flags) + words(SEQUENCE, *flags) + words(ACKNOWLEDGEMENT, *second);
            ppp(rest.after(options).ok_or(cut("GRE options"))?, path)
        }
        _ => Err(cut("GRE version")),
    }
}

/// Passes over source routes (RFC 1701): family, offset, length, until an empty one.
fn without_routes(mut span: Span<'_>) -> Result<Span<'_>, crate::packet::Undecoded> {
    loop {
        let ([_, _, _, length], rest) = span.split::<4>().ok_or(cut("GRE routes"))?;
        span = rest.after(usize::from(*length)).ok_or(cut("GRE routes"))?;
        if *length == 0 {
            return Ok(span);
        }
    }
}

fn carried<'a>(kind: u16, numbered: bool, span: Span<'a>, path: Path) -> Outcome<'a> {
    match kind {
        // ERSPAN I has no header of its own, II has eight bytes; only II is numbered.
        0x88be if numbered => ethernet(span.after(8).ok_or(cut("ERSPAN header"))?, path),
        0x88be => ethernet(span, path),
        // ERSPAN III: twelve bytes, eight more when the last bit says so.
        0x22eb => {
            let (header, rest) = span.split::<12>().ok_or(cut("ERSPAN header"))?;
            let platform = usize::from(header.last().is_some_and(|last| last & 1 != 0)) * 8;
            ethernet(rest.after(platform).ok_or(cut("ERSPAN header"))?, path)
        }
        // WCCP version 2 puts a redirect header before the IP packet.
        0x883e => match span.bytes.first().map(|first| first >> 4) {
            Some(4) => ethertype(0x0800, span, path),
            _ => ethertype(0x0800, span.after(4).ok_or(cut("WCCP header"))?, path),
        },
        0x880b => ppp(span, path),
        // Aruba's access points send 802.11 frames to their controller under these numbers.
        0x8200..=0x83ff if kind.is_multiple_of(0x10) => dot11(span, path),
        kind => ethertype(kind, span, path),
    }
}
