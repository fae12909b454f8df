//! What an EtherType announces: IP, or one more layer before it.

use super::{Outcome, Path, Span, cut, ethernet, mpls, ppp, skip};
use crate::ip;
use crate::packet::Tunnel;
use crate::packet::Undecoded;

/// Enters what follows an EtherType.
#[inline(always)]
pub(crate) fn ethertype<'a>(kind: u16, span: Span<'a>, path: Path) -> Outcome<'a> {
    match kind {
        // The version counts: some senders mix the two types up.
        0x0800 | 0x86dd => ip::enter(span, path),
        _ => one_more_layer(kind, span, path),
    }
}

fn one_more_layer<'a>(kind: u16, span: Span<'a>, path: Path) -> Outcome<'a> {
    match kind {
        // IEEE 802.1Q, 802.1ad, and what came before 802.1ad.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => {
            tagged(skip::<2>(span, "VLAN tag")?, path.into(Tunnel::Vlan)?)
        }
        // VN-Tag (IEEE 802.1BR as drafted).
        0x8926 => tagged(skip::<4>(span, "VN tag")?, path.into(Tunnel::Vlan)?),
        // IEEE 802.1ah: a whole frame within.
        0x88e7 => ethernet(skip::<4>(span, "802.1ah tag")?, path.into(Tunnel::Vlan)?),
        0x8847 | 0x8848 => mpls::mpls(span, path.into(Tunnel::Mpls)?),
        0x8864 => ppp::pppoe(span, path),
        // IEEE 802.1AE, where it protects without encrypting.
        0x88e5 => secured(span, path),
        // Transparent Ethernet bridging, and Cisco FabricPath, whose tag ends with two bytes here.
        0x6558 => ethernet(span, path),
        0x8903 => ethernet(skip::<2>(span, "FabricPath tag")?, path),
        // LLC in frames longer than 802.3 allows.
        0x8870 => super::ethernet::llc(span, path.past_link()?),
        _ => Err(Undecoded::NotIp),
    }
}

/// The type or length behind a tag.
fn tagged<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    if span.bytes.len() < 2 {
        return Err(cut("VLAN tag"));
    }
    super::ethernet::typed(span, path)
}

/// Behind a security tag: control bits, short length, packet number, and a channel where it says so.
fn secured<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    const CHANNEL: u8 = 0x20;
    const ENCRYPTED_OR_CHANGED: u8 = 0x0c;
    let ([control, ..], rest) = span.split::<6>().ok_or(cut("802.1AE tag"))?;
    if control & ENCRYPTED_OR_CHANGED != 0 {
        return Err(Undecoded::NotIp);
    }
    let channel = if control & CHANNEL != 0 { 8 } else { 0 };
    super::ethernet::typed(rest.after(channel).ok_or(cut("802.1AE channel"))?, path.past_link()?)
}
