//! AES in CBC mode with an HMAC, as TLS 1.2 has it.
//!
//! Sources: RFC 5246 §6.2.3.2 (the MAC is within, then padding), RFC 7366 (the MAC is over what was encrypted).
//! Promises: nothing whose MAC or padding is wrong. Here nobody times the answer, so nothing is done in constant time.

use super::key::{Content, Record};
use aes::cipher::{BlockDecrypt, KeyInit};
use aes::{Aes128Dec, Aes256Dec, Block};
use ring::hmac;

/// Bytes of a block, and of the first one, which is random.
const BLOCK: usize = 16;

/// The keys of one direction.
#[derive(Debug)]
pub(super) struct BlockKey {
    cipher: Cipher,
    mac: hmac::Key,
    encrypt_then_mac: bool,
}

#[derive(Debug)]
enum Cipher {
    Aes128(Box<Aes128Dec>),
    Aes256(Box<Aes256Dec>),
}

impl BlockKey {
    /// Nothing where the key is of no length that AES has here.
    pub(super) fn new(key: &[u8], mac: hmac::Key, encrypt_then_mac: bool) -> Option<Self> {
        let cipher = match key.len() {
            16 => Cipher::Aes128(Box::new(Aes128Dec::new_from_slice(key).ok()?)),
            32 => Cipher::Aes256(Box::new(Aes256Dec::new_from_slice(key).ok()?)),
            _ => return None,
        };
        Some(Self { cipher, mac, encrypt_then_mac })
    }

    /// The content, if these keys protected the record and it has this number.
    pub(super) fn open(&self, record: Record<'_>, sequence: u64) -> Option<Content> {
        let length = self.mac.algorithm().digest_algorithm().output_len();
        let authentic = |bytes: &[u8], tag: &[u8]| self.authenticate(record, sequence, bytes, tag);
        let bytes = if self.encrypt_then_mac {
            let (sealed, tag) = record.body.split_at_checked(record.body.len().checked_sub(length)?)?;
            authentic(sealed, tag)?;
            self.decrypt(sealed)?
        } else {
            let mut bytes = self.decrypt(record.body)?;
            let tag = bytes.split_off(bytes.len().checked_sub(length)?);
            authentic(&bytes, &tag)?;
            bytes
        };
        Some(Content { kind: record.header[0], bytes })
    }

    fn authenticate(&self, record: Record<'_>, sequence: u64, bytes: &[u8], tag: &[u8]) -> Option<()> {
        let said = [&record.beside(sequence, bytes.len())?[..], bytes].concat();
        hmac::verify(&self.mac, &said, tag).ok()
    }

    /// What the blocks after the first hold, without the padding.
    fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (blocks, rest) = sealed.as_chunks::<BLOCK>();
        let mut bytes = Vec::with_capacity(sealed.len());
        for [before, block] in blocks.array_windows() {
            let mut block = Block::from(*block);
            match &self.cipher {
                Cipher::Aes128(cipher) => cipher.decrypt_block(&mut block),
                Cipher::Aes256(cipher) => cipher.decrypt_block(&mut block),
            }
            bytes.extend(block.iter().zip(before).map(|(byte, before)| byte ^ before));
        }
        let padding = *bytes.last().filter(|_| rest.is_empty())?;
        let (content, pads) = bytes.split_at_checked(bytes.len().checked_sub(usize::from(padding) + 1)?)?;
        let (padded, length) = (pads.iter().all(|pad| *pad == padding), content.len());
        bytes.truncate(length);
        padded.then_some(bytes)
    }
}
