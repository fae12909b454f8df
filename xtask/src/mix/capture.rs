//! The captures that a mix replicates, prepared: what is to be changed in each frame is known.
//!
//! Promises: takes Ethernet captures that are whole, whose flows travel in no tunnel, and each
//! recording once; says of all others why not. The captures are held in memory.

use super::Counts;
use super::address::Kind;
use super::layers::{self, Sites, be16};
use anyhow::{Context, Result};
use overheard_dissect::capture::Reader;
use overheard_dissect::{Options, read};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// LINKTYPE_ETHERNET of tcpdump.org.
const ETHERNET: u32 = 1;

/// Programs are given client ports from here on (Linux's default range).
const EPHEMERAL: u16 = 32_768;

#[derive(Debug)]
pub(super) struct Template {
    pub path: PathBuf,
    pub frames: Vec<Frame>,
    pub addresses: Vec<(IpAddr, Kind)>,
    bytes: Vec<u8>,
    flows: u64,
}

#[derive(Debug)]
pub(super) struct Frame {
    /// Nanoseconds after the first frame, never before the frame that stands before.
    pub at: u64,
    pub wire_len: u32,
    range: Range<usize>,
    pub changes: Option<Changes>,
}

/// What a replica changes in a frame. Addresses are numbers in [`Template::addresses`].
#[derive(Debug)]
pub(super) struct Changes {
    pub sites: Sites,
    pub src: usize,
    pub dst: usize,
    /// For each of the sites' answers; `None` where nobody went to that address.
    pub answers: Vec<Option<usize>>,
    /// The source and the destination port are ephemeral.
    pub shifts: [bool; 2],
}

impl Template {
    pub(super) fn counts(&self) -> Counts {
        let packets = self.frames.len() as u64;
        Counts { bytes: self.bytes.len() as u64 + packets * 16, packets, flows: self.flows }
    }

    pub(super) fn bytes(&self, frame: &Frame) -> &[u8] {
        &self.bytes[frame.range.clone()]
    }

    /// Reads a capture, or says why it is not for replication.
    fn read(path: &Path) -> Result<Result<Self, String>> {
        let reading = read(open(path)?, Arc::from("template"), &Options::default());
        if reading.capture.format == "unknown" || !reading.capture.complete {
            return Ok(Err("not a whole capture".into()));
        }
        if reading.flows.is_empty() || reading.flows.iter().any(|flow| flow.tunnel.is_some()) {
            return Ok(Err("flows in tunnels, or no flows".into()));
        }
        let mut template = Self {
            path: path.to_path_buf(),
            frames: Vec::new(),
            addresses: Vec::new(),
            bytes: Vec::new(),
            flows: reading.flows.len() as u64,
        };
        let mut reader = Reader::new(open(path)?);
        let (mut first, mut before) = (None, 0);
        while let Some(frame) = reader.next_frame() {
            if frame.link != ETHERNET {
                return Ok(Err("not Ethernet".into()));
            }
            let first = *first.get_or_insert(frame.time.0);
            before = u64::try_from(frame.time.0.saturating_sub(first)).unwrap_or(0).max(before);
            let begin = template.bytes.len();
            template.bytes.extend_from_slice(frame.bytes);
            let range = begin..template.bytes.len();
            template.frames.push(Frame { at: before, wire_len: frame.wire_len, range, changes: None });
        }
        template.prepare();
        Ok(Ok(template))
    }

    /// Finds what is to be changed in each frame.
    fn prepare(&mut self) {
        let sites: Vec<Option<Sites>> =
            self.frames.iter().map(|frame| layers::sites(self.bytes(frame))).collect();
        let numbers = self.number_addresses(&sites);
        let ephemeral = self.ephemeral(&sites);
        for (at, sites) in sites.into_iter().enumerate() {
            let Some(sites) = sites else { continue };
            let bytes = self.bytes(&self.frames[at]);
            let number = |site: &Range<usize>| numbers.get(&layers::address(&bytes[site.clone()])?).copied();
            let (Some(src), Some(dst)) = (number(&sites.src), number(&sites.dst)) else { continue };
            let shifts = ends(bytes, &sites).map(|end| end.is_some_and(|end| ephemeral.contains(&end)));
            let answers = sites.answers.iter().map(number).collect();
            self.frames[at].changes = Some(Changes { src, dst, answers, shifts, sites });
        }
    }

    /// Every address that packets come from or go to.
    fn number_addresses(&mut self, sites: &[Option<Sites>]) -> HashMap<IpAddr, usize> {
        // How many others each address sent something to first.
        let (mut began, mut known) = (BTreeMap::<IpAddr, u64>::new(), BTreeSet::new());
        for (frame, sites) in self.frames.iter().zip(sites) {
            let Some(sites) = sites else { continue };
            let address = |site: &Range<usize>| layers::address(&self.bytes(frame)[site.clone()]);
            let (Some(src), Some(dst)) = (address(&sites.src), address(&sites.dst)) else { continue };
            began.entry(dst).or_default();
            *began.entry(src).or_default() += u64::from(known.insert((src.min(dst), src.max(dst))));
        }
        let client = |v4: bool| {
            let family = began.iter().filter(|(address, _)| address.is_ipv4() == v4);
            family.max_by_key(|(_, began)| **began).map(|(address, _)| *address)
        };
        let clients = [client(true), client(false)];
        let kind = |address: &IpAddr| Kind::of(*address, clients.contains(&Some(*address)));
        self.addresses = began.keys().map(|address| (*address, kind(address))).collect();
        began.into_keys().zip(0..).collect()
    }

    /// The ends that began a conversation from an ephemeral port.
    fn ephemeral(&self, sites: &[Option<Sites>]) -> BTreeSet<End> {
        let (mut began, mut known) = (BTreeSet::new(), BTreeSet::new());
        for (frame, sites) in self.frames.iter().zip(sites) {
            let Some(sites) = sites else { continue };
            let [Some(src), Some(dst)] = ends(self.bytes(frame), sites) else { continue };
            if known.insert((src.min(dst), src.max(dst))) && src.2 >= EPHEMERAL {
                began.insert(src);
            }
        }
        began
    }
}

/// Protocol, address and port.
type End = (u8, IpAddr, u16);

/// The packet's source and destination.
fn ends(frame: &[u8], sites: &Sites) -> [Option<End>; 2] {
    let end = |site: &Range<usize>, offset: usize| {
        let transport = sites.transport?;
        let port = be16(frame, transport.ports? + offset)?;
        Some((transport.protocol, layers::address(frame.get(site.clone())?)?, port))
    };
    [end(&sites.src, 0), end(&sites.dst, 2)]
}

type Skipped = Vec<(PathBuf, String)>;

/// All captures below a folder that are for replication, in the order of their names, and those that
/// are not.
pub(super) fn below(folder: &Path) -> Result<(Vec<Template>, Skipped)> {
    let (mut taken, mut skipped): (Vec<Template>, Skipped) = (Vec::new(), Vec::new());
    for path in files(folder)? {
        match Template::read(&path)? {
            Ok(template) if taken.iter().any(|known| known.bytes == template.bytes) => {
                skipped.push((path, "the same packets as another".into()));
            }
            Ok(template) => taken.push(template),
            Err(why) => skipped.push((path, why)),
        }
    }
    Ok((taken, skipped))
}

/// Files whose name says that they are captures.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let stem = name.trim_end_matches(".gz").trim_end_matches(".zst");
            if path.is_dir() {
                folders.push(path);
            } else if [".pcap", ".pcapng", ".cap"].iter().any(|ending| stem.ends_with(ending)) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("{}", path.display()))
}
