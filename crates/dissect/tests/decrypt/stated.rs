//! The corpus's captures with secrets, held to what its truth says was sent: which text, to whom, in which packet.

use overheard_dissect::payloads::{self, Payload, Payloads};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use toml::Table;

fn case() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/secrets")
}

fn truth() -> Table {
    let text = std::fs::read_to_string(case().join("truth.toml")).expect("the truth");
    text.parse().expect("a table")
}

fn list<'a>(table: &'a Table, field: &str) -> impl Iterator<Item = &'a toml::Value> {
    table[field].as_array().expect(field).iter()
}

/// What was opened of what went to this address and port.
fn sent<'a>(read: &'a Payloads, to: &(IpAddr, u16)) -> impl Iterator<Item = &'a Payload> {
    read.payloads.iter().filter(move |payload| payload.decrypted && payload.way.to == *to)
}

fn place(payload: &Payload, text: &str) -> Option<u64> {
    let at = payload.bytes.windows(text.len()).position(|window| window == text.as_bytes())?;
    payload.packet_at(at)
}

#[test]
fn every_text_is_read_in_its_packet() {
    let truth = truth();
    for capture in list(&truth, "captures").filter_map(|capture| capture.as_str()) {
        let bytes = std::fs::read(case().join(capture)).expect("a capture");
        let read = payloads::read(&bytes[..]);
        let mut stated = 0;
        for entry in list(&truth, "text").filter(|entry| entry["capture"].as_str() == Some(capture)) {
            let said = entry["said"].as_str().expect("a text");
            let to: IpAddr = entry["dst"].as_str().and_then(|to| to.parse().ok()).expect("an address");
            let to = (to, entry["dst_port"].as_integer().expect("a port") as u16);
            let found: Vec<u64> = sent(&read, &to).filter_map(|payload| place(payload, said)).collect();
            assert_eq!(found, [entry["packet"].as_integer().expect("a number") as u64], "{capture}: {said}");
            stated += 1;
        }
        assert!(stated > 0, "{capture}");
        assert!(read.sealed.is_empty(), "{capture}: {:?}", read.sealed);
    }
}

/// Without the secrets the texts are nowhere, and what holds them is counted.
#[test]
fn without_secrets_nothing_is_read() {
    let truth = truth();
    for capture in list(&truth, "captures").filter_map(|capture| capture.as_str()) {
        let mut bytes = std::fs::read(case().join(capture)).expect("a capture");
        for label in [&b"CLIENT_"[..], b"SERVER_"] {
            while let Some(at) = bytes.windows(label.len()).position(|window| window == label) {
                bytes[at] = b'#';
            }
        }
        let read = payloads::read(&bytes[..]);
        assert!(read.payloads.iter().all(|payload| !payload.decrypted), "{capture}");
        for entry in list(&truth, "text") {
            let said = entry["said"].as_str().expect("a text");
            assert!(read.payloads.iter().all(|payload| place(payload, said).is_none()), "{capture}: {said}");
        }
    }
}
