//! IP fragments that overlap, never end, or are never joined by their others.

use super::cost::{FIXED, MIB, count_of, little, read_all, read_within, size, turn};
use super::source::Lazy;
use super::wire::{CLIENT, PCAP, SERVER, fragment4, ipv6, pcap, record, udp};
use overheard_model::Reading;

/// What packets under way may hold, in vectors that double, and the list of those that are given up.
const UNDER_WAY: usize = 2 * 32 * MIB;

const MORE: u16 = 0x2000;

/// A fragment of IPv6: the header of RFC 8200 §4.5, then the bytes.
fn fragment6(id: u32, offset: u16, more: bool, payload: &[u8]) -> Vec<u8> {
    let place = offset << 3 | u16::from(more);
    let header = [&[17, 0][..], &place.to_be_bytes(), &id.to_be_bytes()].concat();
    ipv6(1, 2, 44, &[&header, payload].concat())
}

fn flood(count: u64, packet: impl Fn(u64) -> Vec<u8>) -> Reading {
    let bytes = count * (16 + packet(0).len() as u64);
    let source = Lazy::new(count + 1, |n, file| match n {
        0 => file.extend(PCAP),
        n => record(n, &packet(n - 1), file),
    });
    read_within(FIXED + UNDER_WAY, &little(), bytes, source)
}

/// The first fragment of a new packet each time, of the greatest length that Ethernet carries.
#[test]
fn packets_that_never_complete_are_given_up_and_counted() {
    let _turn = turn();
    let count = size(30_000, 400_000);
    let reading = flood(count, |n| fragment4(CLIENT, SERVER, 17, n as u16, MORE, &[1; 1400]));
    assert!(count_of(&reading, "incomplete-fragments") > 0);
    let told: u64 = reading.flows.iter().map(|flow| flow.packets_out).sum();
    assert_eq!(told + count_of(&reading, "malformed-packet"), count, "every frame is counted");
    let reading = flood(count, |n| fragment6(n as u32, 0, true, &[1; 1400]));
    let told: u64 = reading.flows.iter().map(|flow| flow.packets_out).sum();
    assert_eq!(told + count_of(&reading, "malformed-packet"), count, "every frame is counted");
}

/// The last fragment, at the greatest offset: 64 KiB are promised by 8 bytes.
#[test]
fn last_fragments_alone_hold_what_came_and_no_more() {
    let _turn = turn();
    let count = size(30_000, 400_000);
    flood(count, |n| fragment4(CLIENT, SERVER, 17, n as u16, 0x1ff0, &[1; 8]));
    flood(count, |n| fragment6(n as u32, 0x1ff0, false, &[1; 8]));
}

/// One packet in pieces of eight bytes, every other one: thousands of holes.
#[test]
fn a_packet_full_of_holes_is_put_together_in_time() {
    let _turn = turn();
    let rounds = size(4, 60);
    let pieces = |round: u64| (0..4_000_u16).map(move |n| (round, n * 2 + 1));
    let places: Vec<_> = (0..rounds).flat_map(pieces).collect();
    let four: Vec<_> = places
        .iter()
        .map(|(round, at)| fragment4(CLIENT, SERVER, 17, *round as u16, MORE | at, &[1; 8]))
        .collect();
    let six: Vec<_> =
        places.iter().rev().map(|(round, at)| fragment6(*round as u32, *at, true, &[1; 8])).collect();
    for frames in [four, six] {
        let reading = read_all(FIXED + UNDER_WAY, &pcap(&frames));
        assert_eq!(reading.capture.packets, frames.len() as u64);
    }
}

/// The same place again and again, each time with other bytes, before the packet is completed.
#[test]
fn of_overlapping_fragments_the_first_stays_or_the_packet_is_spoilt() {
    let _turn = turn();
    let whole = udp((40_000, 53), &[b'a'; 1016]);
    let lies = vec![0xee; 512];
    let overlaps = size(2_000, 100_000) as u16;
    let mut four = vec![fragment4(CLIENT, SERVER, 17, 1, MORE, &whole[..512])];
    four.extend((0..overlaps).map(|n| fragment4(CLIENT, SERVER, 17, 1, MORE | (n % 64), &lies)));
    four.push(fragment4(CLIENT, SERVER, 17, 1, 64, &whole[512..]));
    let reading = read_all(FIXED, &pcap(&four));
    let flow = reading.flows.iter().find(|flow| flow.dst_port == 53);
    assert!(flow.is_some(), "the ports are those that came first");
    let mut six = vec![fragment6(1, 0, true, &whole[..512])];
    six.extend((0..overlaps).map(|n| fragment6(1, n % 63 + 1, true, &lies)));
    six.push(fragment6(1, 64, false, &whole[512..]));
    let reading = read_all(FIXED, &pcap(&six));
    assert!(reading.flows.iter().all(|flow| flow.dst_port != 53), "RFC 5722: none of it is read");
    assert_eq!(count_of(&reading, "incomplete-fragments"), 1);
}
