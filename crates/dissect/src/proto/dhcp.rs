//! DHCP for IPv4 (RFC 2131) and IPv6 (RFC 8415).

use super::cursor::Cursor;
use super::{Dissector, Opening, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Dhcp;

impl Dissector for Dhcp {
    fn protocol(&self) -> Protocol {
        Protocol::Dhcp
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let on = |ports: [u16; 2]| ports.iter().any(|&port| opening.on_port(port));
        let bytes = opening.latest();
        let known = (on([67, 68]) && is_bootp(bytes)) || (on([546, 547]) && is_dhcpv6(bytes));
        (opening.transport == Transport::Udp && known).into()
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Udp && matches!(first, Some(1..=13))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }
}

/// Request or reply, an address length that fits its field, then the fixed part of RFC 951.
fn is_bootp(bytes: &[u8]) -> bool {
    const FIXED: usize = 236;
    matches!(bytes, [1 | 2, _, 0..=16, ..]) && bytes.len() >= FIXED
}

/// A message type, a transaction, then options of which the first fits (RFC 8415 §8, §21.1). Relays
/// have two addresses first.
fn is_dhcpv6(bytes: &[u8]) -> bool {
    const RELAYED: usize = 34;
    let options = match bytes.first() {
        Some(1..=11) => bytes.get(4..),
        Some(12 | 13) => bytes.get(RELAYED..),
        _ => None,
    };
    match options {
        Some([]) => true,
        Some([_, _, length_and_value @ ..]) => Cursor(length_and_value).vector16().is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_part_or_the_first_option_must_fit() {
        let discover = [&[1, 1, 6, 0][..], &[0; 232]].concat();
        assert!(is_bootp(&discover));
        assert!(!is_bootp(&discover[..235]));
        assert!(is_dhcpv6(b"\x01\x10\x08\x74\x00\x01\x00\x02\xab\xcd"));
        assert!(!is_dhcpv6(b"\x01\x10\x08\x74\x00\x01\x00\x03\xab\xcd"));
        assert!(!is_dhcpv6(b"\x63\x10\x08\x74"));
    }
}
