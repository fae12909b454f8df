//! Reads a DTLS conversation up to its ClientHello: whom the client calls and with what program.
//!
//! Promises: a hello in several fragments, in any order, is put together; the hello before a
//! HelloVerifyRequest and the one after it say the same, the first whole one is told. Certificates
//! are not read: in DTLS they are mostly self-made ones that name nobody.

use super::super::client_hello::{CLIENT_HELLO, ClientHello};
use super::super::cursor::Cursor;
use super::super::fragments::Fragments;
use super::super::ja4::{Carrier, ja4};
use super::super::{Appetite, Chunk, Notes, Reader, host_name};
use super::handshake::{self, Fragment};
use super::record;
use overheard_model::NameSource;

/// Datagrams after which a hello is no longer waited for.
const PATIENCE: u32 = 64;

/// Reader of one DTLS conversation.
#[derive(Debug, Default)]
pub(crate) struct DtlsReader {
    datagrams: u32,
    /// Message number and length of the hello that is being put together.
    current: Option<(u16, usize)>,
    hello: Fragments,
    named: bool,
}

impl Reader for DtlsReader {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        self.datagrams += 1;
        let mut cursor = Cursor(chunk.bytes);
        while let Some(record) = record::next(&mut cursor) {
            if record.epoch > 0 {
                return Appetite::Sated;
            }
            if record.kind == record::HANDSHAKE && self.read_record(record.body, notes) {
                return Appetite::Sated;
            }
        }
        if self.datagrams >= PATIENCE { Appetite::Sated } else { Appetite::More }
    }

    fn held(&self) -> usize {
        self.hello.held()
    }
}

impl DtlsReader {
    /// Says whether the hello is whole.
    fn read_record(&mut self, body: &[u8], notes: &mut Notes) -> bool {
        let mut cursor = Cursor(body);
        while let Some(fragment) = handshake::next(&mut cursor) {
            if fragment.kind == CLIENT_HELLO && self.take(&fragment, notes) {
                return true;
            }
        }
        false
    }

    fn take(&mut self, fragment: &Fragment<'_>, notes: &mut Notes) -> bool {
        let message = (fragment.sequence, fragment.length);
        if self.current != Some(message) {
            self.hello = Fragments::default();
            self.current = Some(message);
        }
        self.hello.insert(fragment.offset as u64, fragment.body);
        let prefix = self.hello.prefix();
        let Some(hello) = ClientHello::parse_body(prefix, prefix.len() == fragment.length) else {
            return false;
        };
        if !self.named {
            let name = hello.server_name().and_then(host_name);
            self.named = name.is_some();
            notes.names.extend(name.map(|name| (name, NameSource::DtlsSni)));
        }
        if hello.complete {
            notes.ja4 = Some(ja4(&hello, Carrier::Dtls));
        }
        hello.complete
    }
}
