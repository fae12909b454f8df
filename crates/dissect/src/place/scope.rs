//! What an address is by its range: private, multicast, local, reserved, or another one wrapped.
//!
//! Source: the IANA special-purpose registries (RFC 6890) and the RFCs named at each range.
//! Promises: documentation (RFC 5737, RFC 3849) and benchmarking ranges (RFC 2544, RFC 5180) do not
//! count as local: emulated networks use them as if they were the internet.

use std::net::{IpAddr, Ipv4Addr};

/// The address to look up: IPv4 where an IPv6 address only wraps one, as IPv4-mapped addresses
/// (RFC 4291) and the NAT64 prefix `64:ff9b::/96` (RFC 6052) do.
pub(crate) fn unwrapped(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => match v6.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
            }
            _ => IpAddr::V6(v6),
        },
        v4 => v4,
    }
}

/// Whether the address is a host's on a network of its own: private (RFC 1918, RFC 4193), shared behind a
/// carrier's translation (RFC 6598, in which phones stand), link-local (RFC 3927, RFC 4291), loopback.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && b & 0xc0 == 64; // 100.64.0.0/10
            shared || v4.is_private() || v4.is_link_local() || v4.is_loopback()
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback(),
    }
}

/// Whether the address is that of many hosts at once: multicast or broadcast.
pub(crate) fn is_multicast(address: IpAddr) -> bool {
    address.is_multicast() || matches!(address, IpAddr::V4(v4) if v4.is_broadcast())
}

/// Whether the address never leaves its own network: private, multicast, unspecified, or deprecated as
/// site-local (RFC 3879).
pub(crate) fn is_local(address: IpAddr) -> bool {
    let others = match address {
        IpAddr::V4(v4) => v4.octets()[0] == 0, // RFC 1122: this network
        IpAddr::V6(v6) => v6.is_unspecified() || v6.segments()[0] & 0xffc0 == 0xfec0,
    };
    others || is_private(address) || is_multicast(address)
}

/// Whether the address is for benchmarking (RFC 2544, RFC 5180) or documentation (RFC 5737, RFC 3849,
/// RFC 9637): it stands nowhere, and what the embedded tables say of its range means nothing. Databases
/// that the user brings are asked all the same: an emulated network has a geography of its own.
pub(crate) fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_documentation() || a == 198 && b & 0xfe == 18
        }
        IpAddr::V6(v6) => {
            matches!(v6.segments(), [0x2001, 0x0db8, ..] | [0x2001, 2, 0, ..] | [0x3fff, 0..=0x0fff, ..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_end_where_their_rfc_says() {
        let local = "0.0.0.0 0.255.255.255 10.0.0.1 100.64.0.0 100.127.255.255 127.0.0.1 169.254.1.1
            172.16.0.0 172.31.255.255 192.168.0.1 224.0.0.251 239.255.255.255 255.255.255.255
            :: ::1 fc00::1 fdff::1 fe80::1 febf::1 fec0::1 ff02::fb";
        for text in local.split_whitespace() {
            assert!(is_local(address(text)), "{text}");
        }
        let routed = "1.0.0.0 9.255.255.255 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0
            192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 240.0.0.1 2001:2::1 2001:db8::1 fbff::1";
        for text in routed.split_whitespace() {
            assert!(!is_local(address(text)), "{text}");
        }
    }

    #[test]
    fn reserved_ranges_stand_nowhere() {
        for text in
            "198.18.0.1 198.19.255.255 192.0.2.1 203.0.113.9 2001:2::1 2001:2:0:60::71 2001:db8::1".split(' ')
        {
            assert!(is_reserved(address(text)), "{text}");
        }
        for text in "198.17.255.255 198.20.0.0 1.1.1.1 2001:2:1::1 2001:200::1 2001:0:2::1".split(' ') {
            assert!(!is_reserved(address(text)), "{text}");
        }
    }

    #[test]
    fn wrapped_addresses_are_unwrapped() {
        assert_eq!(unwrapped(address("::ffff:192.0.2.33")), address("192.0.2.33"));
        assert_eq!(unwrapped(address("64:ff9b::192.0.2.33")), address("192.0.2.33"));
        assert_eq!(unwrapped(address("64:ff9b:1::192.0.2.33")), address("64:ff9b:1::c000:221"));
    }
}
