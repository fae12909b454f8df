//! What makes packets one flow: the 5-tuple, the same seen from either end.
//!
//! For: the flow table's look-up. A key puts the lower (address, port) first, so that both directions
//! have one key; which end sent a packet is kept beside it as an [`End`].
//! ICMP has no ports: its flows are told apart by message type as Zeek and Community ID do, an echo
//! request and its reply being one flow and an error message a flow of its own.

use crate::packet::{self, Addresses, Number, Packet, Segment};
use overheard_model::Transport;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// One of a key's two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The lower (address, port).
    Low,
    High,
}

impl End {
    #[inline]
    pub(super) fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

/// A value for each end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends<T> {
    low: T,
    high: T,
}

impl<T> Ends<T> {
    pub(super) fn new(low: T, high: T) -> Self {
        Self { low, high }
    }
}

impl<T> std::ops::Index<End> for Ends<T> {
    type Output = T;

    #[inline]
    fn index(&self, end: End) -> &T {
        match end {
            End::Low => &self.low,
            End::High => &self.high,
        }
    }
}

impl<T> std::ops::IndexMut<End> for Ends<T> {
    #[inline]
    fn index_mut(&mut self, end: End) -> &mut T {
        match end {
            End::Low => &mut self.low,
            End::High => &mut self.high,
        }
    }
}

/// A canonical 5-tuple. There is one for each flow: kept small, and of whole words, since a packet's key is
/// made and compared in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    addresses: Ends<Number>,
    /// The ports of the low end (from bit 48) and of the high end (from bit 32), [`V6`], [`PORTLESS`] and the
    /// protocol number. For ICMP "ports" are the two message types, or [`ONE_WAY`] with type and code.
    rest: u64,
}

/// Marks the "ports" of an ICMP message that has no counterpart.
const ONE_WAY: u16 = 0x100;

const V6: u64 = 1 << 8;

/// Known by the protocol number alone, whatever that is: no ports could be read.
const PORTLESS: u64 = 1 << 9;

impl Hash for Key {
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ([upper, low], [other_upper, high]) = (self.addresses.low, self.addresses.high);
        if self.is_v6() {
            state.write_u64(upper);
            state.write_u64(other_upper);
            state.write_u64(high);
            state.write_u64(low);
        } else {
            state.write_u64(low << 32 | high);
        }
        state.write_u64(self.rest);
    }
}

impl Key {
    /// The packet's key, and the end that sent it.
    #[inline(always)]
    pub(super) fn of(packet: &Packet<'_>) -> (Self, End) {
        let number = |transport: Transport| u64::from(transport.number());
        let (protocol, from_port, to_port) = match packet.segment {
            Segment::Tcp(tcp) => (number(Transport::Tcp), tcp.src_port, tcp.dst_port),
            Segment::Udp { src_port, dst_port, .. } => (number(Transport::Udp), src_port, dst_port),
            Segment::Sctp { src_port, dst_port } => (number(Transport::Sctp), src_port, dst_port),
            Segment::Icmp { transport, kind, code, .. } => {
                let (from, to) = match counterpart(transport, kind) {
                    Some(reply) => (u16::from(kind), u16::from(reply)),
                    None => (ONE_WAY | u16::from(kind), ONE_WAY | u16::from(code)),
                };
                (number(transport), from, to)
            }
            // A fragment or a cut header has no ports to go by: it must not join a flow that has.
            Segment::Other { transport } => (PORTLESS | number(transport), 0, 0),
        };
        let Addresses { src, dst, v6 } = packet.addresses;
        let (from, to) = (wide(src), wide(dst));
        // Without a branch: which end sends is anyone's guess.
        let is_low = (from < to) | ((from == to) & (from_port <= to_port));
        let (low, high, end) = if is_low { (src, dst, End::Low) } else { (dst, src, End::High) };
        let (low_port, high_port) = if is_low { (from_port, to_port) } else { (to_port, from_port) };
        let family = if v6 { V6 } else { 0 };
        let rest = u64::from(low_port) << 48 | u64::from(high_port) << 32 | family | protocol;
        (Self { addresses: Ends::new(low, high), rest }, end)
    }

    #[inline]
    fn is_v6(&self) -> bool {
        self.rest & V6 != 0
    }

    #[inline]
    pub(super) fn transport(&self) -> Transport {
        let number = self.rest as u8;
        if self.rest & PORTLESS != 0 { Transport::Other(number) } else { Transport::from(number) }
    }

    /// The port, or what stands for it.
    fn tag(&self, end: End) -> u16 {
        (self.rest >> if end == End::Low { 48 } else { 32 }) as u16
    }

    pub(super) fn address(&self, end: End) -> IpAddr {
        packet::address(self.addresses[end], self.is_v6())
    }

    /// The address as a number, and whether it is of IPv6.
    pub(super) fn number(&self, end: End) -> (Number, bool) {
        (self.addresses[end], self.is_v6())
    }

    /// The port; 0 where the transport has none.
    pub(super) fn port(&self, end: End) -> u16 {
        if self.transport().has_ports() { self.tag(end) } else { 0 }
    }

    /// What Community ID hashes as ports, and whether the flow can have only one direction.
    pub(super) fn community_ports(&self, end: End) -> Option<(u16, bool)> {
        match self.transport() {
            Transport::Other(_) => None,
            Transport::Icmp | Transport::Icmp6 => {
                let port = self.tag(end);
                Some((port & 0xff, port & ONE_WAY != 0))
            }
            _ => Some((self.tag(end), false)),
        }
    }
}

/// A number that compares as the address does.
#[inline]
fn wide([upper, lower]: Number) -> u128 {
    u128::from(upper) << 64 | u128::from(lower)
}

/// The ICMP type that answers a type, or that it answers (Community ID v1, after Zeek).
fn counterpart(transport: Transport, kind: u8) -> Option<u8> {
    const V4: [(u8, u8); 5] = [(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)];
    const V6: [(u8, u8); 6] = [(128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145)];
    let pairs: &[(u8, u8)] = if transport == Transport::Icmp6 { &V6 } else { &V4 };
    let other = |&(ask, answer): &(u8, u8)| match kind {
        _ if kind == ask => Some(answer),
        _ if kind == answer => Some(ask),
        _ => None,
    };
    pairs.iter().find_map(other)
}
