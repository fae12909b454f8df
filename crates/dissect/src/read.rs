//! One artifact, from bytes to observations.

use crate::batch::read_on_two_threads;
use crate::capture::Summary;
use crate::endpoint;
use crate::flow::{Conversations, Table, Told};
use crate::local::{self, Known};
use crate::packet::Packet;
use crate::payloads::{Heard, Payloads};
use crate::problems::Problems;
use crate::walk::{Audience, Tally, walk};
use overheard_model::{Capture, Flows, Reading};
use ring::digest::{Context, Digest, SHA256};
use std::io::{self, Read};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses that are ours (`--local`); when empty a rule decides.
    pub local: Vec<IpAddr>,
    /// Bound on the memory of flows, their streams and the names that were answered, bytes. IP
    /// fragments and what pcapng files say beside their packets have fixed bounds of their own.
    pub memory: usize,
    /// Whether to hash the artifact, which takes longer than all the rest of reading it: only where the
    /// result shows or keeps the hash.
    pub hash: bool,
    /// Whether flows are kept, to be told one by one, which takes more memory than all the rest: only where the result
    /// shows or keeps them. Where not, their number is known, and which process one belongs to.
    pub flows: bool,
    /// Threads to read a capture with: one, or two, which give the same result sooner. More than two are
    /// of no further use.
    pub threads: NonZeroUsize,
}

impl Default for Options {
    fn default() -> Self {
        Self { local: Vec::new(), memory: 2 << 30, hash: true, flows: true, threads: NonZeroUsize::MIN }
    }
}

/// Reads a capture to its end. Never fails: bytes that are no capture give `format: "unknown"`, and of
/// them no more is read (nor counted, nor hashed) than it takes to see that.
/// Places are not looked up here: see [`crate::place::Atlas::place`].
pub fn read(source: impl Read, path: Arc<str>, options: &Options) -> Reading {
    let mut source = Hashing::new(source, options.hash);
    let walked = walked(&mut source, options);
    let known = walked.summary.format != "unknown";
    let stored = if known { source.finish_whole() } else { source.finish() };
    walked.finish(stored, path, options)
}

/// The same, and all that was said, in one walk; on one thread.
pub fn read_with_payloads(source: impl Read, path: Arc<str>, options: &Options) -> (Reading, Payloads) {
    let mut source = Hashing::new(source, options.hash);
    let mut both = Both { table: Table::new(options.memory), heard: Heard::default() };
    let (summary, tally) = walk(&mut source, &mut both);
    let payloads = both.heard.finish(&summary);
    let walked = Walked { summary, tally, table: both.table };
    (walked.finish(source.finish_whole(), path, options), payloads)
}

struct Both {
    table: Table,
    heard: Heard,
}

impl Audience for Both {
    fn packet(&mut self, packet: &Packet<'_>, _: &[u8]) {
        self.table.observe(packet);
        self.heard.take(packet);
    }

    fn exchange(&mut self, _: Option<Vec<u8>>) -> Option<Vec<u8>> {
        None
    }
}

fn walked(source: &mut dyn Read, options: &Options) -> Walked {
    let (summary, tally, table) = match options.threads.get() {
        1 => {
            let mut table = Table::new(options.memory);
            let (summary, tally) = walk(source, &mut table);
            (summary, tally, table)
        }
        _ => read_on_two_threads(source, options.memory),
    };
    Walked { summary, tally, table }
}

impl Audience for Table {
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, _: &[u8]) {
        self.observe(packet);
    }

    fn exchange(&mut self, _: Option<Vec<u8>>) -> Option<Vec<u8>> {
        None
    }
}

/// What the file, its headers and its flows came to.
struct Walked {
    summary: Summary,
    tally: Tally,
    table: Table,
}

impl Walked {
    fn finish(self, stored: Stored, path: Arc<str>, options: &Options) -> Reading {
        let given = &options.local;
        let Self { summary, tally, table } = self;
        let Told { mut records, mut resolver, problems } = table.tell();
        for (address, name) in summary.names {
            resolver.add_block(address, name);
        }
        let known = Known { given, stated: &summary.addresses };
        let (local_rule, local) = local::decide(&mut records, known);
        let absent = local::absent(&records, given);
        let mut all = Problems::from(summary.problems);
        all.append(tally.problems);
        all.append(problems);
        resolver.report(&mut all);
        for address in absent {
            all.add("local-absent", &format!("no packet has the address {address} of --local"), None, 1);
        }
        let (flows, met) = if options.flows || options.threads.get() > 1 || !summary.owners.is_empty() {
            let conversations =
                Conversations { capture: path.clone(), records, resolver, owners: summary.owners };
            let met = endpoint::group(conversations.lend(), options.threads);
            (Flows::new(conversations), met)
        } else {
            let flows = Flows::untold(records.len());
            (flows, endpoint::group_and_let_go(&path, records, &resolver))
        };
        let (attempts, endpoints) = endpoint::part(met, &summary.uncarried);
        let capture = Capture {
            path,
            sha256: stored.sha256,
            bytes: stored.bytes,
            format: summary.format,
            packets: summary.packets,
            undecoded: tally.undecoded,
            complete: summary.complete,
            first: tally.span.map(|(first, _)| first),
            last: tally.span.map(|(_, last)| last),
            local_rule,
            local,
            comments: summary.comments,
            dropped: summary.dropped,
            secrets: summary.secrets.len() as u64,
            problems: all.into_vec(),
        };
        Reading { capture, flows, endpoints, attempts }
    }
}

/// Size and hash of the artifact as stored.
pub(crate) struct Stored {
    pub(crate) bytes: u64,
    pub(crate) sha256: Option<String>,
}

impl Stored {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Hashing::new(bytes, true).finish_whole()
    }
}

/// Counts what is read through it, and hashes it where that is asked for.
struct Hashing<R> {
    source: R,
    context: Option<Context>,
    bytes: u64,
}

impl<R: Read> Hashing<R> {
    fn new(source: R, hash: bool) -> Self {
        Self { source, context: hash.then(|| Context::new(&SHA256)), bytes: 0 }
    }

    /// Reads what the capture's reader left, so that size and hash are the whole artifact's.
    fn finish_whole(mut self) -> Stored {
        // A source that breaks here has been reported by the reader as cut short.
        let _ = io::copy(&mut self, &mut io::sink());
        self.finish()
    }

    /// Size and hash of what was read.
    fn finish(self) -> Stored {
        let hex = |digest: Digest| digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Stored { bytes: self.bytes, sha256: self.context.map(|context| hex(context.finish())) }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        if let Some(context) = &mut self.context {
            context.update(buffer.get(..read).unwrap_or_default());
        }
        self.bytes += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::{LocalRule, Timestamp};
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
        let Reading { capture, flows, endpoints, .. } = &reading;
        assert_eq!((capture.packets, capture.undecoded, capture.complete), (1, 0, true));
        assert_eq!((capture.local_rule, flows.len(), endpoints.len()), (LocalRule::Private, 1, 1));
        let flow = flows.get(0).unwrap();
        assert_eq!((flow.dst_port, flow.bytes_out), (3478, 42));
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
        assert_eq!((reading.capture.sha256.as_deref(), reading.capture.bytes), (Some(sha256), 3));
        assert_eq!(reading.capture.format, "unknown");
    }

    #[test]
    fn without_the_hash_all_else_is_the_same() {
        let mut bytes = capture();
        bytes.extend([0; 7]);
        let read = |hash| read(&bytes[..], "test".into(), &Options { hash, ..Options::default() });
        let (with, mut without) = (read(true), read(false));
        assert_eq!(without.capture.sha256, None);
        without.capture.sha256 = with.capture.sha256.clone();
        assert_eq!(with, without);
    }

    #[test]
    fn without_the_flows_all_else_is_the_same() {
        let read = |flows| read(&question()[..], "test".into(), &Options { flows, ..Options::default() });
        let (with, mut without) = (read(true), read(false));
        assert_eq!((with.flows.len(), without.flows.len(), without.flows.get(0)), (1, 1, None));
        (without.flows, without.endpoints[0].flows) = (with.flows.clone(), [0].into_iter().collect());
        assert_eq!(with, without);
    }

    fn on_threads(threads: usize, bytes: &[u8]) -> Reading {
        let threads = NonZeroUsize::new(threads).unwrap();
        read(bytes, "test".into(), &Options { threads, ..Options::default() })
    }

    /// A pcap of one datagram that asks for `a.example`.
    fn question() -> Vec<u8> {
        let mut bytes = capture();
        bytes.extend(b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01");
        let (frame, ip, udp) = (42 + 27, 28 + 27, 8 + 27);
        for (at, length) in [(32, frame), (36, frame), (24 + 16 + 17, ip), (24 + 16 + 14 + 20 + 5, udp)] {
            bytes[at] = length;
        }
        bytes[24 + 16 + 14 + 22..][..2].copy_from_slice(&[0, 53]);
        bytes
    }

    /// The payload of the last packets is still there when the other thread comes to it.
    #[test]
    fn two_threads_read_the_last_payload() {
        let [one, two] = [1, 2].map(|threads| on_threads(threads, &question()));
        assert_eq!(one.flows.get(0).unwrap().protocol, overheard_model::Protocol::Dns);
        assert_eq!(one, two);
    }

    #[test]
    fn two_threads_read_what_one_reads() {
        let packets = capture().split_off(24).repeat(20_000);
        let bytes = [&capture()[..24], &packets].concat();
        let [one, two] = [1, 2].map(|threads| on_threads(threads, &bytes));
        assert_eq!((one.capture.packets, one.endpoints[0].packets_out), (20_000, 20_000));
        assert_eq!(one, two);
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
