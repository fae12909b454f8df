//! The record layer of DTLS: the records of one datagram.
//!
//! Sources: RFC 4347, RFC 6347 §4.1, RFC 9147 §4 (whose encrypted records are told by their first
//! three bits; hellos keep the old form), RFC 9146 (connection identifiers).

use super::super::client_hello::is_dtls;
use super::super::cursor::Cursor;

/// Content types.
pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(crate) const ALERT: u8 = 21;
pub(crate) const HANDSHAKE: u8 = 22;
pub(crate) const APPLICATION: u8 = 23;

/// One record in the clear form of the header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) kind: u8,
    pub(crate) epoch: u16,
    /// As long as stated, or shorter where the capture cut it off.
    pub(crate) body: &'a [u8],
    pub(crate) whole: bool,
}

/// Takes the next record; nothing where there is no such header.
pub(crate) fn next<'a>(cursor: &mut Cursor<'a>) -> Option<Record<'a>> {
    let mut ahead = *cursor;
    let kind = ahead.u8()?;
    let version = ahead.u16()?;
    let epoch = ahead.u16()?;
    let _sequence = ahead.number(6)?;
    let length = usize::from(ahead.u16()?);
    if !(CHANGE_CIPHER_SPEC..=APPLICATION).contains(&kind) || !is_dtls(version) || length == 0 {
        return None;
    }
    let body = ahead.take_up_to(length);
    *cursor = ahead;
    Some(Record { kind, epoch, body, whole: body.len() == length })
}
