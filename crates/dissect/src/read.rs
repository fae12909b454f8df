//! One artifact, from bytes to observations: the walk over its packets.

use crate::capture::{Reader, Summary};
use crate::decode::{Decoder, Undecoded};
use crate::flow::{Table, Told};
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
    /// Bound on the memory of flows and reassembly together, bytes.
    pub memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { local: Vec::new(), memory: 1 << 30 }
    }
}

/// Reads a capture to its end. Never fails: bytes that are no capture give `format: "unknown"`.
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
    let stored = source.finish();
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
        let (kind, text) = match why {
            Undecoded::Fragment => return,
            Undecoded::NotIp => ("", String::new()),
            Undecoded::UnknownLink(link) => ("unknown-link", format!("link type {link} is not supported")),
            Undecoded::Malformed(what) => ("malformed-packet", what.to_owned()),
        };
        self.undecoded += 1;
        if !kind.is_empty() {
            self.problems.add(kind, &text, Some(number), 1);
        }
    }

    fn finish(self, summary: Summary, stored: Stored, path: Arc<str>, given: &[IpAddr]) -> Reading {
        let Told { mut flows, mut resolver, problems } = self.table.tell(&path);
        for (address, name) in summary.names {
            resolver.add_block(address, name);
        }
        let (local_rule, local) = local::decide(&mut flows, given);
        resolver.name(&mut flows);
        let mut all = Problems::from(summary.problems);
        all.append(self.problems);
        all.append(problems);
        resolver.report(&mut all);
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
        Hashing::new(bytes).finish()
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
    fn finish(mut self) -> Stored {
        // A source that breaks here has been reported by the reader as cut short.
        let _ = io::copy(&mut self, &mut io::sink());
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
