//! HKDF-Expand-Label, by which TLS 1.3 and QUIC make keys of secrets.
//!
//! Source: RFC 8446 §7.1.

use ring::hkdf::{KeyType, Prk};

/// Bytes that are asked for.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Fills `out` from the secret, with an empty context. Nothing where that is more than the hash can give.
pub(crate) fn expand_label(secret: &Prk, label: &str, out: &mut [u8]) -> Option<()> {
    const PREFIX: &str = "tls13 ";
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    let label_length = [u8::try_from(PREFIX.len() + label.len()).ok()?];
    let parts = [&length[..], &label_length, PREFIX.as_bytes(), label.as_bytes(), &[0]];
    secret.expand(&parts, Length(out.len())).ok()?.fill(out).ok()
}
