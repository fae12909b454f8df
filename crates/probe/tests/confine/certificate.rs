//! A certificate holds as it was signed and in no other way.

use crate::statement::statement;
use overheard_model::Transport;
use overheard_probe::confine::{Broken, Certificate, Class, Fault, Passed, SigningKey, Statement};

fn key() -> SigningKey {
    let folder = tempfile::tempdir().unwrap();
    SigningKey::open(&folder.path().join("key")).unwrap()
}

fn faults(change: impl FnOnce(&mut Statement)) -> Vec<Fault> {
    let mut changed = statement();
    change(&mut changed);
    Certificate::sign(changed, &key()).expect_err("it certifies nothing")
}

#[test]
fn what_was_signed_is_read_back() {
    let key = key();
    let certificate = Certificate::sign(statement(), &key).unwrap();
    let read = Certificate::read(&certificate.bytes()).unwrap();
    assert_eq!((read.statement(), read.key()), (&statement(), certificate.key()));
    assert_eq!(read.key(), key.public_hex());
}

/// Each of its bytes, in each of its bits; and each byte taken away, and one put before each.
#[test]
fn any_changed_byte_is_found() {
    let bytes = Certificate::sign(statement(), &key()).unwrap().bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(Certificate::read(&changed).is_err(), "bit {bit} of byte {at}");
        }
        let mut shorter = bytes.clone();
        shorter.remove(at);
        assert!(Certificate::read(&shorter).is_err(), "without byte {at}");
        let mut longer = bytes.clone();
        longer.insert(at, b' ');
        assert!(Certificate::read(&longer).is_err(), "a blank before byte {at}");
    }
    assert!(Certificate::read(&[&bytes[..], b"\n"].concat()).is_err());
    assert!(Certificate::read(&bytes).is_ok());
}

#[test]
fn the_signature_of_another_key_does_not_fit() {
    let text = |certificate: Certificate| String::from_utf8(certificate.bytes()).unwrap();
    let (ours, theirs) =
        (Certificate::sign(statement(), &key()).unwrap(), Certificate::sign(statement(), &key()).unwrap());
    let mixed = text(ours.clone()).replace(ours.key(), theirs.key());
    assert_eq!(Certificate::read(mixed.as_bytes()), Err(Broken::Signature));
}

#[test]
fn a_class_that_was_not_tested_stopped_and_seen_is_not_certified() {
    assert_eq!(
        faults(|it| it.planted.retain(|leak| leak.class != Class::Mdns)),
        [Fault::NotPlanted(Class::Mdns)]
    );
    assert_eq!(faults(|it| it.planted[6].stopped = false), [Fault::NotStopped(Class::Dns)]);
    assert_eq!(faults(|it| it.planted[17].seen = false), [Fault::NotSeen(Class::OtherUdp)]);
    // One of two that got out is enough.
    let twice = faults(|it| {
        let mut again = it.planted[6].clone();
        again.stopped = false;
        it.planted.push(again);
    });
    assert_eq!(twice, [Fault::NotStopped(Class::Dns)]);
}

#[test]
fn whoever_else_was_reached_forbids_it_and_so_does_a_gap() {
    let other = "198.18.0.1:443".parse().unwrap();
    let reached = Passed { transport: Transport::Tcp, to: other, flows: 1 };
    assert_eq!(faults(|it| it.passed.push(reached)), [Fault::Passed(Transport::Tcp, other)]);
    let at = statement().proxy.at[0];
    let datagram = Passed { transport: Transport::Udp, to: at, flows: 1 };
    assert_eq!(faults(|it| it.passed.push(datagram)), [Fault::Passed(Transport::Udp, at)]);
    assert_eq!(faults(|it| it.abstract_sockets_cut = false), [Fault::AbstractSockets]);
    assert_eq!(faults(|it| it.capture.lost = 2), [Fault::Lost(2)]);
}

#[test]
fn other_versions_and_other_files_are_told_apart() {
    let signed = String::from_utf8(Certificate::sign(statement(), &key()).unwrap().bytes()).unwrap();
    let later = signed.replacen("\"format\": 1", "\"format\": 2", 1);
    for (file, expected) in [(&*later, "format 2"), ("{}", "missing field"), ("", "EOF")] {
        let Err(Broken::Unknown(why)) = Certificate::read(file.as_bytes()) else { panic!("{file:?}") };
        assert!(why.contains(expected), "{why}");
    }
    let spaced = signed.replacen("\"format\": 1", "\"format\":  1", 1);
    assert_eq!(Certificate::read(spaced.as_bytes()), Err(Broken::Rewritten));
}
