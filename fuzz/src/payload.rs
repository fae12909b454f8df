//! Payloads of one conversation, brought to the dissectors inside a capture.
//!
//! The input: a byte whose lowest bit chooses TCP, the server's port (two bytes), then chunks: two bytes
//! (the highest bit: the server speaks; the rest: length) and that many bytes.
//! Holds: nothing panics; segments that come out of order or twice tell the same names, protocol and
//! fingerprints as in order. Of streams as programs send them, cutting them otherwise tells the same too
//! (the test below); of damaged ones not always, for where nothing tells what a byte means, a new segment
//! is the best place to look for a beginning.

use crate::synthetic::{Conversation, From};
use overheard_dissect::{Options, read};
use overheard_model::{Flow, Protocol, Reading};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// Segments that cutting adds at most: enough, and not so many that one input takes long.
const CUTS: usize = 200;

/// A chunk is one datagram or segment.
const LONGEST: usize = 0x7fff;

/// What the input asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) tcp: bool,
    pub(crate) port: u16,
    pub(crate) chunks: Vec<(From, Vec<u8>)>,
}

impl Script {
    pub(crate) fn of(input: &[u8]) -> Option<Self> {
        let (&[kind, high, low], mut rest) = input.split_first_chunk::<3>()?;
        let mut chunks = Vec::new();
        while let Some((&[first, second], after)) = rest.split_first_chunk::<2>() {
            let from = if first & 0x80 == 0 { From::Client } else { From::Server };
            let length = usize::from(u16::from_be_bytes([first & 0x7f, second])).min(after.len());
            let (bytes, after) = after.split_at(length);
            chunks.push((from, bytes.to_vec()));
            rest = after;
        }
        Some(Self { tcp: kind & 1 == 1, port: u16::from_be_bytes([high, low]), chunks })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let [high, low] = self.port.to_be_bytes();
        let mut bytes = vec![u8::from(self.tcp), high, low];
        for (from, chunk) in
            self.chunks.iter().flat_map(|(from, all)| all.chunks(LONGEST).map(move |c| (from, c)))
        {
            let length = u16::try_from(chunk.len()).unwrap_or(0);
            let [first, second] = length.to_be_bytes();
            bytes.extend([first | if *from == From::Server { 0x80 } else { 0 }, second]);
            bytes.extend(chunk);
        }
        bytes
    }

    /// Every chunk in one packet.
    fn as_given(&self) -> Vec<u8> {
        let mut conversation = Conversation::with_port(self.port);
        if !self.tcp {
            self.chunks.iter().for_each(|(from, bytes)| conversation.datagram(*from, bytes));
            return conversation.into_file();
        }
        let cuts: Vec<_> = self.chunks.iter().map(|(_, bytes)| vec![(0, bytes.len())]).collect();
        self.cut(&cuts)
    }

    /// Every chunk in segments, each with its offset in the chunk and its length, in the order given.
    fn cut(&self, cuts: &[Vec<(usize, usize)>]) -> Vec<u8> {
        let mut conversation = Conversation::with_port(self.port);
        conversation.handshake();
        for ((from, bytes), pieces) in self.chunks.iter().zip(cuts) {
            for &(offset, length) in pieces {
                conversation.segment(*from, offset, &bytes[offset..offset + length]);
            }
            conversation.advance(*from, bytes.len());
        }
        conversation.goodbye();
        conversation.into_file()
    }

    /// Other segments for every chunk, in order.
    fn cuts(&self, dice: &mut ChaCha8Rng) -> Vec<Vec<(usize, usize)>> {
        let mut more = CUTS;
        let cut = self.chunks.iter().map(|(_, bytes)| {
            let pieces = pieces(bytes.len(), 1 + more, dice);
            more = (1 + more).saturating_sub(pieces.len());
            pieces
        });
        cut.collect()
    }
}

/// Offset and length of each segment, at most so many.
fn pieces(bytes: usize, most: usize, dice: &mut ChaCha8Rng) -> Vec<(usize, usize)> {
    let longest = if dice.random_ratio(1, 4) { 3 } else { 1 + bytes / 2 };
    let mut pieces = Vec::new();
    let mut offset = 0;
    while offset < bytes {
        let last = pieces.len() + 1 == most;
        let length = if last { bytes } else { dice.random_range(1..=longest) }.min(bytes - offset);
        pieces.push((offset, length));
        offset += length;
    }
    pieces
}

/// Some segments change places with their neighbour, some come twice.
fn disorder(pieces: &mut Vec<(usize, usize)>, dice: &mut ChaCha8Rng) {
    for at in 1..pieces.len() {
        if dice.random_ratio(1, 4) {
            pieces.swap(at - 1, at);
        }
    }
    let repeated: Vec<_> = pieces.iter().copied().filter(|_| dice.random_ratio(1, 8)).collect();
    pieces.extend(repeated);
}

pub(crate) fn body(input: &[u8]) {
    let Some(script) = Script::of(input) else { return };
    reading(&script.as_given());
    if !script.tcp {
        return;
    }
    let mut dice = dice(input);
    let mut cuts = script.cuts(&mut dice);
    let in_order = reading(&script.cut(&cuts));
    cuts.iter_mut().for_each(|pieces| disorder(pieces, &mut dice));
    let disordered = reading(&script.cut(&cuts));
    assert_eq!(told(&in_order), told(&disordered), "segments out of order tell something else");
}

/// The same input is always cut alike: its FNV-1a hash is the seed.
fn dice(input: &[u8]) -> ChaCha8Rng {
    let seed = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    ChaCha8Rng::seed_from_u64(seed)
}

fn reading(file: &[u8]) -> Reading {
    read(file, "fuzz.pcap".into(), &Options { hash: false, ..Options::default() })
}

/// All that was extracted, but for the packets that brought it.
fn told(reading: &Reading) -> Vec<(String, Vec<String>, BTreeSet<String>)> {
    let flow = |flow: Flow| {
        let protocol = match flow.protocol {
            // Which kind of unknown is a matter of how much was looked at.
            Protocol::UnknownPlaintext | Protocol::UnknownBinary | Protocol::UnknownHighEntropy => {
                "unknown".into()
            }
            known => known.to_string(),
        };
        let prints = flow.ja4.iter().chain(&flow.ja4_normalised).map(ToString::to_string).collect();
        let names = flow.names.iter().map(|name| format!("{} ({})", name.name, name.source)).collect();
        (protocol, prints, names)
    };
    reading.flows.iter().map(flow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Streams of which a cut once hid something are in `fuzz/regressions/cut`.
    #[test]
    fn what_programs_send_tells_the_same_however_it_is_cut() {
        let folder = crate::root().join("regressions/cut");
        let files = std::fs::read_dir(folder).expect("the folder is there").flatten();
        let once = files.map(|file| std::fs::read(file.path()).expect("read"));
        for seed in crate::seeds::payloads().into_iter().chain(once) {
            let script = Script::of(&seed).filter(|script| script.tcp);
            let Some(script) = script else { continue };
            let given = told(&reading(&script.as_given()));
            let mut dice = dice(&seed);
            for _ in 0..4 {
                let cut = told(&reading(&script.cut(&script.cuts(&mut dice))));
                assert_eq!(given, cut, "port {}, {} chunks", script.port, script.chunks.len());
            }
        }
    }
}
