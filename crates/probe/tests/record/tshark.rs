//! Wireshark reads what we write: packets, directions, comments, counts, and what the secrets decrypt.

use crate::reader::{blocks, packets, u32_at};
use crate::{SECTION, at, datagram};
use overheard_probe::record::{Attribution, Direction, Recording, Sources};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The fields of each packet that passes the filter; `None`, and a line that says so, without tshark.
fn tshark(capture: &Path, filter: &str, fields: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-Y", filter, "-T", "fields"]).arg("-r").arg(capture);
    for field in fields {
        command.args(["-e", field]);
    }
    let Ok(output) = command.output() else {
        eprintln!("skipped: tshark is not installed");
        return None;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("appears"), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect())
}

#[test]
fn tshark_shows_directions_times_and_comments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcapng");
    let attribution = Some(Attribution::new(None, "/proc".into(), 1));
    let sources = Sources { attribution, ..Sources::default() };
    let mut recording = Recording::create(&path, &SECTION, sources).unwrap();
    let (room, server) = (([198, 18, 0, 10], 40_000), ([198, 18, 1, 53], 9));
    recording
        .packet(Direction::Outbound, at(1_700_000_000_123_456_789), &datagram(room, server, b"ping"))
        .unwrap();
    recording
        .packet(Direction::Inbound, at(1_700_000_000_123_456_790), &datagram(server, room, b"pong"))
        .unwrap();
    recording
        .packet(Direction::Outbound, at(1_700_000_000_123_456_791), &datagram(room, server, b"ping"))
        .unwrap();
    recording.finish();
    let fields = ["frame.time_epoch", "frame.packet_flags_direction", "ip.src", "frame.comment"];
    let Some(lines) = tshark(&path, "frame", &fields) else { return };
    assert_eq!(
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>(),
        [
            "1700000000.123456789\t0x00000002\t198.18.0.10\tprocess: unknown",
            "1700000000.123456790\t0x00000001\t198.18.1.53",
            "1700000000.123456791\t0x00000002\t198.18.0.10",
        ]
    );
}

/// A real connection of TLS 1.3, whose secrets become known, as they do in a live run, only after its ServerHello
/// has been written to the file.
#[test]
fn secrets_that_come_after_their_server_hello_decrypt_it_all_the_same() {
    let formats = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpus/formats"));
    let recorded = packets(&blocks(&std::fs::read(formats.join("secrets.pcapng")).unwrap()));
    let secrets = std::fs::read(formats.join("tls13.keys")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (path, key_log) = (folder.path().join("capture.pcapng"), folder.path().join("keys"));
    let sources = Sources { key_log: Some(key_log.clone()), ..Sources::default() };
    let mut recording = Recording::create(&path, &SECTION, sources).unwrap();
    // The link was Ethernet; ours is bare IP.
    let mut keep = |packet: &crate::reader::Packet| {
        recording.packet(Direction::Outbound, at(packet.nanos as i64), &packet.bytes[14..]).unwrap();
    };
    let (before, after) = recorded.split_at(10);
    before.iter().for_each(&mut keep);
    let written = (0..400).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(25));
        packets(&blocks(&std::fs::read(&path).unwrap())).len() == before.len()
    });
    assert!(written, "the ServerHello is in the file");
    OpenOptions::new().create(true).append(true).open(&key_log).unwrap().write_all(&secrets).unwrap();
    after.iter().for_each(keep);
    let outcome = recording.finish().outcome;
    assert_eq!((outcome.secrets, outcome.error), (5, None));

    let kept = blocks(&std::fs::read(&path).unwrap());
    let block = kept.iter().position(|block| block.kind == 10).unwrap();
    assert!(block < kept.iter().position(|block| block.kind == 6).unwrap(), "ahead of all packets");
    assert_eq!(u32_at(&kept[block].body, 0), 0x544c_534b);
    assert!(kept[block].body[8..].starts_with(&secrets));
    let Some(requests) = tshark(&path, "http.request", &["tls.handshake.type", "http.request.uri"]) else {
        return;
    };
    assert_eq!(requests.iter().map(|line| line.trim()).collect::<Vec<_>>(), ["/"]);
}

#[test]
fn capinfos_counts_what_we_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcapng");
    let mut recording = Recording::create(&path, &SECTION, Sources::default()).unwrap();
    (0..1000).for_each(|time| recording.packet(Direction::Inbound, at(time), &[0x45; 900]).unwrap());
    recording.finish();
    let Ok(output) = Command::new("capinfos").args(["-M"]).arg(&path).output() else {
        eprintln!("skipped: capinfos is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let has = |name: &str, value: &str| {
        said.lines().any(|line| line.contains(name) && line.trim_end().ends_with(value))
    };
    assert!(has("Number of packets", "1000"), "{said}");
    assert!(has("File encapsulation", "rawip"), "{said}");
    assert!(
        has("Capture comment", "run: regular-3") && has("Capture application", env!("CARGO_PKG_VERSION")),
        "{said}"
    );
    assert!(
        has("File timestamp precision", "nanoseconds (9)") && has("Number of stat entries", "1"),
        "{said}"
    );
}
