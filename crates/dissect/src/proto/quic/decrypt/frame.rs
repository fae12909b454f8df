//! Frames of 0-RTT and 1-RTT packets: which of them carry what an application said.
//!
//! Sources: RFC 9000 §19, RFC 9221 §4 (datagrams), draft-ietf-quic-ack-frequency-11 §4 and §5, and
//! draft-ietf-quic-reliable-stream-reset-07 §3.
//! Promises: a frame that nobody listed ends the packet, since nobody knows how long it is; what is behind it is counted.

use super::super::frame::{skip_ack, without_padding};
use crate::proto::cursor::Cursor;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Stream {
        id: u64,
        offset: u64,
        bytes: &'a [u8],
    },
    Datagram(&'a [u8]),
    /// By which packets are to come back from now on, too.
    NewIdentifier(&'a [u8]),
}

/// Hands over each frame that carries something. The bytes that could not be read.
pub(super) fn each<'a>(frames: &'a [u8], take: &mut impl FnMut(Frame<'a>)) -> usize {
    let mut cursor = Cursor(frames);
    while !cursor.is_empty() {
        let unread = cursor.rest().len();
        match next(&mut cursor) {
            Some(frame) => frame.into_iter().for_each(&mut *take),
            None => return unread,
        }
    }
    0
}

/// The next frame; nothing within where it carries nothing.
fn next<'a>(cursor: &mut Cursor<'a>) -> Option<Option<Frame<'a>>> {
    let kind = cursor.varint()?;
    match kind {
        // Padding is long.
        0x00 => *cursor = Cursor(without_padding(cursor.rest())),
        // PING, HANDSHAKE_DONE, IMMEDIATE_ACK.
        0x01 | 0x1e | 0x1f => {}
        0x02 | 0x03 => skip_ack(cursor, kind == 3)?,
        // RESET_STREAM, STOP_SENDING.
        0x04 => skip(cursor, 3)?,
        0x05 => skip(cursor, 2)?,
        // CRYPTO: tickets and the like.
        0x06 => {
            skip(cursor, 1)?;
            _ = cursor.vector()?;
        }
        // NEW_TOKEN.
        0x07 => _ = cursor.vector()?,
        0x08..=0x0f => return take_stream(cursor, kind).map(Some),
        // Limits of data and streams.
        0x10 | 0x12..=0x14 | 0x16..=0x17 => skip(cursor, 1)?,
        0x11 | 0x15 => skip(cursor, 2)?,
        0x18 => return take_identifier(cursor).map(Some),
        // RETIRE_CONNECTION_ID.
        0x19 => skip(cursor, 1)?,
        // PATH_CHALLENGE, PATH_RESPONSE.
        0x1a | 0x1b => _ = cursor.take(8)?,
        // CONNECTION_CLOSE, of the transport and of the application.
        0x1c | 0x1d => {
            skip(cursor, if kind == 0x1c { 2 } else { 1 })?;
            _ = cursor.vector()?;
        }
        // RESET_STREAM_AT, ACK_FREQUENCY.
        0x24 | 0xaf => skip(cursor, 4)?,
        0x30 => return Some(Some(Frame::Datagram(cursor.take_up_to(usize::MAX)))),
        0x31 => return cursor.vector().map(|bytes| Some(Frame::Datagram(bytes))),
        _ => return None,
    }
    Some(None)
}

/// The kind tells whether an offset and a length are there.
fn take_stream<'a>(cursor: &mut Cursor<'a>, kind: u64) -> Option<Frame<'a>> {
    let id = cursor.varint()?;
    let offset = if kind & 4 != 0 { cursor.varint()? } else { 0 };
    let bytes = if kind & 2 != 0 { cursor.vector()? } else { cursor.take_up_to(usize::MAX) };
    Some(Frame::Stream { id, offset, bytes })
}

fn take_identifier<'a>(cursor: &mut Cursor<'a>) -> Option<Frame<'a>> {
    const RESET_TOKEN: usize = 16;
    skip(cursor, 2)?;
    let id = cursor.vector8()?;
    cursor.take(RESET_TOKEN)?;
    Some(Frame::NewIdentifier(id))
}

fn skip(cursor: &mut Cursor<'_>, numbers: usize) -> Option<()> {
    (0..numbers).try_for_each(|_| cursor.varint().map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(frames: &[u8]) -> (Vec<Frame<'_>>, usize) {
        let mut all = Vec::new();
        let unread = each(frames, &mut |frame| all.push(frame));
        (all, unread)
    }

    #[test]
    fn what_carries_something_is_found_among_the_rest() {
        let nothing: &[&[u8]] = &[
            &[0; 40],
            &[1],
            &[2, 9, 0, 1, 0, 1, 1],
            &[3, 9, 0, 0, 0, 1, 1, 1],
            &[4, 0, 0, 9],
            &[5, 0, 0],
            &[6, 0, 2, 4, 4],
            &[7, 1, 9],
            &[0x10, 9],
            &[0x11, 0, 9],
            &[0x12, 9],
            &[0x15, 0, 9],
            &[0x17, 9],
            &[0x19, 0],
            &[0x1a, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0x1c, 0, 0, 2, b'n', b'o'],
            &[0x1d, 0, 2, b'n', b'o'],
            &[0x1e],
            &[0x24, 0, 0, 9, 9],
            &[0x40, 0xaf, 1, 2, 3, 4],
        ];
        for frames in nothing {
            assert_eq!(all(&[frames, &[0x0a, 3, 2, b'h', b'i'][..]].concat()), {
                (vec![Frame::Stream { id: 3, offset: 0, bytes: b"hi" }], 0)
            });
        }
        let id = [&[0x18, 1, 0, 2, 7, 8][..], &[0; 16], &[0x31, 1, b'a', 0x0c, 4, 5, b'b']].concat();
        let wanted = [
            Frame::NewIdentifier(&[7, 8]),
            Frame::Datagram(b"a"),
            Frame::Stream { id: 4, offset: 5, bytes: b"b" },
        ];
        assert_eq!(all(&id), (wanted.to_vec(), 0));
        assert_eq!(all(&[0x30, b'x', b'y']), (vec![Frame::Datagram(b"xy")], 0));
        assert_eq!(all(&[1, 0x3f, 8, 0, 0]), (vec![], 4), "nobody listed it");
        assert_eq!(all(&[0x0a, 3, 2, b'h']), (vec![], 4), "it is cut");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(frames in prop::collection::vec(any::<u8>(), 0..200)) {
            let (read, unread) = all(&frames);
            let carried: usize = read.iter().map(|frame| match frame {
                Frame::Stream { bytes, .. } | Frame::Datagram(bytes) | Frame::NewIdentifier(bytes) => bytes.len(),
            }).sum();
            prop_assert!(carried + unread <= frames.len());
        }
    }
}
