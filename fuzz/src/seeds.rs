//! Inputs to begin with, made from the captures of `corpus/`.
//!
//! Promises: the same corpus gives the same seeds in the same order; none is kept a second time in the
//! repository.

use crate::mutation::LONGEST;
use crate::payload::Script;
use crate::synthetic::From;
use overheard_dissect::capture::Reader;
use overheard_dissect::decode::Decoder;
use overheard_dissect::packet::{Packet, Segment, TcpFlags};
use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The folder of the fuzz targets.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Payload bytes and conversations that are taken of one capture.
const PAYLOAD: usize = 12 << 10;
const CONVERSATIONS: usize = 8;

/// Our captures, each as far as an input may be long.
pub(crate) fn captures() -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    walk(&root().with_file_name("corpus"), &mut paths);
    paths.sort();
    let bytes = paths.iter().filter_map(|path| fs::read(path).ok());
    bytes
        .map(|mut bytes| {
            bytes.truncate(LONGEST);
            bytes
        })
        .collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.to_string_lossy().into_owned();
        match () {
            () if path.is_dir() => walk(&path, found),
            // Repeated runs of one program are alike: one of them is enough.
            () if name.contains("/run") && !name.contains("/run1") => {}
            () if name.contains(".pcap") && !name.ends_with(".jsonl") => found.push(path),
            () => {}
        }
    }
}

/// Two ends and a transport.
type Tuple = (bool, (IpAddr, u16), (IpAddr, u16));

/// The conversations of our captures.
pub(crate) fn payloads() -> Vec<Vec<u8>> {
    captures().iter().flat_map(|capture| conversations(capture)).collect()
}

fn conversations(capture: &[u8]) -> Vec<Vec<u8>> {
    let mut scripts: BTreeMap<u64, Script> = BTreeMap::new();
    let mut known: BTreeMap<Tuple, (u64, [Option<u32>; 2])> = BTreeMap::new();
    let (mut reader, mut decoder) = (Reader::new(capture), Decoder::default());
    while let Some(frame) = reader.next_frame() {
        let Ok(packet) = decoder.decode(&frame) else { continue };
        let Some((tcp, ports, payload)) = payload(&packet) else { continue };
        let ends = ((packet.addresses.src(), ports.0), (packet.addresses.dst(), ports.1));
        let (forth, back) = ((tcp, ends.0, ends.1), (tcp, ends.1, ends.0));
        let from = if known.contains_key(&back) { From::Server } else { From::Client };
        let tuple = if from == From::Server { back } else { forth };
        let (number, next) = known.entry(tuple).or_insert((frame.number, [None; 2]));
        let script =
            scripts.entry(*number).or_insert_with(|| Script { tcp, port: tuple.2.1, chunks: Vec::new() });
        let said: usize = script.chunks.iter().map(|(_, bytes)| bytes.len()).sum();
        if said < PAYLOAD && is_next(&packet, &mut next[from as usize]) && !payload.is_empty() {
            script.chunks.push((from, payload.to_vec()));
        }
    }
    let spoken = scripts.into_values().filter(|script| !script.chunks.is_empty());
    spoken.take(CONVERSATIONS).map(|script| script.to_bytes()).collect()
}

fn payload<'a>(packet: &Packet<'a>) -> Option<(bool, (u16, u16), &'a [u8])> {
    match packet.segment {
        Segment::Tcp(tcp) => Some((true, (tcp.src_port, tcp.dst_port), tcp.payload)),
        Segment::Udp { src_port, dst_port, payload, .. } => Some((false, (src_port, dst_port), payload)),
        _ => None,
    }
}

/// Whether a segment goes on where its stream stood; what is repeated or out of order is left out.
fn is_next(packet: &Packet<'_>, next: &mut Option<u32>) -> bool {
    let Segment::Tcp(tcp) = packet.segment else { return true };
    let syn = u32::from(tcp.flags.has(TcpFlags::SYN));
    let goes_on = next.is_none_or(|next| next == tcp.seq);
    if goes_on {
        let length = u32::try_from(tcp.payload.len()).unwrap_or(0);
        *next = Some(tcp.seq.wrapping_add(length).wrapping_add(syn));
    }
    goes_on
}

/// The endpoints of our captures as a table: every other capture a run of another build.
pub(crate) fn table() -> Vec<u8> {
    let mut rows = String::from("build,run,address,port,name,country\n");
    for (index, capture) in captures().iter().enumerate().take(8) {
        let reading = overheard_dissect::read(&capture[..], "seed.pcap".into(), &Default::default());
        for endpoint in reading.endpoints.iter().take(6) {
            let build = ["a", "b"][index % 2];
            let name = endpoint.names.first().map_or("", |name| &name.name);
            let (address, port, transport) = (endpoint.address, endpoint.port, endpoint.transport);
            rows += &format!("{build},{index},{address},{port}/{transport},{name},\n");
        }
    }
    rows.into()
}
