//! Streams put in order: one test for each way in which segments go astray.

use crate::flow::stream::{Arrival, Piece, Stream};
use overheard_model::Timestamp;
use proptest::prelude::*;

fn beginning_at(next: Option<u32>) -> Stream {
    let mut stream = Stream::default();
    stream.begin_at(next);
    stream
}

/// What a stream delivered: bytes with the gap before them.
#[derive(Default)]
struct Delivered {
    bytes: Vec<u8>,
    gaps: Vec<u64>,
}

fn arrival(seq: u32, bytes: &[u8]) -> Arrival<'_> {
    Arrival { seq, bytes, missing: 0, packet: 1, time: Timestamp(0) }
}

fn run(stream: &mut Stream, arrivals: &[Arrival<'_>]) -> Delivered {
    let mut delivered = Delivered::default();
    let mut deliver = |piece: Piece<'_>| {
        delivered.bytes.extend_from_slice(piece.bytes);
        delivered.gaps.push(piece.gap);
    };
    for &arrival in arrivals {
        stream.push(arrival, &mut deliver);
    }
    stream.finish(&mut deliver);
    delivered
}

#[test]
fn in_order_segments_pass_straight_on() {
    let mut stream = beginning_at(Some(10));
    let delivered = run(&mut stream, &[arrival(10, b"abc"), arrival(13, b"def")]);
    assert_eq!((&delivered.bytes[..], &delivered.gaps[..]), (&b"abcdef"[..], &[0, 0][..]));
}

#[test]
fn segments_out_of_order_wait_for_the_hole() {
    let mut stream = beginning_at(Some(0));
    let delivered = run(&mut stream, &[arrival(6, b"ghi"), arrival(3, b"def"), arrival(0, b"abc")]);
    assert_eq!(delivered.bytes, b"abcdefghi");
    assert_eq!((stream.gap_bytes, stream.conflicting_bytes), (0, 0));
}

#[test]
fn of_overlapping_segments_the_first_copy_wins() {
    let mut stream = beginning_at(Some(0));
    // "defg" waits; "XXfgh" overlaps it at both ends; then "abcD" repeats a delivered byte.
    let segments = [arrival(3, b"defg"), arrival(2, b"cXefghi"), arrival(0, b"ab"), arrival(0, b"Zb")];
    let delivered = run(&mut stream, &segments);
    assert_eq!(delivered.bytes, b"abcdefghi");
    assert_eq!(stream.conflicting_bytes, 2, "X against d, Z against a");
}

#[test]
fn a_repetition_delivers_only_what_is_new() {
    let mut stream = beginning_at(Some(0));
    let delivered = run(&mut stream, &[arrival(0, b"abc"), arrival(0, b"abc"), arrival(1, b"bcdef")]);
    assert_eq!(delivered.bytes, b"abcdef");
    assert_eq!(stream.conflicting_bytes, 0);
}

#[test]
fn sequence_numbers_wrap_around() {
    let mut stream = beginning_at(Some(u32::MAX - 1));
    let delivered = run(&mut stream, &[arrival(2, b"ef"), arrival(u32::MAX - 1, b"abcd")]);
    assert_eq!(delivered.bytes, b"abcdef");
}

#[test]
fn what_never_came_is_a_gap() {
    let mut stream = beginning_at(Some(0));
    let delivered = run(&mut stream, &[arrival(0, b"ab"), arrival(7, b"hi")]);
    assert_eq!((&delivered.bytes[..], &delivered.gaps[..]), (&b"abhi"[..], &[0, 5][..]));
    assert_eq!(stream.gap_bytes, 5);
}

#[test]
fn bytes_cut_off_by_the_snapshot_length_are_a_gap() {
    let mut stream = beginning_at(Some(0));
    let cut = Arrival { missing: 4, ..arrival(0, b"ab") };
    let delivered = run(&mut stream, &[cut, arrival(6, b"gh")]);
    assert_eq!((&delivered.bytes[..], &delivered.gaps[..]), (&b"abgh"[..], &[0, 4][..]));
}

#[test]
fn a_hole_is_given_up_when_too_much_waits() {
    let mut stream = beginning_at(Some(0));
    let full = vec![7; 64 << 10];
    let mut delivered = 0;
    for at in 0..4_u32 {
        let segment = arrival(100 + at * (64 << 10), &full);
        stream.push(segment, &mut |piece| delivered += piece.bytes.len());
    }
    assert_eq!(delivered, 4 * (64 << 10));
    assert_eq!(stream.gap_bytes, 100);
    assert!(stream.held() < 8 << 10);
}

#[test]
fn a_segment_beyond_any_window_is_no_part_of_the_stream() {
    let mut stream = beginning_at(Some(0));
    let delivered = run(&mut stream, &[arrival(0, b"ab"), arrival(0x5000_0000, b"zz"), arrival(2, b"cd")]);
    assert_eq!((&delivered.bytes[..], stream.gap_bytes), (&b"abcd"[..], 0));
}

#[test]
fn midstream_begins_with_the_first_bytes() {
    let mut stream = beginning_at(None);
    let delivered = run(&mut stream, &[arrival(900, b"ab"), arrival(902, b"cd"), arrival(500, b"old")]);
    assert_eq!((&delivered.bytes[..], stream.gap_bytes), (&b"abcd"[..], 0));
}

/// Cuts `length` bytes at random places, lets cuts overlap, repeats and shuffles them.
fn segments(length: usize) -> impl Strategy<Value = Vec<(usize, usize)>> {
    let tiles = prop::collection::vec(1..40_usize, 1..40);
    let repeats = prop::collection::vec((0..length, 1..60_usize), 0..20);
    (tiles, repeats).prop_flat_map(move |(tiles, repeats)| {
        let mut cuts = repeats;
        let mut at = 0;
        for tile in tiles.into_iter().cycle() {
            if at >= length {
                break;
            }
            cuts.push((at, tile));
            at += tile;
        }
        Just(cuts).prop_shuffle()
    })
}

proptest! {
    /// Any order and repetition of a stream's segments delivers the stream; 200 bytes are never more
    /// than 200 segments, which may all wait.
    #[test]
    fn any_permutation_delivers_the_same_bytes(cuts in segments(200), start: u32) {
        let bytes: Vec<u8> = (0..200_u32).map(|i| (i * 31 % 251) as u8).collect();
        let mut stream = beginning_at(Some(start));
        let cut = |&(at, length): &(usize, usize)| {
            let part = &bytes[at..(at + length).min(bytes.len())];
            arrival(start.wrapping_add(at as u32), part)
        };
        let arrivals: Vec<_> = cuts.iter().map(cut).collect();
        let delivered = run(&mut stream, &arrivals);
        prop_assert_eq!(delivered.bytes, bytes);
        prop_assert_eq!((stream.gap_bytes, stream.conflicting_bytes), (0, 0));
        prop_assert!(delivered.gaps.iter().all(|&gap| gap == 0));
    }

    /// No sequence of segments, however absurd, delivers more than came or panics.
    #[test]
    fn arbitrary_segments_never_panic(raw in prop::collection::vec((any::<u32>(), 0..50_usize, 0..9_u32), 0..60)) {
        let bytes = [5; 50];
        let arrivals: Vec<_> =
            raw.iter().map(|&(seq, length, missing)| Arrival { missing, ..arrival(seq, &bytes[..length]) }).collect();
        let came: usize = arrivals.iter().map(|arrival| arrival.bytes.len()).sum();
        prop_assert!(run(&mut beginning_at(None), &arrivals).bytes.len() <= came);
    }
}
