//! Hellos and certificates however they are split, streams that begin in the middle, recognition.

use super::super::client_hello::tests::{body, extension_of, list, message, server_name_of};
use super::super::{Appetite, Chunk, Notes, Reader, Recognition, tests};
use super::{TlsReader, recognise_stream};
use overheard_model::{NameSource, Protocol, Side, Transport};
use proptest::prelude::*;

fn hello(name: &[u8]) -> Vec<u8> {
    let alpn = extension_of(0x10, b"\x00\x03\x02h2");
    message(1, &body(0x0303, &[0x1301, 0xc02f], &[extension_of(0, &server_name_of(name)), alpn]))
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1][..], &(content.len() as u16).to_be_bytes(), content].concat()
}

fn chunk(from: Side, bytes: &[u8]) -> Chunk<'_> {
    tests::chunk(Transport::Tcp, 443, from, bytes)
}

fn read(pieces: &[(Side, &[u8])]) -> (Notes, Appetite) {
    tests::read(&mut TlsReader::default(), pieces.iter().map(|&(from, bytes)| chunk(from, bytes)))
}

fn sni(notes: &Notes) -> Vec<&str> {
    let sni = notes.names.iter().filter(|(_, source)| *source == NameSource::TlsSni);
    sni.map(|(name, _)| &**name).collect()
}

#[test]
fn a_hello_cut_at_any_byte_over_segments_gives_the_same() {
    let stream = record(22, &hello(b"Example.ORG"));
    let (whole, _) = read(&[(Side::Src, &stream)]);
    assert_eq!(sni(&whole), ["example.org"]);
    assert!(whole.ja4.as_ref().is_some_and(|(plain, _)| plain.as_str().starts_with("t12d0202h2_")));
    for cut in 1..stream.len() {
        let (early, late) = stream.split_at(cut);
        assert_eq!(read(&[(Side::Src, early), (Side::Src, late)]).0, whole, "cut at {cut}");
    }
}

#[test]
fn a_hello_cut_at_any_byte_over_records_gives_the_same() {
    let message = hello(b"example.org");
    let whole = read(&[(Side::Src, &record(22, &message))]).0;
    for cut in 1..message.len() {
        let (early, late) = message.split_at(cut);
        let stream = [record(22, early), record(22, late)].concat();
        assert_eq!(read(&[(Side::Src, &stream)]).0, whole, "cut at {cut}");
        assert_eq!(recognise_stream(&stream), Recognition::Yes, "cut at {cut}");
    }
    let bytewise: Vec<u8> = message.iter().flat_map(|&byte| record(22, &[byte])).collect();
    assert_eq!(read(&[(Side::Src, &bytewise)]).0, whole);
    assert_eq!(recognise_stream(&bytewise), Recognition::Yes);
}

#[test]
fn a_name_that_is_no_host_is_refused_but_the_fingerprint_stays() {
    let (notes, _) = read(&[(Side::Src, &record(22, &hello(b"no host")))]);
    assert_eq!(sni(&notes), Vec::<&str>::new());
    assert!(notes.ja4.is_some());
}

fn server_hello(extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = extensions.concat();
    let length = (extensions.len() as u16).to_be_bytes();
    message(2, &[&list(&[0x0303])[..], &[5; 32], &[0], &[0x13, 0x01, 0], &length, &extensions].concat())
}

#[test]
fn tls_1_3_is_sated_by_the_server_hello_and_1_2_waits_for_the_certificate() {
    let client = record(22, &hello(b"example.org"));
    let newer = record(22, &server_hello(&[extension_of(0x2b, &[3, 4])]));
    assert_eq!(read(&[(Side::Src, &client), (Side::Dst, &newer)]).1, Appetite::Sated);
    let older = record(22, &server_hello(&[]));
    assert_eq!(read(&[(Side::Src, &client), (Side::Dst, &older)]).1, Appetite::More);
    let done = record(22, &message(14, &[]));
    assert_eq!(read(&[(Side::Src, &client), (Side::Dst, &older), (Side::Dst, &done)]).1, Appetite::Sated);
}

#[test]
fn encryption_of_either_side_sates() {
    let client = record(22, &hello(b"example.org"));
    for kind in [20, 23] {
        assert_eq!(read(&[(Side::Src, &client), (Side::Src, &record(kind, &[1; 30]))]).1, Appetite::Sated);
    }
}

#[test]
fn a_gap_within_the_hello_ends_its_side_and_one_before_it_does_not() {
    let stream = record(22, &hello(b"example.org"));
    let (early, late) = stream.split_at(20);
    let (mut reader, mut notes) = (TlsReader::default(), Notes::default());
    reader.read(&chunk(Side::Src, early), &mut notes);
    reader.read(&Chunk { gap: 7, ..chunk(Side::Src, late) }, &mut notes);
    assert_eq!(notes, Notes::default());
    TlsReader::default().read(&Chunk { gap: 7, ..chunk(Side::Src, &stream) }, &mut notes);
    assert_eq!(sni(&notes), ["example.org"]);
}

#[test]
fn port_853_and_alpn_make_it_dns_over_tls() {
    let stream = record(22, &hello(b"dns.example"));
    let mut notes = Notes::default();
    TlsReader::default().read(&Chunk { dst_port: 853, ..chunk(Side::Src, &stream) }, &mut notes);
    assert_eq!(notes.protocol, Some(Protocol::Dot));
    let alpn = message(1, &body(0x0303, &[0x1301], &[extension_of(0x10, b"\x00\x04\x03dot")]));
    assert_eq!(read(&[(Side::Src, &record(22, &alpn))]).0.protocol, Some(Protocol::Dot));
}

#[test]
fn a_hello_in_the_form_of_ssl_2_is_recognised_and_passed_over() {
    let mut stream = vec![0x80, 0x2e, 1, 3, 1, 0, 21, 0, 0, 0, 16];
    stream.extend([7; 21 + 16]);
    assert_eq!(recognise_stream(&stream), Recognition::Yes);
    assert_eq!(recognise_stream(&stream[..4]), Recognition::Unsure);
    let (notes, appetite) = read(&[(Side::Src, &stream), (Side::Src, &record(22, &message(16, &[0; 40])))]);
    assert_eq!((notes, appetite), (Notes::default(), Appetite::More));
}

#[test]
fn streams_that_begin_in_the_middle_are_recognised_by_chained_records() {
    let one = record(23, &[0x5a; 40]);
    assert_eq!(recognise_stream(&one), Recognition::Yes);
    assert_eq!(recognise_stream(&one[..30]), Recognition::Unsure);
    assert_eq!(recognise_stream(&[one.clone(), b"HTTP/1.1".to_vec()].concat()), Recognition::No);
    assert_eq!(recognise_stream(&record(23, &[0x5a; 4000])[..100]), Recognition::Yes);
    assert_eq!(recognise_stream(&record(21, &[2, 40])), Recognition::Yes);
}

#[test]
fn other_streams_are_not_tls() {
    for other in
        [&b"GET / HTTP/1.1\r\n"[..], b"SSH-2.0-x", b"\x16\x03\x09\x00\x10", b"\x03\0\0\x13", b"\0\0\0\0"]
    {
        assert_eq!(recognise_stream(other), Recognition::No, "{other:?}");
    }
    assert_eq!(recognise_stream(b""), Recognition::Unsure);
}

proptest! {
    #[test]
    fn arbitrary_pieces_never_panic_and_never_change_the_judgement(
        start in prop::sample::select(vec![vec![], vec![22, 3, 1], vec![23, 3, 3], vec![22, 3, 1, 2, 0, 1]]),
        rest in prop::collection::vec(any::<u8>(), 0..600),
        cut in 0usize..600,
    ) {
        let stream = [start, rest].concat();
        recognise_stream(&stream);
        let (early, late) = stream.split_at(cut.min(stream.len()));
        let (whole, _) = read(&[(Side::Src, &stream)]);
        prop_assert_eq!(read(&[(Side::Src, early), (Side::Src, late)]).0, whole);
    }
}
