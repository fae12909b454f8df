//! Protection of Initial packets, which anyone who saw the first one can take off.
//!
//! Source: RFC 9001 §5.2 (secrets).

use super::super::hkdf::expand_label;
use super::packet::Packet;
use super::protection::{HeaderKey, PacketKey};
use super::version::Salt;
use ring::aead::AES_128_GCM;
use ring::hkdf::{HKDF_SHA256, Prk};

/// What a client's Initial packets are protected with.
pub(crate) struct Keys {
    packet: PacketKey,
    header: HeaderKey,
}

impl Keys {
    /// Derives the client's keys from the destination connection identifier of its first packet.
    pub(crate) fn derive(salt: &Salt, dcid: &[u8]) -> Option<Self> {
        let mut secret = [0; 32];
        expand_label(&salt.extract(dcid), "client in", &mut secret)?;
        let client = Prk::new_less_safe(HKDF_SHA256, &secret);
        let packet = PacketKey::new(&client, &AES_128_GCM, salt.labels)?;
        Some(Self { packet, header: HeaderKey::new(&client, &AES_128_GCM, salt.labels)? })
    }

    /// The frames of a packet, if these keys protected it. The first packets' numbers are sent whole.
    pub(crate) fn open(&self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let bare = self.header.unmask(packet.bytes, packet.number_at)?;
        let number = bare.number();
        self.packet.open(bare, number)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::super::cursor::Cursor;
    use super::super::protection::tests::protect;
    use super::super::{packet, version};
    use super::*;

    pub(in super::super) const V1: u32 = 1;
    pub(in super::super) const V2: u32 = 0x6b33_43cf;
    /// Destination identifier of the examples in RFC 9001 and RFC 9369.
    pub(in super::super) const DCID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
    /// Handshake message of RFC 9001 A.2, whose server name is example.com.
    pub(in super::super) const HELLO: &str = "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868\
        04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a\
        00080006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fba\
        baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408\
        050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff08011001048000\
        75300901100f088394c8f03e51570806048000ffff";

    pub(in super::super) fn unhex(text: &str) -> Vec<u8> {
        let digit = |&byte: &u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        let digits: Vec<u8> = text.as_bytes().iter().filter_map(digit).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// A client's Initial packet with packet number 2: protected with the keys of `origin`, which is
    /// the packet's own destination identifier unless the server chose another since.
    pub(in super::super) fn seal(
        version: u32,
        dcid: &[u8],
        origin: &[u8],
        token: &[u8],
        frames: &[u8],
    ) -> Vec<u8> {
        let keys = Keys::derive(&version::salts(version)[0], origin).expect("keys");
        let first = if version::numbers_types_as_v2(version) { 0xd3 } else { 0xc3 };
        let mut bytes = vec![first];
        bytes.extend(version.to_be_bytes());
        bytes.push(dcid.len() as u8);
        bytes.extend(dcid);
        bytes.extend([0, token.len() as u8]);
        bytes.extend(token);
        bytes.extend((0x4000 | (4 + frames.len() + 16) as u16).to_be_bytes());
        let number_at = bytes.len();
        bytes.extend([0, 0, 0, 2]);
        protect((&keys.packet, &keys.header), &bytes, number_at, 2, frames)
    }

    /// The frames of the examples: the hello in one CRYPTO frame, padded.
    fn example_frames() -> Vec<u8> {
        let mut frames = unhex("060040f1");
        frames.extend(unhex(HELLO));
        frames.resize(1162, 0);
        frames
    }

    #[test]
    fn protects_and_opens_the_client_initial_of_rfc_9001_a_2() {
        let packet = seal(V1, &DCID, &DCID, &[], &example_frames());
        let start = "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11";
        assert!(packet.starts_with(&unhex(start)), "{packet:02x?}");
        assert!(packet.ends_with(&unhex("e221af44860018ab0856972e194cd934")));
        let parsed = packet::next(&mut Cursor(&packet)).expect("a packet");
        let keys = Keys::derive(&version::salts(V1)[0], &DCID).expect("keys");
        assert_eq!(keys.open(&parsed), Some(example_frames()));
    }

    #[test]
    fn protects_the_client_initial_of_rfc_9369_a_2() {
        let packet = seal(V2, &DCID, &DCID, &[], &example_frames());
        let start = "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485";
        assert!(packet.starts_with(&unhex(start)), "{packet:02x?}");
    }

    #[test]
    fn a_changed_byte_does_not_open() {
        let mut packet = seal(V1, &DCID, &DCID, &[], &example_frames());
        *packet.last_mut().expect("a byte") ^= 1;
        let parsed = packet::next(&mut Cursor(&packet)).expect("a packet");
        let keys = Keys::derive(&version::salts(V1)[0], &DCID).expect("keys");
        assert_eq!(keys.open(&parsed), None);
    }
}
