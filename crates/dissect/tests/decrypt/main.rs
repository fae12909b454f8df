//! TLS opened with the secrets of its capture, held against what tshark 4.0 reads in the same file.
//!
//! `tls.pcapng`: `openssl s_client` 3.0 at `openssl s_server -rev`, which sends each line back reversed, and Python's `ssl`
//! behind a STARTTLS; recorded between two namespaces with tcpdump, the key log put in with editcap. One connection uses a
//! CBC suite, and the last one's secrets are not there. [`stated`] is the same of the corpus.

mod stated;

use overheard_dissect::payloads::{self, Payload};
use std::collections::BTreeSet;

const CAPTURE: &[u8] = include_bytes!("tls.pcapng");

fn opened(capture: &[u8]) -> Vec<Payload> {
    payloads::read(capture).payloads.into_iter().filter(|payload| payload.decrypted).collect()
}

/// The text of each packet, as `tshark -e frame.number -e data.data` tells them.
fn lines(payloads: &[Payload]) -> BTreeSet<(u64, String)> {
    let mut lines = BTreeSet::new();
    for payload in payloads {
        for &(_, packet) in &payload.packets {
            let (_, bytes) = payload.between(packet, packet);
            lines.insert((packet, String::from_utf8_lossy(bytes).trim().to_owned()));
        }
    }
    lines
}

/// The capture without the secrets whose labels begin so.
fn without(labels: &[&str]) -> Vec<u8> {
    let mut capture = CAPTURE.to_vec();
    for label in labels {
        while let Some(at) = capture.windows(label.len()).position(|window| window == label.as_bytes()) {
            capture[at] = b'#';
        }
    }
    capture
}

#[test]
fn every_line_is_read_in_its_packet() {
    let sent = [
        // A key update of the client's stands between these two.
        (12, "we meet by the river, TLS 1.3 AES-128"),
        (17, "again by the river, TLS 1.3 AES-128"),
        // Its hello was sent twice.
        (42, "we meet by the river, TLS 1.3 AES-256, retried"),
        (59, "we meet by the river, TLS 1.3 ChaCha20"),
        (75, "we meet by the river, TLS 1.2 AES-128"),
        (91, "we meet by the river, TLS 1.2 AES-256"),
        (107, "we meet by the river, TLS 1.2 ChaCha20"),
        (123, "we meet by the river, TLS 1.2 CBC"),
        (140, "we meet by the river, TLS 1.3 first"),
        (151, "early by the river"),
        (158, "we meet by the river, TLS 1.3 after early data"),
        (178, "we meet by the river, after STARTTLS"),
    ];
    let back = [
        (13, sent[0].1),
        (23, sent[1].1),
        (43, sent[2].1),
        (60, sent[3].1),
        (76, sent[4].1),
        (92, sent[5].1),
        (108, sent[6].1),
        (124, sent[7].1),
        (181, sent[11].1),
    ];
    let reversed = back.map(|(packet, text)| (packet, text.chars().rev().collect()));
    let all: BTreeSet<_> =
        sent.map(|(packet, text)| (packet, text.to_owned())).into_iter().chain(reversed).collect();
    assert_eq!(lines(&opened(CAPTURE)), all);
}

#[test]
fn what_no_secret_opens_is_counted_and_stays_as_it_is() {
    let read = payloads::read(CAPTURE);
    let plain: Vec<&Payload> = read.payloads.iter().filter(|payload| !payload.decrypted).collect();
    assert_eq!(plain.len(), 22, "both sides of eleven connections");
    let sealed = |read: &payloads::Payloads| read.sealed.values().sum::<u64>();
    assert!(sealed(&read) > 500 && read.left_out.is_empty(), "{}", sealed(&read));
    let closed = payloads::read(&without(&["CLIENT_", "SERVER_"])[..]);
    assert!(closed.payloads.iter().eq(plain), "what was sent is there as before");
    assert!(sealed(&closed) > sealed(&read), "{} {}", sealed(&closed), sealed(&read));
}

#[test]
fn a_handshake_without_its_secrets_is_passed_over() {
    let bare = without(&["CLIENT_HANDSHAKE", "SERVER_HANDSHAKE"]);
    assert_eq!(lines(&opened(&bare)), lines(&opened(CAPTURE)));
}

/// A record that is damaged stays closed; those before it are read.
#[test]
fn damage_anywhere_is_survived() {
    let whole = lines(&opened(CAPTURE));
    for at in (0..CAPTURE.len()).step_by(997) {
        let mut damaged = CAPTURE.to_vec();
        damaged[at] ^= 0x55;
        let read = lines(&opened(&damaged));
        assert!(read.is_subset(&whole), "damaged at {at}");
    }
    for length in (0..CAPTURE.len()).step_by(1499) {
        let read = lines(&opened(&CAPTURE[..length]));
        assert!(read.is_subset(&whole), "cut at {length}");
    }
}
