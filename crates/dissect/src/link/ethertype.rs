//! What an EtherType announces: IP, or one more layer before it.

use super::{Outcome, Path, Span, cut, ethernet, mpls, ppp, skip};
use crate::decode::Undecoded;
use crate::ip;
use crate::packet::Tunnel;

/// Enters what follows an EtherType.
pub(crate) fn ethertype<'a>(kind: u16, span: Span<'a>, path: Path) -> Outcome<'a> {
    match kind {
        0x0800 => ip::v4(span, path),
        0x86dd => ip::v6(span, path),
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
