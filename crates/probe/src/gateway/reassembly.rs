//! Fragments of IP put together again: what is larger than the device's MTU comes in parts.
//!
//! Promises: holds at most [`MOST`] unfinished packets, the oldest of which makes room for the next; parts that
//! overlap or disagree never make a packet (RFC 5722 for IPv6, done for IPv4 too).

use std::collections::VecDeque;
use std::net::IpAddr;

use super::packet::{Fragment, Header};

/// Unfinished packets at a time: each is of an app that is about to send its next part.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub struct Reassembly {
    waiting: VecDeque<Waiting>,
}

type Key = (IpAddr, IpAddr, u8, u32);

#[derive(Debug)]
struct Waiting {
    key: Key,
    /// Offset and bytes of each part, in the order of arrival.
    parts: Vec<(usize, Vec<u8>)>,
    /// Bytes of the whole transport, once the last part is there.
    length: Option<usize>,
}

impl Reassembly {
    /// Takes one part; the whole packet, without a trace of fragmentation, once all are there.
    pub fn part(&mut self, ip: &[u8], header: &Header, fragment: Fragment) -> Option<Vec<u8>> {
        let key = (header.source, header.destination, header.protocol, fragment.id);
        let at = self.waiting.iter().position(|waiting| waiting.key == key).unwrap_or_else(|| {
            if self.waiting.len() == MOST {
                self.waiting.pop_front();
            }
            self.waiting.push_back(Waiting { key, parts: Vec::new(), length: None });
            self.waiting.len() - 1
        });
        let part = &ip[header.transport..header.end];
        let waiting = &mut self.waiting[at];
        if !fragment.more {
            waiting.length = Some(fragment.offset + part.len());
        }
        waiting.parts.push((fragment.offset, part.to_vec()));
        let whole = waiting.whole()?;
        self.waiting.remove(at);
        packet(ip, header, &whole?)
    }
}

impl Waiting {
    /// `None` while parts lack, `Some(None)` where they cannot fit together.
    fn whole(&mut self) -> Option<Option<Vec<u8>>> {
        let length = self.length?;
        if self.parts.iter().map(|part| part.1.len()).sum::<usize>() < length {
            return None;
        }
        self.parts.sort_by_key(|part| part.0);
        let mut whole = Vec::with_capacity(length);
        for (offset, part) in &self.parts {
            if *offset != whole.len() {
                return Some(None);
            }
            whole.extend(part);
        }
        Some((whole.len() == length).then_some(whole))
    }
}

/// The packet that the parts were made of; its IPv4 header's checksum is left as nobody reads it again.
fn packet(ip: &[u8], header: &Header, transport: &[u8]) -> Option<Vec<u8>> {
    let mut packet =
        if header.source.is_ipv4() { ip[..header.transport].to_vec() } else { ip[..40].to_vec() };
    if header.source.is_ipv4() {
        let length = u16::try_from(header.transport + transport.len()).ok()?;
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        packet[6..8].fill(0);
    } else {
        packet[4..6].copy_from_slice(&u16::try_from(transport.len()).ok()?.to_be_bytes());
        packet[6] = header.protocol;
    }
    packet.extend(transport);
    Some(packet)
}

#[cfg(test)]
mod tests {
    use super::super::compose;
    use super::*;

    /// Cuts an IPv4 packet in two, as a router would.
    fn cut(ip: &[u8], at: usize) -> [Vec<u8>; 2] {
        let mut first = ip[..20 + at].to_vec();
        let mut second = [&ip[..20], &ip[20 + at..]].concat();
        for (part, field) in [(&mut first, 0x2000), (&mut second, at as u16 / 8)] {
            let length = part.len() as u16;
            part[2..4].copy_from_slice(&length.to_be_bytes());
            part[6..8].copy_from_slice(&u16::to_be_bytes(field));
        }
        [first, second]
    }

    fn join(reassembly: &mut Reassembly, parts: &[&Vec<u8>]) -> Option<Vec<u8>> {
        parts.iter().fold(None, |_, part| {
            let header = Header::read(part).expect("a packet");
            reassembly.part(part, &header, header.fragment.expect("a fragment"))
        })
    }

    #[test]
    fn parts_make_the_packet_in_any_order_and_not_twice() {
        let (a, b) = ("198.18.0.1:7".parse().expect("end"), "198.18.0.2:9".parse().expect("end"));
        let whole = compose::udp(a, b, &[7; 5000]);
        let [first, second] = cut(&whole, 3000);
        let mut reassembly = Reassembly::default();
        for order in [[&first, &second], [&second, &first]] {
            let joined = join(&mut reassembly, &order).expect("joined");
            assert_eq!(Header::read(&joined).expect("a packet").fragment, None);
            assert_eq!(joined[20..], whole[20..]);
            assert!(reassembly.waiting.is_empty());
        }
        assert_eq!(join(&mut reassembly, &[&first, &first]), None);
    }
}
