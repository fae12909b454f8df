//! What kind of attempt a packet is, by its addresses, its ports and the first bytes of a datagram.
//!
//! Promises: every packet has exactly one class, the most telling one first: where it goes before what it speaks,
//! and both before its IP version. Encrypted DNS inside HTTPS is known by the addresses of public resolvers alone.
//! To extend: a variant, and its place in [`Class::of`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::packet::{Header, ICMP, ICMP_V6, TCP, UDP, word};

/// The kinds of leak that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The address at which clouds tell a machine its credentials.
    Metadata,
    Mdns,
    Ssdp,
    Llmnr,
    Multicast,
    LinkLocal,
    Dns,
    /// DNS over TLS or over QUIC, port 853.
    Dot,
    /// HTTPS to the address of a public resolver.
    Doh,
    Ntp,
    /// STUN or TURN: what WebRTC asks for its own address.
    Stun,
    Quic,
    /// Private addresses: somebody's own network.
    Lan,
    Icmp,
    /// Neither TCP nor UDP nor ICMP: only a raw socket sends it.
    Raw,
    /// TCP or UDP over IPv6 of no other class.
    Ipv6,
    OtherTcp,
    OtherUdp,
}

/// Resolvers that offer DNS over HTTPS at these addresses, as their operators publish them: Cloudflare, Google,
/// Quad9, OpenDNS, AdGuard.
const RESOLVERS: [IpAddr; 16] = {
    const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    }
    const fn v6(a: u16, b: u16, c: u16, h: u16) -> IpAddr {
        IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, h))
    }
    [
        v4(1, 1, 1, 1),
        v4(1, 0, 0, 1),
        v4(8, 8, 8, 8),
        v4(8, 8, 4, 4),
        v4(9, 9, 9, 9),
        v4(149, 112, 112, 112),
        v4(208, 67, 222, 222),
        v4(208, 67, 220, 220),
        v4(94, 140, 14, 14),
        v4(94, 140, 15, 15),
        v6(0x2606, 0x4700, 0x4700, 0x1111),
        v6(0x2606, 0x4700, 0x4700, 0x1001),
        v6(0x2001, 0x4860, 0x4860, 0x8888),
        v6(0x2001, 0x4860, 0x4860, 0x8844),
        v6(0x2620, 0xfe, 0, 0xfe),
        v6(0x2620, 0xfe, 0, 9),
    ]
};

/// Clouds' metadata services: AWS, Azure, Google and others; AWS over IPv6.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

impl Class {
    pub const ALL: [Self; 18] = [
        Self::Metadata,
        Self::Mdns,
        Self::Ssdp,
        Self::Llmnr,
        Self::Multicast,
        Self::LinkLocal,
        Self::Dns,
        Self::Dot,
        Self::Doh,
        Self::Ntp,
        Self::Stun,
        Self::Quic,
        Self::Lan,
        Self::Icmp,
        Self::Raw,
        Self::Ipv6,
        Self::OtherTcp,
        Self::OtherUdp,
    ];

    /// The class of a whole packet.
    pub fn of(ip: &[u8], header: &Header) -> Self {
        let port = port(ip, header);
        Self::by_place(header, port).or_else(|| Self::by_service(ip, header, port)).unwrap_or_else(|| {
            match header.protocol {
                _ if is_private(header.destination) => Self::Lan,
                ICMP | ICMP_V6 => Self::Icmp,
                TCP | UDP if header.destination.is_ipv6() => Self::Ipv6,
                TCP => Self::OtherTcp,
                UDP => Self::OtherUdp,
                _ => Self::Raw,
            }
        })
    }

    fn by_place(header: &Header, port: u16) -> Option<Self> {
        let to = header.destination;
        let is_udp = header.protocol == UDP;
        match to {
            _ if METADATA.contains(&to) => Some(Self::Metadata),
            _ if is_udp && port == 5353 => Some(Self::Mdns),
            _ if is_udp && port == 1900 => Some(Self::Ssdp),
            _ if is_udp && port == 5355 => Some(Self::Llmnr),
            _ if to.is_multicast() || to == IpAddr::V4(Ipv4Addr::BROADCAST) => Some(Self::Multicast),
            IpAddr::V4(to) if to.is_link_local() => Some(Self::LinkLocal),
            IpAddr::V6(to) if to.is_unicast_link_local() => Some(Self::LinkLocal),
            _ => None,
        }
    }

    fn by_service(ip: &[u8], header: &Header, port: u16) -> Option<Self> {
        match (header.protocol, port) {
            (TCP | UDP, 53) => Some(Self::Dns),
            (TCP | UDP, 853) => Some(Self::Dot),
            (TCP | UDP, 443) if RESOLVERS.contains(&header.destination) => Some(Self::Doh),
            (UDP, 123) => Some(Self::Ntp),
            (UDP, _) if port == 3478 || is_stun(ip, header) => Some(Self::Stun),
            (TCP, 3478 | 5349) => Some(Self::Stun),
            (UDP, 443) => Some(Self::Quic),
            _ => None,
        }
    }
}

/// The destination's port, zero where there is none: a later fragment has no ports.
pub fn port(ip: &[u8], header: &Header) -> u16 {
    match header.protocol {
        _ if header.fragment.is_some_and(|fragment| fragment.offset > 0) => 0,
        TCP | UDP => word(ip, header.transport + 2).unwrap_or_default(),
        _ => 0,
    }
}

/// The magic cookie (RFC 8489, section 5), after a type whose first two bits are zero.
fn is_stun(ip: &[u8], header: &Header) -> bool {
    let payload = ip[..header.end].get(header.transport + 8..).unwrap_or_default();
    payload.first().is_some_and(|first| first >> 6 == 0)
        && payload.get(4..8) == Some(&[0x21, 0x12, 0xa4, 0x42])
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private() || address.octets()[0] == 100 && address.octets()[1] >> 6 == 1
        }
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::compose;
    use super::*;

    fn udp(to: &str, payload: &[u8]) -> Class {
        let to: std::net::SocketAddr = to.parse().expect("an end");
        let from = if to.is_ipv4() { "10.219.0.2:999" } else { "[fd6f:7665:7268::2]:999" };
        let ip = compose::udp(from.parse().expect("an end"), to, payload);
        Class::of(&ip, &Header::read(&ip).expect("a packet"))
    }

    #[test]
    fn datagrams_are_told_apart_by_place_then_service_then_version() {
        let stun = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        assert_eq!(udp("169.254.169.254:80", b""), Class::Metadata);
        assert_eq!(udp("224.0.0.251:5353", b""), Class::Mdns);
        assert_eq!(udp("[ff02::fb]:5353", b""), Class::Mdns);
        assert_eq!(udp("239.255.255.250:1900", b""), Class::Ssdp);
        assert_eq!(udp("224.0.0.252:5355", b""), Class::Llmnr);
        assert_eq!(udp("224.0.0.9:520", b""), Class::Multicast);
        assert_eq!(udp("169.254.1.1:9", b""), Class::LinkLocal);
        assert_eq!(udp("[fe80::1]:9", b""), Class::LinkLocal);
        assert_eq!(udp("192.168.1.1:53", b""), Class::Dns);
        assert_eq!(udp("9.9.9.9:853", b""), Class::Dot);
        assert_eq!(udp("1.1.1.1:443", b""), Class::Doh);
        assert_eq!(udp("198.18.0.1:123", b""), Class::Ntp);
        assert_eq!(udp("198.18.0.1:40000", &stun), Class::Stun);
        assert_eq!(udp("198.18.0.1:443", b""), Class::Quic);
        assert_eq!(udp("192.168.1.1:9", b""), Class::Lan);
        assert_eq!(udp("[2001:2::1]:9", b""), Class::Ipv6);
        assert_eq!(udp("198.18.0.1:9", b""), Class::OtherUdp);
    }
}
