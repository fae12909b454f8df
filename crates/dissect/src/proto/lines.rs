//! Line protocols: what mail, chat and file transfer have in common.
//!
//! For: judging the first line of each side, and following a connection into TLS.
//! Promises: words are compared without regard to case, as their RFCs ask.

use super::inner::Inner;
use super::{Appetite, Chunk, Notes, Reader};
use overheard_model::Protocol;

/// The first line without its end, and whether its end was seen.
pub(super) fn first_line(bytes: &[u8]) -> (&[u8], bool) {
    match bytes.iter().position(|&byte| byte == b'\n') {
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

/// Follows a connection into TLS (STARTTLS of RFC 3207, 2595, 4217, 6120, and RDP): no line of text
/// begins with the two bytes of a TLS handshake record.
#[derive(Default)]
pub(super) struct UntilTls {
    inner: Option<Inner>,
    read: usize,
}

/// Bytes after which a connection that still speaks plainly will go on so.
const PLAIN_LIMIT: usize = 32 << 10;

impl Reader for UntilTls {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        const HANDSHAKE_RECORD: &[u8] = &[0x16, 0x03];
        if chunk.bytes.starts_with(HANDSHAKE_RECORD) && self.inner.is_none() {
            self.inner = Some(Inner::new(|protocol| protocol == Protocol::Tls));
        }
        if let Some(inner) = &mut self.inner {
            return inner.read(chunk, notes);
        }
        self.read = self.read.saturating_add(chunk.bytes.len());
        if self.read < PLAIN_LIMIT { Appetite::More } else { Appetite::Sated }
    }
}
