//! Whether a stream is TLS, judged by its first bytes, also where the capture began in its middle.
//!
//! Promises: a `Yes` rests on at least five bytes that TLS fixes, and on lengths that agree with
//! each other; text is never TLS.

use super::super::Recognition::{self, No, Unsure, Yes};
use super::super::cursor::Cursor;
use super::record::{HEADER, LONGEST, content, header, ssl2_hello};

/// Encrypted bytes after which a single record of application data is believed, though its end has
/// not come.
const BELIEVED: usize = 64;

/// Judges the beginning of one side of a stream.
pub(crate) fn recognise_stream(bytes: &[u8]) -> Recognition {
    let Some(first) = bytes.first_chunk::<HEADER>() else { return may_begin(bytes) };
    match header(first) {
        Some((content::HANDSHAKE, length)) => handshake(bytes, length),
        Some((content::ALERT, 2)) => match bytes.get(HEADER) {
            Some(level) => (1..=2).contains(level).into(),
            None => Unsure,
        },
        Some(_) => chain(bytes),
        None => ssl2(bytes),
    }
}

/// Fewer bytes than a header.
fn may_begin(bytes: &[u8]) -> Recognition {
    let record = match *bytes {
        [] => true,
        [kind] => (content::CHANGE_CIPHER_SPEC..=content::HEARTBEAT).contains(&kind),
        [kind, major, ..] => (content::CHANGE_CIPHER_SPEC..=content::HEARTBEAT).contains(&kind) && major == 3,
    };
    let hello =
        bytes.first().is_some_and(|high| high & 0x80 != 0) && bytes.get(2).is_none_or(|&kind| kind == 1);
    if record || hello { Unsure } else { No }
}

/// A hello of either side, in however many records; else encrypted or later handshake records.
fn handshake(bytes: &[u8], length: usize) -> Recognition {
    let mut start = [0; 4];
    let mut have = 0;
    let mut cursor = Cursor(bytes);
    while have < start.len() {
        let Some(head) = cursor.take(HEADER).and_then(|head| head.first_chunk()) else { return Unsure };
        let Some((content::HANDSHAKE, length)) = header(head) else { return No };
        let body = cursor.take_up_to(length);
        for (to, from) in start.iter_mut().skip(have).zip(body) {
            *to = *from;
        }
        have += body.len();
        if body.len() < length && have < start.len() {
            return Unsure;
        }
    }
    const SHORTEST_HELLO: u32 = 38;
    let [kind, rest @ ..] = start;
    let message = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]);
    let hello = (SHORTEST_HELLO..1 << 16).contains(&message);
    match kind {
        1 if hello && length <= message as usize + 4 => Yes,
        2 if hello => Yes,
        _ => chain(bytes),
    }
}

/// Records that follow each other: two, or one that ends where the bytes end.
fn chain(bytes: &[u8]) -> Recognition {
    const SHORTEST_SECRET: usize = 17;
    let mut cursor = Cursor(bytes);
    let mut whole = 0;
    let mut kind_and_length = None;
    while let Some(head) = cursor.take(HEADER).and_then(|head| head.first_chunk()) {
        let Some((kind, length)) = header(head) else { return No };
        if whole > 0 {
            return Yes;
        }
        let body = cursor.take_up_to(length);
        if body.len() < length {
            let secret = kind == content::APPLICATION && length >= SHORTEST_SECRET;
            return if secret && body.len() >= BELIEVED { Yes } else { Unsure };
        }
        kind_and_length = Some((kind, length));
        whole += 1;
    }
    match kind_and_length {
        Some((content::APPLICATION | content::ALERT | content::HANDSHAKE, SHORTEST_SECRET..=LONGEST))
            if cursor.is_empty() =>
        {
            Yes
        }
        _ => Unsure,
    }
}

/// A client's hello in the form of SSL 2.0: the lengths inside must sum up to the length outside.
fn ssl2(bytes: &[u8]) -> Recognition {
    let Some(rest) = bytes.first_chunk().and_then(ssl2_hello) else { return No };
    let mut lengths = Cursor(bytes.get(HEADER..).unwrap_or_default());
    let (Some(ciphers), Some(resumed), Some(challenge)) = (lengths.u16(), lengths.u16(), lengths.u16())
    else {
        return Unsure;
    };
    let sum = 6 + usize::from(ciphers) + usize::from(resumed) + usize::from(challenge);
    let shape =
        ciphers > 0 && ciphers % 3 == 0 && matches!(resumed, 0 | 16) && (16..=32).contains(&challenge);
    (shape && sum == rest).into()
}
