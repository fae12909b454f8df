//! From a frame to its innermost IP packet: links, tunnels, fragments.
//!
//! For: the flow table, which sees packets and nothing of how they travelled.
//! Promises: no allocation and no dynamic dispatch per packet; fragments are kept within a bound of
//! memory, and those that never complete are handed out in the end ([`Decoder::pop_abandoned`]).

use crate::ip::fragment::{Origin, Reassembly, Whole};
use crate::ip::{self, Found};
use crate::link::{self, Path, Span};
use crate::packet::{Frame, Packet, Tunnels, Undecoded};

/// The packet of a frame that needs no [`Decoder`], as nearly all do; nothing where only that can tell.
#[inline(always)]
pub(crate) fn at_once<'a>(frame: &Frame<'a>) -> Option<Packet<'a>> {
    let (addresses, segment) = ip::straight(frame.link, Span { bytes: frame.bytes, wire: frame.wire_len })?;
    Some(Packet {
        number: frame.number,
        time: frame.time,
        addresses,
        segment,
        frames: 1,
        wire_bytes: u64::from(frame.wire_len),
        tunnels: Tunnels::default(),
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::tests::{RAW, frame, tcp, udp, v4, v4_with, v6};
    use proptest::prelude::*;

    const ETHERNET: u32 = 1;

    /// Packets, in Ethernet or alone, of which some are told at once.
    fn begin(number: usize) -> Vec<u8> {
        let inner = v6(17, &udp(1, 2, b"inner"));
        match number {
            0 => v4(6, &tcp(b"payload")),
            1 => v4(17, &udp(53, 4000, b"payload")),
            2 => v6(6, &tcp(b"payload")),
            3 => v6(17, &udp(4000, 53, b"payload")),
            4 => v4(17, &udp(3544, 4000, &inner)),
            5 => v4_with(7, 0x2000, 17, &udp(53, 4000, b"payload")),
            6 => v4(41, &inner),
            _ => v4(1, b"\x08\0\0\0echo"),
        }
    }

    #[test]
    fn plain_packets_are_told_at_once() {
        let told: Vec<bool> = (0..8).map(|number| at_once(&frame(RAW, &begin(number))).is_some()).collect();
        assert_eq!(told, [true, true, true, true, false, false, false, false]);
    }

    proptest! {
        #[test]
        fn what_is_told_at_once_is_what_the_decoder_says(
            number in 0..8_usize,
            ethernet in any::<bool>(),
            changes in prop::collection::vec((0..70_usize, any::<u8>()), 0..3),
            length in 0..120_usize,
            missing in 0..40_u32,
        ) {
            let mut bytes = begin(number);
            if ethernet {
                let kind = [[8, 0], [0x86, 0xdd]][usize::from(bytes[0] >> 4 == 6)];
                bytes.splice(0..0, [[2; 12].as_slice(), &kind].concat());
            }
            for (at, byte) in changes {
                bytes.get_mut(at).into_iter().for_each(|old| *old = byte);
            }
            bytes.truncate(length);
            let mut frame = frame(if ethernet { ETHERNET } else { RAW }, &bytes);
            frame.wire_len += missing;
            if let Some(packet) = at_once(&frame) {
                let decoded = format!("{:?}", Decoder::default().decode(&frame));
                prop_assert_eq!(format!("Ok({packet:?})"), decoded);
            }
        }
    }
}
