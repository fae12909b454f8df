//! `cargo xtask mix`: captures of any size, replicated from small ones.
//!
//! For: speed figures and instruction counts, which need the same large input everywhere.
//! Promises: the same captures, size and seed give the same bytes; nothing but the captures it begins
//! with is held in memory.
//! What a replica changes: addresses (also those that name servers answered in UDP), ephemeral ports
//! and times; checksums follow. What it keeps: all other payload, so that addresses which programs
//! spell out, connection identifiers of QUIC and sequence numbers are the same in every replica. A mix
//! has as many names as its captures, however large it is.

mod address;
mod capture;
mod layers;
mod replica;
mod weights;

use anyhow::{Context, Result, ensure};
use capture::Template;
use clap::Parser;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use replica::Replica;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Captures that are under way at a time.
const LIVE: usize = 64;

/// When the first packet was sent: 2026-01-01T00:00:00Z, in nanoseconds.
const EPOCH: u64 = 1_767_225_600_000_000_000;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask mix", about = "Write a capture of any size, replicated from small ones")]
struct Args {
    /// Bytes of the capture, such as 355MB
    #[arg(long, default_value = "355MB")]
    size: Size,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Replicate the captures below this folder instead of the corpus
    #[arg(long, value_name = "DIR")]
    captures: Option<PathBuf>,
    /// The file to write
    #[arg(short, long)]
    output: PathBuf,
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let args = Args::parse_from([String::new()].iter().chain(args));
    let source = Source::open(args.captures.as_deref())?;
    eprintln!("{source}");
    let counts = source.write(&args.output, args.size.0, args.seed)?;
    eprintln!("{}: {counts}", args.output.display());
    Ok(())
}

/// A number of bytes, written as `4MB`; a megabyte is 10⁶ bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("", 1)];
        let parse = |(unit, bytes): (&str, u64)| {
            text.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(bytes)
        };
        units
            .into_iter()
            .find_map(parse)
            .map(Size)
            .ok_or_else(|| format!("{text}: expected a size such as 355MB"))
    }
}

/// What a capture holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub bytes: u64,
    pub packets: u64,
    /// As Overheard counts them in each capture that was begun; the last ones are cut short.
    pub flows: u64,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let per = |what: u64, each: u64| what as f64 / each.max(1) as f64;
        write!(
            f,
            "{} packets, {} flows, {:.0} bytes per packet, {:.1} packets per flow",
            self.packets,
            self.flows,
            per(self.bytes, self.packets),
            per(self.packets, self.flows)
        )
    }
}

/// The captures to replicate, each with how often it is taken.
#[derive(Debug)]
pub(crate) struct Source {
    templates: Vec<Template>,
    /// Running sums of the weights.
    shares: Vec<u32>,
    skipped: Vec<(PathBuf, String)>,
}

impl Source {
    /// The captures below a folder, equally often; else those of the corpus, weighted towards what
    /// real links carry.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self> {
        let corpus = crate::root().join("corpus");
        let (templates, skipped) = capture::below(folder.unwrap_or(&corpus))?;
        ensure!(!templates.is_empty(), "no capture to replicate: {skipped:?}");
        let weights = match folder {
            Some(_) => vec![1; templates.len()],
            None => weights::towards_real_links(&templates.iter().map(Template::counts).collect::<Vec<_>>()),
        };
        let sum = |sum: &mut u32, weight: u32| {
            *sum += weight;
            Some(*sum)
        };
        Ok(Self { shares: weights.into_iter().scan(0, sum).collect(), templates, skipped })
    }

    /// Packets of all the captures, each taken once.
    pub(crate) fn packets(&self) -> u64 {
        self.templates.iter().map(|template| template.counts().packets).sum()
    }

    /// Writes one capture of at least `size` bytes, and less than one packet more.
    pub(crate) fn write(&self, path: &Path, size: u64, seed: u64) -> Result<Counts> {
        self.write_link(path, size, seed, LIVE)
    }

    /// Writes `files` captures of links with little traffic, of `size` bytes in all.
    pub(crate) fn write_many(&self, folder: &Path, files: u64, size: u64, seed: u64) -> Result<Counts> {
        let mut all = Counts::default();
        for file in 0..files {
            let path = folder.join(format!("{file:05}.pcap"));
            let counts = self.write_link(&path, size / files, seed + 1 + file, 4)?;
            all.bytes += counts.bytes;
            all.packets += counts.packets;
            all.flows += counts.flows;
        }
        Ok(all)
    }

    fn write_link(&self, path: &Path, size: u64, seed: u64, live: usize) -> Result<Counts> {
        let file = File::create(path).with_context(|| format!("{}", path.display()))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let counts = Mix::new(self, seed, live).write(&mut out, size)?;
        out.flush()?;
        Ok(counts)
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut before = 0;
        for (template, share) in self.templates.iter().zip(&self.shares) {
            writeln!(f, "{:>6} × {}: {}", share - before, template.path.display(), template.counts())?;
            before = *share;
        }
        for (path, why) in &self.skipped {
            writeln!(f, "  skipped {}: {why}", path.display())?;
        }
        Ok(())
    }
}

/// Replicas under way, the one with the earliest packet first.
struct Mix<'a> {
    source: &'a Source,
    random: ChaCha8Rng,
    live: Vec<Replica<'a>>,
    /// When the next packet of each is due, and its place in `live`.
    due: BinaryHeap<Reverse<(u64, usize)>>,
    /// Where the sequence of draws stands, as a fraction of 2³².
    drawn: u32,
    counts: Counts,
}

impl<'a> Mix<'a> {
    fn new(source: &'a Source, seed: u64, live: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut mix = Self {
            source,
            drawn: random.random(),
            random,
            live: Vec::new(),
            due: BinaryHeap::new(),
            counts: Counts::default(),
        };
        for slot in 0..live {
            let start = mix.random.random_range(0..1_000_000_000);
            let replica = mix.begin(start);
            mix.due.push(Reverse((start, slot)));
            mix.live.push(replica);
        }
        mix
    }

    /// A replica of a capture drawn by its weight, with addresses and ports of its own. Draws follow
    /// a Weyl sequence of the golden ratio, which spreads evenly, so that small mixes are like large ones.
    fn begin(&mut self, start: u64) -> Replica<'a> {
        let all = self.source.shares.last().copied().unwrap_or(1);
        self.drawn = self.drawn.wrapping_add(0x9e37_79b9);
        let drawn = ((u64::from(self.drawn) * u64::from(all)) >> 32) as u32;
        let chosen = self.source.shares.partition_point(|share| *share <= drawn);
        let template = &self.source.templates[chosen];
        self.counts.flows += template.counts().flows;
        Replica::begin(template, start, &mut self.random)
    }

    fn write(mut self, out: &mut impl Write, size: u64) -> io::Result<Counts> {
        let header: [u32; 6] = [0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 262_144, 1];
        out.write_all(&header.map(u32::to_le_bytes).concat())?;
        self.counts.bytes = 24;
        let mut packet = Vec::new();
        while self.counts.bytes < size {
            let Some(Reverse((time, slot))) = self.due.pop() else { break };
            let wire_len = self.live[slot].take(&mut packet);
            let micros = (EPOCH + time) / 1000;
            let record =
                [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32, packet.len() as u32, wire_len];
            out.write_all(&record.map(u32::to_le_bytes).concat())?;
            out.write_all(&packet)?;
            self.counts.bytes += 16 + packet.len() as u64;
            self.counts.packets += 1;
            let next = self.live[slot].due().unwrap_or_else(|| {
                let start = time + self.random.random_range(0..200_000_000);
                self.live[slot] = self.begin(start);
                start
            });
            self.due.push(Reverse((next, slot)));
        }
        Ok(self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::{Mix, Size, Source};
    use overheard_dissect::Options;
    use std::sync::Arc;

    fn mix(source: &Source, seed: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        Mix::new(source, seed, 16).write(&mut bytes, 2_000_000).expect("memory");
        bytes
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        let source = Source::open(None).expect("the corpus");
        assert!(mix(&source, 7) == mix(&source, 7));
        assert!(mix(&source, 7) != mix(&source, 8));
    }

    #[test]
    fn a_mix_of_the_corpus_is_near_what_real_links_carry() {
        let source = Source::open(None).expect("the corpus");
        let bytes = mix(&source, 1);
        let reading = overheard_dissect::read(&bytes[..], Arc::from("mix"), &Options::default());
        assert!(reading.capture.complete, "{:?}", reading.capture.problems);
        let per_packet = bytes.len() as f64 / reading.capture.packets as f64;
        let per_flow = reading.capture.packets as f64 / reading.flows.len() as f64;
        assert!((320.0..380.0).contains(&per_packet), "{per_packet} bytes per packet");
        assert!((11.0..15.0).contains(&per_flow), "{per_flow} packets per flow");
    }

    #[test]
    fn a_mix_says_the_names_that_its_captures_say() {
        let source = Source::open(None).expect("the corpus");
        let bytes = mix(&source, 1);
        let reading = overheard_dissect::read(&bytes[..], Arc::from("mix"), &Options::default());
        let mut sources: Vec<String> = reading
            .flows
            .iter()
            .flat_map(|flow| flow.names.clone())
            .map(|name| name.source.to_string())
            .collect();
        sources.sort_unstable();
        sources.dedup();
        for wanted in ["dns", "dns-cname", "dns-https", "http-host", "quic-sni", "tls-sni"] {
            assert!(sources.iter().any(|source| source == wanted), "{wanted} is not among {sources:?}");
        }
    }

    #[test]
    fn sizes_are_decimal() {
        assert_eq!("355MB".parse::<Size>().map(|size| size.0), Ok(355_000_000));
        assert_eq!("2 GB".parse::<Size>().map(|size| size.0), Ok(2_000_000_000));
        assert!("2 GiB".parse::<Size>().is_err());
    }
}
