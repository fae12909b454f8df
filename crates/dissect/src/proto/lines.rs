//! Line protocols: what mail, chat and file transfer have in common.
//!
//! For: judging the first line of each side, and following a connection into TLS.
//! Promises: words are compared without regard to case, as their RFCs ask.

use super::inner::Inner;
use super::{Appetite, Chunk, Notes, Reader};
use memchr::{memchr, memchr_iter};

/// The first line without its end, and whether its end was seen.
pub(super) fn first_line(bytes: &[u8]) -> (&[u8], bool) {
    match memchr(b'\n', bytes) {
        Some(end) => (bytes[..end].trim_ascii_end(), true),
        None => (bytes, false),
    }
}

/// Whether `line` begins with `prefix`, upper or lower case.
pub(super) fn begins(line: &[u8], prefix: &[u8]) -> bool {
    line.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whether `text` holds `word`, upper or lower case.
pub(super) fn holds(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// The words of a line.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b' ').filter(|word| !word.is_empty())
}

/// Whether `word` is one of `known`, upper or lower case.
pub(super) fn is_one_of(word: Option<&[u8]>, known: &[&[u8]]) -> bool {
    word.is_some_and(|word| known.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// Follows a connection into TLS (STARTTLS of RFC 3207, 2595, 4217, 6120, and RDP): text never holds the
/// first byte of a TLS handshake record, a control character.
#[derive(Default)]
pub(super) struct UntilTls {
    inner: Option<Inner>,
    read: usize,
    /// The latest byte of each side was the first of such a record.
    may_turn: [bool; 2],
}

/// Bytes after which a connection that still speaks plainly will go on so.
const PLAIN_LIMIT: usize = 32 << 10;

/// Content type and major version of a TLS handshake record.
const HANDSHAKE_RECORD: [u8; 2] = [0x16, 0x03];

impl Reader for UntilTls {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        if let Some(inner) = &mut self.inner {
            return inner.read(chunk, notes);
        }
        let [first, second] = HANDSHAKE_RECORD;
        let may_turn = &mut self.may_turn[chunk.from as usize];
        if *may_turn && chunk.gap == 0 && chunk.bytes.first() == Some(&second) {
            let inner = self.inner.insert(Inner::secured());
            inner.read(&Chunk { bytes: &[first], ..*chunk }, notes);
            return inner.read(chunk, notes);
        }
        let rest = |at| chunk.bytes.get(at..).unwrap_or_default();
        let mut records = memchr_iter(first, chunk.bytes).map(rest);
        if let Some(bytes) = records.find(|rest| rest.starts_with(&HANDSHAKE_RECORD)) {
            return self.inner.insert(Inner::secured()).read(&Chunk { bytes, ..*chunk }, notes);
        }
        *may_turn = chunk.bytes.last() == Some(&first);
        self.read = self.read.saturating_add(chunk.bytes.len());
        if self.read < PLAIN_LIMIT { Appetite::More } else { Appetite::Sated }
    }

    fn held(&self) -> usize {
        self.inner.as_ref().map_or(0, Inner::held)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::chunk;
    use super::*;
    use overheard_model::{Side, Transport, Visibility};

    fn read(reader: &mut UntilTls, bytes: &[u8]) -> Notes {
        let mut notes = Notes::default();
        reader.read(&chunk(Transport::Tcp, 25, Side::Src, bytes), &mut notes);
        notes
    }

    #[test]
    fn a_client_hello_after_text_is_followed() {
        let mut hello = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03".to_vec();
        hello.extend([7; 32]);
        hello.extend(b"\x00\x00\x02\x13\x01\x01\x00\x00\x00");
        let mut reader = UntilTls::default();
        assert_eq!(read(&mut reader, b"EHLO a\r\nSTARTTLS\r\n"), Notes::default());
        let notes = read(&mut reader, &hello);
        assert_eq!((notes.protocol, notes.visibility), (None, Some(Visibility::Encrypted)));
        for cut in 0..20 {
            let (mut reader, mut notes) = (UntilTls::default(), Notes::default());
            let stream = [b"STARTTLS\r\n", &hello[..]].concat();
            for piece in [&stream[..cut], &stream[cut..]] {
                reader.read(&chunk(Transport::Tcp, 25, Side::Src, piece), &mut notes);
            }
            assert!(notes.ja4.is_some(), "cut at {cut}");
        }
    }

    #[test]
    fn text_that_stays_plain_is_not_read_forever() {
        let mut reader = UntilTls::default();
        assert_eq!(read(&mut reader, &[b'a'; PLAIN_LIMIT]), Notes::default());
        assert!(reader.read >= PLAIN_LIMIT && reader.inner.is_none());
    }

    #[test]
    fn lines_and_words_are_taken_apart() {
        assert_eq!(first_line(b"EHLO a\r\nMAIL"), (&b"EHLO a"[..], true));
        assert_eq!(first_line(b"EHLO"), (&b"EHLO"[..], false));
        assert!(is_one_of(words(b"ehlo  a").next(), &[b"EHLO"]));
        assert_eq!(words(b"a  b ").count(), 2);
    }
}
