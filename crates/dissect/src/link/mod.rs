//! Link layers: where the IP packet begins in a frame.
//!
//! For: each link type (LINKTYPE_* of tcpdump.org) that carries IP.
//! Promises: functions of borrowed bytes that lead inwards, layer by layer, to [`crate::ip`]; the
//! nesting is bounded by [`Path`].
//! To extend: a function here, or a file for a family of links, and one line in [`enter`].

mod apple;
mod ethernet;
mod ethertype;
mod linux;
mod mpls;
mod ppp;
mod span;
mod wireless;

#[cfg(test)]
mod tests;

use crate::ip::{self, Found};
use crate::packet::Undecoded;
use crate::packet::{Tunnel, Tunnels};

pub(crate) use ethernet::ethernet;
pub(crate) use ethertype::ethertype;
pub(crate) use ppp::ppp;
pub(crate) use span::Span;
pub(crate) use wireless::{dot11, dot11_in_either_order};

const ETHERNET: u32 = 1;

/// What a layer leads to.
pub(crate) type Outcome<'a> = Result<Found<'a>, Undecoded>;

/// The headers of a layer were cut short or contradict themselves.
pub(crate) const fn cut(what: &'static str) -> Undecoded {
    Undecoded::Malformed(what)
}

/// The way inwards so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Path {
    pub(crate) tunnels: Tunnels,
    /// Within a tunnel that only a port number suggests: an inner header that does not fit its
    /// envelope means that this is no tunnel.
    pub(crate) strict: bool,
    /// Link headers passed: frames can hold frames that no tunnel is named after.
    links: u8,
}

impl Path {
    /// The way with one more layer; refused when the nesting is deeper than [`Tunnels`] can note.
    #[inline]
    pub(crate) fn into(self, tunnel: Tunnel) -> Result<Self, Undecoded> {
        let mut tunnels = self.tunnels;
        if tunnels.push(tunnel) { Ok(Self { tunnels, ..self }) } else { Err(cut("layers nested too deep")) }
    }

    /// The way into what only a port number suggests.
    #[inline]
    pub(crate) fn strictly(self) -> Self {
        Self { strict: true, ..self }
    }

    /// The way past one more link header.
    #[inline]
    fn past_link(self) -> Result<Self, Undecoded> {
        const MAX_LINKS: u8 = 32;
        let links = self.links + 1;
        if links > MAX_LINKS { Err(cut("layers nested too deep")) } else { Ok(Self { links, ..self }) }
    }
}

/// Where IP begins in a frame that is Ethernet with nothing between, or IP alone.
#[inline(always)]
pub(crate) fn ip_at_once(link: u32, span: Span<'_>) -> Option<Span<'_>> {
    match link {
        ETHERNET => ethernet::ip_at_once(span),
        101 => Some(span),
        _ => None,
    }
}

/// Enters a frame of a link type.
#[inline(always)]
pub(crate) fn enter<'a>(link: u32, span: Span<'a>, path: Path) -> Outcome<'a> {
    if link == ETHERNET { ethernet(span, path) } else { enter_other(link, span, path) }
}

fn enter_other<'a>(link: u32, span: Span<'a>, path: Path) -> Outcome<'a> {
    match link {
        0 => null(span, path),
        // PPP, also in HDLC framing or with a direction byte before it.
        9 | 50 => ppp::framed(span, path),
        204 => ppp(skip::<1>(span, "PPP direction")?, path),
        51 => ppp::pppoe(span, path),
        104 => ppp::cisco_hdlc(span, path),
        107 => ppp::frame_relay(span, path),
        // Raw IP: as registered, and as systems numbered it.
        12 | 14 | 101 | 228 | 229 => ip::enter(span, path),
        105 => dot11(span, path),
        119 => wireless::prism(span, path),
        127 => wireless::radiotap(span, path),
        163 => wireless::avs(span, path),
        108 => loopback(span, path),
        113 => linux::cooked(span, path),
        276 => linux::cooked_v2(span, path),
        239 => linux::nflog(span, path),
        149 | 258 => apple::pktap(span, path),
        192 => wireless::ppi(span, path),
        other => Err(Undecoded::UnknownLink(other)),
    }
}

/// What follows `N` bytes.
fn skip<'a, const N: usize>(span: Span<'a>, what: &'static str) -> Result<Span<'a>, Undecoded> {
    span.split::<N>().map(|(_, rest)| rest).ok_or(cut(what))
}

/// BSD loopback: an address family in the byte order of the machine that captured.
fn null<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (family, rest) = span.split::<4>().ok_or(cut("loopback header"))?;
    let little = u32::from_le_bytes(*family);
    family_of(if little > 0xffff { u32::from_be_bytes(*family) } else { little }, rest, path)
}

/// OpenBSD loopback: an address family in network byte order.
fn loopback<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (family, rest) = span.split::<4>().ok_or(cut("loopback header"))?;
    family_of(u32::from_be_bytes(*family), rest, path)
}

/// IP by the number that a system gives to its address family.
fn family_of<'a>(family: u32, span: Span<'a>, path: Path) -> Outcome<'a> {
    match family {
        // AF_INET everywhere; AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin.
        2 | 10 | 23 | 24 | 28 | 30 => ip::enter(span, path),
        // Some write an EtherType instead.
        0x0600..=0xffff => ethertype(family as u16, span, path),
        _ => Err(Undecoded::NotIp),
    }
}
