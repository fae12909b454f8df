//! What kind of attempt a packet is, by its addresses, its ports and the first bytes of a datagram.
//!
//! Promises: every packet has exactly one class, though several may fit it. The most telling one wins: where it goes
//! (metadata, names asked of the neighbourhood, multicast, link-local) before what it speaks (DNS to QUIC), that before
//! whose network it is for (LAN), and all of these before its protocol and IP version. `docs/methods/confine.md` lists
//! the classes in this order. DNS over HTTPS is known by the addresses of public resolvers alone: what a connection
//! that was not let through would have spoken nobody knows.
//! To extend: a variant, its line in [`Class::ALL`] and its place in [`Class::of`].

use crate::record::headers::Headers;
use overheard_model::Transport;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kinds of leak that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The address at which clouds tell a machine its credentials.
    Metadata,
    Mdns,
    Ssdp,
    Llmnr,
    Multicast,
    LinkLocal,
    Dns,
    /// DNS over TLS or over QUIC, port 853 (RFC 7858, RFC 9250).
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

/// Resolvers that offer DNS over HTTPS at these addresses, as their operators publish them: Cloudflare
/// (developers.cloudflare.com/1.1.1.1/ip-addresses), Google (developers.google.com/speed/public-dns), Quad9
/// (quad9.net/service/service-addresses-and-features), OpenDNS (opendns.com/setupguide), AdGuard (adguard-dns.io).
const RESOLVERS: [IpAddr; 16] = [
    v4([1, 1, 1, 1]),
    v4([1, 0, 0, 1]),
    v4([8, 8, 8, 8]),
    v4([8, 8, 4, 4]),
    v4([9, 9, 9, 9]),
    v4([149, 112, 112, 112]),
    v4([208, 67, 222, 222]),
    v4([208, 67, 220, 220]),
    v4([94, 140, 14, 14]),
    v4([94, 140, 15, 15]),
    v6([0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111]),
    v6([0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1001]),
    v6([0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888]),
    v6([0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8844]),
    v6([0x2620, 0xfe, 0, 0, 0, 0, 0, 0xfe]),
    v6([0x2620, 0xfe, 0, 0, 0, 0, 0, 9]),
];

/// The metadata service of AWS, Azure, Google Cloud and others; that of AWS over IPv6.
const METADATA: [IpAddr; 2] = [v4([169, 254, 169, 254]), v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254])];

const fn v4(octets: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_octets(octets))
}

const fn v6(segments: [u16; 8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_segments(segments))
}

impl Class {
    /// In the order in which they are tried.
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

    /// The class of an IP packet that leaves; `None` of what is no IP packet. A later fragment has no ports, and so
    /// only the classes that need none.
    pub fn of(ip: &[u8]) -> Option<Self> {
        let headers = Headers::of(ip)?;
        let (_, to) = headers.ends();
        Some(
            by_place(&headers, to.port())
                .or_else(|| by_service(&headers, to.port()))
                .unwrap_or_else(|| by_protocol(&headers)),
        )
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metadata => "cloud metadata",
            Self::Mdns => "mDNS",
            Self::Ssdp => "SSDP",
            Self::Llmnr => "LLMNR",
            Self::Multicast => "multicast",
            Self::LinkLocal => "link-local",
            Self::Dns => "DNS elsewhere",
            Self::Dot => "DNS over TLS or QUIC",
            Self::Doh => "DNS over HTTPS",
            Self::Ntp => "NTP",
            Self::Stun => "STUN",
            Self::Quic => "QUIC",
            Self::Lan => "LAN",
            Self::Icmp => "ICMP",
            Self::Raw => "raw IP",
            Self::Ipv6 => "IPv6",
            Self::OtherTcp => "other TCP",
            Self::OtherUdp => "other UDP",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn by_place(headers: &Headers, port: u16) -> Option<Class> {
    let udp = headers.transport == Transport::Udp;
    match headers.dst {
        to if METADATA.contains(&to) => Some(Class::Metadata),
        _ if udp && port == 5353 => Some(Class::Mdns),
        _ if udp && port == 1900 => Some(Class::Ssdp),
        _ if udp && port == 5355 => Some(Class::Llmnr),
        to if to.is_multicast() || to == Ipv4Addr::BROADCAST => Some(Class::Multicast),
        IpAddr::V4(to) if to.is_link_local() => Some(Class::LinkLocal),
        IpAddr::V6(to) if to.is_unicast_link_local() => Some(Class::LinkLocal),
        _ => None,
    }
}

fn by_service(headers: &Headers, port: u16) -> Option<Class> {
    match (headers.transport, port) {
        (Transport::Tcp | Transport::Udp, 53) => Some(Class::Dns),
        (Transport::Tcp | Transport::Udp, 853) => Some(Class::Dot),
        (Transport::Tcp | Transport::Udp, 443) if RESOLVERS.contains(&headers.dst) => Some(Class::Doh),
        (Transport::Udp, 123) => Some(Class::Ntp),
        (Transport::Tcp | Transport::Udp, 3478 | 5349) => Some(Class::Stun),
        (Transport::Udp, _) if is_stun(headers.segment) => Some(Class::Stun),
        (Transport::Udp, 443) => Some(Class::Quic),
        _ => None,
    }
}

fn by_protocol(headers: &Headers) -> Class {
    match headers.transport {
        _ if is_private(headers.dst) => Class::Lan,
        Transport::Icmp | Transport::Icmp6 => Class::Icmp,
        Transport::Tcp | Transport::Udp if headers.dst.is_ipv6() => Class::Ipv6,
        Transport::Tcp => Class::OtherTcp,
        Transport::Udp => Class::OtherUdp,
        _ => Class::Raw,
    }
}

/// Whether a datagram begins with a STUN header: two bits of zero and the magic cookie (RFC 8489, section 5).
fn is_stun(datagram: &[u8]) -> bool {
    const HEADER_OF_UDP: usize = 8;
    const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    let message = datagram.get(HEADER_OF_UDP..).unwrap_or_default();
    message.first().is_some_and(|first| first >> 6 == 0) && message.get(4..8) == Some(&MAGIC_COOKIE)
}

/// RFC 1918, RFC 6598 (shared by a provider's customers), RFC 4193.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            address.is_private() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::SocketAddr;

    fn packet(protocol: u8, to: &str, payload: &[u8]) -> Vec<u8> {
        let to: SocketAddr = to.parse().unwrap();
        let mut segment = [1, 2].to_vec();
        segment.extend(to.port().to_be_bytes());
        segment.extend([0; 4]);
        segment.extend(payload);
        match to.ip() {
            IpAddr::V4(ip) => {
                [&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 219, 0, 2], &ip.octets()[..], &segment]
                    .concat()
            }
            IpAddr::V6(ip) => {
                [&[0x60, 0, 0, 0, 0, 0, protocol, 64][..], &[0xfd; 16], &ip.octets(), &segment].concat()
            }
        }
    }

    fn class(protocol: u8, to: &str) -> Class {
        Class::of(&packet(protocol, to, &[])).unwrap()
    }

    #[test]
    fn datagrams_are_told_apart() {
        for (to, expected) in [
            ("169.254.169.254:53", Class::Metadata),
            ("[fd00:ec2::254]:80", Class::Metadata),
            ("224.0.0.251:5353", Class::Mdns),
            ("[ff02::fb]:5353", Class::Mdns),
            ("198.18.0.1:5353", Class::Mdns),
            ("239.255.255.250:1900", Class::Ssdp),
            ("224.0.0.252:5355", Class::Llmnr),
            ("224.0.0.9:53", Class::Multicast),
            ("255.255.255.255:67", Class::Multicast),
            ("169.254.1.1:53", Class::LinkLocal),
            ("[fe80::1]:123", Class::LinkLocal),
            ("192.168.1.1:53", Class::Dns),
            ("9.9.9.9:853", Class::Dot),
            ("1.1.1.1:443", Class::Doh),
            ("198.18.0.1:123", Class::Ntp),
            ("198.18.0.1:3478", Class::Stun),
            ("[2001:2::1]:443", Class::Quic),
            ("192.168.1.1:9", Class::Lan),
            ("100.64.0.1:9", Class::Lan),
            ("100.128.0.1:9", Class::OtherUdp),
            ("[fd00::1]:9", Class::Lan),
            ("[2001:2::1]:9", Class::Ipv6),
            ("198.18.0.1:9", Class::OtherUdp),
        ] {
            assert_eq!(class(17, to), expected, "{to}");
        }
    }

    #[test]
    fn connections_and_others_are_told_apart() {
        for (protocol, to, expected) in [
            (6, "198.18.0.1:53", Class::Dns),
            (6, "8.8.8.8:443", Class::Doh),
            (6, "198.18.0.1:443", Class::OtherTcp),
            (6, "198.18.0.1:123", Class::OtherTcp),
            (6, "[2001:2::1]:443", Class::Ipv6),
            (6, "10.0.0.1:443", Class::Lan),
            (1, "198.18.0.1:0", Class::Icmp),
            (58, "[2001:2::1]:0", Class::Icmp),
            (1, "10.0.0.1:0", Class::Lan),
            (132, "198.18.0.1:53", Class::Raw),
            (253, "198.18.0.1:0", Class::Raw),
            (41, "198.18.0.1:0", Class::Raw),
        ] {
            assert_eq!(class(protocol, to), expected, "{protocol} to {to}");
        }
    }

    #[test]
    fn stun_is_known_by_its_cookie_on_any_port() {
        let request = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        assert_eq!(Class::of(&packet(17, "198.18.0.1:40000", &request)), Some(Class::Stun));
        let channel = [0x40, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        assert_eq!(Class::of(&packet(17, "198.18.0.1:40000", &channel)), Some(Class::OtherUdp));
    }

    #[test]
    fn all_holds_every_class_once_in_order() {
        assert!(Class::ALL.is_sorted_by(|a, b| a < b));
        assert_eq!(Class::ALL[17], Class::OtherUdp);
    }

    proptest! {
        #[test]
        fn every_ip_packet_has_a_class(rest in proptest::collection::vec(any::<u8>(), 19..120)) {
            prop_assert!(Class::of(&[&[0x45], &rest[..]].concat()).is_some());
            let _may_be_cut = Class::of(&[&[0x60], &rest[..]].concat());
        }
    }
}
