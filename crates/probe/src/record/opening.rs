//! Which packets open a flow: those after whose owner it is worth to ask.
//!
//! Of a TCP connection it is its SYN, and so no other TCP packet costs more than a look at its flags. Of everything
//! else it is the first packet that the app sends between the two ends.
//! Promises: remembers at most [`MOST`] flows; beyond that it forgets them all, and asks again.

use super::headers::Headers;
use overheard_model::Transport;
use std::collections::HashSet;
use std::net::SocketAddr;

/// Flows that are remembered.
const MOST: usize = 1 << 18;

/// The two ends of a flow that the app began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    pub transport: Transport,
    /// The app's. Where there are no ports: 0, or the identifier of an ICMP echo request.
    pub src: SocketAddr,
    pub dst: SocketAddr,
}

/// The flows that were opened.
#[derive(Debug, Default)]
pub(super) struct Openings {
    /// With the sequence number of a SYN: the same two ends may be used again, and a SYN may be sent again.
    seen: HashSet<(Ends, u32)>,
}

impl Openings {
    /// The ends of the flow that this packet of the app opens.
    pub(super) fn opened_by(&mut self, ip: &[u8]) -> Option<Ends> {
        let headers = Headers::of(ip)?;
        let sequence = match headers.transport {
            Transport::Tcp => headers.syn()?,
            _ => 0,
        };
        if headers.segment.is_empty() {
            return None;
        }
        let (mut src, dst) = headers.ends();
        if let Some(identifier) = headers.echo_identifier() {
            src.set_port(identifier);
        }
        let ends = Ends { transport: headers.transport, src, dst };
        if self.seen.len() >= MOST {
            self.seen.clear();
        }
        self.seen.insert((ends, sequence)).then_some(ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipv4(protocol: u8, segment: &[u8]) -> Vec<u8> {
        let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 198, 18, 0, 10, 198, 18, 1, 53];
        ip.extend(segment);
        ip
    }

    fn tcp(sequence: u8, flags: u8) -> Vec<u8> {
        ipv4(6, &[0x9c, 0x40, 1, 0xbb, 0, 0, 0, sequence, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0])
    }

    #[test]
    fn a_connection_is_opened_by_its_syn_once() {
        let mut openings = Openings::default();
        let opened = openings.opened_by(&tcp(1, 0x02)).unwrap();
        assert_eq!(
            (opened.src, opened.dst),
            ("198.18.0.10:40000".parse().unwrap(), "198.18.1.53:443".parse().unwrap())
        );
        assert_eq!(openings.opened_by(&tcp(1, 0x02)), None, "sent again");
        assert_eq!(openings.opened_by(&tcp(2, 0x10)), None, "not a SYN");
        assert!(openings.opened_by(&tcp(2, 0x02)).is_some(), "the same ends, used again");
    }

    #[test]
    fn datagrams_between_the_same_ends_are_one_flow() {
        let mut openings = Openings::default();
        let datagram = ipv4(17, &[0x9c, 0x40, 0, 53, 0, 8, 0, 0]);
        assert!(openings.opened_by(&datagram).is_some());
        assert_eq!(openings.opened_by(&datagram), None);
    }

    #[test]
    fn echo_requests_are_told_apart_by_their_identifier() {
        let mut openings = Openings::default();
        let opened = openings.opened_by(&ipv4(1, &[8, 0, 0, 0, 0x12, 0x34, 0, 1])).unwrap();
        assert_eq!(opened.src.port(), 0x1234);
        assert_eq!(openings.opened_by(&ipv4(1, &[8, 0, 0, 0, 0x12, 0x34, 0, 2])), None);
    }
}
