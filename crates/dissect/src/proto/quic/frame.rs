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
                // Padding is long.
                0 => cursor = Cursor(without_padding(cursor.rest())),
                1 => {}
                kind @ (2 | 3) => skip_ack(&mut cursor, kind == 3)?,
                6 | 8 => return take_crypto(&mut cursor),
                _ => return None,
            }
        }
    })
}

/// What follows the padding; a frame of it is one zero.
pub(super) fn without_padding(frames: &[u8]) -> &[u8] {
    const STRIDE: usize = 32;
    let mut rest = frames;
    while let Some((zeros, after)) = rest.split_first_chunk::<STRIDE>()
        && *zeros == [0; STRIDE]
    {
        rest = after;
    }
    let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
    rest.get(zeros..).unwrap_or_default()
}

fn take_crypto<'a>(cursor: &mut Cursor<'a>) -> Option<(u64, &'a [u8])> {
    Some((cursor.varint()?, cursor.vector()?))
}

pub(super) fn skip_ack(cursor: &mut Cursor<'_>, congestion: bool) -> Option<()> {
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
