//! Protection of Initial packets, which anyone who saw the first one can take off.
//!
//! Source: RFC 9001 §5.2 (secrets), §5.3 (AEAD), §5.4 (header protection).

use super::packet::Packet;
use super::version::Salt;
use ring::aead::quic::HeaderProtectionKey;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey, quic};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk};

/// What a client's Initial packets are protected with.
pub(crate) struct Keys {
    packet: LessSafeKey,
    iv: [u8; 12],
    header: HeaderProtectionKey,
}

impl Keys {
    /// Derives the client's keys from the destination connection identifier of its first packet.
    pub(crate) fn derive(salt: &Salt, dcid: &[u8]) -> Option<Self> {
        let initial = ring::hkdf::Salt::new(HKDF_SHA256, &salt.bytes).extract(dcid);
        let client = Prk::new_less_safe(HKDF_SHA256, &expand_label::<32>(&initial, "client in")?);
        let [key, iv, header] = salt.labels;
        let packet = UnboundKey::new(&AES_128_GCM, &expand_label::<16>(&client, key)?).ok()?;
        let header = HeaderProtectionKey::new(&quic::AES_128, &expand_label::<16>(&client, header)?).ok()?;
        Some(Self { packet: LessSafeKey::new(packet), iv: expand_label(&client, iv)?, header })
    }

    /// The frames of a packet, if these keys protected it.
    pub(crate) fn open(&self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let sample = packet.bytes.get(packet.number_at.checked_add(4)?..)?.get(..16)?;
        let [mask, number_mask @ ..] = self.header.new_mask(sample).ok()?;
        let mut bytes = packet.bytes.to_vec();
        let first = bytes.first_mut()?;
        *first ^= mask & 0x0f;
        let width = usize::from(*first & 3) + 1;
        let mut nonce = self.iv;
        let number = bytes.get_mut(packet.number_at..packet.number_at + width)?;
        for (byte, mask) in number.iter_mut().zip(number_mask) {
            *byte ^= mask;
        }
        for (nonce, byte) in nonce.iter_mut().rev().zip(number.iter().rev()) {
            *nonce ^= byte;
        }
        let (header, payload) = bytes.split_at_mut_checked(packet.number_at + width)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let frames = self.packet.open_in_place(nonce, Aad::from(&*header), payload).ok()?;
        Some(frames.to_vec())
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446 §7.1).
fn expand_label<const LENGTH: usize>(secret: &Prk, label: &str) -> Option<[u8; LENGTH]> {
    const PREFIX: &str = "tls13 ";
    let length = u16::try_from(LENGTH).ok()?.to_be_bytes();
    let label_length = [u8::try_from(PREFIX.len() + label.len()).ok()?];
    let parts = [&length[..], &label_length, PREFIX.as_bytes(), label.as_bytes(), &[0]];
    let mut bytes = [0; LENGTH];
    secret.expand(&parts, Length(LENGTH)).ok()?.fill(&mut bytes).ok()?;
    Some(bytes)
}
