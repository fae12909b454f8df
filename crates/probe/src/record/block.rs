//! Blocks of a pcapng file, as bytes.
//!
//! Source: draft-ietf-opsawg-pcapng. Promises: every block is whole, padded to four bytes and little-endian.
//! To extend: a function that pushes the body between [`begin`] and [`end`].

use super::Direction;
use overheard_model::Timestamp;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Types of blocks.
mod kind {
    pub(super) const SECTION: u32 = 0x0a0d_0d0a;
    pub(super) const INTERFACE: u32 = 1;
    pub(super) const STATISTICS: u32 = 5;
    pub(super) const ENHANCED_PACKET: u32 = 6;
    pub(super) const SECRETS: u32 = 10;
}

/// Codes of options; a code means what its block says it means.
mod option {
    pub(super) const END: u16 = 0;
    pub(super) const COMMENT: u16 = 1;
    pub(super) const SECTION_HARDWARE: u16 = 2;
    pub(super) const SECTION_OS: u16 = 3;
    pub(super) const SECTION_PROGRAM: u16 = 4;
    pub(super) const INTERFACE_NAME: u16 = 2;
    pub(super) const INTERFACE_DESCRIPTION: u16 = 3;
    pub(super) const INTERFACE_IPV4: u16 = 4;
    pub(super) const INTERFACE_IPV6: u16 = 5;
    pub(super) const INTERFACE_RESOLUTION: u16 = 9;
    pub(super) const PACKET_FLAGS: u16 = 2;
    pub(super) const STATISTICS_BEGAN: u16 = 2;
    pub(super) const STATISTICS_ENDED: u16 = 3;
    pub(super) const STATISTICS_RECEIVED: u16 = 4;
    pub(super) const STATISTICS_DROPPED: u16 = 5;
    pub(super) const STATISTICS_DELIVERED: u16 = 8;
}

/// `LINKTYPE_RAW`: a packet begins with its IP header.
const LINK_RAW: u16 = 101;
/// Timestamps are in 10^-9 seconds.
const NANOSECONDS: u8 = 9;
/// TLS Key Log.
const TLS_KEY_LOG: u32 = 0x544c_534b;
/// Bytes of a secrets block before the secrets.
pub(super) const BEFORE_SECRETS: u64 = 16;
/// Bytes of a secrets block beside the secrets, if they need no padding.
pub(super) const AROUND_SECRETS: usize = 20;
/// Bytes of a packet's block before the packet.
const BEFORE_PACKET: usize = 28;
/// Longest text of an option, bytes: far below what the format has room for.
const LONGEST_TEXT: usize = 4096;

/// What the Section Header Block tells.
pub(super) struct Header<'a> {
    pub(super) hardware: &'a str,
    pub(super) os: &'a str,
    pub(super) program: &'a str,
    pub(super) comment: &'a str,
}

pub(super) fn section(out: &mut Vec<u8>, header: &Header) {
    let block = begin(out, kind::SECTION);
    push_u32(out, 0x1a2b_3c4d);
    push_u16(out, 1);
    push_u16(out, 0);
    out.extend_from_slice(&u64::MAX.to_le_bytes());
    push_text(out, option::COMMENT, header.comment);
    push_text(out, option::SECTION_HARDWARE, header.hardware);
    push_text(out, option::SECTION_OS, header.os);
    push_text(out, option::SECTION_PROGRAM, header.program);
    push_option(out, option::END, &[]);
    end(out, block);
}

/// What the Interface Description Block tells.
pub(super) struct Interface<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    /// Each with the length of its network in bits.
    pub(super) ipv4: (Ipv4Addr, u8),
    pub(super) ipv6: (Ipv6Addr, u8),
}

pub(super) fn interface(out: &mut Vec<u8>, interface: &Interface) {
    let block = begin(out, kind::INTERFACE);
    push_u16(out, LINK_RAW);
    push_u16(out, 0);
    // No snapshot length: packets are kept whole.
    push_u32(out, 0);
    push_text(out, option::INTERFACE_NAME, interface.name);
    push_text(out, option::INTERFACE_DESCRIPTION, interface.description);
    let (address, bits) = interface.ipv4;
    let mask = u32::MAX.checked_shl(u32::BITS - u32::from(bits)).unwrap_or(0);
    push_option(out, option::INTERFACE_IPV4, &[address.octets(), mask.to_be_bytes()].concat());
    let (address, bits) = interface.ipv6;
    push_option(out, option::INTERFACE_IPV6, &[&address.octets()[..], &[bits]].concat());
    push_option(out, option::INTERFACE_RESOLUTION, &[NANOSECONDS]);
    push_option(out, option::END, &[]);
    end(out, block);
}

/// What stands in a packet's block before the packet. `after` is what follows it, from [`packet_end`].
pub(super) fn packet_begin(out: &mut Vec<u8>, time: Timestamp, length: usize, after: &[u8]) {
    push_u32(out, kind::ENHANCED_PACKET);
    push_u32(out, (BEFORE_PACKET + length + after.len()) as u32);
    push_u32(out, 0);
    push_time(out, time);
    push_u32(out, length as u32);
    push_u32(out, length as u32);
}

/// What stands in a packet's block after the packet.
pub(super) fn packet_end(out: &mut Vec<u8>, direction: Direction, length: usize, comment: Option<&str>) {
    let start = out.len();
    out.resize(start + length.next_multiple_of(4) - length, 0);
    let flags: u32 = match direction {
        Direction::Inbound => 0b01,
        Direction::Outbound => 0b10,
    };
    push_option(out, option::PACKET_FLAGS, &flags.to_le_bytes());
    if let Some(comment) = comment {
        push_text(out, option::COMMENT, comment);
    }
    push_option(out, option::END, &[]);
    let after = out.len() - start + 4;
    push_u32(out, (BEFORE_PACKET + length + after) as u32);
}

/// A block of TLS secrets; lines of a key log, which may be empty.
pub(super) fn secrets(out: &mut Vec<u8>, key_log: &[u8]) {
    let block = begin(out, kind::SECRETS);
    push_u32(out, TLS_KEY_LOG);
    push_u32(out, key_log.len() as u32);
    push_padded(out, key_log);
    end(out, block);
}

/// What the Interface Statistics Block tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    /// Times of the first and the last packet.
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) received: u64,
    pub(super) dropped: u64,
    pub(super) delivered: u64,
}

pub(super) fn statistics(out: &mut Vec<u8>, counts: &Statistics, comments: &[String]) {
    let block = begin(out, kind::STATISTICS);
    push_u32(out, 0);
    push_time(out, counts.ended);
    for (code, time) in [(option::STATISTICS_BEGAN, counts.began), (option::STATISTICS_ENDED, counts.ended)] {
        push_u16(out, code);
        push_u16(out, 8);
        push_time(out, time);
    }
    push_option(out, option::STATISTICS_RECEIVED, &counts.received.to_le_bytes());
    push_option(out, option::STATISTICS_DROPPED, &counts.dropped.to_le_bytes());
    push_option(out, option::STATISTICS_DELIVERED, &counts.delivered.to_le_bytes());
    comments.iter().for_each(|comment| push_text(out, option::COMMENT, comment));
    push_option(out, option::END, &[]);
    end(out, block);
}

/// Begins a block; gives the place where it begins, for [`end`].
fn begin(out: &mut Vec<u8>, kind: u32) -> usize {
    let start = out.len();
    push_u32(out, kind);
    push_u32(out, 0);
    start
}

/// Ends the block that began at `start`: both of its lengths are known now.
fn end(out: &mut Vec<u8>, start: usize) {
    let length = ((out.len() - start + 4) as u32).to_le_bytes();
    out[start + 4..start + 8].copy_from_slice(&length);
    out.extend_from_slice(&length);
}

fn push_u16(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn push_u32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// The upper half, then the lower one. The format knows no time before 1970.
fn push_time(out: &mut Vec<u8>, time: Timestamp) {
    let nanos = time.0.max(0) as u64;
    push_u32(out, (nanos >> 32) as u32);
    push_u32(out, nanos as u32);
}

fn push_text(out: &mut Vec<u8>, code: u16, text: &str) {
    push_option(out, code, &text.as_bytes()[..text.floor_char_boundary(LONGEST_TEXT)]);
}

fn push_option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    push_u16(out, code);
    push_u16(out, value.len() as u16);
    push_padded(out, value);
}

/// Padded to four bytes.
fn push_padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.resize(out.len() + bytes.len().next_multiple_of(4) - bytes.len(), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte for byte after the figures of the draft: 4.3 Enhanced Packet Block, 3.5 options.
    #[test]
    fn a_packet_is_laid_out_as_the_draft_draws_it() {
        let packet = [0x45, 1, 2, 3, 4];
        let (mut out, mut after) = (Vec::new(), Vec::new());
        packet_end(&mut after, Direction::Outbound, packet.len(), Some("hello"));
        packet_begin(&mut out, Timestamp(0x0102_0304_0506_0708), packet.len(), &after);
        out.extend(packet);
        out.extend(after);
        #[rustfmt::skip]
        let expected = [
            6, 0, 0, 0,  64, 0, 0, 0,  0, 0, 0, 0,  4, 3, 2, 1,  8, 7, 6, 5,  5, 0, 0, 0,  5, 0, 0, 0,
            0x45, 1, 2, 3, 4, 0, 0, 0,
            2, 0, 4, 0,  2, 0, 0, 0,
            1, 0, 5, 0,  b'h', b'e', b'l', b'l', b'o', 0, 0, 0,
            0, 0, 0, 0,
            64, 0, 0, 0,
        ];
        assert_eq!(out, expected);
    }

    /// 4.2 Interface Description Block: the draft's own examples of both options.
    #[test]
    fn an_interface_states_its_addresses() {
        let mut out = Vec::new();
        let ipv6 = Ipv6Addr::new(0x2001, 0xdb8, 0x85a3, 0x8d3, 0x1319, 0x8a2e, 0x370, 0x7344);
        let ipv4 = (Ipv4Addr::new(192, 168, 1, 1), 24);
        interface(&mut out, &Interface { name: "a", description: "b", ipv4, ipv6: (ipv6, 64) });
        #[rustfmt::skip]
        let expected = [
            4, 0, 8, 0,  192, 168, 1, 1,  255, 255, 255, 0,
            5, 0, 17, 0,  0x20, 0x01, 0x0d, 0xb8, 0x85, 0xa3, 0x08, 0xd3, 0x13, 0x19, 0x8a, 0x2e, 0x03, 0x70, 0x73, 0x44,
            64, 0, 0, 0,
        ];
        assert_eq!(out[32..][..expected.len()], expected);
    }

    /// 4.7 Decryption Secrets Block.
    #[test]
    fn secrets_are_padded_and_their_length_is_not() {
        let mut out = Vec::new();
        secrets(&mut out, b"abcde");
        #[rustfmt::skip]
        let expected = [
            10, 0, 0, 0,  28, 0, 0, 0,  b'K', b'S', b'L', b'T',  5, 0, 0, 0,
            b'a', b'b', b'c', b'd', b'e', 0, 0, 0,  28, 0, 0, 0,
        ];
        assert_eq!(out, expected);
    }

    #[test]
    fn a_text_too_long_is_cut_between_characters() {
        let mut out = Vec::new();
        push_text(&mut out, option::COMMENT, &"é".repeat(LONGEST_TEXT));
        assert_eq!(out.len(), 4 + LONGEST_TEXT);
        assert!(str::from_utf8(&out[4..]).is_ok());
    }

    #[test]
    fn a_time_before_1970_is_written_as_1970() {
        let mut out = Vec::new();
        push_time(&mut out, Timestamp(-1));
        assert_eq!(out, [0; 8]);
    }
}
