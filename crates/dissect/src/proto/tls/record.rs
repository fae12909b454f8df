//! The record layer: one side of a TLS stream taken apart, its handshake bytes put together.
//!
//! Sources: RFC 8446 §5.1, RFC 5246 §6.2.1; RFC 5246 appendix E.2 (hello in SSL 2.0's form).
//! Promises: takes the stream in pieces of any size; keeps nothing but handshake bytes, at most
//! [`BOUND`]; stops for good at the first byte that is encrypted or is no record.

use super::super::cursor::Cursor;

/// Content types of records.
pub(crate) mod content {
    pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(crate) const ALERT: u8 = 21;
    pub(crate) const HANDSHAKE: u8 = 22;
    pub(crate) const APPLICATION: u8 = 23;
    pub(crate) const HEARTBEAT: u8 = 24;
}

/// Length of a record's header.
pub(crate) const HEADER: usize = 5;

/// Longest record: 2^14 bytes and what encryption may add to it.
pub(crate) const LONGEST: usize = (1 << 14) + 2048;

/// Most handshake bytes that are kept of one side. Certificate chains rarely reach a tenth of it.
const BOUND: usize = 64 * 1024;

/// Content type and length that a record's header states; nothing when it is no such header.
pub(crate) fn header(bytes: &[u8; HEADER]) -> Option<(u8, usize)> {
    let [kind, major, minor, high, low] = *bytes;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let known = (content::CHANGE_CIPHER_SPEC..=content::HEARTBEAT).contains(&kind);
    let plausible = known && major == 3 && minor <= 4 && (1..=LONGEST).contains(&length);
    plausible.then_some((kind, length))
}

/// Bytes that follow the first five of a hello in the form of SSL 2.0, which TLS clients sent while
/// such servers were about; nothing when it is none.
pub(crate) fn ssl2_hello(bytes: &[u8; HEADER]) -> Option<usize> {
    let [high, low, kind, major, minor] = *bytes;
    let length = usize::from(u16::from_be_bytes([high & 0x7f, low]));
    let version = matches!((major, minor), (3, 0..=3) | (0, 2));
    (high & 0x80 != 0 && kind == 1 && version && length > 9).then(|| length.saturating_sub(3))
}

/// One side of a stream.
#[derive(Debug, Default)]
pub(crate) struct Records {
    header: [u8; HEADER],
    /// Bytes of the header that have come.
    filled: usize,
    kind: u8,
    /// Bytes of the record that have not come.
    left: usize,
    begun: bool,
    end: Option<End>,
    handshake: Vec<u8>,
}

/// Why nothing more can be read of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Encryption began.
    Encrypted,
    /// Bytes were lost, or this is no TLS: where a record begins is unknown.
    Lost,
}

impl Records {
    /// Takes the next bytes of the stream; hands each handshake message to `take` once it is whole.
    pub(crate) fn feed(&mut self, bytes: &[u8], take: &mut impl FnMut(&[u8])) {
        let mut cursor = Cursor(bytes);
        while !cursor.is_empty() && self.end.is_none() {
            if self.left == 0 {
                self.take_header(&mut cursor);
            } else {
                self.take_body(&mut cursor, take);
            }
        }
    }

    /// Whether and why no further handshake byte can be read.
    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// Bytes are missing before the next ones. Before the first ones that is no matter: what comes
    /// then was recognised by itself.
    pub(crate) fn miss(&mut self) {
        if self.begun || self.filled > 0 {
            self.lose();
        }
    }

    fn lose(&mut self) {
        self.end = self.end.or(Some(End::Lost));
        self.handshake = Vec::new();
    }

    /// The beginning of the handshake message that is not yet whole.
    pub(crate) fn beginning(&self) -> &[u8] {
        &self.handshake
    }

    /// Bytes held beyond the struct itself.
    pub(crate) fn held(&self) -> usize {
        self.handshake.capacity()
    }

    fn take_header(&mut self, cursor: &mut Cursor<'_>) {
        let taken = cursor.take_up_to(HEADER - self.filled);
        for (to, from) in self.header.iter_mut().skip(self.filled).zip(taken) {
            *to = *from;
        }
        self.filled += taken.len();
        if self.filled < HEADER {
            return;
        }
        self.filled = 0;
        match header(&self.header) {
            Some((content::CHANGE_CIPHER_SPEC | content::APPLICATION, _)) => self.end = Some(End::Encrypted),
            Some((kind, length)) => (self.kind, self.left) = (kind, length),
            None => self.skip_ssl2_hello(),
        }
        self.begun = true;
    }

    fn skip_ssl2_hello(&mut self) {
        match ssl2_hello(&self.header) {
            Some(rest) if !self.begun => (self.kind, self.left) = (content::ALERT, rest),
            _ => self.lose(),
        }
    }

    fn take_body(&mut self, cursor: &mut Cursor<'_>, take: &mut impl FnMut(&[u8])) {
        let taken = cursor.take_up_to(self.left);
        self.left -= taken.len();
        if self.kind != content::HANDSHAKE {
            return;
        }
        // Most messages come whole: they are read where they lie.
        if self.handshake.is_empty() {
            let whole = take_messages(taken, take);
            self.handshake.extend_from_slice(taken.get(whole..).unwrap_or_default());
        } else {
            self.handshake.extend_from_slice(taken);
            let whole = take_messages(&self.handshake, take);
            self.handshake.drain(..whole);
        }
        if self.handshake.len() > BOUND {
            self.lose();
        }
    }
}

/// Hands over the messages that are whole; how many bytes they are.
fn take_messages(handshake: &[u8], take: &mut impl FnMut(&[u8])) -> usize {
    let mut rest = handshake;
    while let Some((message, after)) = whole_message(rest) {
        take(message);
        rest = after;
    }
    handshake.len() - rest.len()
}

/// The first handshake message (type, length of three octets, body) where all of it is there, and
/// what follows it.
fn whole_message(handshake: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = Cursor(handshake.get(1..)?).u24()?;
    handshake.split_at_checked(length.checked_add(4)?)
}
