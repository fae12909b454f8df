//! A client's hello, as its Initial packets carry it.
//!
//! Promises: it may come in any number of packets and in any order; keys come from the first destination identifier that
//! fits, so that a Retry, a negotiated version or a new connection on the same ports is followed; at most [`MOST_KEYS`]
//! keys are derived.

use super::super::fragments::Fragments;
use super::frame;
use super::initial::Keys;
use super::packet::Packet;
use super::version::salts;

/// Most keys that are derived for one flow.
const MOST_KEYS: u32 = 128;

/// The hello of the latest connection between two addresses.
#[derive(Default)]
pub(crate) struct Hello {
    derived: u32,
    keys: Option<Keys>,
    /// Destination identifier of the client's first packet.
    first_dcid: Option<Vec<u8>>,
    crypto: Fragments,
}

/// What became of an Initial packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is no client's.
    Not,
    Further,
    /// It began another connection.
    Anew,
}

impl Hello {
    /// Takes the pieces of the hello out of a packet.
    pub(crate) fn take(&mut self, packet: &Packet<'_>) -> Taken {
        let Some((frames, taken)) = self.open(packet) else { return Taken::Not };
        for (offset, piece) in frame::crypto(&frames) {
            self.crypto.insert(offset, piece);
        }
        taken
    }

    /// The handshake message, as far as it came.
    pub(crate) fn message(&self) -> &[u8] {
        self.crypto.prefix()
    }

    /// Bytes held beyond the struct itself.
    pub(crate) fn held(&self) -> usize {
        self.first_dcid.as_ref().map_or(0, Vec::capacity) + self.crypto.held()
    }

    /// The frames of a packet, with the keys at hand or with new ones.
    fn open(&mut self, packet: &Packet<'_>) -> Option<(Vec<u8>, Taken)> {
        let at_hand = self.keys.as_ref().and_then(|keys| keys.open(packet));
        at_hand.map(|frames| (frames, Taken::Further)).or_else(|| self.open_anew(packet))
    }

    /// Tries the first identifier with the packet's version (RFC 9368: the version may change while
    /// the identifier counts on), then the packet's own identifier, which begins a new handshake.
    fn open_anew(&mut self, packet: &Packet<'_>) -> Option<(Vec<u8>, Taken)> {
        let first = self.first_dcid.take();
        if let Some(frames) = first.as_deref().and_then(|dcid| self.try_identifier(dcid, packet)) {
            self.first_dcid = first;
            return Some((frames, Taken::Further));
        }
        let Some(frames) = self.try_identifier(packet.dcid, packet) else {
            self.first_dcid = first;
            return None;
        };
        (self.first_dcid, self.crypto) = (Some(packet.dcid.to_vec()), Fragments::default());
        Some((frames, Taken::Anew))
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
