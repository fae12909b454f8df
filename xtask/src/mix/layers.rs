//! Where in a frame the fields stand that a replica changes.
//!
//! Promises: never reads beyond what was captured; a frame that is not understood has no sites and is
//! repeated as it is. To extend: another link or header that stands before IP goes into [`sites`].

use std::net::IpAddr;
use std::ops::Range;

/// The fields of one frame, as offsets from its beginning.
#[derive(Clone, Debug)]
pub(super) struct Sites {
    /// The whole IPv4 header's checksum; IPv6 has none.
    pub header_checksum: Option<usize>,
    pub src: Range<usize>,
    pub dst: Range<usize>,
    pub transport: Option<Transport>,
    /// Addresses that a name server answered.
    pub answers: Vec<Range<usize>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Transport {
    pub protocol: u8,
    pub begin: usize,
    /// Whose sum covers the addresses too, where the protocol has such a one.
    pub checksum: Option<usize>,
    /// The source port; the destination port follows.
    pub ports: Option<usize>,
}

const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
const ICMP6: u8 = 58;

/// The sites of an Ethernet frame.
pub(super) fn sites(frame: &[u8]) -> Option<Sites> {
    let mut at = 12;
    let mut ethertype = be16(frame, at)?;
    while matches!(ethertype, 0x8100 | 0x88a8 | 0x9100) {
        at += 4;
        ethertype = be16(frame, at)?;
    }
    match ethertype {
        0x0800 => ipv4(frame, at + 2),
        0x86dd => ipv6(frame, at + 2),
        _ => None,
    }
}

fn ipv4(frame: &[u8], at: usize) -> Option<Sites> {
    let length = usize::from(frame.get(at)? & 0x0f) * 4;
    if frame[at] >> 4 != 4 || length < 20 || frame.len() < at + length {
        return None;
    }
    let first_fragment = be16(frame, at + 6)? & 0x1fff == 0;
    let transport = first_fragment.then(|| transport(frame, frame[at + 9], at + length)).flatten();
    Some(Sites {
        header_checksum: Some(at + 10),
        src: at + 12..at + 16,
        dst: at + 16..at + 20,
        answers: answers(frame, transport),
        transport,
    })
}

fn ipv6(frame: &[u8], at: usize) -> Option<Sites> {
    if frame.len() < at + 40 || frame[at] >> 4 != 6 {
        return None;
    }
    let transport = upper(frame, frame[at + 6], at + 40);
    Some(Sites {
        header_checksum: None,
        src: at + 8..at + 24,
        dst: at + 24..at + 40,
        answers: answers(frame, transport),
        transport,
    })
}

/// The transport layer behind IPv6's extension headers (RFC 8200 §4).
fn upper(frame: &[u8], mut next: u8, mut at: usize) -> Option<Transport> {
    const FRAGMENT: u8 = 44;
    for _ in 0..8 {
        let length = match next {
            0 | 43 | 60 => (usize::from(*frame.get(at + 1)?) + 1) * 8,
            FRAGMENT if be16(frame, at + 2)? & 0xfff8 == 0 => 8,
            FRAGMENT => return None,
            _ => return transport(frame, next, at),
        };
        next = *frame.get(at)?;
        at += length;
    }
    None
}

fn transport(frame: &[u8], protocol: u8, begin: usize) -> Option<Transport> {
    let checksum = match protocol {
        TCP => Some(begin + 16),
        UDP => Some(begin + 6),
        ICMP6 => Some(begin + 2),
        _ => None,
    };
    let checksum = checksum.filter(|at| at + 2 <= frame.len());
    let ports = (matches!(protocol, TCP | UDP) && begin + 4 <= frame.len()).then_some(begin);
    Some(Transport { protocol, begin, checksum, ports })
}

/// The addresses in the answers of a DNS message in UDP (RFC 1035 §4); none from where it breaks off.
fn answers(frame: &[u8], transport: Option<Transport>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let ports = transport.filter(|transport| transport.protocol == UDP).and_then(|transport| transport.ports);
    let Some(ports) = ports else { return found };
    let (src, dst) = (be16(frame, ports), be16(frame, ports + 2));
    if [53, 5353, 5355].iter().any(|port| src == Some(*port) || dst == Some(*port)) {
        collect_answers(frame, ports + 8, &mut found);
    }
    found
}

fn collect_answers(frame: &[u8], message: usize, found: &mut Vec<Range<usize>>) -> Option<()> {
    const A: u16 = 1;
    const AAAA: u16 = 28;
    const SVCB: u16 = 64;
    const HTTPS: u16 = 65;
    let count = |at: usize| be16(frame, message + at).map(usize::from);
    let questions = count(4)?;
    let records = count(6)? + count(8)? + count(10)?;
    let mut at = message + 12;
    for _ in 0..questions {
        at = after_name(frame, at)? + 4;
    }
    for _ in 0..records {
        let fixed = after_name(frame, at)?;
        let data = fixed + 10;
        let end = data + usize::from(be16(frame, fixed + 8)?);
        frame.get(data..end)?;
        match (be16(frame, fixed)?, end - data) {
            (A, 4) | (AAAA, 16) => found.push(data..end),
            (SVCB | HTTPS, _) => hints(&frame[..end], data, found).unwrap_or_default(),
            _ => {}
        }
        at = end;
    }
    Some(())
}

/// The address hints of a service binding (RFC 9460 §2.2, §7.3).
fn hints(frame: &[u8], data: usize, found: &mut Vec<Range<usize>>) -> Option<()> {
    let mut at = after_name(frame, data + 2)?;
    while at < frame.len() {
        let (key, length) = (be16(frame, at)?, usize::from(be16(frame, at + 2)?));
        let value = at + 4..at + 4 + length;
        frame.get(value.clone())?;
        at = value.end;
        let width = match key {
            4 => 4,
            6 => 16,
            _ => continue,
        };
        found.extend(
            value.step_by(width).filter(|begin| begin + width <= at).map(|begin| begin..begin + width),
        );
    }
    Some(())
}

fn after_name(frame: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *frame.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

/// The address that stands in these 4 or 16 bytes.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

pub(super) fn be16(frame: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?))
}
