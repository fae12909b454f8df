//! An IP packet's header, as far as carrying it on needs it, and the rewriting of its addresses.
//!
//! Promises: any bytes are read without a panic; what is not a whole IP packet is `None`.
//! Sources: RFC 791, RFC 8200 (extension headers), RFC 9293 (TCP's header).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::checksum;

pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMP_V6: u8 = 58;

/// Where one packet goes, and where in it the transport begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    pub ttl: u8,
    /// Offset of the transport's header, bytes.
    pub transport: usize,
    /// Where the packet ends, bytes.
    pub end: usize,
    pub fragment: Option<Fragment>,
}

/// Which part of a larger packet this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    pub id: u32,
    /// Bytes of the transport before this part.
    pub offset: usize,
    pub more: bool,
}

impl Header {
    pub fn read(ip: &[u8]) -> Option<Self> {
        match ip.first()? >> 4 {
            4 => v4(ip),
            6 => v6(ip),
            _ => None,
        }
    }

    /// Source and destination with the ports of TCP or UDP.
    pub fn ends(&self, ip: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
        let port = |at| word(ip, self.transport + at);
        Some((SocketAddr::new(self.source, port(0)?), SocketAddr::new(self.destination, port(2)?)))
    }
}

fn v4(ip: &[u8]) -> Option<Header> {
    let head: &[u8; 20] = ip.first_chunk()?;
    let transport = usize::from(head[0] & 15) * 4;
    let end = usize::from(word(head, 2)?);
    if transport < 20 || transport > end || end > ip.len() {
        return None;
    }
    let part = word(head, 6)?;
    let offset = usize::from(part & 0x1fff) * 8;
    let more = part & 0x2000 != 0;
    Some(Header {
        source: Ipv4Addr::new(head[12], head[13], head[14], head[15]).into(),
        destination: Ipv4Addr::new(head[16], head[17], head[18], head[19]).into(),
        protocol: head[9],
        ttl: head[8],
        transport,
        end,
        fragment: (more || offset > 0).then_some(Fragment { id: u32::from(word(head, 4)?), offset, more }),
    })
}

fn v6(ip: &[u8]) -> Option<Header> {
    let head: &[u8; 40] = ip.first_chunk()?;
    let end = 40 + usize::from(word(head, 4)?);
    if end > ip.len() {
        return None;
    }
    let address =
        |at: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&head[at..at + 16]).expect("sixteen bytes"));
    let mut header = Header {
        source: address(8).into(),
        destination: address(24).into(),
        protocol: head[6],
        ttl: head[7],
        transport: 40,
        end,
        fragment: None,
    };
    // Hop-by-hop options, routing, destination options; a fragment header ends the search, as what follows may lack.
    while let 0 | 43 | 60 = header.protocol {
        let at = header.transport;
        header.protocol = *ip[..end].get(at)?;
        header.transport += 8 + 8 * usize::from(*ip[..end].get(at + 1)?);
    }
    if header.protocol == 44 {
        let part: &[u8; 8] = ip[..end].get(header.transport..)?.first_chunk()?;
        let offset = word(part, 2)?;
        header.protocol = part[0];
        header.transport += 8;
        header.fragment = Some(Fragment {
            id: u32::from_be_bytes([part[4], part[5], part[6], part[7]]),
            offset: usize::from(offset & !7),
            more: offset & 1 != 0,
        });
    }
    (header.transport <= end).then_some(header)
}

/// A big-endian word at an offset.
pub fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The flags of a TCP segment, and what an answer needs of the rest.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub sequence: u32,
    pub acknowledged: u32,
    flags: u8,
    /// Sequence numbers that it takes up: payload, SYN and FIN.
    pub length: u32,
}

impl Segment {
    pub fn read(ip: &[u8], header: &Header) -> Option<Self> {
        let head: &[u8; 20] = ip[..header.end].get(header.transport..)?.first_chunk()?;
        let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let payload = (header.end - header.transport).checked_sub(usize::from(head[12] >> 4) * 4)?;
        let flags = head[13];
        let length = payload as u32 + u32::from(flags & 1) + u32::from(flags >> 1 & 1);
        Some(Self { sequence: number(4), acknowledged: number(8), flags, length })
    }

    /// Whether it asks for a new connection.
    pub fn opens(&self) -> bool {
        self.flags & 0b1_0110 == 0b0_0010
    }

    pub fn resets(&self) -> bool {
        self.flags & 0b100 != 0
    }

    /// Whether its sender will say no more after it.
    pub fn ends(&self) -> bool {
        self.flags & 0b101 != 0
    }

    pub fn acknowledges(&self) -> bool {
        self.flags & 0b1_0000 != 0
    }
}

/// Gives a TCP packet other ends of the same family. A checksum that is left to the next device becomes the sum of the
/// new pseudo-header, whatever the field holds; a complete one stays as right as it was.
pub fn redirect(ip: &mut [u8], header: &Header, partial: bool, source: SocketAddr, destination: SocketAddr) {
    let (at, length) = if header.source.is_ipv4() { (12, 8) } else { (8, 32) };
    let mut addresses = [0; 32];
    match (source.ip(), destination.ip()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            addresses[..4].copy_from_slice(&a.octets());
            addresses[4..8].copy_from_slice(&b.octets());
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            addresses[..16].copy_from_slice(&a.octets());
            addresses[16..].copy_from_slice(&b.octets());
        }
        _ => unreachable!("both ends of a flow are of one family"),
    }
    let addresses = &addresses[..length];
    let (old, new) = (checksum::sum(&ip[at..at + length]), checksum::sum(addresses));
    ip[at..at + length].copy_from_slice(addresses);
    if header.source.is_ipv4() {
        replace(ip, 10, |field| checksum::adjust(field, old, new));
    }
    let ports = header.transport..header.transport + 4;
    let old_ports = checksum::sum(&ip[ports.clone()]);
    ip[ports.start..ports.start + 2].copy_from_slice(&source.port().to_be_bytes());
    ip[ports.start + 2..ports.end].copy_from_slice(&destination.port().to_be_bytes());
    let new_ports = checksum::sum(&ip[ports]);
    let length = (header.end - header.transport) as u16;
    replace(ip, header.transport + 16, |field| match partial {
        true => checksum::add(new, checksum::add(u16::from(TCP), length)),
        false => checksum::adjust(field, checksum::add(old, old_ports), checksum::add(new, new_ports)),
    });
}

fn replace(ip: &mut [u8], at: usize, with: impl FnOnce(u16) -> u16) {
    let field = u16::from_be_bytes([ip[at], ip[at + 1]]);
    ip[at..at + 2].copy_from_slice(&with(field).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::{compose, outlet};
    use super::*;
    use crate::confine::Class;
    use proptest::prelude::*;

    fn ends(v6: bool, port: u16) -> (SocketAddr, SocketAddr) {
        let of = |text: &str| text.parse::<IpAddr>().expect("an address");
        match v6 {
            false => (SocketAddr::new(of("10.219.0.2"), port), SocketAddr::new(of("198.18.0.1"), 443)),
            true => (SocketAddr::new(of("fd6f:7665:7268::2"), port), SocketAddr::new(of("2001:2::1"), 443)),
        }
    }

    /// A segment from the second end to the first.
    fn segment(ends: (SocketAddr, SocketAddr), sequence: u32) -> Vec<u8> {
        let header = Header::read(&compose::udp(ends.0, ends.1, b"")).expect("a packet");
        let asking = Segment { sequence, acknowledged: 0, flags: 0b10, length: 1 };
        compose::reset(&header, ends, asking).expect("an answer")
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0x45..0x48_u8) {
            for first in [version, 0x60] {
                let mut bytes = bytes.clone();
                if let Some(byte) = bytes.first_mut() {
                    *byte = first;
                }
                let Some(header) = Header::read(&bytes) else { continue };
                prop_assert!(header.transport <= header.end && header.end <= bytes.len());
                let _class = Class::of(&bytes);
                let _echo = outlet::echo(&bytes, &header);
                let _segment = Segment::read(&bytes, &header);
            }
        }

        #[test]
        fn a_redirected_packet_is_as_if_composed_so(v6: bool, from: u16, to: u16, sequence: u32) {
            let mut moved = segment(ends(v6, from), sequence);
            let header = Header::read(&moved).expect("a packet");
            let new = ends(v6, to);
            redirect(&mut moved, &header, false, new.1, new.0);
            prop_assert_eq!(moved, segment(new, sequence));
        }
    }
}
