//! What the stages of reading hand to each other: a frame of the file, then a decoded packet.
//!
//! Promises: both borrow; nothing here is allocated per packet.

use overheard_model::{Timestamp, Transport};
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A packet record as the file gave it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// From 1, over the whole file: Wireshark's `frame.number`.
    pub number: u64,
    pub time: Timestamp,
    /// Length on the wire; `bytes` may be shorter (snapshot length) but never longer.
    pub wire_len: u32,
    /// Link type (LINKTYPE_* of tcpdump.org) of the interface that recorded it.
    pub link: u32,
    pub bytes: &'a [u8],
}

/// Source and destination of a packet, which are of one family. Two aligned numbers each: packets are
/// handed on by the million, and [`IpAddr`]s, of 17 bytes, would be copied in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Addresses {
    pub(crate) src: Number,
    pub(crate) dst: Number,
    pub(crate) v6: bool,
}

/// An address as a number, upper half first; IPv4 in the lowest 32 bits.
pub(crate) type Number = [u64; 2];

impl Addresses {
    #[inline]
    pub(crate) fn v4(src: [u8; 4], dst: [u8; 4]) -> Self {
        let number = |octets| [0, u64::from(u32::from_be_bytes(octets))];
        Self { src: number(src), dst: number(dst), v6: false }
    }

    #[inline]
    pub(crate) fn v6(src: [u8; 16], dst: [u8; 16]) -> Self {
        let number = |octets| {
            let bits = u128::from_be_bytes(octets);
            [(bits >> 64) as u64, bits as u64]
        };
        Self { src: number(src), dst: number(dst), v6: true }
    }

    /// Both addresses; nothing where they are of different families.
    pub fn of(src: IpAddr, dst: IpAddr) -> Option<Self> {
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => Some(Self::v4(src.octets(), dst.octets())),
            (IpAddr::V6(src), IpAddr::V6(dst)) => Some(Self::v6(src.octets(), dst.octets())),
            _ => None,
        }
    }

    /// Both as IPv4 has them, in host order.
    #[inline]
    pub(crate) fn as_v4(&self) -> Option<(u32, u32)> {
        (!self.v6).then_some((self.src[1] as u32, self.dst[1] as u32))
    }

    pub fn src(&self) -> IpAddr {
        address(self.src, self.v6)
    }

    pub fn dst(&self) -> IpAddr {
        address(self.dst, self.v6)
    }
}

/// An address as the key of a table: hashed as the one number that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host(pub(crate) IpAddr);

impl Hash for Host {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0 {
            IpAddr::V4(v4) => state.write_u32(v4.to_bits()),
            IpAddr::V6(v6) => state.write_u128(v6.to_bits()),
        }
    }
}

/// The address of a number.
#[inline]
pub(crate) fn address([upper, lower]: Number, v6: bool) -> IpAddr {
    match v6 {
        true => Ipv6Addr::from_bits(u128::from(upper) << 64 | u128::from(lower)).into(),
        false => Ipv4Addr::from_bits(lower as u32).into(),
    }
}

/// An address as a number, and whether it is of IPv6.
#[inline]
pub(crate) fn number(address: IpAddr) -> (Number, bool) {
    match address {
        IpAddr::V4(v4) => ([0, u64::from(v4.to_bits())], false),
        IpAddr::V6(v6) => ([(v6.to_bits() >> 64) as u64, v6.to_bits() as u64], true),
    }
}

/// The innermost IP packet of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Number and time of the frame (of the completing frame, for fragments).
    pub number: u64,
    pub time: Timestamp,
    pub addresses: Addresses,
    pub segment: Segment<'a>,
    /// Frames that made it up: 1, or the number of its fragments.
    pub frames: u32,
    /// Whole-frame bytes on the wire, all of `frames` together.
    pub wire_bytes: u64,
    /// What it travelled in.
    pub tunnels: Tunnels,
}

/// Why a frame gave no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecoded {
    /// No IP inside: ARP, spanning tree, an 802.11 beacon.
    NotIp,
    /// The link type is not supported.
    UnknownLink(u32),
    /// Headers were cut short or contradict themselves.
    Malformed(&'static str),
    /// A fragment that waits for the others.
    Fragment,
}

/// The transport layer of a packet. Payloads are what was captured; `missing` counts what the
/// snapshot length cut off.
#[derive(Clone, Copy, Debug)]
pub enum Segment<'a> {
    Tcp(TcpSegment<'a>),
    Udp {
        src_port: u16,
        dst_port: u16,
        payload: &'a [u8],
        missing: u32,
    },
    Sctp {
        src_port: u16,
        dst_port: u16,
    },
    /// ICMP and ICMPv6.
    Icmp {
        transport: Transport,
        kind: u8,
        code: u8,
        /// After the four bytes of type, code and checksum.
        rest: &'a [u8],
    },
    /// Another protocol, a fragment that was never completed, or a header cut short.
    Other {
        transport: Transport,
    },
}

impl<'a> Segment<'a> {
    /// What it carries, as far as it is looked at.
    pub(crate) fn payload(&self) -> &'a [u8] {
        match *self {
            Self::Tcp(TcpSegment { payload, .. }) | Self::Udp { payload, .. } => payload,
            Self::Icmp { rest, .. } => rest,
            Self::Sctp { .. } | Self::Other { .. } => &[],
        }
    }

    /// The same headers before another payload.
    fn with_payload<'b>(&self, payload: &'b [u8]) -> Segment<'b> {
        match *self {
            Self::Tcp(segment) => Segment::Tcp(TcpSegment { payload, ..segment }),
            Self::Udp { src_port, dst_port, missing, .. } => {
                Segment::Udp { src_port, dst_port, payload, missing }
            }
            Self::Icmp { transport, kind, code, .. } => {
                Segment::Icmp { transport, kind, code, rest: payload }
            }
            Self::Sctp { src_port, dst_port } => Segment::Sctp { src_port, dst_port },
            Self::Other { transport } => Segment::Other { transport },
        }
    }
}

impl Packet<'_> {
    /// The same packet with another payload.
    pub(crate) fn with_payload<'b>(&self, payload: &'b [u8]) -> Packet<'b> {
        let Packet { number, time, addresses, frames, wire_bytes, tunnels, .. } = *self;
        let segment = self.segment.with_payload(payload);
        Packet { number, time, addresses, segment, frames, wire_bytes, tunnels }
    }
}

/// A TCP header and what follows it.
#[derive(Clone, Copy, Debug)]
pub struct TcpSegment<'a> {
    pub src_port: u16,
    pub dst_port: u16,
    pub seq: u32,
    pub ack: u32,
    pub flags: TcpFlags,
    pub payload: &'a [u8],
    /// Payload bytes on the wire beyond `payload`.
    pub missing: u32,
}

/// The flag bits of a TCP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const ACK: u8 = 0x10;

    #[inline]
    pub fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }
}

/// One layer that wraps another; to add one, a variant here and a line in [`TUNNELS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tunnel {
    Vlan = 1,
    Mpls,
    Pppoe,
    Gre,
    IpInIp,
    SixInFour,
    Teredo,
    Vxlan,
    Geneve,
    GtpU,
    L2tp,
    Capwap,
}

/// Every tunnel with its name in a flow's `tunnel`, in the order of their numbers.
const TUNNELS: [(Tunnel, &str); Tunnel::Capwap as usize] = [
    (Tunnel::Vlan, "vlan"),
    (Tunnel::Mpls, "mpls"),
    (Tunnel::Pppoe, "pppoe"),
    (Tunnel::Gre, "gre"),
    (Tunnel::IpInIp, "ip-in-ip"),
    (Tunnel::SixInFour, "6in4"),
    (Tunnel::Teredo, "teredo"),
    (Tunnel::Vxlan, "vxlan"),
    (Tunnel::Geneve, "geneve"),
    (Tunnel::GtpU, "gtp-u"),
    (Tunnel::L2tp, "l2tp"),
    (Tunnel::Capwap, "capwap"),
];

/// Up to eight layers, outermost first, four bits each: no allocation, cheap to compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tunnels(u32);

impl Tunnels {
    /// Adds an inner layer; `false` when the nesting is too deep to note.
    pub fn push(&mut self, tunnel: Tunnel) -> bool {
        let depth = self.depth();
        if depth == 8 {
            return false;
        }
        self.0 |= (tunnel as u32) << (4 * depth);
        true
    }

    /// Number of layers.
    pub fn depth(self) -> u32 {
        (32 - self.0.leading_zeros()).div_ceil(4)
    }

    /// Such as `vlan/gre`; nothing when there is none.
    pub fn label(self) -> Option<String> {
        let layer = |depth: u32| {
            let number = (self.0 >> (4 * depth)) & 0xf;
            TUNNELS.iter().find(|(tunnel, _)| *tunnel as u32 == number).map(|&(_, name)| name)
        };
        let names: Vec<&str> = (0..self.depth()).filter_map(layer).collect();
        (!names.is_empty()).then(|| names.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tunnel_is_listed_in_order() {
        assert!(TUNNELS.iter().zip(1..).all(|((tunnel, _), number)| *tunnel as u32 == number));
    }

    #[test]
    fn tunnels_are_named_outermost_first() {
        let mut tunnels = Tunnels::default();
        assert_eq!(tunnels.label(), None);
        assert!(tunnels.push(Tunnel::Vlan) && tunnels.push(Tunnel::Vxlan));
        assert_eq!(tunnels.label().as_deref(), Some("vlan/vxlan"));
        assert!((0..6).all(|_| tunnels.push(Tunnel::Gre)));
        assert!(!tunnels.push(Tunnel::Gre), "nine layers are too deep");
    }
}
