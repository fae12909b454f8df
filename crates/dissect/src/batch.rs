//! Two threads: one reads the file and its headers, the other follows the flows.
//!
//! Packets travel in batches, each with the buffer that their payloads lie in, so that no payload is
//! copied; used buffers travel back. The flow table gets the same packets in the same order as it does
//! on one thread: the result is the same to the byte, whatever the machine does.
//! Sharding flows over threads was not chosen, since every thread would walk every header; nor cutting
//! the file into ranges, which loses the state of streams, fragments and handshakes at each cut.

use crate::capture::Summary;
use crate::flow::Table;
use crate::packet::Packet;
use crate::walk::{Audience, Tally, walk};
use std::io::Read;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Batches that may wait: enough to even out, little enough to stay in the cache.
const WAITING: usize = 4;

/// Packets, with the bytes that their payloads lie in.
#[derive(Debug, Default)]
struct Batch {
    buffer: Vec<u8>,
    /// Payloads that were put together from several frames.
    copied: Vec<u8>,
    packets: Vec<(Packet<'static>, Place)>,
}

/// Where a payload lies.
#[derive(Clone, Debug)]
enum Place {
    Buffer(Range<usize>),
    Copied(Range<usize>),
}

impl Batch {
    #[inline]
    fn push(&mut self, packet: &Packet<'_>, buffer: &[u8]) {
        let payload = packet.segment.payload();
        let place = match within(buffer, payload) {
            Some(range) => Place::Buffer(range),
            None => {
                let start = self.copied.len();
                self.copied.extend_from_slice(payload);
                Place::Copied(start..self.copied.len())
            }
        };
        self.packets.push((packet.with_payload(&[]), place));
    }

    #[inline]
    fn packets(&self) -> impl Iterator<Item = Packet<'_>> {
        self.packets.iter().map(|(packet, place)| {
            let payload = match place {
                Place::Buffer(range) => self.buffer.get(range.clone()),
                Place::Copied(range) => self.copied.get(range.clone()),
            };
            packet.with_payload(payload.unwrap_or_default())
        })
    }

    fn cleared(mut self) -> Self {
        self.copied.clear();
        self.packets.clear();
        self
    }
}

/// The range of a buffer that is this very slice of it.
#[inline]
fn within(buffer: &[u8], slice: &[u8]) -> Option<Range<usize>> {
    let start = slice.as_ptr().addr().checked_sub(buffer.as_ptr().addr())?;
    (start + slice.len() <= buffer.len()).then(|| start..start + slice.len())
}

/// Fills batches and hands them over.
struct Carrier {
    batch: Batch,
    full: SyncSender<Batch>,
    used: Receiver<Batch>,
}

impl Audience for Carrier {
    fn packet(&mut self, packet: &Packet<'_>, buffer: &[u8]) {
        self.batch.push(packet, buffer);
    }

    fn exchange(&mut self, buffer: Option<Vec<u8>>) -> Option<Vec<u8>> {
        if let Some(buffer) = buffer {
            let next = self.used.try_recv().unwrap_or_default();
            let full = Batch { buffer, ..std::mem::replace(&mut self.batch, next) };
            // The other side ends before this one only when it panics, which is told when it is joined.
            let _ = self.full.send(full);
        }
        Some(std::mem::take(&mut self.batch.buffer))
    }
}

/// Reads a capture to its end; the flow table follows on a thread of its own.
pub(crate) fn read_on_two_threads(source: &mut dyn Read, memory: usize) -> (Summary, Tally, Table) {
    let (full, to_follow) = sync_channel(WAITING);
    let (back, used) = channel();
    thread::scope(|scope| {
        let follower = scope.spawn(move || follow(&to_follow, &back, Table::new(memory)));
        let mut carrier = Carrier { batch: Batch::default(), full, used };
        let (summary, tally) = walk(source, &mut carrier);
        drop(carrier);
        let table = follower.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (summary, tally, table)
    })
}

fn follow(batches: &Receiver<Batch>, back: &Sender<Batch>, mut table: Table) -> Table {
    for batch in batches {
        batch.packets().for_each(|packet| table.observe(&packet));
        // At the end nobody needs the buffer any more.
        let _ = back.send(batch.cleared());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_found_in_its_own_buffer_only() {
        let (buffer, other) = (vec![1_u8; 8], vec![1_u8; 8]);
        assert_eq!(within(&buffer, &buffer[2..5]), Some(2..5));
        assert_eq!(within(&buffer, &buffer[8..]), Some(8..8));
        assert_eq!(within(&buffer, &other[2..5]), None);
    }
}
