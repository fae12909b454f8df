//! MPLS label stacks (RFC 3032): nothing names what they carry, so its first bits have to tell.

use super::{Outcome, Path, Span, cut, ethernet};
use crate::ip;
use crate::packet::Undecoded;

/// Stacks are not deeper than this.
const MAX_LABELS: usize = 16;

/// From the first label on.
pub(super) fn mpls<'a>(mut span: Span<'a>, path: Path) -> Outcome<'a> {
    for _ in 0..MAX_LABELS {
        let ([_, _, label, _], rest) = span.split::<4>().ok_or(cut("MPLS label"))?;
        span = rest;
        if label & 1 != 0 {
            return carried(span, path);
        }
    }
    Err(cut("MPLS labels without a last one"))
}

/// What follows the last label, by its first four bits (RFC 4928).
fn carried<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    match span.bytes.first().ok_or(cut("MPLS payload"))? >> 4 {
        4 => ip::v4(span, path),
        6 => ip::v6(span, path),
        // A pseudowire's control word (RFC 4385) and the Ethernet frame behind it.
        0 => {
            let (_, frame) = span.split::<4>().ok_or(cut("MPLS control word"))?;
            ethernet(frame, path).or_else(|_| ethernet(span, path))
        }
        // A channel associated with the pseudowire: maintenance.
        1 => Err(Undecoded::NotIp),
        _ => ethernet(span, path),
    }
}
