//! Cipher suites: with what a connection is encrypted and hashed.
//!
//! Sources: RFC 8446 §B.4; RFC 5288, 5289, 5487 and 8442 (AES-GCM in TLS 1.2), RFC 7905 (ChaCha20-Poly1305 in TLS 1.2);
//! RFC 5246 §A.5, 4279, 5054, 5289, 5487, 5489 and 8422 (AES in CBC mode in TLS 1.2).
//! To extend: a number in a pattern. `ring` has no other AEAD that TLS uses.

use crate::proto::hkdf::expand_label;
use ring::hkdf::Prk;
use ring::{aead, hkdf, hmac};

/// What a suite's number stands for: of TLS 1.3 and QUIC, and of TLS 1.2 where it is an AEAD.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suite {
    pub(crate) aead: &'static aead::Algorithm,
    pub(crate) hash: Hash,
}

/// A suite of TLS 1.2.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Suite12 {
    Aead(Suite),
    Block(BlockSuite),
}

/// AES in CBC mode, with an HMAC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockSuite {
    /// Bytes of AES's key.
    pub(crate) key_length: usize,
    pub(crate) mac: hmac::Algorithm,
    /// Of the pseudorandom function.
    pub(crate) hash: Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
}

const AES_128: Suite = Suite { aead: &aead::AES_128_GCM, hash: Hash::Sha256 };
const AES_256: Suite = Suite { aead: &aead::AES_256_GCM, hash: Hash::Sha384 };
const CHACHA20: Suite = Suite { aead: &aead::CHACHA20_POLY1305, hash: Hash::Sha256 };

impl Suite {
    /// Those of TLS 1.3.
    pub(crate) fn all() -> [Self; 3] {
        [AES_128, AES_256, CHACHA20]
    }

    /// The secret after an update of keys.
    pub(crate) fn updated(self, secret: &[u8], label: &str) -> Option<Vec<u8>> {
        let mut next = vec![0; self.hash.length()];
        expand_label(&Prk::new_less_safe(self.hash.hkdf(), secret), label, &mut next)?;
        Some(next)
    }

    pub(crate) fn tls_1_3(number: u16) -> Option<Self> {
        match number {
            0x1301 => Some(AES_128),
            0x1302 => Some(AES_256),
            0x1303 => Some(CHACHA20),
            _ => None,
        }
    }
}

impl Suite12 {
    pub(crate) fn of(number: u16) -> Option<Self> {
        match number {
            // In pairs: AES-128, and AES-256 behind it. Later ones begin with an odd number.
            0x009c..=0x00ad | 0xc02b..=0xc032 | 0xd001..=0xd002 => {
                let strong = (number & 1 == 1) ^ (number >= 0xc000);
                Some(Self::Aead(if strong { AES_256 } else { AES_128 }))
            }
            0xcca8..=0xccae => Some(Self::Aead(CHACHA20)),
            number => BlockSuite::of(number).map(Self::Block),
        }
    }
}

impl BlockSuite {
    fn of(number: u16) -> Option<Self> {
        const SHA1: hmac::Algorithm = hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
        let (key_length, mac, hash) = match number {
            0x002f..=0x0034 | 0x008c | 0x0090 | 0x0094 => (16, SHA1, Hash::Sha256),
            0xc004 | 0xc009 | 0xc00e | 0xc013 | 0xc018 | 0xc01d..=0xc01f | 0xc035 => (16, SHA1, Hash::Sha256),
            0x0035..=0x003a | 0x008d | 0x0091 | 0x0095 => (32, SHA1, Hash::Sha256),
            0xc005 | 0xc00a | 0xc00f | 0xc014 | 0xc019 | 0xc020..=0xc022 | 0xc036 => (32, SHA1, Hash::Sha256),
            0x003c | 0x003e..=0x0040 | 0x0067 | 0x006c | 0x00ae | 0x00b2 | 0x00b6 => {
                (16, hmac::HMAC_SHA256, Hash::Sha256)
            }
            0xc023 | 0xc025 | 0xc027 | 0xc029 | 0xc037 => (16, hmac::HMAC_SHA256, Hash::Sha256),
            0x003d | 0x0068..=0x006b | 0x006d => (32, hmac::HMAC_SHA256, Hash::Sha256),
            0x00af | 0x00b3 | 0x00b7 => (32, hmac::HMAC_SHA384, Hash::Sha384),
            0xc024 | 0xc026 | 0xc028 | 0xc02a | 0xc038 => (32, hmac::HMAC_SHA384, Hash::Sha384),
            _ => return None,
        };
        Some(Self { key_length, mac, hash })
    }

    /// Bytes of the HMAC, and of its key.
    pub(crate) fn mac_length(self) -> usize {
        self.mac.digest_algorithm().output_len()
    }
}

impl Hash {
    pub(crate) fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Self::Sha256 => hkdf::HKDF_SHA256,
            Self::Sha384 => hkdf::HKDF_SHA384,
        }
    }

    pub(crate) fn hmac(self) -> hmac::Algorithm {
        self.hkdf().hmac_algorithm()
    }

    /// Bytes of a hash, and so of a secret.
    pub(crate) fn length(self) -> usize {
        self.hmac().digest_algorithm().output_len()
    }
}

/// The nonce of a record or packet with this number (RFC 8446 §5.3, RFC 9001 §5.3).
pub(crate) fn nonce(mut iv: [u8; aead::NONCE_LEN], number: u64) -> [u8; aead::NONCE_LEN] {
    for (byte, number) in iv.iter_mut().rev().zip(number.to_le_bytes()) {
        *byte ^= number;
    }
    iv
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aead(number: u16) -> Option<Suite> {
        Suite12::of(number).and_then(|suite| match suite {
            Suite12::Aead(suite) => Some(suite),
            Suite12::Block(_) => None,
        })
    }

    /// As the registry of IANA has them.
    #[test]
    fn suites_are_those_of_the_registry() {
        let weak = [0x009c, 0x009e, 0x00a2, 0x00a6, 0x00aa, 0x00ac, 0xc02b, 0xc02f, 0xc031, 0xd001];
        for number in weak {
            let [low, high] = [number, number + 1].map(|number| aead(number).expect("a suite"));
            assert!(low.aead == &aead::AES_128_GCM && low.hash == Hash::Sha256, "{number:04x}");
            assert!(high.aead == &aead::AES_256_GCM && high.hash == Hash::Sha384, "{number:04x}");
        }
        // AES in CCM, RC4, 3DES, Camellia, ARIA; suites of TLS 1.3.
        for number in [0xc09c, 0xd003, 0x0005, 0x000a, 0x0041, 0x00ba, 0xc012, 0xc01a, 0xc050, 0x1301, 0x1304]
        {
            assert!(Suite12::of(number).is_none(), "{number:04x}");
        }
        assert!(Suite::tls_1_3(0x1304).is_none() && Suite::tls_1_3(0xc02f).is_none());
    }

    /// Bytes of the key and of the HMAC, and the pseudorandom function's hash, of all suites with AES-CBC: 36 with SHA-1,
    /// 20 with SHA-256, eight with SHA-384.
    #[test]
    fn block_suites_are_those_of_the_registry() {
        let block = |number| match Suite12::of(number) {
            Some(Suite12::Block(suite)) => Some((suite.key_length, suite.mac_length(), suite.hash)),
            _ => None,
        };
        let known = [
            (0x002f, (16, 20, Hash::Sha256)),
            (0x0035, (32, 20, Hash::Sha256)),
            (0xc009, (16, 20, Hash::Sha256)),
            (0xc014, (32, 20, Hash::Sha256)),
            (0x003c, (16, 32, Hash::Sha256)),
            (0x003d, (32, 32, Hash::Sha256)),
            (0x0067, (16, 32, Hash::Sha256)),
            (0x006b, (32, 32, Hash::Sha256)),
            (0xc027, (16, 32, Hash::Sha256)),
            (0xc028, (32, 48, Hash::Sha384)),
            (0x00af, (32, 48, Hash::Sha384)),
        ];
        for (number, wanted) in known {
            assert_eq!(block(number), Some(wanted), "{number:04x}");
        }
        let with = |mac| (0..=u16::MAX).filter_map(block).filter(|(_, length, _)| *length == mac).count();
        assert_eq!((with(20), with(32), with(48)), (36, 20, 8));
    }
}
