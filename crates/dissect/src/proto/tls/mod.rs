//! TLS over TCP: recognised by its records, read as far as it is in the clear.
//!
//! For: the name that a client calls (SNI), its JA4, the names of a TLS 1.2 certificate, DNS over
//! TLS; for protocols that turn into TLS, [`TlsReader`].
//! Promises: what [`recognise_stream`] says of one side of a stream. A stream whose client spoke
//! something else first is not TLS, whatever its server says.

pub(crate) mod decrypt;
mod reader;
mod recognise;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use reader::TlsReader;
pub(crate) use recognise::recognise_stream;

use super::{Dissector, Opening, Reader, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

/// TLS 1.0 to 1.3, SSL 3.0, and hellos in the form of SSL 2.0.
#[derive(Debug)]
pub(crate) struct Tls;

impl Dissector for Tls {
    fn protocol(&self) -> Protocol {
        Protocol::Tls
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        if opening.transport != Transport::Tcp {
            return Recognition::No;
        }
        match recognise_stream(opening.src) {
            Recognition::Unsure => recognise_stream(opening.dst),
            judged => judged,
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && matches!(first, Some(20..=24 | 0x80..))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Encrypted
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(TlsReader::default()))
    }
}
