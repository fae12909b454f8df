//! Two threads: one reads the file and its headers, the other follows the flows.
//!
//! Packets travel in batches, each with the buffer that their payloads lie in, so that no payload is
//! copied; used buffers travel back. Which flow a packet is of is hashed before it travels, so that the places of all
//! flows of a batch are looked at together: one by one, each new flow would wait for memory. The flow table gets the
//! same packets in the same order as it does on one thread: the result is the same to the byte, whatever the machine
//! does.
//! Sharding flows over threads was not chosen, since every thread would walk every header; nor cutting
//! the file into ranges, which loses the state of streams, fragments and handshakes at each cut.

use crate::capture::Summary;
use crate::flow::{Hasher, Table};
use crate::packet::{Addresses, Packet, Segment, TcpFlags, TcpSegment, Tunnels};
use crate::walk::{Audience, Tally, walk};
use overheard_model::Timestamp;
use std::io::Read;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// Batches in all: enough to even out, little enough to stay in the cache.
const BATCHES: usize = 8;

/// Used batches that travel back together: to wake the other thread where it waits for them takes as long as to follow
/// fifty packets.
const HANDFUL: usize = BATCHES / 2;

/// Packets, with the bytes that their payloads lie in.
#[derive(Debug, Default)]
struct Batch {
    buffer: Vec<u8>,
    /// Payloads that were put together from several frames.
    copied: Vec<u8>,
    packets: Vec<Carried>,
    /// The packets that are not plain.
    others: Vec<(Packet<'static>, Place)>,
}

/// A packet on its way. It crosses from the cache of one processor to that of the other, which takes longer
/// than most that is done with it: nearly all are made small for it.
#[derive(Debug)]
enum Carried {
    Plain(Plain),
    /// By its place among the others.
    Other(usize),
}

const _: () = assert!(size_of::<Carried>() <= 64, "a line of the cache");

/// A TCP segment or UDP datagram in IPv4, in a frame of its own and in no tunnel.
#[derive(Clone, Copy, Debug)]
struct Plain {
    /// Of its flow: the thread that reads has the time to work it out.
    hash: u64,
    number: u64,
    time: Timestamp,
    src: u32,
    dst: u32,
    ports: (u16, u16),
    wire_bytes: u32,
    /// Where the payload begins in the buffer, and its length.
    payload: (u32, u32),
    missing: u32,
    /// Sequence and acknowledgment number where it is TCP, as flags say that it is.
    seq: u32,
    ack: u32,
    flags: Option<TcpFlags>,
}

/// Where a payload lies.
#[derive(Clone, Debug)]
enum Place {
    Buffer(Range<usize>),
    Copied(Range<usize>),
}

impl Plain {
    #[inline]
    fn of(packet: &Packet<'_>, buffer: &[u8], hasher: &Hasher) -> Option<Self> {
        let Packet { number, time, addresses, segment, frames, wire_bytes, tunnels } = *packet;
        let (src_port, dst_port, missing, (seq, ack, flags)) = match segment {
            Segment::Tcp(TcpSegment { src_port, dst_port, seq, ack, flags, missing, .. }) => {
                (src_port, dst_port, missing, (seq, ack, Some(flags)))
            }
            Segment::Udp { src_port, dst_port, missing, .. } => (src_port, dst_port, missing, (0, 0, None)),
            _ => return None,
        };
        let (src, dst) = addresses.as_v4().filter(|_| frames == 1 && tunnels == Tunnels::default())?;
        let payload = within(buffer, segment.payload())?;
        let payload = (u32::try_from(payload.start).ok()?, u32::try_from(payload.len()).ok()?);
        let wire_bytes = u32::try_from(wire_bytes).ok()?;
        let hash = hasher.hash(packet);
        let ports = (src_port, dst_port);
        Some(Self { hash, number, time, src, dst, ports, wire_bytes, payload, missing, seq, ack, flags })
    }

    #[inline]
    fn packet<'a>(&self, buffer: &'a [u8]) -> Packet<'a> {
        let Self { number, time, src, dst, wire_bytes, payload, missing, seq, ack, .. } = *self;
        let ((src_port, dst_port), (start, length)) = (self.ports, (payload.0 as usize, payload.1 as usize));
        let payload = buffer.get(start..start + length).unwrap_or_default();
        let segment = match self.flags {
            Some(flags) => Segment::Tcp(TcpSegment { src_port, dst_port, seq, ack, flags, payload, missing }),
            None => Segment::Udp { src_port, dst_port, payload, missing },
        };
        let addresses = Addresses::v4(src.to_be_bytes(), dst.to_be_bytes());
        let (wire_bytes, tunnels) = (u64::from(wire_bytes), Tunnels::default());
        Packet { number, time, addresses, segment, frames: 1, wire_bytes, tunnels }
    }
}

impl Batch {
    #[inline]
    fn push(&mut self, packet: &Packet<'_>, buffer: &[u8], hasher: &Hasher) {
        let carried = match Plain::of(packet, buffer, hasher) {
            Some(plain) => Carried::Plain(plain),
            None => self.push_other(packet, buffer),
        };
        self.packets.push(carried);
    }

    fn push_other(&mut self, packet: &Packet<'_>, buffer: &[u8]) -> Carried {
        let payload = packet.segment.payload();
        let place = match within(buffer, payload) {
            Some(range) => Place::Buffer(range),
            None => {
                let start = self.copied.len();
                self.copied.extend_from_slice(payload);
                Place::Copied(start..self.copied.len())
            }
        };
        self.others.push((packet.with_payload(&[]), place));
        Carried::Other(self.others.len() - 1)
    }

    /// The packets in their order, each with the hash of its flow where it has been worked out.
    #[inline]
    fn packets(&self) -> impl Iterator<Item = (Packet<'_>, Option<u64>)> {
        self.packets.iter().filter_map(|carried| match carried {
            Carried::Plain(plain) => Some((plain.packet(&self.buffer), Some(plain.hash))),
            Carried::Other(at) => Some((self.other(*at)?, None)),
        })
    }

    #[inline]
    fn hashes(&self) -> impl Iterator<Item = u64> {
        self.packets.iter().filter_map(|carried| match carried {
            Carried::Plain(plain) => Some(plain.hash),
            Carried::Other(_) => None,
        })
    }

    fn other(&self, at: usize) -> Option<Packet<'_>> {
        let (packet, place) = self.others.get(at)?;
        let payload = match place {
            Place::Buffer(range) => self.buffer.get(range.clone()),
            Place::Copied(range) => self.copied.get(range.clone()),
        };
        Some(packet.with_payload(payload.unwrap_or_default()))
    }

    fn cleared(mut self) -> Self {
        self.copied.clear();
        self.packets.clear();
        self.others.clear();
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
    hasher: Hasher,
    full: Sender<Batch>,
    /// What can be filled now, and how many more may be made.
    free: Vec<Batch>,
    unmade: usize,
    used: Receiver<Vec<Batch>>,
}

impl Carrier {
    fn new(full: Sender<Batch>, used: Receiver<Vec<Batch>>, hasher: Hasher) -> Self {
        Self { batch: Batch::default(), hasher, full, free: Vec::new(), unmade: BATCHES - 1, used }
    }

    /// A batch to be filled: as soon as there is one.
    fn next(&mut self) -> Batch {
        if self.free.is_empty() && self.unmade == 0 {
            // The other side ends before this one only when it panics, which is told when it is joined.
            self.free = self.used.recv().unwrap_or_default();
        }
        self.unmade = self.unmade.saturating_sub(usize::from(self.free.is_empty()));
        self.free.pop().unwrap_or_default()
    }
}

impl Audience for Carrier {
    fn packet(&mut self, packet: &Packet<'_>, buffer: &[u8]) {
        self.batch.push(packet, buffer, &self.hasher);
    }

    fn exchange(&mut self, buffer: Option<Vec<u8>>) -> Option<Vec<u8>> {
        if let Some(buffer) = buffer {
            let full = Batch { buffer, ..std::mem::take(&mut self.batch) };
            let _ = self.full.send(full);
            self.batch = self.next();
        }
        Some(std::mem::take(&mut self.batch.buffer))
    }
}

/// Reads a capture to its end; the flow table follows on a thread of its own.
pub(crate) fn read_on_two_threads(source: &mut dyn Read, memory: usize) -> (Summary, Tally, Table) {
    let (full, to_follow) = channel();
    let (back, used) = channel();
    let table = Table::new(memory);
    let hasher = table.hasher().clone();
    thread::scope(|scope| {
        let follower = scope.spawn(move || follow(&to_follow, &back, table));
        let mut carrier = Carrier::new(full, used, hasher);
        let (summary, tally) = walk(source, &mut carrier);
        drop(carrier);
        let table = follower.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (summary, tally, table)
    })
}

fn follow(batches: &Receiver<Batch>, back: &Sender<Vec<Batch>>, mut table: Table) -> Table {
    let mut used = Vec::new();
    for batch in batches {
        table.look_ahead(batch.hashes());
        batch.packets().for_each(|(packet, hash)| table.observe_hashed(&packet, hash));
        used.push(batch.cleared());
        if used.len() == HANDFUL {
            // At the end nobody needs them any more.
            let _ = back.send(std::mem::take(&mut used));
        }
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

    #[test]
    fn every_packet_arrives_as_it_was_sent() {
        use crate::decode::Decoder;
        use crate::ip::tests::{RAW, frame, tcp, udp, v4, v6};
        let inner = v6(17, &udp(1, 2, b"inner"));
        let sent = [
            v4(6, &tcp(b"payload")),
            v4(17, &udp(53, 4000, b"payload")),
            v6(6, &tcp(b"payload")),
            v4(41, &inner),
            v4(1, b"\x08\0\0\0echo"),
        ];
        let buffer = sent.concat();
        let mut batch = Batch { buffer: buffer.clone(), ..Batch::default() };
        let (mut start, mut said, hasher) = (0, Vec::new(), Hasher::default());
        for bytes in &sent {
            let mut frame = frame(RAW, &buffer[start..start + bytes.len()]);
            frame.wire_len += 7;
            let mut decoder = Decoder::default();
            let packet = decoder.decode(&frame).unwrap();
            batch.push(&packet, &buffer, &hasher);
            // As if it had been put together elsewhere.
            batch.push(&packet, &[], &hasher);
            said.extend([format!("{packet:?}"), format!("{packet:?}")]);
            start += bytes.len();
        }
        let arrived: Vec<String> = batch.packets().map(|(packet, _)| format!("{packet:?}")).collect();
        assert_eq!(arrived, said);
        assert!(batch.packets().all(|(packet, hash)| hash.is_none_or(|hash| hash == hasher.hash(&packet))));
        assert_eq!(batch.others.len(), 8, "two of ten are plain");
    }
}
