//! What was said under encryption, opened with the secrets that the client logged.
//!
//! For: reading what an app sent, where it honours `SSLKEYLOGFILE`.
//! Promises: pure, never fails; what no secret opens stays as it is, and its bytes are counted. What was opened is never
//! longer than what was sent. Every record and packet is authenticated: nothing is read that was not sent. Secrets are
//! never shown. Without a secret nothing is tried but what tells how much is closed.
//! To extend: a protocol is a module of its own dissector and a line in [`decrypt`]; a cipher is a line in [`suite`].

pub(crate) mod key_log;
pub(crate) mod suite;

pub(crate) use key_log::KeyLog;

use super::{quic, tls};
use crate::payloads::{Payload, Way};
use std::collections::HashMap;

/// What the secrets opened.
#[derive(Debug, Default)]
pub(crate) struct Decrypted {
    pub(crate) payloads: Vec<Payload>,
    /// Bytes of protected records and packets that stay closed, where there are any.
    pub(crate) sealed: HashMap<Way, u64>,
}

/// Opens all that can be opened.
pub(crate) fn decrypt(payloads: &[Payload], log: &KeyLog) -> Decrypted {
    let mut decrypted = Decrypted::default();
    tls::decrypt::decrypt(payloads, log, &mut decrypted);
    quic::decrypt::decrypt(payloads, log, &mut decrypted);
    decrypted
}

impl Decrypted {
    pub(crate) fn open(&mut self, opened: Payload) {
        if !opened.bytes.is_empty() {
            self.payloads.push(opened);
        }
    }

    pub(crate) fn seal(&mut self, way: Way, bytes: usize) {
        if bytes > 0 {
            *self.sealed.entry(way).or_default() += bytes as u64;
        }
    }
}
