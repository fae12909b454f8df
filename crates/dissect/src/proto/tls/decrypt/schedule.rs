//! From a key log's secrets to the keys of a conversation.
//!
//! Sources: RFC 8446 §7.2 (key update), §7.3 (traffic keys); RFC 5246 §5 (PRF), §6.3 (key block).
//! Where one key ends and the next begins is not read from the handshake: a record opens under the key in use or, from its
//! first record on, under one that comes later. So a handshake whose secret is missing is passed over by itself.

use super::block::BlockKey;
use super::key::{Content, Form, Key, Record};
use crate::proto::cursor::Cursor;
use crate::proto::decrypt::key_log::{KeyLog, Label, Random};
use crate::proto::decrypt::suite::{BlockSuite, Hash, Suite, Suite12};
use crate::proto::hkdf::expand_label;
use crate::proto::server_hello::ServerHello;
use ring::aead::{self, NONCE_LEN};
use ring::hkdf::Prk;
use ring::hmac;

/// Bytes of the master secret.
const MASTER: usize = 48;

/// What was agreed on in the clear.
#[derive(Debug)]
pub(super) enum Conversation<'a> {
    Tls13 { client: &'a Random, suite: Suite },
    Tls12(Agreement<'a>),
}

/// What TLS 1.2 makes keys of, beside the master secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreement<'a> {
    client: &'a Random,
    server: &'a Random,
    suite: Suite12,
    /// Whether a block cipher's MAC is over what was encrypted.
    encrypt_then_mac: bool,
}

/// The keys of one direction, in the order of their use.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// Whether all records after a change of ciphers are protected, whatever they state.
    pub(super) changes_cipher: bool,
    current: Option<Key>,
    suite: Option<Suite>,
    /// Secrets of TLS 1.3 that are not in use yet.
    ahead: Vec<Vec<u8>>,
}

impl<'a> Conversation<'a> {
    /// Nothing where the version or the suite is not one that can be opened.
    pub(super) fn new(client: &'a Random, server: &ServerHello<'a>) -> Option<Self> {
        const TLS_1_2: u16 = 0x0303;
        if server.supports_tls_1_3() {
            return Some(Self::Tls13 { client, suite: Suite::tls_1_3(server.cipher)? });
        }
        let suite = Suite12::of(server.cipher).filter(|_| server.version == TLS_1_2)?;
        let encrypt_then_mac = server.encrypts_then_mac();
        Some(Self::Tls12(Agreement { client, server: server.random, suite, encrypt_then_mac }))
    }

    /// The keys of what the client sends.
    pub(super) fn client(&self, log: &KeyLog) -> Schedule {
        self.side(log, &[Label::ClientEarly, Label::ClientHandshake, Label::ClientTraffic], 0)
    }

    /// The keys of what the server sends.
    pub(super) fn server(&self, log: &KeyLog) -> Schedule {
        self.side(log, &[Label::ServerHandshake, Label::ServerTraffic], 1)
    }

    fn side(&self, log: &KeyLog, labels: &[Label], place: usize) -> Schedule {
        match *self {
            Self::Tls13 { client, suite } => {
                let secrets = labels.iter().filter_map(|label| log.secret(client, *label));
                let ahead = secrets.filter(|secret| secret.len() == suite.hash.length()).map(<[u8]>::to_vec);
                Schedule { suite: Some(suite), ahead: ahead.collect(), ..Schedule::default() }
            }
            Self::Tls12(agreement) => {
                let master = log.secret(agreement.client, Label::Master);
                let master = master.filter(|secret| secret.len() == MASTER);
                let current = master.and_then(|master| agreement.key(master, place));
                Schedule { changes_cipher: true, current, ..Schedule::default() }
            }
        }
    }
}

impl Schedule {
    /// The content of the next record, if one of the keys sealed it.
    pub(super) fn open(&mut self, record: Record<'_>) -> Option<Content> {
        if let Some(content) = self.current.as_mut().and_then(|key| key.open(record)) {
            return Some(content);
        }
        let suite = self.suite?;
        let (at, key, content) = self.ahead.iter().enumerate().find_map(|(at, secret)| {
            let mut key = traffic_key(suite, secret)?;
            let content = key.open(record)?;
            Some((at, key, content))
        })?;
        self.current = Some(key);
        let secret = self.ahead.drain(..=at).next_back();
        if self.ahead.is_empty() {
            self.ahead.extend(secret.and_then(|secret| suite.updated(&secret, "traffic upd")));
        }
        Some(content)
    }
}

/// The key that a secret of TLS 1.3 stands for.
fn traffic_key(suite: Suite, secret: &[u8]) -> Option<Key> {
    let secret = Prk::new_less_safe(suite.hash.hkdf(), secret);
    let (mut key, mut iv) = (vec![0; suite.aead.key_len()], [0; NONCE_LEN]);
    expand_label(&secret, "key", &mut key)?;
    expand_label(&secret, "iv", &mut iv)?;
    Key::new(suite.aead, &key, iv, Form::Tls13)
}

impl Agreement<'_> {
    /// The key of one side, 0 for the client's.
    fn key(&self, master: &[u8], place: usize) -> Option<Key> {
        match self.suite {
            Suite12::Aead(suite) => self.aead_key(suite, master, place),
            Suite12::Block(suite) => self.block_key(suite, master, place),
        }
    }

    fn aead_key(&self, suite: Suite, master: &[u8], place: usize) -> Option<Key> {
        let (form, nonce_length) = match suite.aead == &aead::CHACHA20_POLY1305 {
            true => (Form::Implicit, NONCE_LEN),
            false => (Form::Explicit, 4),
        };
        let [key, nonce] = self.key_block(suite.hash, master, [suite.aead.key_len(), nonce_length], place)?;
        let mut iv = [0; NONCE_LEN];
        iv.get_mut(..nonce_length)?.copy_from_slice(&nonce);
        Key::new(suite.aead, &key, iv, form)
    }

    fn block_key(&self, suite: BlockSuite, master: &[u8], place: usize) -> Option<Key> {
        let lengths = [suite.mac_length(), suite.key_length];
        let [mac, key] = self.key_block(suite.hash, master, lengths, place)?;
        let mac = hmac::Key::new(suite.mac, &mac);
        Some(BlockKey::new(&key, mac, self.encrypt_then_mac)?.into())
    }

    /// One side's parts of the key block, where each part of the client's stands before the server's.
    fn key_block(
        &self,
        hash: Hash,
        master: &[u8],
        lengths: [usize; 2],
        place: usize,
    ) -> Option<[Vec<u8>; 2]> {
        let seed = [b"key expansion", &self.server[..], self.client].concat();
        let block = prf(hash, master, &seed, 2 * lengths.iter().sum::<usize>());
        let mut cursor = Cursor(&block);
        let mut part = |length| {
            let both = cursor.take(2 * length)?;
            both.chunks(length).nth(place).map(<[u8]>::to_vec)
        };
        Some([part(lengths[0])?, part(lengths[1])?])
    }
}

/// So many bytes of the pseudorandom function; the seed begins with the label.
fn prf(hash: Hash, secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let key = hmac::Key::new(hash.hmac(), secret);
    let mut block = Vec::new();
    let mut a = hmac::sign(&key, seed);
    while block.len() < length {
        block.extend_from_slice(hmac::sign(&key, &[a.as_ref(), seed].concat()).as_ref());
        a = hmac::sign(&key, a.as_ref());
    }
    block.truncate(length);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Test vectors for TLS 1.2 PRF" on the mailing list of the IETF's TLS working group: SHA-256, 100 bytes.
    #[test]
    fn the_pseudorandom_function_gives_the_published_bytes() {
        let secret = 0x9bbe_436b_a940_f017_b176_5284_9a71_db35_u128.to_be_bytes();
        let seed = 0xa0ba_9f93_6cda_3118_27a6_f796_ffd5_198c_u128.to_be_bytes();
        let out = prf(Hash::Sha256, &secret, &[b"test label", &seed[..]].concat(), 100);
        assert_eq!(out[..8], 0xe3f2_29ba_727b_e17b_u64.to_be_bytes());
        assert_eq!(out[92..], 0x10ff_f701_8734_7b66_u64.to_be_bytes());
    }
}
