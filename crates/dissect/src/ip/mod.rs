//! IPv4 and IPv6 headers, extension headers and fragments.
//!
//! For: leading from an IP header to the innermost packet, through tunnels where there are some.
//! Promises: functions of borrowed bytes; lengths that contradict each other are resolved in favour of
//! what was captured, or refused where a tunnel is only guessed ([`Path::strict`]).
//! To extend: transports in [`segment`], tunnels in [`crate::tunnel`].

pub(crate) mod fragment;
mod header;
mod segment;

#[cfg(test)]
pub(crate) mod tests;

use crate::link::{self, Outcome, Path, Span, cut};
use crate::packet::{Addresses, Segment, Tunnels};
use crate::tunnel;

pub(crate) use header::{v4, v6};

/// What a frame holds at its innermost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    Packet { addresses: Addresses, segment: Segment<'a>, tunnels: Tunnels },
    Fragment(Fragment<'a>),
}

/// A part of an IP packet; all of it was captured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment<'a> {
    pub(crate) addresses: Addresses,
    pub(crate) id: u32,
    /// What the whole packet's payload begins with.
    pub(crate) protocol: u8,
    /// Place in the whole payload, bytes.
    pub(crate) offset: u32,
    /// Others follow it.
    pub(crate) more: bool,
    pub(crate) bytes: &'a [u8],
    pub(crate) path: Path,
}

/// The packet of a frame that holds nothing but Ethernet, IP and TCP or UDP, as nearly all do: the same that
/// the long way inwards ([`crate::link::enter`]) leads to, in one stretch of code; nothing where that
/// way may lead elsewhere.
#[inline(always)]
pub(crate) fn straight<'a>(link: u32, span: Span<'a>) -> Option<(Addresses, Segment<'a>)> {
    header::straight(link::ip_at_once(link, span)?)
}

/// Enters a header of the version that its first bits tell.
#[inline(always)]
pub(crate) fn enter<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    match span.bytes.first().ok_or(cut("IP header"))? >> 4 {
        4 => v4(span, path),
        6 => v6(span, path),
        _ => Err(cut("IP version")),
    }
}

/// The innermost packet in a payload: behind a tunnel, where the protocol is one and holds IP, else
/// the payload itself.
#[inline(always)]
pub(crate) fn payload<'a>(addresses: Addresses, protocol: u8, span: Span<'a>, path: Path) -> Outcome<'a> {
    if let Some(inner) = tunnel::by_protocol(addresses, protocol, span, path) {
        return Ok(inner);
    }
    let segment = segment::segment(protocol, span);
    if let Segment::Udp { src_port, dst_port, payload, missing } = segment {
        let span = Span::partial(payload, missing);
        if let Some(inner) = tunnel::by_port(src_port, dst_port, span, path) {
            return Ok(inner);
        }
    }
    Ok(Found::Packet { addresses, segment, tunnels: path.tunnels })
}
