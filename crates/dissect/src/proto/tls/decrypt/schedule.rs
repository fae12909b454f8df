//! From a key log's secrets to the keys of a conversation.
//!
//! Sources: RFC 8446 §7.2 (key update), §7.3 (traffic keys); RFC 5246 §5 (PRF), §6.3 (key block).
//! Where one key ends and the next begins is not read from the handshake: a record opens under the key in use or, from its
//! first record on, under one that comes later. So a handshake whose secret is missing is passed over by itself.

use super::key::{Content, Form, Key, Record};
use super::key_log::{KeyLog, Label, Random};
use super::suite::{Hash, Suite};
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
    Tls12 { client: &'a Random, server: &'a Random, suite: Suite },
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
        let suite = Suite::tls_1_2(server.cipher).filter(|_| server.version == TLS_1_2)?;
        Some(Self::Tls12 { client, server: server.random, suite })
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
            Self::Tls12 { client, server, suite } => {
                let master = log.secret(client, Label::Master).filter(|secret| secret.len() == MASTER);
                let current = master.and_then(|master| key_block(suite, master, client, server, place));
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
            self.ahead.extend(secret.and_then(|secret| updated(suite, &secret)));
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

/// The secret after a key update.
fn updated(suite: Suite, secret: &[u8]) -> Option<Vec<u8>> {
    let mut next = vec![0; suite.hash.length()];
    expand_label(&Prk::new_less_safe(suite.hash.hkdf(), secret), "traffic upd", &mut next)?;
    Some(next)
}

/// The key of one side, 0 for the client's, from TLS 1.2's key block: both keys, then both nonces.
fn key_block(suite: Suite, master: &[u8], client: &Random, server: &Random, place: usize) -> Option<Key> {
    let (form, nonce_length) = match suite.aead == &aead::CHACHA20_POLY1305 {
        true => (Form::Implicit, NONCE_LEN),
        false => (Form::Explicit, 4),
    };
    let key_length = suite.aead.key_len();
    let seed = [b"key expansion", &server[..], client].concat();
    let block = prf(suite.hash, master, &seed, 2 * (key_length + nonce_length));
    let (keys, nonces) = block.split_at_checked(2 * key_length)?;
    let mut iv = [0; NONCE_LEN];
    iv.get_mut(..nonce_length)?.copy_from_slice(nonces.chunks(nonce_length).nth(place)?);
    Key::new(suite.aead, keys.chunks(key_length).nth(place)?, iv, form)
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
