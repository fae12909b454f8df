//! Hellos in Initial packets that are split, mixed up, coalesced, retried and cut, and recognition.

use super::super::{Appetite, Chunk, Dissector, Recognition, tests};
use super::initial::tests::{DCID, HELLO, V1, V2, seal, unhex};
use super::{Quic, QuicReader};
use overheard_model::{NameSource, Side, Transport};
use proptest::prelude::*;

fn chunk(from: Side, bytes: &[u8]) -> Chunk<'_> {
    tests::chunk(Transport::Udp, 443, from, bytes)
}

/// Name and JA4 of what the client sent, and whether the reader had enough.
fn learn(datagrams: &[Vec<u8>]) -> (Option<String>, Option<String>, Appetite) {
    let chunks = datagrams.iter().map(|datagram| chunk(Side::Src, datagram));
    let (notes, appetite) = tests::read(&mut QuicReader::default(), chunks);
    assert!(notes.names.len() <= 1);
    let name = notes.names.first().map(|(name, source)| {
        assert_eq!(*source, NameSource::QuicSni);
        name.to_string()
    });
    (name, notes.ja4.map(|(plain, _)| plain.as_str().to_owned()), appetite)
}

/// A CRYPTO frame with a piece of the example's hello.
fn crypto(from: usize, to: usize) -> Vec<u8> {
    let hello = unhex(HELLO);
    let mut frame = vec![6];
    frame.extend((0x4000 | from as u16).to_be_bytes());
    frame.extend((0x4000 | (to - from) as u16).to_be_bytes());
    frame.extend(&hello[from..to]);
    frame
}

fn assert_read(datagrams: &[Vec<u8>]) {
    let (name, ja4, appetite) = learn(datagrams);
    assert_eq!(name.as_deref(), Some("example.com"));
    assert_eq!(ja4.as_deref().map(|ja4| &ja4[..10]), Some("q13d0211an"));
    assert_eq!(appetite, Appetite::Sated);
}

#[test]
fn a_hello_in_one_packet_is_read_in_both_versions() {
    assert_read(&[seal(V1, &DCID, &DCID, &[], &crypto(0, 241))]);
    assert_read(&[seal(V2, &DCID, &DCID, &[], &crypto(0, 241))]);
    assert_read(&[seal(0xff00_001d, &DCID, &DCID, &[], &crypto(0, 241))]);
}

#[test]
fn a_hello_cut_at_any_byte_and_sent_backwards_is_read() {
    for cut in 1..241 {
        let late = seal(V1, &DCID, &DCID, &[], &crypto(cut, 241));
        let early = seal(V1, b"chosen", &DCID, &[], &crypto(0, cut));
        let (name, ..) = learn(std::slice::from_ref(&late));
        assert_eq!(name, None);
        assert_read(&[late, early]);
    }
}

#[test]
fn packets_that_share_a_datagram_and_frames_that_are_mixed_up_are_read() {
    let mut datagram =
        seal(V1, &DCID, &DCID, &[], &[crypto(200, 241), vec![1, 0, 0], crypto(0, 90)].concat());
    datagram.extend(seal(V1, &DCID, &DCID, &[], &crypto(80, 210)));
    assert_read(&[datagram]);
}

#[test]
fn after_a_retry_the_keys_come_from_the_servers_identifier() {
    let first = seal(V1, &DCID, &DCID, &[], &crypto(0, 20));
    let second = seal(V1, b"retried", b"retried", b"token", &crypto(0, 100));
    let third = seal(V1, b"other", b"retried", b"token", &crypto(100, 241));
    assert_read(&[first, second, third]);
}

#[test]
fn a_version_changed_on_the_way_counts_on_the_first_identifier() {
    let first = seal(V1, &DCID, &DCID, &[], &crypto(0, 100));
    assert_read(&[first, seal(V2, b"chosen", &DCID, &[], &crypto(100, 241))]);
}

#[test]
fn a_version_that_nobody_listed_is_tried_with_all_salts() {
    let mut bytes = seal(0xff00_0017, &DCID, &DCID, &[], &crypto(0, 241));
    assert_read(&[bytes.clone()]);
    // The version is authenticated: renaming the packet must not open it.
    bytes[1..5].copy_from_slice(&[0xfa, 0xce, 0xb0, 0x02]);
    assert_eq!(learn(&[bytes]), (None, None, Appetite::More));
}

#[test]
fn googles_clear_hello_is_read() {
    let mut datagram = b"\x0d\x01\x02\x03\x04\x05\x06\x07\x08Q043\x01".to_vec();
    datagram.extend([0; 12]);
    datagram.extend(b"\xa0\x01\x00\x2fCHLO\x02\x00\x00\x00PAD\0\x03\0\0\0SNI\0\x0e\0\0\0---example.com");
    assert_eq!(learn(&[datagram.clone()]).0.as_deref(), Some("example.com"));
    assert_eq!(recognise(&datagram), Recognition::Yes);
}

fn recognise(datagram: &[u8]) -> Recognition {
    Quic.recognise(&tests::opening(Transport::Udp, 443, datagram, &[]))
}

#[test]
fn recognition_wants_a_known_version_or_a_full_datagram() {
    let mut known = seal(V1, &DCID, &DCID, &[], &crypto(0, 241));
    assert_eq!(recognise(&known), Recognition::Yes);
    known[1..5].copy_from_slice(&[0x1a; 4]);
    assert_eq!(recognise(&known), Recognition::No, "an unknown version in a short datagram");
    let mut grease = seal(V1, &DCID, &DCID, &[], &[crypto(0, 241), vec![0; 1000]].concat());
    grease[1..5].copy_from_slice(&[0x1a; 4]);
    assert_eq!(recognise(&grease), Recognition::Yes);
    let negotiation = b"\x80\0\0\0\0\x08abcdefgh\x04ijkl\0\0\0\x01\x1a\x2a\x3a\x4a";
    assert_eq!(recognise(negotiation), Recognition::Yes);
    assert_eq!(recognise(&[0x45; 40]), Recognition::Unsure, "a short header");
    assert_eq!(recognise(b"GET / HTTP/1.1\r\n"), Recognition::No);
}

proptest! {
    #[test]
    fn arbitrary_datagrams_never_panic(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6)) {
        for datagram in &datagrams {
            recognise(datagram);
        }
        learn(&datagrams);
    }

    #[test]
    fn arbitrary_frames_in_a_good_packet_never_panic(frames in prop::collection::vec(any::<u8>(), 4..300)) {
        learn(&[seal(V1, &DCID, &DCID, &[], &frames)]);
    }
}
