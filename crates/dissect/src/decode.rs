//! From a frame to its innermost IP packet: links, tunnels, fragments.
//!
//! For: the flow table, which sees packets and nothing of how they travelled.
//! Promises: no allocation and no dynamic dispatch per packet; fragments are kept within a bound of
//! memory, and those that never complete are handed out in the end ([`Decoder::pop_abandoned`]).

use crate::ip::Found;
use crate::ip::fragment::{Origin, Reassembly, Whole};
use crate::link::{self, Path, Span};
use crate::packet::{Frame, Packet, Undecoded};

/// Turns frames into packets; keeps IP fragments within a bound of memory.
#[derive(Debug, Default)]
pub struct Decoder {
    reassembly: Reassembly,
    /// The packet that was put together last, from which the decoder lends.
    whole: Option<Whole>,
}

impl Decoder {
    /// The innermost packet, borrowed from the frame or, for reassembled fragments, from the decoder.
    #[inline(always)]
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Packet<'a>, Undecoded> {
        let span = Span { bytes: frame.bytes, wire: frame.wire_len };
        let origin = Origin {
            number: frame.number,
            time: frame.time,
            frames: 1,
            wire_bytes: u64::from(frame.wire_len),
        };
        let fragment = match link::enter(frame.link, span, Path::default())? {
            Found::Fragment(fragment) => fragment,
            found => return packet(found, origin),
        };
        let mut whole = self.reassembly.add(&fragment, origin).ok_or(Undecoded::Fragment)?;
        // What was put together may hold a tunnel, and in it a fragment again.
        while let Ok(Found::Fragment(fragment)) = whole.enter() {
            whole = self.reassembly.add(&fragment, whole.origin).ok_or(Undecoded::Fragment)?;
        }
        let whole = self.whole.insert(whole);
        packet(whole.enter()?, whole.origin)
    }

    /// The next packet whose fragments did not all come, as [`crate::packet::Segment::Other`] with the
    /// frames and bytes that did come. To be asked until it gives none: at the end, after
    /// [`Self::abandon_fragments`], and before if memory is to stay small, whenever
    /// [`Undecoded::Fragment`] was met.
    pub fn pop_abandoned(&mut self) -> Option<Packet<'static>> {
        self.reassembly.pop_abandoned()
    }

    /// Gives up all fragments that wait: no more frames will come.
    pub fn abandon_fragments(&mut self) {
        self.reassembly.abandon_all();
    }
}

/// What was found, with the frames it came in.
#[inline(always)]
fn packet(found: Found<'_>, origin: Origin) -> Result<Packet<'_>, Undecoded> {
    match found {
        Found::Fragment(_) => Err(Undecoded::Fragment),
        Found::Packet { addresses, segment, tunnels } => Ok(Packet {
            number: origin.number,
            time: origin.time,
            addresses,
            segment,
            frames: origin.frames,
            wire_bytes: origin.wire_bytes,
            tunnels,
        }),
    }
}
