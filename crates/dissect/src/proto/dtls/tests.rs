//! Hellos in fragments, the hello after a HelloVerifyRequest, recognition.

use super::super::client_hello::tests::{body, extension_of, server_name_of};
use super::super::{Appetite, Notes, tests};
use super::{DtlsReader, is_datagram};
use overheard_model::{NameSource, Side, Transport};
use proptest::prelude::*;

fn hello() -> Vec<u8> {
    body(0xfefd, &[0xc02b], &[extension_of(0, &server_name_of(b"example.org"))])
}

fn record(kind: u8, epoch: u16, content: &[u8]) -> Vec<u8> {
    let head = [&[kind, 0xfe, 0xfd][..], &epoch.to_be_bytes(), &[0; 6]].concat();
    [&head[..], &(content.len() as u16).to_be_bytes(), content].concat()
}

/// A record with the part `from..to` of a hello.
fn fragment(sequence: u8, from: usize, to: usize) -> Vec<u8> {
    let hello = hello();
    let u24 = |number: usize| [0, (number >> 8) as u8, number as u8];
    let head = [&[1][..], &u24(hello.len()), &[0, sequence], &u24(from), &u24(to - from)].concat();
    record(22, 0, &[&head[..], &hello[from..to]].concat())
}

fn read(datagrams: &[Vec<u8>]) -> (Notes, Appetite) {
    let chunks = datagrams.iter().map(|bytes| tests::chunk(Transport::Udp, 443, Side::Src, bytes));
    tests::read(&mut DtlsReader::default(), chunks)
}

#[test]
fn a_hello_cut_at_any_byte_and_sent_backwards_is_read() {
    let length = hello().len();
    let (whole, appetite) = read(&[fragment(0, 0, length)]);
    assert_eq!(whole.names, [("example.org".into(), NameSource::DtlsSni)]);
    assert!(whole.ja4.as_ref().is_some_and(|(plain, _)| plain.as_str().starts_with("dd2d010100_")));
    assert_eq!(appetite, Appetite::Sated);
    for cut in 1..length {
        assert_eq!(read(&[fragment(0, cut, length), fragment(0, 0, cut)]).0, whole, "cut at {cut}");
    }
}

#[test]
fn a_hello_begun_anew_after_a_verify_request_is_read() {
    let length = hello().len();
    let (notes, appetite) = read(&[fragment(0, 60, length), fragment(1, 0, 50), fragment(1, 50, length)]);
    assert_eq!((notes.names.len(), appetite), (1, Appetite::Sated));
}

#[test]
fn recognition_wants_records_to_the_end() {
    let hello = fragment(0, 0, hello().len());
    assert!(is_datagram(&hello));
    assert!(is_datagram(&record(23, 1, &[7; 40])), "the middle of a conversation");
    assert!(!is_datagram(&record(23, 0, &[7; 40])), "nothing is encrypted in the first epoch");
    assert!(!is_datagram(&[&hello[..], b"more"].concat()));
    assert!(!is_datagram(b"\x16\x03\x01\x00\x05hello"));
    assert!(!is_datagram(b""));
}

proptest! {
    #[test]
    fn arbitrary_datagrams_never_panic(rest in prop::collection::vec(any::<u8>(), 0..300), typed in any::<bool>()) {
        let datagram = if typed { record(22, 0, &rest) } else { rest };
        is_datagram(&datagram);
        read(&[datagram]);
    }
}
