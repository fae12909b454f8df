//! Recordings as others read them: a small reader after the draft, and tshark; and owners of flows as a fresh
//! network namespace has them.

mod attribution;
mod kept;
mod reader;
mod tshark;

use overheard_probe::record::Section;
use std::time::{Duration, SystemTime};

/// What the captures of these tests say of themselves.
const SECTION: Section<'static> =
    Section { vantage: "direct", build: "regular", run: "regular-3", interface: "room0" };

/// Nanoseconds after the epoch.
fn at(nanos: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos.cast_unsigned())
}

/// A UDP datagram in IPv4.
fn datagram(src: ([u8; 4], u16), dst: ([u8; 4], u16), payload: &[u8]) -> Vec<u8> {
    let mut segment = [src.1.to_be_bytes(), dst.1.to_be_bytes()].concat();
    segment.extend(((8 + payload.len()) as u16).to_be_bytes());
    segment.extend([0, 0]);
    segment.extend(payload);
    ipv4(17, src.0, dst.0, &segment)
}

/// The SYN that begins a connection in IPv4.
fn syn(src: ([u8; 4], u16), dst: ([u8; 4], u16)) -> Vec<u8> {
    let mut segment = [src.1.to_be_bytes(), dst.1.to_be_bytes()].concat();
    segment.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
    ipv4(6, src.0, dst.0, &segment)
}

fn ipv4(protocol: u8, src: [u8; 4], dst: [u8; 4], segment: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x45, 0];
    ip.extend(((20 + segment.len()) as u16).to_be_bytes());
    ip.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    ip.extend(src);
    ip.extend(dst);
    ip.extend(segment);
    ip
}
