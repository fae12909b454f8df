//! QUIC Initials that never complete, and pieces of hellos at places where none can be.

use super::cost::{FIXED, MIB, count_of, little, read_all, size, turn};
use super::wire::{SERVER, datagram, ipv4, pcap, udp};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey, quic};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

/// RFC 9001 §5.2.
const SALT: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label (RFC 8446 §7.1).
fn expand(secret: &Prk, label: &str, length: usize) -> Vec<u8> {
    let label = [b"tls13 ", label.as_bytes()].concat();
    let parts = [&(length as u16).to_be_bytes()[..], &[label.len() as u8], &label, &[0]];
    let mut bytes = vec![0; length];
    secret.expand(&parts, Length(length)).expect("a length").fill(&mut bytes).expect("the same length");
    bytes
}

/// A client's Initial of version 1 with these frames (RFC 9001 §5.2 to §5.4).
fn initial(dcid: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
    let client = Prk::new_less_safe(
        HKDF_SHA256,
        &expand(&Salt::new(HKDF_SHA256, &SALT).extract(dcid), "client in", 32),
    );
    let key = UnboundKey::new(&AES_128_GCM, &expand(&client, "quic key", 16)).expect("a key");
    let header_key =
        quic::HeaderProtectionKey::new(&quic::AES_128, &expand(&client, "quic hp", 16)).expect("a key");
    let mut nonce: [u8; 12] = expand(&client, "quic iv", 12).try_into().expect("twelve");
    nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()).for_each(|(nonce, byte)| *nonce ^= byte);
    let mut packet = [&[0xc3, 0, 0, 0, 1, dcid.len() as u8][..], dcid, &[0, 0]].concat();
    packet.extend((0x4000 | (4 + frames.len() + 16) as u16).to_be_bytes());
    let number_at = packet.len();
    packet.extend(number.to_be_bytes());
    let mut sealed = frames.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::from(&packet), &mut sealed).expect("sealed");
    packet.extend(sealed);
    let mask = header_key.new_mask(&packet[number_at + 4..number_at + 20]).expect("a mask");
    packet[0] ^= mask[0] & 0x0f;
    packet[number_at..number_at + 4].iter_mut().zip(&mask[1..]).for_each(|(byte, mask)| *byte ^= mask);
    packet
}

/// A CRYPTO frame (RFC 9000 §19.6), its offset in eight bytes.
fn crypto(offset: u64, bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![6];
    frame.extend((0b11 << 62 | offset).to_be_bytes());
    frame.extend((0x4000 | bytes.len() as u16).to_be_bytes());
    frame.extend(bytes);
    frame
}

/// The largest offset that a frame can say, with a length that leads beyond it.
#[test]
fn crypto_frames_at_the_end_of_all_offsets_hold_nothing() {
    let _turn = turn();
    let far = (1 << 62) - 1;
    let offsets = [far, far - 1, far - 1000, 1 << 32, u64::from(u32::MAX), 1 << 20, 16 << 10];
    let frames: Vec<u8> = offsets.iter().flat_map(|offset| crypto(*offset, &[1; 100])).collect();
    let packets = (0..size(1_000, 20_000) as u32)
        .map(|number| datagram((40_000, 443), &initial(b"12345678", number, &frames)));
    let file = pcap(&packets.collect::<Vec<_>>());
    let reading = read_all(FIXED, &file);
    let flow = reading.flows.iter().next().expect("one flow");
    assert_eq!((flow.protocol.to_string(), flow.names.len()), ("quic".to_owned(), 0));
}

/// Every other byte of a hello, over and over: islands that never join.
#[test]
fn a_hello_of_which_every_other_byte_comes_is_given_up() {
    let _turn = turn();
    let packets = (0..size(200, 4_000)).map(|number| {
        let frames: Vec<u8> =
            (0..90).flat_map(|n| crypto((number * 90 + n) * 2 % 16_000 + 1, b"x")).collect();
        datagram((40_000, 443), &initial(b"12345678", number as u32, &frames))
    });
    let file = pcap(&packets.collect::<Vec<_>>());
    let reading = read_all(FIXED, &file);
    assert_eq!(reading.flows.len(), 1);
}

/// Flow after flow sends the middle of a hello and no more: what that holds is charged to `--memory`.
#[test]
fn initials_that_never_complete_are_kept_within_memory() {
    let _turn = turn();
    let flows = size(3_000, 60_000) as u32;
    let middle = initial(b"12345678", 0, &crypto(9_000, &[1; 1000]));
    let packets: Vec<_> =
        (0..flows).map(|flow| ipv4(0x0a00_0000 + flow, SERVER, 17, &udp((40_000, 443), &middle))).collect();
    let reading = read_all(little().memory + 4 * MIB, &pcap(&packets));
    let evicted = count_of(&reading, "flow-evicted");
    assert_eq!(reading.flows.len() as u64 + evicted, u64::from(flows));
    assert!(count_of(&reading, "stream-evicted") > 0);
}

/// Versions that nobody listed are tried with every published salt: that is the dearest packet there is.
#[test]
fn initials_of_unknown_versions_are_not_tried_for_ever() {
    let _turn = turn();
    let mut packet = initial(b"12345678", 0, &[0; 1100]);
    packet[1..5].copy_from_slice(&[0xfa, 0xce, 0xb0, 0x0c]);
    let packets: Vec<_> = (0..size(500, 20_000)).map(|_| datagram((40_000, 443), &packet)).collect();
    let reading = read_all(FIXED, &pcap(&packets));
    assert_eq!(reading.flows.len(), 1);
}
