//! More flows than memory holds: a scan, or packets with made-up senders.

use super::cost::{MIB, count_of, read_within, size, turn};
use super::source::Lazy;
use super::wire::{ACK, PCAP, SERVER, SYN, ipv4, ipv6, record, tcp, udp};
use overheard_dissect::Options;
use overheard_model::Reading;
use std::num::NonZeroUsize;

/// Spoofed flows.
const FLOWS: u64 = size(150_000, 10_000_000);
const MEMORY: usize = if cfg!(debug_assertions) { 16 * MIB } else { 64 * MIB };

/// What the reading takes beside `--memory`: vectors that double hold half of it once more while they
/// grow, and what is told of the flows that are left is made beside them. The same for any number of flows.
const BESIDE: usize = MEMORY;

/// One packet of each flow, read on one thread and on two.
fn flood(packet: impl Fn(u64) -> Vec<u8> + Sync) {
    let bytes = FLOWS * (16 + packet(0).len() as u64);
    for threads in [NonZeroUsize::MIN, NonZeroUsize::MIN.saturating_add(1)] {
        let source = Lazy::new(FLOWS + 1, |n, file| match n {
            0 => file.extend(PCAP),
            n => record(n, &packet(n - 1), file),
        });
        let options = Options { memory: MEMORY, hash: false, threads, ..Options::default() };
        nothing_is_lost(&read_within(MEMORY + BESIDE, &options, bytes, source));
    }
}

/// A sender of its own for each number, and a port.
fn spoofed(n: u64) -> (u32, u16) {
    // An odd factor makes each number another address, in no order.
    ((n as u32).wrapping_mul(0x9e37_79b1), 1024 + (n % 50_000) as u16)
}

/// Every flow is told or counted as evicted; none is lost.
fn nothing_is_lost(reading: &Reading) {
    let evicted = count_of(reading, "flow-evicted");
    assert!(evicted > 0, "{:?}", reading.capture.problems);
    assert_eq!(reading.flows.len() as u64 + evicted, FLOWS);
    assert_eq!(reading.capture.packets, FLOWS);
}

#[test]
fn spoofed_syns_cannot_exhaust_memory() {
    let _turn = turn();
    flood(|n| {
        let (src, port) = spoofed(n);
        ipv4(src, SERVER, 6, &tcp((port, 443), n as u32, 0, SYN, b""))
    });
}

#[test]
fn spoofed_datagrams_cannot_exhaust_memory() {
    let _turn = turn();
    flood(|n| {
        let (src, port) = spoofed(n);
        ipv4(src, SERVER, 17, &udp((port, 40_001), &n.to_be_bytes()))
    });
}

/// Each flow has a stream that waits for what never comes.
#[test]
fn spoofed_streams_with_holes_cannot_exhaust_memory() {
    let _turn = turn();
    flood(|n| {
        let (src, port) = spoofed(n);
        ipv6(src, 1, 6, &tcp((port, 443), n as u32, 1, ACK, b"\x16\x03\x01\x40\x00\x01"))
    });
}
