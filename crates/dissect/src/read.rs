//! One artifact, from bytes to observations: the walk over its packets.

use crate::capture::{Reader, Summary};
use crate::decode::Decoder;
use crate::flow::{Table, Told};
use crate::packet::Undecoded;
use crate::problems::Problems;
use crate::{endpoint, local};
use overheard_model::{Capture, Reading, Timestamp};
use ring::digest::{Context, SHA256};
use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::Arc;

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses that are ours (`--local`); when empty a rule decides.
    pub local: Vec<IpAddr>,
    /// Bound on the memory of flows, their streams and the names that were answered, bytes. IP
    /// fragments and what pcapng files say beside their packets have fixed bounds of their own.
    pub memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { local: Vec::new(), memory: 1 << 30 }
    }
}

/// Reads a capture to its end. Never fails: bytes that are no capture give `format: "unknown"`, and of
/// them no more is read (nor counted, nor hashed) than it takes to see that.
/// Places are not looked up here: see [`crate::place::Atlas::place`].
pub fn read(source: impl Read, path: Arc<str>, options: &Options) -> Reading {
    let mut source = Hashing::new(source);
    let mut reader = Reader::new(&mut source);
    let mut walk = Walk::new(options.memory);
    let mut decoder = Decoder::default();
    while let Some(frame) = reader.next_frame() {
        walk.see(frame.time);
        match decoder.decode(&frame) {
            Ok(packet) => walk.table.observe(&packet),
            Err(Undecoded::Fragment) => walk.count_abandoned(&mut decoder),
            Err(why) => walk.miss(frame.number, why),
        }
    }
    decoder.abandon_fragments();
    walk.count_abandoned(&mut decoder);
    let summary = reader.into_summary();
    let stored = if summary.format == "unknown" { source.finish() } else { source.finish_whole() };
    walk.finish(summary, stored, path, &options.local)
}

/// What is counted on the way.
struct Walk {
    table: Table,
    problems: Problems,
    undecoded: u64,
    span: Option<(Timestamp, Timestamp)>,
}

impl Walk {
    fn new(memory: usize) -> Self {
        Self { table: Table::new(memory), problems: Problems::default(), undecoded: 0, span: None }
    }

    fn see(&mut self, time: Timestamp) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }

    /// Counts packets whose fragments did not all come: they have addresses, but no ports.
    fn count_abandoned(&mut self, decoder: &mut Decoder) {
        while let Some(packet) = decoder.pop_abandoned() {
            let text = "a packet whose fragments did not all come";
            self.problems.add("incomplete-fragments", text, Some(packet.number), 1);
            self.table.observe(&packet);
        }
    }

    /// Counts a frame without a packet; a fragment that waits has a readable IP layer.
    fn miss(&mut self, number: u64, why: Undecoded) {
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

    fn finish(self, summary: Summary, stored: Stored, path: Arc<str>, given: &[IpAddr]) -> Reading {
        let Told { mut flows, mut resolver, problems } = self.table.tell(&path);
        for (address, name) in summary.names {
            resolver.add_block(address, name);
        }
        let (local_rule, local) = local::decide(&mut flows, given);
        let absent = local::absent(&flows, given);
        resolver.name(&mut flows);
        let mut all = Problems::from(summary.problems);
        all.append(self.problems);
        all.append(problems);
        resolver.report(&mut all);
        for address in absent {
            all.add("local-absent", &format!("no packet has the address {address} of --local"), None, 1);
        }
        let endpoints = endpoint::group(&flows, &path);
        let capture = Capture {
            path,
            sha256: stored.sha256,
            bytes: stored.bytes,
            format: summary.format,
            packets: summary.packets,
            undecoded: self.undecoded,
            complete: summary.complete,
            first: self.span.map(|(first, _)| first),
            last: self.span.map(|(_, last)| last),
            local_rule,
            local,
            comments: summary.comments,
            dropped: summary.dropped,
            secrets: summary.secrets.len() as u64,
            problems: all.into_vec(),
        };
        Reading { capture, flows, endpoints }
    }
}

/// Size and hash of the artifact as stored.
pub(crate) struct Stored {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Stored {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Hashing::new(bytes).finish_whole()
    }
}

/// Hashes what is read through it.
struct Hashing<R> {
    source: R,
    context: Context,
    bytes: u64,
}

impl<R: Read> Hashing<R> {
    fn new(source: R) -> Self {
        Self { source, context: Context::new(&SHA256), bytes: 0 }
    }

    /// Reads what the capture's reader left, so that the hash is the whole artifact's.
    fn finish_whole(mut self) -> Stored {
        // A source that breaks here has been reported by the reader as cut short.
        let _ = io::copy(&mut self, &mut io::sink());
        self.finish()
    }

    /// Size and hash of what was read.
    fn finish(self) -> Stored {
        let digest = self.context.finish();
        let sha256 = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Stored { bytes: self.bytes, sha256 }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.context.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::LocalRule;
    use proptest::prelude::*;

    /// A pcap of one Ethernet frame with an empty UDP datagram.
    fn capture() -> Vec<u8> {
        let mut bytes =
            vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
        bytes.extend([5, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 42, 0, 0, 0]);
        bytes.extend([0; 12]);
        bytes.extend([8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1]);
        bytes.extend([0x9c, 0x40, 0x0d, 0x96, 0, 8, 0, 0]);
        bytes
    }

    #[test]
    fn one_packet_becomes_one_flow_to_one_endpoint() {
        let reading = read(&capture()[..], "test".into(), &Options::default());
        let Reading { capture, flows, endpoints } = &reading;
        assert_eq!((capture.packets, capture.undecoded, capture.complete), (1, 0, true));
        assert_eq!((capture.local_rule, flows.len(), endpoints.len()), (LocalRule::Private, 1, 1));
        assert_eq!((flows[0].dst_port, flows[0].bytes_out), (3478, 42));
        assert_eq!(capture.first, Some(Timestamp::from_parts(5, 0)));
    }

    #[test]
    fn what_is_no_capture_is_not_read_to_its_end() {
        let reading = read(io::repeat(b'y'), "test".into(), &Options::default());
        assert_eq!(reading.capture.format, "unknown");
        assert_eq!(reading.capture.local_rule, LocalRule::Originator, "nothing was decided");
    }

    #[test]
    fn a_given_address_that_never_occurs_is_a_problem() {
        let local = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap()).to_vec();
        let reading = read(&capture()[..], "test".into(), &Options { local, ..Options::default() });
        let [problem] = &reading.capture.problems[..] else { panic!("{:?}", reading.capture.problems) };
        assert_eq!((&*problem.kind, problem.text.contains("10.0.0.2")), ("local-absent", true));
    }

    /// The SHA-256 of "abc" (FIPS 180-4 example), which is no capture.
    #[test]
    fn the_hash_is_of_all_stored_bytes() {
        let reading = read(&b"abc"[..], "test".into(), &Options::default());
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((&*reading.capture.sha256, reading.capture.bytes), (sha256, 3));
        assert_eq!(reading.capture.format, "unknown");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_the_end(mut tail in prop::collection::vec(any::<u8>(), 0..400), at in 0..82_usize) {
            let mut bytes = capture();
            bytes.truncate(at);
            bytes.append(&mut tail);
            let reading = read(&bytes[..], "test".into(), &Options::default());
            let known = reading.capture.format != "unknown";
            prop_assert!(!known || reading.capture.bytes == bytes.len() as u64);
        }
    }
}
