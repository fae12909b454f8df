//! `overheard verify`: what holds, what was changed, and what is no certificate.

mod program;
#[path = "../../probe/tests/confine/statement.rs"]
mod statement;

use overheard_probe::confine::{Certificate, Class, Kept, Program, SigningKey};
use overheard_probe::digest;
use program::{Answer, command};
use statement::statement;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;

/// A certificate, its capture, and the key in the folder where the program looks for it.
struct Signed {
    folder: TempDir,
    certificate: PathBuf,
    capture: PathBuf,
    key: String,
}

impl Signed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (certificate, capture) = (path("app.certificate.json"), path("app.pcapng"));
        fs::write(&capture, b"packets").unwrap();
        let key = SigningKey::open(&path("overheard/signing-key.pk8")).unwrap();
        let (hash, bytes) = digest::of(&b"packets"[..]).unwrap();
        let mut statement = statement();
        statement.ran = Program { path: "/opt/\u{1b}[31mapp".into(), ..statement.ran };
        statement.capture = Kept { sha256: hash, bytes, ..statement.capture };
        let signed = Certificate::sign(statement, &key).unwrap();
        fs::write(&certificate, signed.bytes()).unwrap();
        let key = key.public_hex();
        Self { folder, certificate, capture, key }
    }

    fn verify(&self, arguments: &[&str]) -> Answer {
        let mut verify = command(&["verify"]);
        verify.args(arguments).arg(&self.certificate).env("XDG_DATA_HOME", self.folder.path());
        answer(verify.arg(&self.capture))
    }
}

fn answer(command: &mut std::process::Command) -> Answer {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn what_holds_is_told_in_full() {
    let signed = Signed::new();
    let answer = signed.verify(&[]);
    assert_eq!((answer.code, &*answer.stderr), (0, ""));
    for told in [
        "The certificate holds: /opt/\u{fffd}[31mapp reached nobody but socks5://127.0.0.1:1080.",
        "18 planted leaks, each stopped and seen",
        "an abstract socket outside, which was out of reach",
        "QUIC: 3 packets, udp to 2001:2::1 port 443 (CN), stopped",
        "stopped; by cu\\u{1b}rl (pid 7, /usr/bin/curl) < init (pid 1)\n",
        "left       2 programs still ran when the app had ended, and went with the room: hel\u{fffd}per (2)\n",
        "x11 /tmp/.X11-unix/X0: open, and not the network",
        "7 flows to the proxy, and 2 flows that it refused or did not answer",
        "unseen     5 packets that the room's own device dropped: nothing of them left",
        "is the one it speaks of",
        "this machine's key",
        "It does not prove what the proxy passed on",
    ] {
        assert!(answer.stdout.contains(told), "{told:?} is not in {}", answer.stdout);
    }
}

#[test]
fn a_changed_certificate_and_another_capture_are_found() {
    let signed = Signed::new();
    let found = |answer: Answer, thing: &str| {
        assert_eq!((answer.code, &*answer.stdout), (1, ""), "{answer:?}");
        assert!(answer.stderr.contains(thing) && answer.stderr.contains("hint: "), "{answer:?}");
    };
    fs::write(&signed.capture, b"Packets").unwrap();
    found(signed.verify(&[]), "app.pcapng: not the capture");
    let text = fs::read_to_string(&signed.certificate).unwrap();
    fs::write(&signed.certificate, text.replace("\"flows\": 7", "\"flows\": 6")).unwrap();
    found(signed.verify(&[]), "its signature does not fit");
    fs::write(&signed.certificate, text.replace("  ", "\t")).unwrap();
    found(signed.verify(&[]), "its bytes are not those of a certificate");
}

#[test]
fn the_key_that_must_have_signed_it_can_be_named() {
    let signed = Signed::new();
    assert_eq!(signed.verify(&["--key", &signed.key.to_uppercase()]).code, 0);
    let answer = signed.verify(&["--key", &"0".repeat(64)]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains(&signed.key), "{answer:?}");
}

#[test]
fn a_key_that_is_none_is_refused() {
    let signed = Signed::new();
    for key in ["", "abc", &"g".repeat(64), &"0".repeat(65)] {
        let answer = signed.verify(&["--key", key]);
        assert_eq!(answer.code, 2, "{answer:?}");
    }
}

#[test]
fn a_certificate_of_another_machine_says_so_and_its_capture_may_be_elsewhere() {
    let signed = Signed::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut verify = command(&["verify"]);
    let answer = answer(verify.arg(&signed.certificate).env("XDG_DATA_HOME", elsewhere.path()));
    assert_eq!(answer.code, 0);
    assert!(answer.stdout.contains("not this machine's key"), "{}", answer.stdout);
    assert!(answer.stdout.contains("not checked"), "{}", answer.stdout);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "checking makes no key");
}

#[test]
fn what_is_no_certificate_is_refused() {
    program::overheard(&["verify", "nowhere.json"]).refuses("nowhere.json");
    program::overheard(&["verify", "README.md"]).refuses("README.md: not a certificate");
}

#[test]
fn a_certificate_is_as_its_schema_says() {
    let schema = serde_json::from_str(include_str!("../../../docs/schema/certificate.schema.json"));
    let schema = jsonschema::draft202012::new(&schema.unwrap()).unwrap();
    let signed = Signed::new();
    let certificate: serde_json::Value =
        serde_json::from_slice(&fs::read(&signed.certificate).unwrap()).unwrap();
    if let Err(error) = schema.validate(&certificate) {
        panic!("{error} at {}", error.instance_path);
    }
    for part in [
        "/statement",
        "/statement/attempted/0",
        "/statement/doors/0",
        "/statement/left/0",
        "/statement/planted/0",
    ] {
        let mut more = certificate.clone();
        more.pointer_mut(part).unwrap()["unknown"] = true.into();
        assert!(!schema.is_valid(&more), "a field in {part} that is not in the schema");
    }
    let classes = schema_classes();
    let known: Vec<String> = Class::ALL.iter().map(|class| serde_json::to_string(class).unwrap()).collect();
    assert_eq!(classes, known);
}

fn schema_classes() -> Vec<String> {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/schema/certificate.schema.json")).unwrap();
    let classes = schema["$defs"]["class"]["enum"].as_array().unwrap();
    classes.iter().map(ToString::to_string).collect()
}
