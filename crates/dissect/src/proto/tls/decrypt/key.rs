//! The key of one direction, and the records that it opens.
//!
//! Sources: RFC 8446 §5.2 and §5.3; RFC 5288 §3 (explicit nonce), RFC 7905 §2, RFC 5246 §6.2.3.3 (additional data).

use super::super::record::HEADER;
use super::block::BlockKey;
use crate::proto::decrypt::suite::nonce;
use ring::aead::{Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// How nonce and additional data are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The type is within, behind the content.
    Tls13,
    /// TLS 1.2, with eight bytes of the nonce before the content (AES-GCM).
    Explicit,
    /// TLS 1.2, with a nonce that is not sent (ChaCha20-Poly1305).
    Implicit,
}

/// A key, and the number of the record that it opens next.
#[derive(Debug)]
pub(super) struct Key {
    cipher: Cipher,
    sequence: u64,
}

#[derive(Debug)]
enum Cipher {
    Aead(Box<AeadKey>),
    Block(BlockKey),
}

#[derive(Debug)]
struct AeadKey {
    aead: LessSafeKey,
    /// Four bytes and zeros where the rest is explicit.
    iv: [u8; NONCE_LEN],
    form: Form,
}

/// A record as it lies in a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) header: &'a [u8; HEADER],
    pub(super) body: &'a [u8],
}

impl Record<'_> {
    /// TLS 1.2: what is authenticated beside so many bytes of content is the record's number, its type and its length.
    pub(super) fn beside(&self, sequence: u64, length: usize) -> Option<Vec<u8>> {
        let [kind, major, minor, ..] = *self.header;
        let length = u16::try_from(length).ok()?.to_be_bytes();
        Some([&sequence.to_be_bytes()[..], &[kind, major, minor], &length].concat())
    }
}

/// What was in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) kind: u8,
    pub(super) bytes: Vec<u8>,
}

impl From<BlockKey> for Key {
    fn from(key: BlockKey) -> Self {
        Self { cipher: Cipher::Block(key), sequence: 0 }
    }
}

impl Key {
    /// Nothing where the key has not the algorithm's length.
    pub(super) fn new(
        algorithm: &'static Algorithm,
        key: &[u8],
        iv: [u8; NONCE_LEN],
        form: Form,
    ) -> Option<Self> {
        let aead = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        Some(Self { cipher: Cipher::Aead(Box::new(AeadKey { aead, iv, form })), sequence: 0 })
    }

    /// The content, if this key sealed the record and it is the next one.
    pub(super) fn open(&mut self, record: Record<'_>) -> Option<Content> {
        let content = match &self.cipher {
            Cipher::Aead(key) => key.open(record, self.sequence),
            Cipher::Block(key) => key.open(record, self.sequence),
        }?;
        self.sequence += 1;
        Some(content)
    }
}

impl AeadKey {
    fn open(&self, record: Record<'_>, sequence: u64) -> Option<Content> {
        match self.form {
            Form::Tls13 => self.open_inner(record, sequence),
            Form::Explicit => self.open_explicit(record, sequence),
            Form::Implicit => self.open_outer(record, sequence, nonce(self.iv, sequence), record.body),
        }
    }

    fn open_inner(&self, record: Record<'_>, sequence: u64) -> Option<Content> {
        let mut bytes = self.unseal(nonce(self.iv, sequence), record.header, record.body)?;
        let padding = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        bytes.truncate(bytes.len() - padding);
        Some(Content { kind: bytes.pop()?, bytes })
    }

    fn open_explicit(&self, record: Record<'_>, sequence: u64) -> Option<Content> {
        let (explicit, sealed) = record.body.split_first_chunk::<8>()?;
        let mut nonce = self.iv;
        *nonce.last_chunk_mut()? = *explicit;
        self.open_outer(record, sequence, nonce, sealed)
    }

    /// TLS 1.2: the content's type is outside.
    fn open_outer(
        &self,
        record: Record<'_>,
        sequence: u64,
        nonce: [u8; NONCE_LEN],
        sealed: &[u8],
    ) -> Option<Content> {
        let length = sealed.len().checked_sub(self.aead.algorithm().tag_len())?;
        let aad = record.beside(sequence, length)?;
        Some(Content { kind: record.header[0], bytes: self.unseal(nonce, &aad, sealed)? })
    }

    fn unseal(&self, nonce: [u8; NONCE_LEN], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = self.aead.open_in_place(nonce, Aad::from(aad), &mut bytes).ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}
