//! Connections made by hand: what opens, in which order, and what stays closed.

use super::super::initial::tests::{DCID, HELLO, V1, V2, seal, unhex};
use super::super::protection::tests::protect;
use super::super::protection::{HeaderKey, PacketKey};
use super::super::version::labels;
use super::*;
use crate::proto::decrypt::suite::Suite;
use crate::proto::hkdf::expand_label;
use proptest::prelude::*;
use ring::hkdf::Prk;
use std::net::{IpAddr, Ipv4Addr};

/// What the server calls itself.
const ID: [u8; 4] = [0xaa, 0xbb, 0xcc, 0xdd];
const SECRET: [u8; 32] = [7; 32];

fn way(ours: bool, port: u16) -> Way {
    let ends = [(1, port), (2, 443)].map(|(last, port)| (IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), port));
    let [from, to] = if ours { ends } else { [ends[1], ends[0]] };
    Way { transport: Transport::Udp, from, to }
}

/// Datagrams, numbered from 1, as a capture has them: one payload for each way.
fn capture(datagrams: &[(Way, Vec<u8>)]) -> Vec<Payload> {
    let mut payloads: Vec<Payload> = Vec::new();
    for (packet, (way, bytes)) in (1..).zip(datagrams) {
        let at = payloads.iter().position(|payload| payload.way == *way).unwrap_or(payloads.len());
        if at == payloads.len() {
            payloads.push(Payload { way: *way, decrypted: false, bytes: Vec::new(), packets: Vec::new() });
        }
        let payload = &mut payloads[at];
        payload.packets.push((payload.bytes.len(), packet));
        payload.bytes.extend(bytes);
    }
    payloads
}

fn log() -> KeyLog {
    let (random, secret) = (&HELLO[12..76].replace(char::is_whitespace, ""), "07".repeat(32));
    let text: String = ["CLIENT_EARLY_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]
        .map(|label| format!("{label} {random} {secret}\n"))
        .concat();
    KeyLog::read(&[(0x544c_534b, text.into())])
}

fn opened(datagrams: &[(Way, Vec<u8>)]) -> Decrypted {
    let mut decrypted = Decrypted::default();
    decrypt(&capture(datagrams), &log(), &mut decrypted);
    decrypted
}

fn initial(version: u32) -> Vec<u8> {
    let mut frames = unhex("060040f1");
    frames.extend(unhex(HELLO));
    frames.resize(1162, 0);
    seal(version, &DCID, &DCID, &[], &frames)
}

/// A long header of the server's, which says its identifier; what it protects is of no matter.
fn answer(version: u32) -> Vec<u8> {
    let first = if version == V2 { 0xf0 } else { 0xe0 };
    let id = [&[0][..], &[ID.len() as u8], &ID, &[20], &[9; 20]].concat();
    [&[first][..], &version.to_be_bytes(), &id].concat()
}

/// A stream frame.
fn stream(id: u8, offset: u8, bytes: &[u8]) -> Vec<u8> {
    [&[0x0e, id, offset, bytes.len() as u8][..], bytes].concat()
}

/// A packet with a short header, after so many key updates.
fn short(version: u32, suite: usize, to: &[u8], number: u8, updates: usize, frames: &[u8]) -> Vec<u8> {
    let (labels, suite) = (labels(version), Suite::all()[suite]);
    let mut secret = SECRET.to_vec();
    let prk = |secret: &[u8]| Prk::new_less_safe(suite.hash.hkdf(), secret);
    let header = HeaderKey::new(&prk(&secret), suite.aead, labels).expect("a key");
    for _ in 0..updates {
        let mut next = vec![0; secret.len()];
        expand_label(&prk(&secret), labels.update, &mut next).expect("a secret");
        secret = next;
    }
    let key = PacketKey::new(&prk(&secret), suite.aead, labels).expect("a key");
    let first = 0x40 | (updates as u8 & 1) << 2;
    let head = [&[first][..], to, &[number]].concat();
    let frames = [frames, &[0; 4][..]].concat();
    protect((&key, &header), &head, 1 + to.len(), u64::from(number), &frames)
}

fn texts(decrypted: &Decrypted) -> Vec<(Way, String)> {
    let text = |payload: &Payload| (payload.way, String::from_utf8_lossy(&payload.bytes).into_owned());
    assert!(decrypted.payloads.iter().all(|payload| payload.decrypted));
    decrypted.payloads.iter().map(text).collect()
}

#[test]
fn streams_are_put_in_order_in_both_versions_and_suites_of_its_hash() {
    let (out, back) = (way(true, 5000), way(false, 5000));
    for (version, suite) in [(V1, 0), (V2, 0), (V1, 2), (V2, 2)] {
        let said = |number, frames: &[u8]| (out, short(version, suite, &ID, number, 0, frames));
        let decrypted = opened(&[
            (out, initial(version)),
            (back, answer(version)),
            said(1, &stream(4, 7, b"river ")),
            said(3, &stream(0, 0, b"another")),
            (back, short(version, suite, &[], 0, 0, &stream(0, 0, b"yes"))),
            said(2, &stream(4, 0, b"by the")),
            said(4, &stream(4, 3, b"the river at noon")),
            said(5, &[0x31, 2, b'h', b'i']),
        ]);
        let wanted = [(out, "another"), (out, "by the river at noon"), (out, "hi"), (back, "yes")];
        assert_eq!(texts(&decrypted), wanted.map(|(way, text)| (way, text.to_owned())));
        assert!(decrypted.sealed.is_empty(), "{:?}", decrypted.sealed);
        assert_eq!(decrypted.payloads[1].packets, [(0, 6), (6, 7)]);
    }
}

#[test]
fn keys_are_followed_from_phase_to_phase_and_late_packets_are_read() {
    let (out, back) = (way(true, 5000), way(false, 5000));
    let said =
        |number, updates, text: &[u8]| (out, short(V1, 0, &ID, number, updates, &stream(number, 0, text)));
    let decrypted = opened(&[
        (out, initial(V1)),
        (back, answer(V1)),
        said(1, 0, b"a"),
        said(4, 1, b"d"),
        said(2, 0, b"b"),
        said(3, 1, b"c"),
        said(6, 2, b"f"),
        said(5, 1, b"e"),
        said(9, 4, b"beyond"),
    ]);
    let read: String = texts(&decrypted).into_iter().map(|(_, text)| text).collect();
    assert_eq!(read, "abcdef");
    assert!(decrypted.sealed[&out] > 20);
}

#[test]
fn an_identifier_that_the_server_gave_is_known_at_another_address() {
    let (out, back, moved) = (way(true, 5000), way(false, 5000), way(true, 6000));
    let new = [&[0x18, 1, 0, 5, 1, 2, 3, 4, 5][..], &[0; 16]].concat();
    let said = |way, id: &[u8], number| (way, short(V1, 0, id, number, 0, &stream(number, 0, b"river")));
    let decrypted = opened(&[
        (out, initial(V1)),
        (back, answer(V1)),
        (back, short(V1, 0, &[], 0, 0, &new)),
        said(moved, &[1, 2, 3, 4, 5], 1),
        (way(false, 6000), short(V1, 0, &[], 1, 0, &stream(1, 0, b"sea"))),
        said(moved, &[6, 7, 8, 9, 9], 2),
        said(way(true, 7000), &[5, 4, 3, 2, 1], 3),
    ]);
    let read = [(moved, "river"), (moved, "river"), (way(false, 6000), "sea")];
    let read = read.map(|(way, text)| (way, text.to_owned()));
    assert_eq!(texts(&decrypted), read, "one that was not seen, at an address that was, too");
    assert!(decrypted.sealed.is_empty());
}

#[test]
fn what_cannot_be_opened_is_counted() {
    let (out, back) = (way(true, 5000), way(false, 5000));
    let said = short(V1, 0, &ID, 1, 0, &stream(0, 0, b"river"));
    let datagrams = [(out, initial(V1)), (back, answer(V1)), (out, said.clone())];
    let sealed = |text: String| {
        let mut decrypted = Decrypted::default();
        let log = KeyLog::read(&[(0x544c_534b, text.into())]);
        decrypt(&capture(&datagrams), &log, &mut decrypted);
        assert!(decrypted.payloads.is_empty());
        decrypted.sealed.get(&out).copied()
    };
    let of = |random: &str, secret: &str| sealed(format!("CLIENT_TRAFFIC_SECRET_0 {random} {secret}"));
    let (random, whole) = (HELLO[12..76].replace(char::is_whitespace, ""), Some(said.len() as u64));
    assert_eq!(of(&"00".repeat(32), &"07".repeat(32)), whole, "another's secret");
    assert_eq!(of(&random, &"08".repeat(32)), whole, "a wrong one");
    assert_eq!(of(&random, &"07".repeat(48)), whole, "one of another hash");
    assert_eq!(sealed(String::new()), None, "without secrets nobody looks");
    let unknown = opened(&[
        (out, initial(V1)),
        (back, answer(V1)),
        (out, short(V1, 0, &ID, 1, 0, &[&stream(0, 0, b"river")[..], &[0x3f, 1, 1]].concat())),
    ]);
    assert_eq!((texts(&unknown).len(), unknown.sealed[&out]), (1, 7), "a frame that nobody knows");
}

proptest! {
    #[test]
    fn any_damage_is_survived(
        at in 0_usize..1400,
        value: u8,
        rest in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let (out, back) = (way(true, 5000), way(false, 5000));
        let mut datagrams = [
            (out, initial(V1)),
            (back, answer(V1)),
            (out, short(V1, 0, &ID, 1, 0, &stream(0, 0, b"river"))),
            (out, rest),
        ];
        let mut before = 0;
        for (_, bytes) in &mut datagrams {
            if let Some(byte) = at.checked_sub(before).and_then(|at| bytes.get_mut(at)) {
                *byte = value;
            }
            before += bytes.len();
        }
        let decrypted = opened(&datagrams);
        let texts = texts(&decrypted);
        prop_assert!(texts.iter().all(|(_, text)| text == "river") && texts.len() <= 1);
    }
}
