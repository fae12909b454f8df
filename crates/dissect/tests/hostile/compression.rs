//! Small files that are large ones: each costs time by what it unfolds to, and no memory.
//!
//! The window of zstd is not of this allocator's; that a large one is refused is tested by itself.

use super::cost::{FIXED, MIB, count_of, little, read_all, read_within, size, turn};
use super::source::Lazy;
use super::wire::{PCAP, datagram, record};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 19).expect("it compresses")
}

/// Records of one flow, a mebibyte of them.
fn records() -> Vec<u8> {
    let frame = datagram((40_000, 40_001), &[b'x'; 1400]);
    let mut records = Vec::new();
    while records.len() < MIB {
        record(1, &frame, &mut records);
    }
    records
}

type Packer = fn(&[u8]) -> Vec<u8>;
const PACKERS: [(&str, Packer); 2] = [("gzip", gzip), ("zstd", zstd)];

/// Members follow each other for ever, each a thousand times larger than it looks.
#[test]
fn a_bomb_of_packets_takes_no_memory() {
    let _turn = turn();
    for (name, pack) in PACKERS {
        let (head, body, unfolded) = (pack(&PCAP), pack(&records()), records().len() as u64);
        let members = size(32, 4096);
        let source = Lazy::new(members, |n, file| file.extend(if n == 0 { &head } else { &body }));
        let reading = read_within(FIXED, &little(), unfolded * members, source);
        assert!(reading.capture.complete && reading.capture.packets > 0, "{name}");
        assert_eq!(reading.flows.len(), 1, "{name}");
    }
}

/// What is no capture inside is given up at its first bytes, however much of it there would be.
#[test]
fn a_bomb_of_zeros_is_not_unfolded() {
    let _turn = turn();
    for (name, pack) in PACKERS {
        let body = pack(&vec![0; 16 * MIB]);
        let mut members = 0;
        let source = Lazy::new(1 << 20, |_, file| {
            file.extend(&body);
            members += 1;
        });
        let reading = read_within(FIXED, &little(), 64 << 20, source);
        assert_eq!(
            (count_of(&reading, "unknown-format"), &*reading.capture.format),
            (1, "unknown"),
            "{name}"
        );
        assert!(members < 1000, "{name}: {members} members were read");
    }
}

/// After a good beginning zeros are records of no length, in the year 1970.
#[test]
fn a_bomb_of_empty_records_takes_no_memory() {
    let _turn = turn();
    let bytes = size(16, 1024) * MIB as u64;
    for (name, pack) in PACKERS {
        let (head, zeros) = (pack(&PCAP), pack(&vec![0; 16 * MIB]));
        let source = Lazy::new(1 + bytes / (16 * MIB as u64), |n, file| {
            file.extend(if n == 0 { &head } else { &zeros })
        });
        let reading = read_within(FIXED, &little(), bytes, source);
        assert_eq!(reading.capture.packets, bytes / 16, "{name}");
    }
}

/// Members that hold nothing, each with a header that a decompressor makes ready for.
#[test]
fn members_without_content_cost_little_each() {
    let _turn = turn();
    for (name, pack) in PACKERS {
        let (head, nothing) = (pack(&PCAP), pack(b""));
        let members = size(20_000, 500_000);
        let source = Lazy::new(members, |n, file| file.extend(if n == 0 { &head } else { &nothing }));
        let reading = read_within(FIXED, &little(), members * nothing.len() as u64, source);
        assert!(reading.capture.complete, "{name}: {:?}", reading.capture.problems);
    }
}

/// One layer of compression is taken off, not two.
#[test]
fn a_compressed_file_within_a_compressed_file_is_no_capture() {
    let _turn = turn();
    for (name, pack) in PACKERS {
        let file = pack(&pack(&[&PCAP[..], &records()].concat()));
        let reading = read_all(FIXED, &file);
        assert_eq!(&*reading.capture.format, "unknown", "{name}");
    }
}

/// RFC 8878 §3.1.1.1.2: a window descriptor of 0xf8 asks for 3.75 TiB, 0xa8 for 2 GiB.
#[test]
fn a_huge_window_is_refused() {
    let _turn = turn();
    for window in [0xff_u8, 0xf8, 0xa8, 0x90] {
        let file = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, window][..], &[0x02, 0, 0, b'x']].concat();
        let reading = read_all(FIXED, &file);
        assert_eq!((reading.capture.complete, reading.capture.packets), (false, 0), "{window:#x}");
        assert_eq!(&*reading.capture.format, "unknown");
    }
}
