//! Protection of packets: the AEAD over their frames, and the mask over their numbers.
//!
//! Sources: RFC 9001 §5.1 (keys), §5.3 (AEAD), §5.4 (header protection); RFC 9000 §A.3 (packet numbers).

use super::super::hkdf::expand_label;
use super::version::Labels;
use crate::proto::decrypt::suite::nonce;
use ring::aead::quic::{self, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::Prk;

/// Longest key of any AEAD.
const LONGEST_KEY: usize = 32;

/// What the frames are protected with.
pub(crate) struct PacketKey {
    aead: LessSafeKey,
    iv: [u8; NONCE_LEN],
}

/// What the packet number is masked with.
pub(crate) struct HeaderKey(HeaderProtectionKey);

/// A packet whose header was unmasked, and whose frames are not opened yet.
pub(crate) struct Bare {
    bytes: Vec<u8>,
    /// Length of the header.
    header: usize,
    /// The end of the packet number, and its length in bytes: no more of it is sent.
    number: u64,
    width: usize,
}

impl PacketKey {
    pub(crate) fn new(secret: &Prk, algorithm: &'static Algorithm, labels: &Labels) -> Option<Self> {
        let (mut key, mut iv) = ([0; LONGEST_KEY], [0; NONCE_LEN]);
        let key = key.get_mut(..algorithm.key_len())?;
        expand_label(secret, labels.key, key)?;
        expand_label(secret, labels.iv, &mut iv)?;
        Some(Self { aead: LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?), iv })
    }

    /// The frames, if this key protected the packet under this number.
    pub(crate) fn open(&self, mut bare: Bare, number: u64) -> Option<Vec<u8>> {
        let (header, frames) = bare.bytes.split_at_mut_checked(bare.header)?;
        let length = self.aead.open_in_place(self.nonce(number), Aad::from(&*header), frames).ok()?.len();
        bare.bytes.drain(..bare.header);
        bare.bytes.truncate(length);
        Some(bare.bytes)
    }

    fn nonce(&self, number: u64) -> Nonce {
        Nonce::assume_unique_for_key(nonce(self.iv, number))
    }
}

impl HeaderKey {
    /// For packets under this AEAD.
    pub(crate) fn new(secret: &Prk, aead: &'static Algorithm, labels: &Labels) -> Option<Self> {
        let algorithm = if aead == &AES_128_GCM {
            &quic::AES_128
        } else if aead == &AES_256_GCM {
            &quic::AES_256
        } else {
            &quic::CHACHA20
        };
        let mut key = [0; LONGEST_KEY];
        let key = key.get_mut(..algorithm.key_len())?;
        expand_label(secret, labels.header, key)?;
        Some(Self(HeaderProtectionKey::new(algorithm, key).ok()?))
    }

    /// Unmasks a packet whose number begins at this place.
    pub(crate) fn unmask(&self, packet: &[u8], number_at: usize) -> Option<Bare> {
        let sample = packet.get(number_at.checked_add(4)?..)?.get(..16)?;
        let [mask, number_mask @ ..] = self.0.new_mask(sample).ok()?;
        let mut bytes = packet.to_vec();
        let first = bytes.first_mut()?;
        *first ^= mask & masked_bits(*first);
        let width = usize::from(*first & 3) + 1;
        let header = number_at + width;
        let mut number = 0;
        for (byte, mask) in bytes.get_mut(number_at..header)?.iter_mut().zip(number_mask) {
            *byte ^= mask;
            number = number << 8 | u64::from(*byte);
        }
        Some(Bare { bytes, header, number, width })
    }
}

/// Which bits of the first byte are masked: of a long header four, of a short one five.
fn masked_bits(first: u8) -> u8 {
    if first & 0x80 == 0 { 0x1f } else { 0x0f }
}

impl Bare {
    /// The end of the packet number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The packet number that is closest to the one expected after the largest so far.
    pub(crate) fn number_after(&self, largest: Option<u64>) -> u64 {
        let window = 1_u64 << (8 * self.width);
        let expected = largest.map_or(0, |largest| largest.saturating_add(1));
        let here = (expected & !(window - 1)) | self.number;
        if here.saturating_add(window / 2) <= expected {
            here.saturating_add(window)
        } else if here > expected.saturating_add(window / 2) && here >= window {
            here - window
        } else {
            here
        }
    }

    /// The bit of a short header that changes with the keys.
    pub(crate) fn key_phase(&self) -> bool {
        self.bytes.first().is_some_and(|first| first & 4 != 0)
    }
}

#[cfg(test)]
pub(in super::super) mod tests {
    use super::*;

    /// A packet of this header, whose number begins at this place.
    pub(in super::super) fn protect(
        (packet, header_key): (&PacketKey, &HeaderKey),
        header: &[u8],
        number_at: usize,
        number: u64,
        frames: &[u8],
    ) -> Vec<u8> {
        let (mut bytes, mut sealed) = (header.to_vec(), frames.to_vec());
        packet
            .aead
            .seal_in_place_append_tag(packet.nonce(number), Aad::from(header), &mut sealed)
            .expect("sealed");
        bytes.extend(sealed);
        let sample = &bytes[number_at + 4..number_at + 20];
        let [mask, rest @ ..] = header_key.0.new_mask(sample).expect("a mask");
        bytes[0] ^= mask & masked_bits(bytes[0]);
        bytes[number_at..header.len()].iter_mut().zip(rest).for_each(|(byte, mask)| *byte ^= mask);
        bytes
    }

    /// RFC 9000 §A.3, and what lies around a wrap.
    #[test]
    fn numbers_are_those_closest_to_what_is_expected() {
        let of = |number, width, largest| {
            Bare { bytes: Vec::new(), header: 0, number, width }.number_after(largest)
        };
        assert_eq!(of(0x9b32, 2, Some(0xa82f_30ea)), 0xa82f_9b32);
        assert_eq!((of(0, 1, None), of(200, 1, None)), (0, 200));
        assert_eq!((of(2, 1, Some(254)), of(254, 1, Some(257))), (258, 254));
        assert_eq!(of(255, 1, Some(3)), 255, "there is none before the first");
        assert!(of(3, 1, Some(u64::MAX)) > u64::MAX - 600);
    }
}
