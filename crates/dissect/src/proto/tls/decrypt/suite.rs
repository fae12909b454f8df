//! Cipher suites: with what a connection is encrypted and hashed.
//!
//! Sources: RFC 8446 §B.4; RFC 5288, 5289, 5487 and 8442 (AES-GCM in TLS 1.2), RFC 7905 (ChaCha20-Poly1305 in TLS 1.2).
//! To extend: a number in a pattern. `ring` has no other AEAD that TLS uses.

use ring::{aead, hkdf, hmac};

/// What a suite's number stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suite {
    pub(super) aead: &'static aead::Algorithm,
    pub(super) hash: Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Suite {
    pub(super) fn tls_1_3(number: u16) -> Option<Self> {
        match number {
            0x1301 => Some(Self { aead: &aead::AES_128_GCM, hash: Hash::Sha256 }),
            0x1302 => Some(Self { aead: &aead::AES_256_GCM, hash: Hash::Sha384 }),
            0x1303 => Some(Self { aead: &aead::CHACHA20_POLY1305, hash: Hash::Sha256 }),
            _ => None,
        }
    }

    pub(super) fn tls_1_2(number: u16) -> Option<Self> {
        match number {
            // In pairs: AES-128, and AES-256 behind it. Later ones begin with an odd number.
            0x009c..=0x00ad | 0xc02b..=0xc032 | 0xd001..=0xd002 => {
                let strong = (number & 1 == 1) ^ (number >= 0xc000);
                Some(if strong {
                    Self { aead: &aead::AES_256_GCM, hash: Hash::Sha384 }
                } else {
                    Self { aead: &aead::AES_128_GCM, hash: Hash::Sha256 }
                })
            }
            0xcca8..=0xccae => Some(Self { aead: &aead::CHACHA20_POLY1305, hash: Hash::Sha256 }),
            _ => None,
        }
    }
}

impl Hash {
    pub(super) fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Self::Sha256 => hkdf::HKDF_SHA256,
            Self::Sha384 => hkdf::HKDF_SHA384,
        }
    }

    pub(super) fn hmac(self) -> hmac::Algorithm {
        self.hkdf().hmac_algorithm()
    }

    /// Bytes of a hash, and so of a secret.
    pub(super) fn length(self) -> usize {
        self.hmac().digest_algorithm().output_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the registry of IANA has them.
    #[test]
    fn suites_are_those_of_the_registry() {
        let weak = [0x009c, 0x009e, 0x00a2, 0x00a6, 0x00aa, 0x00ac, 0xc02b, 0xc02f, 0xc031, 0xd001];
        for number in weak {
            let [low, high] = [number, number + 1].map(|number| Suite::tls_1_2(number).expect("a suite"));
            assert!(low.aead == &aead::AES_128_GCM && low.hash == Hash::Sha256, "{number:04x}");
            assert!(high.aead == &aead::AES_256_GCM && high.hash == Hash::Sha384, "{number:04x}");
        }
        // AES in CBC and CCM, RC4, ARIA; suites of TLS 1.3.
        for number in [0x002f, 0xc013, 0xc027, 0xc09c, 0xd003, 0x0005, 0xc050, 0x1301, 0x1304] {
            assert!(Suite::tls_1_2(number).is_none(), "{number:04x}");
        }
        assert!(Suite::tls_1_3(0x1304).is_none() && Suite::tls_1_3(0xc02f).is_none());
    }
}
