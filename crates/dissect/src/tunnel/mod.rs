//! Tunnels: packets within packets.
//!
//! For: GRE, IP in IP, 6in4, Teredo, VXLAN, Geneve, GTP-U, L2TP, CAPWAP. The innermost packet counts.
//! Promises: what holds no readable IP packet is no tunnel: then the outer packet counts. Those known
//! by a UDP port alone must fit their envelope to the byte.
//! To extend: a file with a function from payload to [`Outcome`], one line in [`by_protocol`] or
//! [`by_port`], and a name in [`Tunnel`].

mod capwap;
mod gre;
mod gtp;
mod l2tp;
mod overlay;
mod teredo;

#[cfg(test)]
mod tests;

use crate::ip::{self, Found};
use crate::link::{Outcome, Path, Span};
use crate::packet::{Addresses, Tunnel};

/// Protocol numbers (IANA).
const IP_IN_IP: u8 = 4;
const IP6_IN_IP: u8 = 41;
const GRE: u8 = 47;

/// The innermost packet within an IP protocol.
#[inline(always)]
pub(crate) fn by_protocol<'a>(
    outer: Addresses,
    protocol: u8,
    span: Span<'a>,
    path: Path,
) -> Option<Found<'a>> {
    match protocol {
        IP_IN_IP | IP6_IN_IP | GRE => enter(outer, protocol, span, path),
        _ => None,
    }
}

fn enter<'a>(outer: Addresses, protocol: u8, span: Span<'a>, path: Path) -> Option<Found<'a>> {
    match protocol {
        IP_IN_IP => path.into(Tunnel::IpInIp).and_then(|path| ip::v4(span, path)),
        IP6_IN_IP => {
            let tunnel = if outer.v6 { Tunnel::IpInIp } else { Tunnel::SixInFour };
            path.into(tunnel).and_then(|path| ip::v6(span, path))
        }
        GRE => path.into(Tunnel::Gre).and_then(|path| gre::gre(span, path)),
        _ => return None,
    }
    .ok()
}

/// The innermost packet within a UDP payload, where a port suggests a tunnel or the payload is one.
#[inline(always)]
pub(crate) fn by_port<'a>(src: u16, dst: u16, span: Span<'a>, path: Path) -> Option<Found<'a>> {
    let (tunnel, enter) = entrance(src, dst, span)?;
    enter(span, path.into(tunnel).ok()?.strictly()).ok()
}

/// The tunnel that a port suggests or a UDP payload looks like.
#[inline(always)]
pub(crate) fn entrance(src: u16, dst: u16, span: Span<'_>) -> Option<Entrance> {
    of_port(dst).or_else(|| of_port(src)).or_else(|| teredo::recognise(span))
}

/// A tunnel and how it is entered.
pub(crate) type Entrance = (Tunnel, for<'a> fn(Span<'a>, Path) -> Outcome<'a>);

#[inline]
fn of_port(port: u16) -> Option<Entrance> {
    Some(match port {
        1701 => (Tunnel::L2tp, l2tp::l2tp),
        2152 => (Tunnel::GtpU, gtp::gtp_u),
        3544 => (Tunnel::Teredo, teredo::teredo),
        5247 => (Tunnel::Capwap, capwap::data),
        // As registered, and as Linux had it before.
        4789 | 8472 => (Tunnel::Vxlan, overlay::vxlan),
        6081 => (Tunnel::Geneve, overlay::geneve),
        _ => return None,
    })
}
