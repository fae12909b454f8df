//! One capture under way a second time: its frames, changed.
//!
//! Promises: within a replica an address or a port becomes the same one everywhere; a checksum that
//! was right stays right, one that was wrong (as hosts leave them to their network cards) stays wrong.

use super::address::Kind;
use super::capture::{Changes, Template};
use super::layers::{UDP, be16};
use rand::{Rng, RngExt};
use std::net::IpAddr;
use std::ops::Range;

pub(super) struct Replica<'a> {
    template: &'a Template,
    start: u64,
    /// The frame to be sent next.
    next: usize,
    addresses: Vec<IpAddr>,
    /// Added to ephemeral ports, within their half of all ports.
    shift: u16,
}

impl<'a> Replica<'a> {
    pub(super) fn begin(template: &'a Template, start: u64, random: &mut impl Rng) -> Self {
        let draw = |(old, kind): &(IpAddr, Kind)| kind.draw(*old, random);
        let addresses = template.addresses.iter().map(draw).collect();
        Self { template, start, next: 0, addresses, shift: random.random_range(0..0x8000) }
    }

    /// When the next frame is due, in nanoseconds; `None` after the last.
    pub(super) fn due(&self) -> Option<u64> {
        Some(self.start + self.template.frames.get(self.next)?.at)
    }

    /// Puts the next frame into `packet` and gives its length on the wire.
    pub(super) fn take(&mut self, packet: &mut Vec<u8>) -> u32 {
        packet.clear();
        let Some(frame) = self.template.frames.get(self.next) else { return 0 };
        self.next += 1;
        packet.extend_from_slice(self.template.bytes(frame));
        if let Some(changes) = &frame.changes {
            self.change(packet, changes);
        }
        frame.wire_len
    }

    fn change(&self, packet: &mut [u8], changes: &Changes) {
        let sites = &changes.sites;
        let mut difference = 0;
        for (site, number) in [(&sites.src, changes.src), (&sites.dst, changes.dst)] {
            difference += self.put_address(packet, site, number, 0);
        }
        if let Some(at) = sites.header_checksum {
            adjust(packet, at, difference);
        }
        let Some(transport) = sites.transport else { return };
        for (site, number) in sites.answers.iter().zip(&changes.answers) {
            let odd = (site.start - transport.begin) % 2;
            difference += number.map_or(0, |number| self.put_address(packet, site, number, odd));
        }
        for (end, _) in changes.shifts.iter().enumerate().filter(|(_, shift)| **shift) {
            difference += transport.ports.map_or(0, |at| self.shift_port(packet, at + 2 * end));
        }
        let unchecked =
            transport.protocol == UDP && transport.checksum.and_then(|at| be16(packet, at)) == Some(0);
        if let (Some(at), false) = (transport.checksum, unchecked) {
            adjust(packet, at, difference);
            if transport.protocol == UDP && be16(packet, at) == Some(0) {
                packet[at..at + 2].fill(0xff);
            }
        }
    }

    fn put_address(&self, packet: &mut [u8], site: &Range<usize>, number: usize, odd: usize) -> i64 {
        match self.addresses[number] {
            IpAddr::V4(v4) => put(&mut packet[site.clone()], &v4.octets(), odd),
            IpAddr::V6(v6) => put(&mut packet[site.clone()], &v6.octets(), odd),
        }
    }

    fn shift_port(&self, packet: &mut [u8], at: usize) -> i64 {
        let port = be16(packet, at).unwrap_or_default();
        let shifted = 0x8000 | (port.wrapping_add(self.shift) & 0x7fff);
        put(&mut packet[at..at + 2], &shifted.to_be_bytes(), 0)
    }
}

/// Overwrites bytes; gives by how much the sum of 16-bit words grew. `odd`: 1 where the first byte is
/// the lower half of a word, else 0.
fn put(old: &mut [u8], new: &[u8], odd: usize) -> i64 {
    let mut difference = 0;
    for (at, (old, new)) in old.iter_mut().zip(new).enumerate() {
        let value = i64::from(*new) - i64::from(*old);
        difference += if (at + odd).is_multiple_of(2) { value << 8 } else { value };
        *old = *new;
    }
    difference
}

/// The checksum of a message whose words' sum grew by `difference` (RFC 1624, equation 3).
fn adjust(packet: &mut [u8], at: usize, difference: i64) {
    let Some(old) = be16(packet, at) else { return };
    let sum = (i64::from(!old) + difference).rem_euclid(0xffff) as u16;
    // In ones' complement a sum of words that are not all zero is never zero, but 0xffff.
    let sum = if sum == 0 { 0xffff } else { sum };
    packet[at..at + 2].copy_from_slice(&(!sum).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::{adjust, put};

    fn checksum(bytes: &[u8]) -> u16 {
        let words =
            bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)));
        let mut sum: u32 = words.sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    #[test]
    fn an_adjusted_checksum_is_that_of_the_whole() {
        for (at, new) in [(2, [9, 8, 7, 6]), (5, [0xff, 0xff, 0, 1]), (7, [0, 0, 0, 0]), (2, [3, 4, 5, 6])] {
            let mut message = [0u8, 0, 3, 4, 5, 6, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc];
            let sum = checksum(&message);
            message[..2].copy_from_slice(&sum.to_be_bytes());
            let difference = put(&mut message[at..at + 4], &new, at % 2);
            adjust(&mut message, 0, difference);
            let adjusted = u16::from_be_bytes([message[0], message[1]]);
            message[..2].fill(0);
            assert_eq!(adjusted, checksum(&message), "{new:?} at {at}");
        }
    }
}
