//! Reading while packets come finds what reading the file finds, for every capture of the corpus.

#[path = "shared/files.rs"]
mod files;

use files::files;
use overheard_dissect::capture::Reader;
use overheard_dissect::live::Live;
use overheard_dissect::{Options, read};
use overheard_model::{Capture, Protocol, Reading, Timestamp, Visibility};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Every capture below the corpus.
fn captures() -> Vec<PathBuf> {
    let mut captures = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus"));
    captures.retain(|path| path.to_string_lossy().contains(".pcap"));
    captures
}

/// Packet by packet, with a snapshot after every so many of them.
fn live(path: &Path, every: u64) -> Live {
    let mut live = Live::new(name(path), &Options::default());
    let mut reader = Reader::new(File::open(path).expect("the capture is there"));
    while let Some(frame) = reader.next_frame() {
        live.frame(frame.time, frame.link, frame.wire_len, frame.bytes);
        let number = frame.number;
        if let Some(process) = reader.summary().owner(number) {
            live.add_owner(process);
        }
        if number.is_multiple_of(every) {
            live.snapshot();
        }
    }
    reader.summary().addresses.iter().for_each(|address| live.add_address(*address));
    for (address, name) in reader.into_summary().names {
        live.add_name(address, name);
    }
    live.end();
    live
}

fn name(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

#[test]
fn the_last_snapshot_is_what_reading_the_file_finds() {
    let captures = captures();
    assert!(captures.len() > 50, "{} captures", captures.len());
    for path in captures {
        let whole = read(File::open(&path).expect("the capture is there"), name(&path), &Options::default());
        let mut live = live(&path, 7);
        let last = live.snapshot();
        let shown = path.display();
        assert_eq!(last.endpoints, whole.endpoints, "{shown}");
        for endpoint in &whole.endpoints {
            let flows = endpoint.flows.iter().map(|&index| whole.flows.get(index as usize));
            assert_eq!(live.flows(endpoint, usize::MAX), flows.flatten().collect::<Vec<_>>(), "{shown}");
        }
        let finished = live.finish();
        assert_eq!(finished.flows, whole.flows, "{shown}");
        assert_eq!(finished.endpoints, last.endpoints, "{shown}");
        let counts = |Reading { capture, .. }: &Reading| {
            let Capture { packets, undecoded, first, last, local_rule, ref local, .. } = *capture;
            (packets, undecoded, first, last, local_rule, local.clone())
        };
        assert_eq!(counts(&finished), counts(&whole), "{shown}");
    }
}

/// LINKTYPE_RAW.
const RAW_IP: u32 = 101;

/// An IPv4 datagram from 10.0.0.1 to 192.0.2.1, without checksums.
fn datagram(payload: &[u8]) -> Vec<u8> {
    let (ip, udp) = (28 + payload.len() as u16, 8 + payload.len() as u16);
    let mut bytes = vec![0x45, 0];
    bytes.extend(ip.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1, 0x9c, 0x40, 0x27, 0x0f]);
    bytes.extend(udp.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    bytes
}

#[test]
fn what_nobody_recognised_yet_is_shown_by_what_it_looks_like() {
    let mut live = Live::new("room".into(), &Options::default());
    let say = |live: &mut Live, text: &[u8]| {
        let bytes = datagram(text);
        live.frame(Timestamp(1), RAW_IP, bytes.len() as u32, &bytes)
    };
    let ends = say(&mut live, b"Ni hao, this is nobody's protocol, in plain text.");
    assert_eq!(ends.map(|ends| ends.dst), Some(("192.0.2.1".parse().unwrap(), 9999)));
    let reading = live.snapshot();
    let [endpoint] = &reading.endpoints[..] else { panic!("{reading:?}") };
    assert_eq!(endpoint.protocols, [Protocol::UnknownPlaintext].into());
    assert_eq!(endpoint.visibility, Visibility::Readable);
    say(&mut live, b"More of it.");
    assert_eq!(live.snapshot().endpoints[0].packets_out, 2, "the snapshot ended nothing");
}
