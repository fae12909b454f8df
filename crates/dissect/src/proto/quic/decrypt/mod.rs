//! QUIC connections opened with the secrets that the client logged.
//!
//! For: reading what an app sent over HTTP/3 or any other protocol above QUIC, stream by stream.
//! Promises: a stream is there once and in order, however its frames came, on the way on which it was begun; packets of 0-RTT and 1-RTT that no secret opens
//! are counted. Those of the handshake are not: no text is in them.
//! Opened are versions 1 and 2 and the drafts that made their keys alike, under AES-GCM and ChaCha20-Poly1305, with early
//! data, key updates, Retry, version negotiation, changed connection identifiers and changed addresses, and datagrams (RFC
//! 9221). Not opened are connections whose first packets the capture lacks or whose hello is encrypted itself (ECH), CCM,
//! and what comes behind a loss of half the packet numbers that fit into a packet's field, or of a whole key phase.
//! What HTTP/3 makes of a stream stays as it is: bodies between the headers of their frames, fields in QPACK.

mod connection;
mod frame;
mod lock;
#[cfg(test)]
mod tests;

use super::hello::{Hello, Taken};
use super::packet::{self, Kind, Packet};
use crate::payloads::{Payload, Way};
use crate::proto::client_hello::ClientHello;
use crate::proto::cursor::Cursor;
use crate::proto::decrypt::{Decrypted, KeyLog};
use connection::{Connection, Sealed};
use frame::Frame;
use overheard_model::{Side, Transport};
use std::collections::{BTreeSet, HashMap};

/// One datagram, and the packet of the capture that brought it.
#[derive(Clone, Copy)]
struct Datagram<'a> {
    way: Way,
    packet: u64,
    bytes: &'a [u8],
}

/// Who sends: the client ([`Side::Src`]) or the server of a connection.
#[derive(Clone, Copy)]
struct Place {
    connection: usize,
    from: Side,
}

/// All connections of a capture.
struct Connections<'a> {
    log: &'a KeyLog,
    connections: Vec<Connection>,
    hellos: HashMap<Way, Hello>,
    /// Who sent last from one address to another.
    latest: HashMap<Way, Place>,
    /// Who sends to which connection identifier; none is empty.
    ids: HashMap<Vec<u8>, Place>,
    lengths: BTreeSet<usize>,
    decrypted: &'a mut Decrypted,
}

/// Opens all that can be opened.
pub(crate) fn decrypt(payloads: &[Payload], log: &KeyLog, decrypted: &mut Decrypted) {
    if log.is_empty() {
        return;
    }
    let mut connections = Connections {
        log,
        connections: Vec::new(),
        hellos: HashMap::new(),
        latest: HashMap::new(),
        ids: HashMap::new(),
        lengths: BTreeSet::new(),
        decrypted,
    };
    for datagram in datagrams(payloads) {
        connections.take(datagram);
    }
    let said = connections.connections.into_iter().flat_map(Connection::finish);
    said.for_each(|payload| decrypted.open(payload));
}

/// All datagrams, in the order of the capture.
fn datagrams(payloads: &[Payload]) -> Vec<Datagram<'_>> {
    let mut datagrams = Vec::new();
    for payload in payloads.iter().filter(|payload| payload.way.transport == Transport::Udp) {
        let ends = payload.packets.iter().skip(1).map(|(begins, _)| *begins).chain([payload.bytes.len()]);
        for (&(begins, packet), end) in payload.packets.iter().zip(ends) {
            let bytes = payload.bytes.get(begins..end).unwrap_or_default();
            datagrams.push(Datagram { way: payload.way, packet, bytes });
        }
    }
    datagrams.sort_by_key(|datagram| datagram.packet);
    datagrams
}

impl Connections<'_> {
    fn take(&mut self, datagram: Datagram<'_>) {
        let mut rest = Cursor(datagram.bytes);
        while let Some(packet) = packet::next(&mut rest) {
            match packet.kind {
                Kind::Initial => self.take_initial(datagram.way, &packet),
                Kind::Handshake => self.take_identifier(datagram.way, &packet),
                Kind::ZeroRtt => self.take_early(datagram, &packet),
                Kind::Negotiation | Kind::Retry => {}
            }
        }
        // A short header takes the rest.
        if rest.rest().first().is_some_and(|first| first & 0x80 == 0) {
            self.take_short(datagram, rest.rest());
        }
    }

    fn take_initial(&mut self, way: Way, packet: &Packet<'_>) {
        let hello = self.hellos.entry(way).or_default();
        match hello.take(packet) {
            Taken::Not => {}
            Taken::Further => self.learn_secrets(way),
            Taken::Anew => {
                let place = Place { connection: self.connections.len(), from: Side::Src };
                self.connections.push(Connection::new(packet.version));
                self.meet(way, place);
                self.learn_secrets(way);
            }
        }
        self.take_identifier(way, packet);
    }

    /// Looks the secrets of the client's latest connection up, once its hello is whole.
    fn learn_secrets(&mut self, way: Way) {
        let message = self.hellos.get(&way).map(Hello::message).unwrap_or_default();
        let Some(hello) = ClientHello::parse(message).filter(|hello| hello.complete) else { return };
        if let Some(place) = self.latest.get(&way) {
            self.connections[place.connection].learn_secrets(self.log, hello.random);
        }
    }

    /// Whoever sends a long header says by which identifier, and in which version, packets are to come back.
    fn take_identifier(&mut self, way: Way, packet: &Packet<'_>) {
        let Some(&place) = self.latest.get(&way) else { return };
        if place.from == Side::Dst {
            self.connections[place.connection].version = packet.version;
        }
        self.name(packet.scid, place.opposite());
    }

    fn take_early(&mut self, datagram: Datagram<'_>, packet: &Packet<'_>) {
        let Some(&place) = self.latest.get(&datagram.way).filter(|place| place.from == Side::Src) else {
            return;
        };
        let opened = self.connections[place.connection].open_early(packet);
        match opened {
            Some(frames) => self.listen(place, datagram, &frames),
            None => self.decrypted.seal(datagram.way, packet.bytes.len()),
        }
    }

    fn take_short(&mut self, datagram: Datagram<'_>, packet: &[u8]) {
        let places = self.places(datagram.way, packet);
        for &(place, id_length) in &places {
            let sealed = Sealed { bytes: packet, number_at: 1 + id_length };
            if let Some(frames) = self.connections[place.connection].open(place.from, sealed) {
                self.meet(datagram.way, place);
                return self.listen(place, datagram, &frames);
            }
        }
        // Without the fixed bit it is what fills a datagram up, or another protocol beside QUIC (RFC 9443), unless it opens
        // (RFC 9287).
        let fixed_bit = packet.first().is_some_and(|first| first & 0x40 != 0);
        if fixed_bit && !places.is_empty() {
            self.decrypted.seal(datagram.way, packet.len());
        }
    }

    /// Who may have sent a packet with a short header, and how long its connection identifier is then: whoever sends to
    /// such an identifier, wherever from; else who sent last on this way, to an identifier that was not seen.
    fn places(&self, way: Way, packet: &[u8]) -> Vec<(Place, usize)> {
        let named = self.lengths.iter().rev().filter_map(|&length| {
            let place = self.ids.get(packet.get(1..1 + length)?)?;
            Some((*place, length))
        });
        let latest = self.latest.get(&way);
        let latest = latest.map(|place| (*place, self.connections[place.connection].id_length(place.from)));
        named.chain(latest).collect()
    }

    /// Takes what the frames of a packet carry.
    fn listen(&mut self, place: Place, datagram: Datagram<'_>, frames: &[u8]) {
        let mut names = Vec::new();
        let connection = &mut self.connections[place.connection];
        let unread = frame::each(frames, &mut |frame| match frame {
            Frame::NewIdentifier(id) => names.push(id),
            frame => connection.hear(place.from, (datagram.way, datagram.packet), frame),
        });
        self.decrypted.seal(datagram.way, unread);
        names.into_iter().for_each(|id| self.name(id, place.opposite()));
    }

    /// From now on, who sends on this way and back.
    fn meet(&mut self, way: Way, place: Place) {
        self.latest.insert(way, place);
        self.latest.insert(way.back(), place.opposite());
    }

    /// Whoever it is sends to this identifier.
    fn name(&mut self, id: &[u8], place: Place) {
        self.connections[place.connection].set_id_length(place.from, id.len());
        if !id.is_empty() {
            self.lengths.insert(id.len());
            self.ids.insert(id.to_vec(), place);
        }
    }
}

impl Place {
    fn opposite(self) -> Self {
        Self { from: self.from.other(), ..self }
    }
}
