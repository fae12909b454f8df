//! IP packets as the wire between vantage and hosts must know them: whose they are, and the two answers that a
//! network itself gives, "unreachable" and a reset.
//!
//! Promises: any bytes are taken; what is no whole packet has no ends. Packets that are made have right checksums.
//! Sources: RFC 791, 792, 8200, 4443, 9293; the checksum is RFC 1071's.

use super::plan::{ROUTER_V4, ROUTER_V6};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const TCP: u8 = 6;
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const V4_HEADER: usize = 20;
const V6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;

/// Where a packet comes from and goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub from: IpAddr,
    pub to: IpAddr,
}

impl Ends {
    pub fn of(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Some(Self { from: v4(packet.get(12..16)?).into(), to: v4(packet.get(16..20)?).into() }),
            6 => Some(Self { from: v6(packet.get(8..24)?).into(), to: v6(packet.get(24..40)?).into() }),
            _ => None,
        }
    }
}

/// A TCP segment that is whole in its packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub ends: Ends,
    pub ports: (u16, u16),
    sequence: u32,
    acknowledged: u32,
    pub payload: &'a [u8],
}

impl<'a> Segment<'a> {
    pub fn of(packet: &'a [u8]) -> Option<Self> {
        let ends = Ends::of(packet)?;
        let (protocol, start) = match packet[0] >> 4 {
            4 => (*packet.get(9)?, usize::from(packet[0] & 0x0f) * 4),
            _ => (*packet.get(6)?, V6_HEADER),
        };
        let segment = (protocol == TCP).then(|| packet.get(start..)).flatten()?;
        let header = usize::from(segment.get(12)? >> 4) * 4;
        Some(Self {
            ends,
            ports: (be16(segment.get(0..2)?), be16(segment.get(2..4)?)),
            sequence: be32(segment.get(4..8)?),
            acknowledged: be32(segment.get(8..12)?),
            payload: segment.get(header..)?,
        })
    }

    /// The reset that its sender gets, as if the other side had cut the connection.
    pub fn reset_back(&self) -> Vec<u8> {
        let ends = Ends { from: self.ends.to, to: self.ends.from };
        let seen = self.sequence.wrapping_add(self.payload.len() as u32);
        reset(ends, (self.ports.1, self.ports.0), self.acknowledged, Some(seen))
    }

    /// The reset that its receiver gets in its stead.
    pub fn reset_on(&self) -> Vec<u8> {
        reset(self.ends, self.ports, self.sequence, None)
    }
}

fn reset(ends: Ends, ports: (u16, u16), sequence: u32, acknowledges: Option<u32>) -> Vec<u8> {
    let mut segment = Vec::with_capacity(TCP_HEADER);
    segment.extend(ports.0.to_be_bytes());
    segment.extend(ports.1.to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledges.unwrap_or(0).to_be_bytes());
    segment.extend([(TCP_HEADER as u8 / 4) << 4, acknowledges.map_or(RST, |_| RST | ACK)]);
    segment.extend([0; 6]);
    seal(ends, TCP, segment, 16)
}

/// What a router answers to a packet for a host that is not there; nothing where it must keep silent: to what is
/// not for one host, and to ICMP errors.
pub(super) fn unreachable(packet: &[u8]) -> Option<Vec<u8>> {
    let ends = Ends::of(packet)?;
    match (ends.from, ends.to) {
        (IpAddr::V4(_), IpAddr::V4(to)) => {
            let error = packet[9] == ICMP && !matches!(packet.get(V4_HEADER), Some(0 | 8));
            if to.is_multicast() || to.is_broadcast() || error {
                return None;
            }
            let mut message = vec![3, 1, 0, 0, 0, 0, 0, 0]; // destination unreachable, host
            message.extend(&packet[..packet.len().min(V4_HEADER + 508)]);
            Some(seal(Ends { from: ROUTER_V4.into(), to: ends.from }, ICMP, message, 2))
        }
        (_, IpAddr::V6(to)) => {
            let error = packet[6] == ICMP_V6 && packet.get(V6_HEADER).is_some_and(|kind| *kind < 128);
            if to.is_multicast() || error {
                return None;
            }
            let mut message = vec![1, 3, 0, 0, 0, 0, 0, 0]; // destination unreachable, address
            message.extend(&packet[..packet.len().min(1280 - V6_HEADER - 8)]);
            Some(seal(Ends { from: ROUTER_V6.into(), to: ends.from }, ICMP_V6, message, 2))
        }
        _ => None,
    }
}

/// Puts an IP header before a message and the checksum into it, at `checksum_at`.
fn seal(ends: Ends, protocol: u8, mut message: Vec<u8>, checksum_at: usize) -> Vec<u8> {
    let length = message.len();
    let pseudo: Vec<u8> = match (ends.from, ends.to) {
        // ICMP over IPv4 alone is summed without the addresses.
        (IpAddr::V4(_), _) if protocol == ICMP => Vec::new(),
        (from, to) => {
            let tail = [(length as u32).to_be_bytes(), [0, 0, 0, protocol]].concat();
            [octets(from), octets(to), tail].concat()
        }
    };
    let sum = checksum(&[pseudo, message.clone()].concat());
    message[checksum_at..checksum_at + 2].copy_from_slice(&sum.to_be_bytes());
    let mut packet = match ends.from {
        IpAddr::V4(_) => {
            let total = ((V4_HEADER + length) as u16).to_be_bytes();
            let mut header = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
            header.extend([octets(ends.from), octets(ends.to)].concat());
            let sum = checksum(&header);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            header
        }
        IpAddr::V6(_) => {
            let size = (length as u16).to_be_bytes();
            let mut header = vec![0x60, 0, 0, 0, size[0], size[1], protocol, 64];
            header.extend([octets(ends.from), octets(ends.to)].concat());
            header
        }
    };
    packet.append(&mut message);
    packet
}

/// RFC 1071: the complement of the ones' complement sum; 0 over what carries its right checksum.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

fn v4(bytes: &[u8]) -> Ipv4Addr {
    Ipv4Addr::from(be32(bytes))
}

fn v6(bytes: &[u8]) -> Ipv6Addr {
    Ipv6Addr::from(bytes.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte)))
}

fn be16(bytes: &[u8]) -> u16 {
    u16::from(bytes[0]) << 8 | u16::from(bytes[1])
}

fn be32(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ends(family: u8) -> Ends {
        match family {
            4 => Ends { from: [198, 18, 0, 10].into(), to: [198, 18, 10, 80].into() },
            _ => Ends { from: "2001:2::10".parse().unwrap(), to: "2001:2:0:10::80".parse().unwrap() },
        }
    }

    /// A segment with ten bytes of payload.
    fn segment(family: u8) -> Vec<u8> {
        let mut bytes = vec![0x30, 0x39, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x18, 0, 0, 0, 0, 0, 0];
        bytes.extend(b"ten bytes!");
        seal(ends(family), TCP, bytes, 16)
    }

    /// Both checksums of a packet are right: each sums to nothing.
    fn sound(packet: &[u8]) -> bool {
        let ends = Ends::of(packet).unwrap();
        let (start, protocol) =
            if packet[0] >> 4 == 4 { (V4_HEADER, packet[9]) } else { (V6_HEADER, packet[6]) };
        let message = &packet[start..];
        let tail = [(message.len() as u32).to_be_bytes(), [0, 0, 0, protocol]].concat();
        let pseudo = [octets(ends.from), octets(ends.to), tail].concat();
        let pseudo = if protocol == ICMP { Vec::new() } else { pseudo };
        (start == V6_HEADER || checksum(&packet[..start]) == 0) && checksum(&[&pseudo, message].concat()) == 0
    }

    #[test]
    fn a_checksum_is_that_of_the_rfc() {
        // RFC 1071, section 3: these words sum to ddf2.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn a_connection_is_cut_on_both_sides() {
        for family in [4, 6] {
            let packet = segment(family);
            assert!(sound(&packet));
            let cut = Segment::of(&packet).unwrap();
            assert_eq!(cut.payload, b"ten bytes!");
            let back = cut.reset_back();
            let reset = Segment::of(&back).unwrap();
            assert!(sound(&back));
            assert_eq!((reset.ends.to, reset.ports), (ends(family).from, (80, 12345)));
            assert_eq!((reset.sequence, reset.acknowledged), (9, 17));
            let on = cut.reset_on();
            let reset = Segment::of(&on).unwrap();
            assert!(sound(&on));
            assert_eq!((reset.ends.to, reset.ports, reset.sequence), (ends(family).to, (12345, 80), 7));
        }
    }

    #[test]
    fn a_router_answers_the_sender_but_never_an_error() {
        for family in [4, 6] {
            let answer = unreachable(&segment(family)).unwrap();
            assert!(sound(&answer));
            assert_eq!(Ends::of(&answer).unwrap().to, ends(family).from);
            assert_eq!(unreachable(&answer), None);
        }
        let all = Ends { to: [224, 0, 0, 251].into(), ..ends(4) };
        assert_eq!(unreachable(&seal(all, 17, vec![0; 8], 6)), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Segment::of(&bytes).map(|segment| (segment.reset_back(), segment.reset_on()));
            let _ = unreachable(&bytes);
        }
    }
}
