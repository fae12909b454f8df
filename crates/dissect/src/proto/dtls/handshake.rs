//! Handshake messages of DTLS, which travel in fragments of their own.
//!
//! Source: RFC 6347 §4.2.2.

use super::super::cursor::Cursor;

/// One fragment of a handshake message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment<'a> {
    pub(crate) kind: u8,
    /// Of the whole message.
    pub(crate) length: usize,
    /// Number of the message: the second hello, after a HelloVerifyRequest, is 1.
    pub(crate) sequence: u16,
    pub(crate) offset: usize,
    pub(crate) body: &'a [u8],
}

/// Takes the next fragment; nothing where the lengths contradict each other. A fragment that the
/// capture cut off is as long as what came.
pub(crate) fn next<'a>(cursor: &mut Cursor<'a>) -> Option<Fragment<'a>> {
    let kind = cursor.u8()?;
    let length = cursor.u24()?;
    let sequence = cursor.u16()?;
    let offset = cursor.u24()?;
    let fragment = cursor.u24()?;
    let fits = offset.checked_add(fragment)? <= length;
    fits.then(|| Fragment { kind, length, sequence, offset, body: cursor.take_up_to(fragment) })
}
