//! Frames of an Initial packet: which pieces of the handshake it carries.
//!
//! Source: RFC 9000 §19 and its table 3 of frames that Initial packets may hold. Google's Q050, T050
//! and T051 numbered CRYPTO 8.

use super::super::cursor::Cursor;

/// Offset and bytes of each CRYPTO frame, up to the first frame that has no place in an Initial.
pub(crate) fn crypto(frames: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut cursor = Cursor(frames);
    std::iter::from_fn(move || {
        loop {
            match cursor.varint()? {
                0 | 1 => {}
                kind @ (2 | 3) => skip_ack(&mut cursor, kind == 3)?,
                6 | 8 => return take_crypto(&mut cursor),
                _ => return None,
            }
        }
    })
}

fn take_crypto<'a>(cursor: &mut Cursor<'a>) -> Option<(u64, &'a [u8])> {
    let offset = cursor.varint()?;
    let length = usize::try_from(cursor.varint()?).ok()?;
    Some((offset, cursor.take(length)?))
}

fn skip_ack(cursor: &mut Cursor<'_>, congestion: bool) -> Option<()> {
    let _largest = cursor.varint()?;
    let _delay = cursor.varint()?;
    let ranges = cursor.varint()?;
    let _first = cursor.varint()?;
    for _ in 0..ranges {
        cursor.varint()?;
        cursor.varint()?;
    }
    if congestion {
        for _ in 0..3 {
            cursor.varint()?;
        }
    }
    Some(())
}
