//! Community ID v1: one name for a flow across tools.
//!
//! Source: the Community ID flow hashing specification (github.com/corelight/community-id-spec):
//! SHA-1 over seed, addresses, protocol, padding and ports, the lower end first; base64 after `1:`.

use super::key::{End, Key};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::net::IpAddr;

/// The Community ID with seed 0. `src` is the end whose message types come first where ICMP gives a
/// flow only one direction.
pub(super) fn community_id(key: &Key, src: End) -> String {
    let one_way = matches!(key.community_ports(src), Some((_, true)));
    let first = if one_way { src } else { End::Low };
    let mut bytes = vec![0, 0];
    for end in [first, first.other()] {
        match key.address(end) {
            IpAddr::V4(v4) => bytes.extend(v4.octets()),
            IpAddr::V6(v6) => bytes.extend(v6.octets()),
        }
    }
    bytes.extend([key.transport().number(), 0]);
    for end in [first, first.other()] {
        if let Some((port, _)) = key.community_ports(end) {
            bytes.extend(port.to_be_bytes());
        }
    }
    format!("1:{}", base64(digest(&SHA1_FOR_LEGACY_USE_ONLY, &bytes).as_ref()))
}

/// Base64 with padding (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | u32::from(*group.get(i).unwrap_or(&0)));
        for digit in 0..4 {
            let sextet = bits >> (18 - 6 * digit) & 63;
            let shown = digit <= group.len();
            text.push(if shown { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Addresses, Packet, Segment, Tunnels};
    use overheard_model::{Timestamp, Transport};

    fn id(src: &str, dst: &str, segment: Segment<'_>) -> String {
        let packet = Packet {
            number: 1,
            time: Timestamp(0),
            addresses: Addresses::of(src.parse().unwrap(), dst.parse().unwrap()).unwrap(),
            segment,
            frames: 1,
            wire_bytes: 60,
            tunnels: Tunnels::default(),
        };
        let (key, from) = Key::of(&packet);
        community_id(&key, from)
    }

    fn udp(src_port: u16, dst_port: u16) -> Segment<'static> {
        Segment::Udp { src_port, dst_port, payload: &[], missing: 0 }
    }

    fn icmp(transport: Transport, kind: u8, code: u8) -> Segment<'static> {
        Segment::Icmp { transport, kind, code, rest: &[] }
    }

    /// The specification's own table of results.
    #[test]
    fn the_specifications_examples() {
        let (a, b) = ("1.2.3.4", "5.6.7.8");
        assert_eq!(id(a, b, udp(1122, 3344)), "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg=");
        assert_eq!(id(b, a, udp(3344, 1122)), "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg=");
        let sctp = Segment::Sctp { src_port: 1122, dst_port: 3344 };
        assert_eq!(id(a, b, sctp), "1:EKt4MsxuyaE6mL+hmrEkQ9csDD8=");
        assert_eq!(id(a, b, icmp(Transport::Icmp, 8, 0)), "1:crodRHL2FEsHjbv3UkRrfbs4bZ0=");
        assert_eq!(id(b, a, icmp(Transport::Icmp, 0, 0)), "1:crodRHL2FEsHjbv3UkRrfbs4bZ0=");
        assert_eq!(id(a, b, icmp(Transport::Icmp, 11, 0)), "1:f/YiSyWqczrTgfUCZlBUnvHRcPk=");
        let rsvp = Segment::Other { transport: Transport::Other(46) };
        assert_eq!(id(b, a, rsvp), "1:ikv3kmf89luf73WPz1jOs49S768=");
    }

    #[test]
    fn the_specifications_examples_of_icmp6() {
        let (a, b) = ("fe80:1:203:405:607:809:a0b:c0d", "fe80:1011:1213:1415:1617:1819:1a1b:1c1d");
        assert_eq!(id(a, b, icmp(Transport::Icmp6, 128, 0)), "1:0bf7hyMJUwt3fMED7z8LIfRpBeo=");
        assert_eq!(id(b, a, icmp(Transport::Icmp6, 129, 0)), "1:0bf7hyMJUwt3fMED7z8LIfRpBeo=");
        assert_eq!(id(a, b, icmp(Transport::Icmp6, 146, 0)), "1:fYC8+pz24E+EhANP1EZhpX0Dw10=");
    }
}
