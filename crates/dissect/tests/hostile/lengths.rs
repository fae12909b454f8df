//! Files and packets that lie about lengths: a number allocates nothing, only bytes do.

use super::cost::{FIXED, MIB, count_of, little, read_all, read_within, size, turn, within};
use super::pcapng::block;
use super::source::Lazy;
use super::wire::{CLIENT, PCAP, SERVER, datagram, fragment4, ipv4, ipv6, pcap, tcp, udp};
use overheard_dissect::capture::Reader;

/// A record header with these two lengths.
fn record_of(captured: u32, wire: u32) -> Vec<u8> {
    [[0; 4], [0; 4], captured.to_le_bytes(), wire.to_le_bytes()].concat()
}

#[test]
fn a_record_of_four_gigabytes_ends_the_reading() {
    let _turn = turn();
    for captured in [u32::MAX, 1 << 31, 1 << 28, (256 << 10) + 1] {
        let file = [&PCAP[..], &record_of(captured, captured), &[0; 1000]].concat();
        let reading = read_all(FIXED, &file);
        assert_eq!((count_of(&reading, "bad-block"), reading.capture.packets), (1, 0), "{captured}");
    }
}

#[test]
fn a_record_longer_than_the_file_is_cut_short() {
    let _turn = turn();
    let file = [&PCAP[..], &record_of(200_000, 200_000), &[0; 1000]].concat();
    let reading = read_all(FIXED, &file);
    assert_eq!((count_of(&reading, "truncated-file"), reading.capture.complete), (1, false));
}

/// USB captures may have records of 128 MiB: the window follows the bytes that come, not the number.
#[test]
fn a_long_record_takes_memory_as_its_bytes_come() {
    let _turn = turn();
    const USBPCAP: u8 = 249;
    let mut header = PCAP;
    header[20] = USBPCAP;
    let record = record_of(128 << 20, 128 << 20);
    let file = [&header[..], &record, &vec![0; 3 * MIB]].concat();
    let reading = read_all(4 * FIXED, &file);
    assert_eq!(count_of(&reading, "truncated-file"), 1);
}

/// Lengths of the wire add up to more than 64 bits hold.
#[test]
fn bytes_on_the_wire_do_not_wrap() {
    let _turn = turn();
    let frame = datagram((40_000, 40_001), b"x");
    let mut file = PCAP.to_vec();
    for _ in 0..3 {
        file.extend(record_of(frame.len() as u32, u32::MAX));
        file.extend(&frame);
    }
    let reading = read_all(FIXED, &file);
    assert_eq!(reading.flows.iter().map(|flow| flow.bytes_out).sum::<u64>(), 3 * u64::from(u32::MAX));
}

/// A block that nobody knows is passed over, though it be of four gigabytes, without being held.
#[test]
fn a_block_of_four_gigabytes_is_passed_over() {
    let _turn = turn();
    let length = size(64 << 20, u64::from(u32::MAX) & !0xffff);
    let start = [
        block(0x0a0d_0d0a, &pcapng_section()),
        [0x0bad_0bad_u32, length as u32].map(u32::to_le_bytes).concat(),
    ];
    let zeros = vec![0; 1 << 16];
    let start = start.concat();
    let source = Lazy::new(length >> 16, |piece, file| match piece {
        0 => {
            file.extend(&start);
            file.resize(start.len() - 8 + (1 << 16), 0);
        }
        _ => file.extend(&zeros),
    });
    let reading = read_within(FIXED, &little(), length, source);
    assert_eq!((reading.capture.complete, &*reading.capture.format), (true, "pcapng"));
}

/// Body of a Section Header Block of unknown length.
pub fn pcapng_section() -> Vec<u8> {
    [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat()
}

/// A block that is read may not be of any length: its end is not even looked for.
#[test]
fn a_packet_block_of_four_gigabytes_ends_the_reading() {
    let _turn = turn();
    for kind in [6_u32, 2, 3, 4, 5, 10, 1] {
        let head = [kind, !3].map(u32::to_le_bytes).concat();
        let mut taken = 0;
        let start = [block(0x0a0d_0d0a, &pcapng_section()), head].concat();
        let source = Lazy::new(1 << 16, |piece, file| {
            file.extend(if piece == 0 { &start[..] } else { &[0; 1 << 10] });
            taken += 1;
        });
        let problems = within(FIXED, MIB as u64, || {
            let mut reader = Reader::new(source);
            while reader.next_frame().is_some() {}
            reader.into_summary().problems
        });
        assert!(problems.iter().any(|problem| &*problem.kind == "bad-block"), "{kind}: {problems:?}");
        assert!(taken < 1 << 10, "{kind}: {taken} pieces of 1 KiB were read");
    }
}

/// Each header of a packet says a length, and each may lie, upwards and downwards.
#[test]
fn packets_that_lie_are_counted_and_read_as_far_as_they_go() {
    let _turn = turn();
    let good = ipv4(CLIENT, SERVER, 6, &tcp((40_000, 443), 1, 0, 16, b"payload"));
    let datagram = ipv4(CLIENT, SERVER, 17, &udp((40_000, 53), b"payload"));
    let six = ipv6(1, 2, 17, &udp((40_000, 53), b"payload"));
    let mut frames = Vec::new();
    for lie in [0, 1, 4, 19, 20, 27, 28, 0x7fff, 0xffff_u16] {
        // IPv4's total length, UDP's length (v4 and v6), IPv6's payload length.
        for (frame, at) in [(&good, 16), (&datagram, 38), (&six, 58), (&six, 18)] {
            let mut frame = frame.clone();
            frame[at..at + 2].copy_from_slice(&lie.to_be_bytes());
            frames.push(frame);
        }
        // The header lengths of IPv4 and TCP.
        for at in [14, 46] {
            let mut frame = good.clone();
            frame[at] = frame[at] & if at == 14 { 0xf0 } else { 0x0f }
                | if at == 14 { lie as u8 & 15 } else { (lie as u8) << 4 };
            frames.push(frame);
        }
        // Hop-by-hop options, routing and authentication headers that are longer than the packet.
        for next in [0, 43, 51, 60] {
            frames.push(ipv6(1, 2, next, &[next, lie as u8, 0, 0, 0, 0, 0, 0]));
        }
        frames.push(fragment4(CLIENT, SERVER, 17, lie, 0x1fff, &[0; 64]));
    }
    let reading = read_all(FIXED, &pcap(&frames));
    assert_eq!(reading.capture.packets, frames.len() as u64);
    assert!(reading.capture.complete && count_of(&reading, "malformed-packet") > 0);
}
