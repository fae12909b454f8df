//! One connection: what each side said, stream by stream.

use super::super::packet::Packet;
use super::super::version::labels;
use super::frame::Frame;
use super::lock::{Lock, Opened};
use crate::payloads::{Payload, Piece, Way, join};
use crate::proto::decrypt::KeyLog;
use crate::proto::decrypt::key_log::{Label, Random};
use overheard_model::Side;
use std::collections::BTreeMap;

/// A packet as it was sent.
#[derive(Clone, Copy)]
pub(super) struct Sealed<'a> {
    pub(super) bytes: &'a [u8],
    /// Where its number begins.
    pub(super) number_at: usize,
}

pub(super) struct Connection {
    /// As the server states it, once it spoke.
    pub(super) version: u32,
    early: Lock,
    client: Direction,
    server: Direction,
}

/// What one side sends.
#[derive(Default)]
struct Direction {
    /// Length of the identifiers that its packets go to.
    id_length: usize,
    lock: Lock,
    /// The largest packet number that was opened.
    largest: Option<u64>,
    streams: BTreeMap<u64, Said>,
    /// In a row.
    datagrams: Option<Said>,
}

/// Pieces, and on which way the first of them came: a stream may go on elsewhere.
struct Said {
    way: Way,
    pieces: Vec<Piece>,
}

impl Connection {
    /// One that a client begins in this version.
    pub(super) fn new(version: u32) -> Self {
        let (client, server) = (Direction::default(), Direction::default());
        Self { version, early: Lock::default(), client, server }
    }

    pub(super) fn learn_secrets(&mut self, log: &KeyLog, client: &Random) {
        let secret = |label| log.secret(client, label).map(<[u8]>::to_vec);
        self.early.secret = secret(Label::ClientEarly);
        self.client.lock.secret = secret(Label::ClientTraffic);
        self.server.lock.secret = secret(Label::ServerTraffic);
    }

    /// The frames of a 0-RTT packet. It is numbered like those of 1-RTT.
    pub(super) fn open_early(&mut self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let sealed = Sealed { bytes: packet.bytes, number_at: packet.number_at };
        let opened = self.early.open(labels(packet.version), sealed, self.client.largest)?;
        Some(self.client.note(opened))
    }

    /// The frames of a 1-RTT packet.
    pub(super) fn open(&mut self, from: Side, sealed: Sealed<'_>) -> Option<Vec<u8>> {
        let labels = labels(self.version);
        let direction = self.direction(from);
        let opened = direction.lock.open(labels, sealed, direction.largest)?;
        Some(direction.note(opened))
    }

    /// Takes what a frame carries.
    pub(super) fn hear(&mut self, from: Side, (way, packet): (Way, u64), frame: Frame<'_>) {
        let direction = self.direction(from);
        let begun = || Said { way, pieces: Vec::new() };
        let (said, at, bytes) = match frame {
            Frame::Stream { id, offset, bytes } => {
                (direction.streams.entry(id).or_insert_with(begun), offset, bytes)
            }
            Frame::Datagram(bytes) => {
                let said = direction.datagrams.get_or_insert_with(begun);
                let at = said.pieces.last().map_or(0, Piece::end);
                (said, at, bytes)
            }
            Frame::NewIdentifier(_) => return,
        };
        said.pieces.push(Piece { at, packet, bytes: bytes.to_vec() });
    }

    pub(super) fn id_length(&self, from: Side) -> usize {
        match from {
            Side::Src => self.client.id_length,
            Side::Dst => self.server.id_length,
        }
    }

    pub(super) fn set_id_length(&mut self, from: Side, length: usize) {
        self.direction(from).id_length = length;
    }

    /// All that was said.
    pub(super) fn finish(self) -> impl Iterator<Item = Payload> {
        [self.client, self.server].into_iter().flat_map(Direction::finish)
    }

    fn direction(&mut self, from: Side) -> &mut Direction {
        match from {
            Side::Src => &mut self.client,
            Side::Dst => &mut self.server,
        }
    }
}

impl Direction {
    fn note(&mut self, (number, frames): Opened) -> Vec<u8> {
        self.largest = self.largest.max(Some(number));
        frames
    }

    fn finish(self) -> impl Iterator<Item = Payload> {
        let said = self.streams.into_values().chain(self.datagrams);
        said.map(|Said { way, pieces }| Payload { decrypted: true, ..join(way, pieces) })
    }
}
