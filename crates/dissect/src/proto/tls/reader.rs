//! Reads a TLS stream as far as it is in the clear: whom the client calls and with what program,
//! and the names of the server's certificate.
//!
//! Promises: a name is told as soon as its extension has come, once; sated as soon as both sides'
//! clear part is over, so that an established connection costs nothing.
//! To extend: a protocol that turns into TLS (STARTTLS) hands its bytes to a [`TlsReader`] from the
//! first one after the turn.

use super::super::client_hello::{CLIENT_HELLO, ClientHello, NameSearch};
use super::super::cursor::Cursor;
use super::super::ja4::{Carrier, ja4};
use super::super::server_hello::{SERVER_HELLO, ServerHello};
use super::super::{Appetite, Chunk, Notes, Reader, certificate, host_name};
use super::record::{End, Records};
use overheard_model::{NameSource, Protocol, Side};

/// Handshake message types beside the hellos.
const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;

/// Port of DNS over TLS (RFC 7858 §3.1).
const DOT_PORT: u16 = 853;

/// Reader of one TLS stream, both sides.
#[derive(Debug, Default)]
pub(crate) struct TlsReader {
    src: Records,
    dst: Records,
    begun: bool,
    handshake: Handshake,
}

impl Reader for TlsReader {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        if !self.begun && chunk.dst_port == DOT_PORT {
            notes.protocol = Some(Protocol::Dot);
        }
        self.begun = true;
        let records = match chunk.from {
            Side::Src => &mut self.src,
            Side::Dst => &mut self.dst,
        };
        if chunk.gap > 0 {
            records.miss();
        }
        let handshake = &mut self.handshake;
        records.feed(chunk.bytes, &mut |message| handshake.take(message, notes));
        handshake.take_early_name(chunk.from, records.beginning(), notes);
        if self.over() { Appetite::Sated } else { Appetite::More }
    }

    fn held(&self) -> usize {
        self.src.held() + self.dst.held()
    }
}

impl TlsReader {
    /// Either side's encryption means that both hellos and the certificate are past.
    fn over(&self) -> bool {
        match (self.src.end(), self.dst.end()) {
            (Some(End::Encrypted), _) | (_, Some(End::Encrypted)) => true,
            (Some(End::Lost), Some(End::Lost)) => true,
            _ => self.handshake.told && self.handshake.server_read,
        }
    }
}

/// What was learned of the handshake.
#[derive(Debug, Default)]
struct Handshake {
    named: bool,
    /// The whole ClientHello was read.
    told: bool,
    /// All of the server's clear part that matters was read.
    server_read: bool,
    /// In the hello of which only the beginning has come, of either side.
    searches: [NameSearch; 2],
}

impl Handshake {
    /// Takes a whole message.
    fn take(&mut self, message: &[u8], notes: &mut Notes) {
        let body = message.get(4..).unwrap_or_default();
        match message.first() {
            Some(&CLIENT_HELLO) => self.take_client_hello(message, notes),
            Some(&SERVER_HELLO) => self.server_read |= hides_certificate(body),
            Some(&CERTIFICATE) if !self.server_read => {
                let names = certificate::names(body).into_iter();
                notes.names.extend(names.map(|name| (name, NameSource::TlsCertificate)));
                self.server_read = true;
            }
            Some(&SERVER_HELLO_DONE) => self.server_read = true,
            _ => {}
        }
    }

    /// Takes the beginning of a message: a name is told though the hello's end has not come.
    fn take_early_name(&mut self, from: Side, beginning: &[u8], notes: &mut Notes) {
        if beginning.is_empty() || self.named || self.told {
            self.searches[from as usize] = NameSearch::default();
        } else {
            let name = self.searches[from as usize].name(beginning);
            self.tell_name(name, notes);
        }
    }

    fn take_client_hello(&mut self, message: &[u8], notes: &mut Notes) {
        let Some(hello) = ClientHello::parse(message).filter(|_| !self.told) else { return };
        self.tell_name(hello.server_name(), notes);
        self.told = true;
        notes.ja4 = Some(ja4(&hello, Carrier::Tls));
        if hello.alpn().any(|protocol| protocol == b"dot") {
            notes.protocol = Some(Protocol::Dot);
        }
    }

    fn tell_name(&mut self, name: Option<&[u8]>, notes: &mut Notes) {
        if let Some(name) = name.filter(|_| !self.named).and_then(host_name) {
            notes.names.push((name, NameSource::TlsSni));
            self.named = true;
        }
    }
}

/// Whether a ServerHello chose TLS 1.3 (or a draft of it), which encrypts the certificate.
fn hides_certificate(body: &[u8]) -> bool {
    const EARLY_DRAFTS: u16 = 0x7f;
    let early = Cursor(body).u16().is_some_and(|version| version >> 8 == EARLY_DRAFTS);
    early || ServerHello::parse_body(body).is_some_and(|hello| hello.supports_tls_1_3())
}
