//! The walk over a capture: every frame is read and decoded, every packet handed on in order.
//!
//! For: [`crate::read()`], which lets the flow table take the packets as they come, or has them carried to
//! a thread of its own ([`crate::batch`]). Both get the same packets in the same order.

use crate::capture::{Reader, Summary};
use crate::decode::{Decoder, at_once};
use crate::packet::{Packet, Undecoded};
use crate::problems::Problems;
use overheard_model::Timestamp;
use std::io::Read;

/// Whoever takes the packets.
pub(crate) trait Audience {
    /// Takes the next packet. Its payload lies in `buffer`, or nowhere that lasts.
    fn packet(&mut self, packet: &Packet<'_>, buffer: &[u8]);

    /// Before the first packet, and whenever a buffer has been used up: takes it, and may give another
    /// to be filled, without which the one in use is filled again.
    fn exchange(&mut self, used: Option<Vec<u8>>) -> Option<Vec<u8>>;
}

/// What is counted on the way.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) problems: Problems,
    pub(crate) undecoded: u64,
    /// The earliest and the latest time of a frame.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
}

/// Reads a capture to its end.
pub(crate) fn walk(source: &mut dyn Read, audience: &mut impl Audience) -> (Summary, Tally) {
    let mut reader = Reader::new(source);
    let mut decoder = Decoder::default();
    let mut tally = Tally::default();
    if let Some(fresh) = audience.exchange(None) {
        reader.window().supply(fresh);
    }
    while let Some(record) = reader.next_record() {
        hand_over_retired(&mut reader, audience);
        let frame = reader.frame(record);
        tally.see(frame.time);
        if let Some(packet) = at_once(&frame) {
            audience.packet(&packet, reader.buffer());
            continue;
        }
        match decoder.decode(&frame) {
            Ok(packet) => audience.packet(&packet, reader.buffer()),
            Err(Undecoded::Fragment) => tally.count_abandoned(&mut decoder, audience),
            Err(why) => tally.miss(frame.number, why),
        }
    }
    // Looking for a record behind the last one may have retired the buffer that the last ones lie in.
    hand_over_retired(&mut reader, audience);
    decoder.abandon_fragments();
    tally.count_abandoned(&mut decoder, audience);
    let (summary, buffer) = reader.into_parts();
    audience.exchange(Some(buffer));
    (summary, tally)
}

#[inline]
fn hand_over_retired<R: Read>(reader: &mut Reader<R>, audience: &mut impl Audience) {
    if let Some(used) = reader.window().retired()
        && let Some(fresh) = audience.exchange(Some(used))
    {
        reader.window().supply(fresh);
    }
}

impl Tally {
    #[inline]
    pub(crate) fn see(&mut self, time: Timestamp) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }

    /// Counts packets whose fragments did not all come: they have addresses, but no ports.
    pub(crate) fn count_abandoned(&mut self, decoder: &mut Decoder, audience: &mut impl Audience) {
        while let Some(packet) = decoder.pop_abandoned() {
            let text = "a packet whose fragments did not all come";
            self.problems.add("incomplete-fragments", text, Some(packet.number), 1);
            audience.packet(&packet, &[]);
        }
    }

    /// Counts a frame without a packet; a fragment that waits has a readable IP layer.
    pub(crate) fn miss(&mut self, number: u64, why: Undecoded) {
        match why {
            Undecoded::Fragment => return,
            Undecoded::NotIp => {}
            Undecoded::UnknownLink(link) => {
                let text = format!("link type {link} is not supported");
                self.problems.add("unknown-link", &text, Some(number), 1);
            }
            Undecoded::Malformed(what) => self.problems.add("malformed-packet", what, Some(number), 1),
        }
        self.undecoded += 1;
    }
}
