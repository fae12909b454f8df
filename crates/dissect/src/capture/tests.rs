//! Captures stated byte by byte, in both byte orders.

mod recordings;

use super::order::ByteOrder;
use super::*;
use proptest::prelude::*;
use std::io::Write;

const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

/// Bytes of a file in one byte order.
struct File {
    order: ByteOrder,
    bytes: Vec<u8>,
}

impl File {
    fn new(order: ByteOrder) -> Self {
        Self { order, bytes: Vec::new() }
    }

    fn u16(&mut self, number: u16) -> &mut Self {
        let little = self.order == ByteOrder::Little;
        self.raw(&if little { number.to_le_bytes() } else { number.to_be_bytes() })
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        let little = self.order == ByteOrder::Little;
        self.raw(&if little { number.to_le_bytes() } else { number.to_be_bytes() })
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        let little = self.order == ByteOrder::Little;
        self.raw(&if little { number.to_le_bytes() } else { number.to_be_bytes() })
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn pcap_header(&mut self, magic: u32, (major, minor): (u16, u16), link: u32) -> &mut Self {
        self.u32(magic).u16(major).u16(minor).u32(0).u32(0).u32(65_535).u32(link)
    }

    /// A record whose header is longer than usual by `extra`.
    fn record(&mut self, fraction: u32, wire: u32, extra: &[u8], packet: &[u8]) -> &mut Self {
        self.u32(1).u32(fraction).u32(packet.len() as u32).u32(wire).raw(extra).raw(packet)
    }

    fn block(&mut self, kind: u32, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut body = Self::new(self.order);
        fill(&mut body);
        body.pad();
        let length = body.bytes.len() as u32 + 12;
        self.u32(kind).u32(length).raw(&body.bytes).u32(length)
    }

    fn pad(&mut self) -> &mut Self {
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
        self
    }

    fn option(&mut self, code: u16, value: &[u8]) -> &mut Self {
        self.u16(code).u16(value.len() as u16).raw(value).pad()
    }

    fn section(&mut self) -> &mut Self {
        self.block(0x0a0d_0d0a, |body| {
            body.u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX).option(1, b"of the section");
        })
    }

    fn interface(&mut self, link: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.block(1, |body| {
            body.u16(link).u16(0).u32(0);
            fill(body);
        })
    }

    fn enhanced(&mut self, interface: u32, units: u64, wire: u32, packet: &[u8]) -> &mut Self {
        self.block(6, |body| {
            body.u32(interface).u32((units >> 32) as u32).u32(units as u32);
            body.u32(packet.len() as u32).u32(wire).raw(packet);
        })
    }
}

/// Number, time, length on the wire, link and bytes of each frame.
type Read = (u64, i64, u32, u32, Vec<u8>);

fn read(bytes: &[u8]) -> (Vec<Read>, Summary) {
    let mut reader = Reader::new(bytes);
    let mut frames = Vec::new();
    while let Some(f) = reader.next_frame() {
        frames.push((f.number, f.time.0, f.wire_len, f.link, f.bytes.to_vec()));
    }
    assert!(reader.next_frame().is_none(), "the end stays the end");
    (frames, reader.into_summary())
}

fn kinds(summary: &Summary) -> Vec<&str> {
    summary.problems.iter().map(|problem| &*problem.kind).collect()
}

/// Two records of an Ethernet capture.
fn pcap(order: ByteOrder, magic: u32) -> Vec<u8> {
    let mut file = File::new(order);
    file.pcap_header(magic, (2, 4), 1).record(7, 9, &[], b"first").record(8, 6, &[], b"second");
    file.bytes
}

#[test]
fn pcap_of_both_byte_orders_and_units() {
    for order in ORDERS {
        for (magic, unit) in [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1)] {
            let (frames, summary) = read(&pcap(order, magic));
            let first = (1, 1_000_000_000 + 7 * unit, 9, 1, b"first".to_vec());
            let second = (2, 1_000_000_000 + 8 * unit, 6, 1, b"second".to_vec());
            assert_eq!(frames, [first, second]);
            assert_eq!((summary.format.as_str(), summary.packets), ("pcap", 2));
            assert!(summary.complete && summary.problems.is_empty());
        }
    }
}

#[test]
fn variants_are_told_by_their_first_records() {
    // Interface 3, protocol, packet type; then two processors and padding; Nokia's four bytes.
    let modified = [3, 0, 0, 0, 8, 0, 0, 0];
    let september = [3, 0, 0, 0, 8, 0, 0, 0, 1, 1, 0, 0];
    let nokia = [0, 0, 0, 0];
    let cases: [(u32, &[u8]); 4] = [
        (0xa1b2_cd34, &modified),
        (0xa1b2_cd34, &september),
        (0xa1b2_c3d4, &modified),
        (0xa1b2_c3d4, &nokia),
    ];
    for (magic, extra) in cases {
        let mut file = File::new(ByteOrder::Little);
        file.pcap_header(magic, (2, 4), 1);
        for _ in 0..4 {
            file.record(5, 60, extra, &[0x55; 60]);
        }
        let (frames, summary) = read(&file.bytes);
        assert_eq!(frames.len(), 4, "{magic:x} {extra:?}");
        assert!(frames.iter().all(|frame| frame.4 == [0x55; 60]) && summary.complete);
    }
}

#[test]
fn ixia_writes_a_size_after_the_file_header() {
    let mut file = File::new(ByteOrder::Big);
    file.pcap_header(0x1c00_01ac, (2, 4), 1).u32(20).record(5, 4, &[], b"ixia");
    let (frames, summary) = read(&file.bytes);
    assert_eq!(frames, [(1, 1_000_000_005, 4, 1, b"ixia".to_vec())]);
    assert!(summary.complete);
}

#[test]
fn old_versions_may_swap_the_lengths() {
    let mut file = File::new(ByteOrder::Big);
    file.pcap_header(0xa1b2_c3d4, (2, 3), 1).u32(1).u32(0).u32(60).u32(3).raw(b"old");
    let (frames, _) = read(&file.bytes);
    assert_eq!(frames, [(1, 1_000_000_000, 60, 1, b"old".to_vec())]);
}

#[test]
fn aix_numbers_links_by_interface_type() {
    let mut file = File::new(ByteOrder::Big);
    file.pcap_header(0xa1b2_c3d4, (2, 2), 6).record(5, 3, &[], b"aix");
    assert_eq!(read(&file.bytes).0, [(1, 1_000_000_005, 3, 1, b"aix".to_vec())]);
}

#[test]
fn a_frame_check_sequence_does_not_change_the_link() {
    let mut file = File::new(ByteOrder::Little);
    file.pcap_header(0xa1b2_c3d4, (2, 4), 0x2400_0001).record(0, 3, &[], b"fcs");
    assert_eq!(read(&file.bytes).0.first().map(|frame| frame.3), Some(1));
}

#[test]
fn files_cut_short_say_so_and_keep_what_came_before() {
    let whole = pcap(ByteOrder::Little, 0xa1b2_c3d4);
    let second = 24 + 16 + 5;
    for length in 4..whole.len() {
        let (frames, summary) = read(&whole[..length]);
        let at_a_record = [24, second].contains(&length);
        assert_eq!(summary.complete, at_a_record, "{length}");
        assert_eq!(frames.len(), usize::from(length >= second), "{length}");
        let expected: &[&str] = if at_a_record { &[] } else { &["truncated-file"] };
        assert_eq!(kinds(&summary), expected, "{length}");
    }
    let problem = read(&whole[..second + 3]).1.problems.remove(0);
    assert_eq!(problem.offset, Some(second as u64), "where the record begins");
}

#[test]
fn hostile_lengths_end_the_reading() {
    let mut file = File::new(ByteOrder::Little);
    file.pcap_header(0xa1b2_c3d4, (2, 4), 1).record(0, 2, &[], b"ok").u32(1).u32(0);
    file.u32(u32::MAX).u32(u32::MAX);
    let (frames, summary) = read(&file.bytes);
    assert_eq!((frames.len(), summary.complete, kinds(&summary)), (1, false, vec!["bad-block"]));
    // A length beyond the snapshot length is odd, and the bytes are there all the same.
    let mut file = File::new(ByteOrder::Little);
    file.pcap_header(0xa1b2_c3d4, (2, 4), 1).record(0, 90_000, &[], &[1; 90_000]);
    assert_eq!(read(&file.bytes).0.first().map(|frame| frame.4.len()), Some(90_000));
}

#[test]
fn what_is_no_capture_is_unknown() {
    for (bytes, told) in [
        (&b""[..], "empty"),
        (b"plain text, no capture at all", "neither"),
        (b"snoop\0\0\0\0\0\0\x02", "Sun snoop"),
        (b"PK\x03\x04", "zip"),
    ] {
        let (frames, summary) = read(bytes);
        assert!(frames.is_empty() && !summary.complete);
        assert_eq!((summary.format.as_str(), kinds(&summary)), ("unknown", vec!["unknown-format"]));
        assert!(summary.problems.iter().all(|problem| problem.text.contains(told)), "{told}");
    }
}

/// A section with every block that is read, and one that is not.
fn pcapng(order: ByteOrder) -> File {
    let mut file = File::new(order);
    file.section();
    file.interface(1, |body| {
        body.option(1, b"of the interface").option(9, &[9]).u32(0);
    });
    file.interface(101, |body| {
        let mut offset = File::new(order);
        offset.u64(100);
        body.option(9, &[0x80 | 10]).option(14, &offset.bytes);
    });
    file.enhanced(0, 5, 9, b"first").enhanced(1, 1536, 3, b"two");
    file.block(0x8000_0bad, |body| {
        body.raw(&[7; 40]);
    });
    file.block(3, |body| {
        body.u32(3).raw(b"spb");
    });
    file.block(2, |body| {
        body.u16(0).u16(0).u32(0).u32(8).u32(2).u32(2).raw(b"pb").pad().option(1, b"of the packet");
    });
    file.block(4, |body| {
        body.u16(1).u16(17).raw(&[192, 0, 2, 1]).raw(b"Example.org\0\0").pad();
        body.u16(2).u16(20).raw(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).raw(b"six\0");
        body.u32(0);
    });
    for dropped in [2, 5] {
        let mut count = File::new(order);
        count.u64(dropped);
        file.block(5, |body| {
            body.u32(1).u32(0).u32(0).option(5, &count.bytes);
        });
    }
    file.block(10, |body| {
        body.u32(0x544c_534b).u32(6).raw(b"secret");
    });
    file
}

#[test]
fn pcapng_of_both_byte_orders() {
    for order in ORDERS {
        let (frames, summary) = read(&pcapng(order).bytes);
        let expected = [
            (1, 5, 9, 1, b"first".to_vec()),
            (2, 101_500_000_000, 3, 101, b"two".to_vec()),
            // Simple packets have no time: that of the one before.
            (3, 101_500_000_000, 3, 1, b"spb".to_vec()),
            (4, 8, 2, 1, b"pb".to_vec()),
        ];
        assert_eq!(frames, expected);
        assert_eq!((summary.format.as_str(), summary.packets), ("pcapng", 4));
        assert_eq!(summary.comments, ["of the section", "of the interface", "of the packet"]);
        assert_eq!(summary.dropped, Some(5), "the latest statistics count");
        assert_eq!(summary.secrets, [(0x544c_534b, b"secret".to_vec())]);
        let names: Vec<_> = summary.names.iter().map(|(ip, name)| (ip.to_string(), &**name)).collect();
        assert_eq!(names, [("192.0.2.1".into(), "example.org"), ("2001:db8::1".into(), "six")]);
        assert!(summary.complete && summary.problems.is_empty(), "{:?}", summary.problems);
    }
}

/// In the words of a recording of ours, and as dumpcap remarks on its own counts.
#[test]
fn sections_have_byte_orders_and_interfaces_of_their_own() {
    let mut bytes = pcapng(ByteOrder::Little).bytes;
    bytes.extend(pcapng(ByteOrder::Big).bytes);
    let (frames, summary) = read(&bytes);
    assert_eq!((frames.len(), summary.dropped), (8, Some(10)));
    let mut file = pcapng(ByteOrder::Little);
    file.section().enhanced(0, 0, 1, b"x");
    let (frames, summary) = read(&file.bytes);
    assert_eq!((frames.len(), kinds(&summary)), (4, vec!["bad-block"]), "no interface 0 there");
}

#[test]
fn pcapng_cut_short_says_so() {
    let whole = pcapng(ByteOrder::Big).bytes;
    let mut complete = 0;
    for length in 4..whole.len() {
        let (_, summary) = read(&whole[..length]);
        complete += usize::from(summary.complete);
        assert_eq!(kinds(&summary) == ["truncated-file"], !summary.complete, "{length}");
    }
    assert_eq!(complete, 11, "at the end of each block but the last");
}

#[test]
fn blocks_that_contradict_themselves_end_the_reading() {
    let mut lengths_differ = pcapng(ByteOrder::Little).bytes;
    if let Some(last) = lengths_differ.last_mut() {
        *last = 1;
    }
    let mut too_small = pcapng(ByteOrder::Little);
    too_small.u32(6).u32(8);
    let mut too_large = pcapng(ByteOrder::Little);
    too_large.u32(6).u32(u32::MAX);
    let mut packet_beyond_block = pcapng(ByteOrder::Little);
    packet_beyond_block.block(6, |body| {
        body.u32(0).u32(0).u32(0).u32(100).u32(100).raw(b"few");
    });
    for bytes in [lengths_differ, too_small.bytes, too_large.bytes, packet_beyond_block.bytes] {
        let (frames, summary) = read(&bytes);
        assert_eq!((frames.len(), summary.complete), (4, false));
        assert_eq!(kinds(&summary), ["bad-block"]);
        assert!(summary.problems.iter().all(|problem| problem.offset.is_some()));
    }
}

/// RFC 1952.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame of one raw block (RFC 8878).
fn zstd(bytes: &[u8]) -> Vec<u8> {
    // Single segment, content size of one byte; one last raw block.
    let header = ((bytes.len() as u32) << 3 | 1).to_le_bytes();
    [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, bytes.len() as u8], &header[..3], bytes].concat()
}

#[test]
fn compressed_captures_read_as_plain_ones() {
    let plain = pcap(ByteOrder::Little, 0xa1b2_c3d4);
    let (first, second) = plain.split_at(30);
    let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"???"].concat();
    for (compressed, format) in [
        (gzip(&plain), "pcap+gzip"),
        ([gzip(first), gzip(second)].concat(), "pcap+gzip"),
        (zstd(&plain), "pcap+zstd"),
        ([skippable.clone(), zstd(first), skippable, zstd(second)].concat(), "pcap+zstd"),
    ] {
        let (frames, summary) = read(&compressed);
        assert_eq!((frames, summary.complete), (read(&plain).0, true));
        assert_eq!(summary.format, format);
        let (_, summary) = read(&compressed[..compressed.len() - 9]);
        assert_eq!((summary.complete, kinds(&summary)), (false, vec!["truncated-file"]), "{format}");
    }
}

fn corpus_zstd() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpus/formats/zstd.pcap.zst")).unwrap()
}

#[test]
fn a_cut_zstd_capture_gives_what_came_before() {
    let whole = corpus_zstd();
    let (frames, summary) = read(&whole);
    assert_eq!((frames.len(), summary.complete), (101, true));
    // Of the checksum a byte is missing, then the only block's second half.
    for (length, expected) in [(whole.len() - 1, 101), (whole.len() / 2, 0)] {
        let (frames, summary) = read(&whole[..length]);
        assert_eq!((frames.len(), summary.complete), (expected, false));
        assert_eq!(kinds(&summary), ["truncated-file"]);
    }
}

#[test]
fn a_zstd_checksum_that_does_not_match_is_told() {
    let mut flipped = corpus_zstd();
    *flipped.last_mut().unwrap() ^= 1;
    let (frames, summary) = read(&flipped);
    assert_eq!((frames.len(), summary.complete, kinds(&summary)), (101, false, vec!["read-error"]));
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let (_, summary) = read(&flipped);
    assert_eq!((summary.complete, kinds(&summary)), (false, vec!["read-error"]));
}

/// Blocks of 128 KiB (RFC 8878 §3.1.1.2.4): each of the three holds 128 records of 1 KiB.
#[test]
fn blocks_before_the_damaged_one_are_read() {
    let mut file = File::new(ByteOrder::Little);
    file.pcap_header(0xa1b2_c3d4, (2, 4), 1);
    for number in 0..3 * 128_u32 {
        let bytes: Vec<u8> =
            (0..1008 / 4).flat_map(|i| (number ^ i).wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
        file.record(number, 0, &[], &bytes);
    }
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(&file.bytes).unwrap();
    let compressed = encoder.finish().unwrap();
    assert_eq!(read(&compressed).0.len(), 3 * 128);
    for length in [compressed.len() / 2, compressed.len() * 9 / 10] {
        let (frames, summary) = read(&compressed[..length]);
        let blocks = length * 3 / compressed.len();
        assert!(frames.len() >= blocks * 128 - 1, "{} of {length} bytes", frames.len());
        assert_eq!((summary.complete, kinds(&summary)), (false, vec!["truncated-file"]));
    }
    let mut reserved = compressed;
    let second = 3 + block_length(&reserved, 6);
    // Block type 3 is reserved: damage in the header of the second block.
    reserved[6 + second] |= 0b110;
    let (frames, summary) = read(&reserved);
    assert_eq!((frames.len(), kinds(&summary)), (127, vec!["read-error"]));
}

/// What the header of a zstd block at an offset says.
fn block_length(frame: &[u8], at: usize) -> usize {
    u32::from_le_bytes([frame[at], frame[at + 1], frame[at + 2], 0]) as usize >> 3
}

#[test]
fn damage_in_a_compressed_capture_is_told() {
    let mut damaged = gzip(&pcapng(ByteOrder::Little).bytes);
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8].fill(0xff);
    let (_, summary) = read(&damaged);
    assert!(!summary.complete && summary.problems.len() == 1, "{:?}", summary.problems);
}

/// A source that gives one byte at a time, and now and then nothing for an interruption.
struct Trickle<'a>(&'a [u8], bool);

impl io::Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = into.len().min(1);
        self.0.read(&mut into[..count])
    }
}

#[test]
fn any_source_will_do() {
    let bytes = pcapng(ByteOrder::Little).bytes;
    let mut reader = Reader::new(Trickle(&bytes, false));
    while reader.next_frame().is_some() {}
    assert_eq!((reader.summary().packets, reader.summary().complete), (4, true));
}

#[test]
fn records_larger_than_the_buffer_are_read_whole() {
    let mut file = File::new(ByteOrder::Little);
    file.pcap_header(0xa1b2_c3d4, (2, 4), 231).record(0, 0, &[], &[7; 300_000]);
    file.record(0, 0, &[], &[8; 1_000_000]).record(0, 0, &[], b"small");
    let (frames, summary) = read(&file.bytes);
    let lengths: Vec<_> = frames.iter().map(|frame| frame.4.len()).collect();
    assert_eq!((lengths, summary.complete), (vec![300_000, 1_000_000, 5], true));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        beginning in prop::sample::select(vec![
            &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0][..],
            &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a],
            &[0x1f, 0x8b, 8],
            &[0x28, 0xb5, 0x2f, 0xfd],
            &[],
        ]),
    ) {
        read(&[beginning, &bytes].concat());
    }

    #[test]
    fn damaged_captures_never_panic(
        at in 0usize..400,
        byte: u8,
        little: bool,
    ) {
        let mut bytes = pcapng(if little { ByteOrder::Little } else { ByteOrder::Big }).bytes;
        let at = at % bytes.len();
        bytes[at] = byte;
        read(&bytes);
    }
}
