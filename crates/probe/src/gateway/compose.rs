//! Packets of our own: datagrams and echoes that came from upstream, resets, and the errors of ICMP.
//!
//! Promises: what is composed is one whole packet with right checksums, however large; a wire's MTU does not bind a
//! TUN device's reader.
//! Sources: RFC 768 (UDP), RFC 9293 section 3.5.2 (when to reset), RFC 792 and RFC 4443 (ICMP errors and what they
//! quote).

use std::net::{IpAddr, SocketAddr};

use super::checksum;
use super::packet::{Header, ICMP, ICMP_V6, Segment, TCP, UDP};

const TTL: u8 = 64;

/// A datagram.
pub fn udp(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(8 + payload.len());
    datagram.extend(source.port().to_be_bytes());
    datagram.extend(destination.port().to_be_bytes());
    datagram.extend(((8 + payload.len()) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    packet(source.ip(), destination.ip(), UDP, &datagram, 6)
}

/// An ICMP message; its checksum is made anew.
pub fn icmp(source: IpAddr, destination: IpAddr, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    message[2..4].fill(0);
    let protocol = if source.is_ipv4() { ICMP } else { ICMP_V6 };
    packet(source, destination, protocol, &message, 2)
}

/// What a host without that connection answers to a segment; nothing to a reset.
pub fn reset(header: &Header, ends: (SocketAddr, SocketAddr), segment: Segment) -> Option<Vec<u8>> {
    const RESET: u8 = 0b100;
    const RESET_ACK: u8 = 0b1_0100;
    if segment.resets() {
        return None;
    }
    let (sequence, acknowledged, flags) = match segment.acknowledges() {
        true => (segment.acknowledged, 0, RESET),
        false => (0, segment.sequence.wrapping_add(segment.length), RESET_ACK),
    };
    let mut answer = Vec::with_capacity(20);
    answer.extend(ends.1.port().to_be_bytes());
    answer.extend(ends.0.port().to_be_bytes());
    answer.extend(sequence.to_be_bytes());
    answer.extend(acknowledged.to_be_bytes());
    answer.extend([5 << 4, flags, 0, 0, 0, 0, 0, 0]);
    Some(packet(header.destination, header.source, TCP, &answer, 16))
}

/// The error of ICMP that says what became of a packet, of which it quotes the beginning.
pub fn error(from: IpAddr, header: &Header, kind: u8, code: u8, info: u32, ip: &[u8]) -> Vec<u8> {
    // RFC 1812, section 4.3.2.3: up to 576 bytes in all; RFC 4443, section 2.4: up to 1280.
    let room = if header.source.is_ipv4() { 576 - 28 } else { 1280 - 48 };
    let mut message = vec![kind, code, 0, 0];
    message.extend(info.to_be_bytes());
    message.extend(&ip[..header.end.min(room)]);
    icmp(from, header.source, &message)
}

/// An IP packet around a transport whose checksum field, `field` bytes in, is zero.
fn packet(source: IpAddr, destination: IpAddr, protocol: u8, transport: &[u8], field: usize) -> Vec<u8> {
    let mut ip = Vec::with_capacity(40 + transport.len());
    let length = transport.len() as u32;
    let (pseudo, start) = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            ip.extend([0x45, 0]);
            ip.extend((20 + length as u16).to_be_bytes());
            ip.extend([0, 0, 0x40, 0, TTL, protocol, 0, 0]);
            ip.extend(source.octets());
            ip.extend(destination.octets());
            let sum = !checksum::sum(&ip);
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
            (checksum::sum(&ip[12..20]), 20)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            ip.extend([0x60, 0, 0, 0]);
            ip.extend((length as u16).to_be_bytes());
            ip.extend([protocol, TTL]);
            ip.extend(source.octets());
            ip.extend(destination.octets());
            (checksum::sum(&ip[8..40]), 40)
        }
        _ => unreachable!("both ends of a packet are of one family"),
    };
    ip.extend(transport);
    let pseudo = match protocol {
        ICMP => 0,
        _ => checksum::add(pseudo, checksum::add(u16::from(protocol), length as u16)),
    };
    let whole = match !checksum::add(pseudo, checksum::sum(&ip[start..])) {
        0 if protocol == UDP => 0xffff,
        whole => whole,
    };
    ip[start + field..start + field + 2].copy_from_slice(&whole.to_be_bytes());
    ip
}
