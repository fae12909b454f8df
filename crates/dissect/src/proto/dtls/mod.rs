//! DTLS: recognised by its records, read up to the ClientHello.
//!
//! For: the name that a client calls, and its JA4. Conversations that begin with something else on
//! the same ports (STUN, RFC 7983) hand their datagrams to a [`DtlsReader`].
//! Promises: a `Yes` needs records that follow each other to the datagram's end, each with one of
//! the three versions that exist in clear headers.

mod handshake;
mod reader;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use reader::DtlsReader;

use super::cursor::Cursor;
use super::{Dissector, Opening, Reader, Recognition};
use overheard_model::{Protocol, Transport, Visibility};
use record::Record;

/// DTLS 1.0, 1.2 and 1.3.
#[derive(Debug)]
pub(crate) struct Dtls;

impl Dissector for Dtls {
    fn protocol(&self) -> Protocol {
        Protocol::Dtls
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        (opening.transport == Transport::Udp && is_datagram(opening.latest())).into()
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Udp && matches!(first, Some(20..=23))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Encrypted
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(DtlsReader::default()))
    }
}

/// Whether a datagram is DTLS.
pub(crate) fn is_datagram(bytes: &[u8]) -> bool {
    let mut cursor = Cursor(bytes);
    let mut records = 0;
    while let Some(record) = record::next(&mut cursor) {
        if !is_plausible(&record) {
            return false;
        }
        records += 1;
    }
    records > 0 && (cursor.is_empty() || is_dtls_1_3(cursor.rest()))
}

/// Whether the content agrees with its type.
fn is_plausible(record: &Record<'_>) -> bool {
    const SHORTEST_SECRET: usize = 16;
    const EARLY_EPOCHS: u16 = 16;
    let clear = match record.kind {
        record::HANDSHAKE => handshake::next(&mut Cursor(record.body)).is_some(),
        record::ALERT => record.body.len() == 2,
        record::CHANGE_CIPHER_SPEC => record.body == [1] || record.body.len() == 3,
        _ => false,
    };
    let secret =
        (1..EARLY_EPOCHS).contains(&record.epoch) && (record.body.len() >= SHORTEST_SECRET || !record.whole);
    if record.epoch == 0 { clear } else { secret }
}

/// Whether encrypted records of DTLS 1.3 follow (RFC 9147 §4: the first bits are 001).
fn is_dtls_1_3(rest: &[u8]) -> bool {
    rest.first().is_some_and(|first| first & 0xe0 == 0x20)
}
