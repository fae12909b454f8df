//! Reads a QUIC conversation up to its ClientHello: whom the client calls and with what program.
//!
//! Promises: the hello may come in any number of packets and in any order; keys come from the first
//! destination identifier that fits, so that a Retry, a negotiated version or a new connection on
//! the same ports is followed; at most [`PATIENCE`] datagrams are looked at and
//! [`MOST_KEYS`] keys derived.

use super::super::client_hello::ClientHello;
use super::super::cursor::Cursor;
use super::super::fragments::Fragments;
use super::super::ja4::{Carrier, ja4};
use super::super::{Appetite, Chunk, Notes, Reader, host_name};
use super::initial::Keys;
use super::packet::{self, Kind, Packet};
use super::version::salts;
use super::{frame, google};
use overheard_model::{NameSource, Side};

/// Datagrams after which a hello is no longer waited for.
const PATIENCE: u32 = 64;

/// Most keys that are derived for one flow.
const MOST_KEYS: u32 = 128;

/// Reader of one QUIC conversation.
#[derive(Default)]
pub(crate) struct QuicReader {
    datagrams: u32,
    derived: u32,
    keys: Option<Keys>,
    /// Destination identifier of the client's first packet.
    first_dcid: Option<Vec<u8>>,
    /// Who sent a packet that opened.
    client: Option<Side>,
    crypto: Fragments,
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
        self.first_dcid.as_ref().map_or(0, Vec::capacity) + self.crypto.held()
    }
}

impl QuicReader {
    /// Says whether all that can be learned was learned.
    fn read_datagram(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> bool {
        if google::stated_version(chunk.bytes).is_some() {
            self.tell_name(google::server_name(chunk.bytes), notes);
        }
        let mut datagram = Cursor(chunk.bytes);
        while let Some(packet) = packet::next(&mut datagram) {
            if packet.kind == Kind::Initial
                && let Some(frames) = self.open(&packet)
            {
                self.client = Some(chunk.from);
                for (offset, piece) in frame::crypto(&frames) {
                    self.crypto.insert(offset, piece);
                }
            }
        }
        self.learn(notes)
    }

    fn learn(&mut self, notes: &mut Notes) -> bool {
        let handshake = std::mem::take(&mut self.crypto);
        let told = match ClientHello::parse(handshake.prefix()) {
            Some(hello) => {
                self.tell_name(hello.server_name(), notes);
                notes.ja4 = hello.complete.then(|| ja4(&hello, Carrier::Quic));
                hello.complete
            }
            None => {
                self.tell_name(google::server_name(handshake.prefix()), notes);
                self.named && handshake.prefix().starts_with(b"CHLO")
            }
        };
        self.crypto = handshake;
        told
    }

    fn tell_name(&mut self, name: Option<&[u8]>, notes: &mut Notes) {
        if self.named {
            return;
        }
        let name = name.and_then(host_name);
        self.named = name.is_some();
        notes.names.extend(name.map(|name| (name, NameSource::QuicSni)));
    }

    /// The frames of a packet, with the keys at hand or with new ones.
    fn open(&mut self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let at_hand = self.keys.as_ref().and_then(|keys| keys.open(packet));
        at_hand.or_else(|| self.open_anew(packet))
    }

    /// Tries the first identifier with the packet's version (RFC 9368: the version may change while
    /// the identifier counts on), then the packet's own identifier, which begins a new handshake.
    fn open_anew(&mut self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let first = self.first_dcid.take();
        let counted_on = first.as_deref().and_then(|dcid| self.try_identifier(dcid, packet));
        if counted_on.is_some() {
            self.first_dcid = first;
            return counted_on;
        }
        let begun = self.try_identifier(packet.dcid, packet);
        match begun {
            Some(_) => (self.first_dcid, self.crypto) = (Some(packet.dcid.to_vec()), Fragments::default()),
            None => self.first_dcid = first,
        }
        begun
    }

    fn try_identifier(&mut self, dcid: &[u8], packet: &Packet<'_>) -> Option<Vec<u8>> {
        for salt in salts(packet.version) {
            self.derived += 1;
            if self.derived > MOST_KEYS {
                return None;
            }
            let keys = Keys::derive(salt, dcid)?;
            if let Some(frames) = keys.open(packet) {
                self.keys = Some(keys);
                return Some(frames);
            }
        }
        None
    }
}
