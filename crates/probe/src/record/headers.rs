//! The headers of an IP packet, as far as they say which conversation it belongs to.
//!
//! Source: RFC 791, RFC 8200 (with its extension headers), RFC 9293, RFC 768. Promises: borrows, never panics; what
//! is cut off or malformed is `None`.

use overheard_model::Transport;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// IP protocol numbers of extension headers that lead on to the next one.
const EXTENSIONS: [u8; 6] = [0, 43, 60, 135, 139, 140];
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;

/// A packet's headers and what they carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Headers<'a> {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) transport: Transport,
    /// From the transport's own header on; empty in all fragments but the first.
    pub(crate) segment: &'a [u8],
}

impl<'a> Headers<'a> {
    pub(crate) fn of(ip: &'a [u8]) -> Option<Self> {
        match ip.first()? >> 4 {
            4 => Self::of_v4(ip),
            6 => Self::of_v6(ip),
            _ => None,
        }
    }

    fn of_v4(ip: &'a [u8]) -> Option<Self> {
        let fixed: &[u8; 20] = ip.first_chunk()?;
        let segment = ip.get(usize::from(fixed[0] & 0x0f).max(5) * 4..)?;
        let offset = u16::from_be_bytes([fixed[6], fixed[7]]) & 0x1fff;
        Some(Self {
            src: Ipv4Addr::from_octets([fixed[12], fixed[13], fixed[14], fixed[15]]).into(),
            dst: Ipv4Addr::from_octets([fixed[16], fixed[17], fixed[18], fixed[19]]).into(),
            transport: Transport::from(fixed[9]),
            segment: if offset == 0 { segment } else { &[] },
        })
    }

    fn of_v6(ip: &'a [u8]) -> Option<Self> {
        let (fixed, mut rest) = ip.split_first_chunk::<40>()?;
        let mut next = fixed[6];
        let mut first = true;
        loop {
            let length = match next {
                FRAGMENT => {
                    first = u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]) & 0xfff8 == 0;
                    8
                }
                AUTHENTICATION => (usize::from(*rest.get(1)?) + 2) * 4,
                number if EXTENSIONS.contains(&number) => (usize::from(*rest.get(1)?) + 1) * 8,
                _ => break,
            };
            next = *rest.first()?;
            // What follows in a later fragment is no header.
            rest = if first { rest.get(length..)? } else { &[] };
            if !first {
                break;
            }
        }
        Some(Self {
            src: address_v6(fixed, 8)?,
            dst: address_v6(fixed, 24)?,
            transport: Transport::from(next),
            segment: rest,
        })
    }

    /// Source and destination; where the transport has no ports, or they are cut off, both are 0.
    pub(crate) fn ends(&self) -> (SocketAddr, SocketAddr) {
        let (src, dst) = self.ports().unwrap_or((0, 0));
        (SocketAddr::new(self.src, src), SocketAddr::new(self.dst, dst))
    }

    pub(crate) fn ports(&self) -> Option<(u16, u16)> {
        let [a, b, c, d, ..] = *self.segment else { return None };
        self.transport.has_ports().then_some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }

    /// The identifier of an ICMP echo request, which stands for a port.
    pub(crate) fn echo_identifier(&self) -> Option<u16> {
        match (self.transport, self.segment) {
            (Transport::Icmp, [8, _, _, _, a, b, ..]) | (Transport::Icmp6, [128, _, _, _, a, b, ..]) => {
                Some(u16::from_be_bytes([*a, *b]))
            }
            _ => None,
        }
    }

    /// The sequence number of a TCP SYN without ACK: a client begins.
    pub(crate) fn syn(&self) -> Option<u32> {
        const SYN_OF_SYN_AND_ACK: (u8, u8) = (0x02, 0x12);
        let (syn, mask) = SYN_OF_SYN_AND_ACK;
        let [_, _, _, _, a, b, c, d, _, _, _, _, _, flags, ..] = *self.segment else { return None };
        (self.transport == Transport::Tcp && flags & mask == syn).then_some(u32::from_be_bytes([a, b, c, d]))
    }
}

fn address_v6(fixed: &[u8; 40], at: usize) -> Option<IpAddr> {
    let octets: [u8; 16] = fixed.get(at..at + 16)?.try_into().ok()?;
    Some(Ipv6Addr::from_octets(octets).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A UDP datagram from port 5353 to 53 in IPv6, behind a hop-by-hop header and a fragment header.
    fn fragment(offset: u16) -> Vec<u8> {
        let mut ip = vec![0x60, 0, 0, 0, 0, 24, 0, 64];
        ip.extend([0; 32]);
        ip.extend([FRAGMENT, 0, 1, 4, 0, 0, 0, 0]);
        ip.extend([17, 0]);
        ip.extend((offset << 3 | 1).to_be_bytes());
        ip.extend([0; 4]);
        ip.extend([0x14, 0xe9, 0, 53, 0, 8, 0, 0]);
        ip
    }

    #[test]
    fn ports_are_read_behind_extension_headers_of_a_first_fragment_only() {
        let first = fragment(0);
        let headers = Headers::of(&first).unwrap();
        assert_eq!((headers.transport, headers.ports()), (Transport::Udp, Some((5353, 53))));
        let later = fragment(100);
        let headers = Headers::of(&later).unwrap();
        assert_eq!((headers.transport, headers.ports()), (Transport::Udp, None));
    }

    #[test]
    fn a_syn_is_told_from_its_answer() {
        let mut ip =
            [&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6][..], &[0; 10], &[0, 1, 0, 2, 0, 0, 0, 9], &[0; 12]]
                .concat();
        ip[33] = 0x02;
        assert_eq!(Headers::of(&ip).unwrap().syn(), Some(9));
        ip[33] = 0x12;
        assert_eq!(Headers::of(&ip).unwrap().syn(), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(version in prop_oneof![Just(0x45_u8), Just(0x4f), Just(0x60), any::<u8>()],
                          rest in proptest::collection::vec(any::<u8>(), 0..120)) {
            let ip = [&[version], &rest[..]].concat();
            if let Some(headers) = Headers::of(&ip) {
                let _ = (headers.ends(), headers.syn(), headers.echo_identifier());
            }
        }
    }
}
