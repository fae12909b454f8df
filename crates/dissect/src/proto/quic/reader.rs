//! Reads a QUIC conversation up to its ClientHello: whom the client calls and with what program.
//!
//! Promises: what [`Hello`] does; at most [`PATIENCE`] datagrams are looked at.

use super::super::client_hello::ClientHello;
use super::super::cursor::Cursor;
use super::super::ja4::{Carrier, ja4};
use super::super::{Appetite, Chunk, Notes, Reader, host_name};
use super::google;
use super::hello::{Hello, Taken};
use super::packet::{self, Kind};
use overheard_model::{NameSource, Side};

/// Datagrams after which a hello is no longer waited for.
const PATIENCE: u32 = 64;

/// Reader of one QUIC conversation.
#[derive(Default)]
pub(crate) struct QuicReader {
    datagrams: u32,
    /// Who sent a packet that opened.
    client: Option<Side>,
    hello: Hello,
    named: bool,
}

impl Reader for QuicReader {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        self.datagrams += 1;
        if self.client.is_none_or(|client| client == chunk.from) && self.read_datagram(chunk, notes) {
            return Appetite::Sated;
        }
        if self.datagrams >= PATIENCE { Appetite::Sated } else { Appetite::More }
    }

    fn held(&self) -> usize {
        self.hello.held()
    }
}

impl QuicReader {
    /// Says whether all that can be learned was learned.
    fn read_datagram(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> bool {
        if google::stated_version(chunk.bytes).is_some() {
            tell_name(&mut self.named, google::server_name(chunk.bytes), notes);
        }
        let mut datagram = Cursor(chunk.bytes);
        while let Some(packet) = packet::next(&mut datagram) {
            if packet.kind == Kind::Initial && self.hello.take(&packet) != Taken::Not {
                self.client = Some(chunk.from);
            }
        }
        self.learn(notes)
    }

    fn learn(&mut self, notes: &mut Notes) -> bool {
        let message = self.hello.message();
        match ClientHello::parse(message) {
            Some(hello) => {
                tell_name(&mut self.named, hello.server_name(), notes);
                notes.ja4 = hello.complete.then(|| ja4(&hello, Carrier::Quic));
                hello.complete
            }
            None => {
                tell_name(&mut self.named, google::server_name(message), notes);
                self.named && message.starts_with(b"CHLO")
            }
        }
    }
}

fn tell_name(named: &mut bool, name: Option<&[u8]>, notes: &mut Notes) {
    if *named {
        return;
    }
    let name = name.and_then(host_name);
    *named = name.is_some();
    notes.names.extend(name.map(|name| (name, NameSource::QuicSni)));
}
