//! What opens, at which packet, and what stays closed.

use super::*;
use crate::payloads::Way;
use crate::proto::client_hello::tests::{body, extension_of, message};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};

/// Handshake and application traffic secret of the client, and its records, in RFC 8448 §3.
const HANDSHAKE: &str = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21";
const TRAFFIC: &str = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
const FINISHED: &str = "170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384\
     bd1caeacab6867d726c40546";
const DATA: &str = "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b6297\
     4e1f5a6292a2977014bd1e3deae63aeebb21694915e4";

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.bytes().filter_map(|byte| char::from(byte).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(content.len() as u16).to_be_bytes(), content].concat()
}

/// A stream in packets of ten bytes, the first with this number.
fn payload(ours: bool, packet: u64, bytes: Vec<u8>) -> Payload {
    let ends = [1, 2].map(|last| (IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), u16::from(last)));
    let [from, to] = if ours { ends } else { [ends[1], ends[0]] };
    let packets = (0..bytes.len()).step_by(10).zip(packet..).collect();
    Payload { way: Way { transport: Transport::Tcp, from, to }, decrypted: false, bytes, packets }
}

fn client(rest: &[u8]) -> Payload {
    let hello = record(22, &message(CLIENT_HELLO, &body(0x0303, &[0x1301], &[])));
    payload(true, 1, [&hello, rest].concat())
}

fn server(version: u16, cipher: u16, extensions: &[u8]) -> Payload {
    let [high, low] = cipher.to_be_bytes();
    let extensions = [&(extensions.len() as u16).to_be_bytes()[..], extensions].concat();
    let hello = [&version.to_be_bytes()[..], &[5; 32], &[0, high, low, 0], &extensions].concat();
    payload(false, 2, record(22, &message(SERVER_HELLO, &hello)))
}

fn tls_1_3() -> Payload {
    server(0x0303, 0x1301, &extension_of(0x2b, &[3, 4]))
}

fn log(lines: &[(&str, &str)]) -> KeyLog {
    let random = "09".repeat(32);
    let text: String = lines.iter().map(|(label, secret)| format!("{label} {random} {secret}\n")).collect();
    KeyLog::read(&[(0x544c_534b, text.into())])
}

fn decrypt(payloads: &[Payload], log: &KeyLog) -> Decrypted {
    let mut decrypted = Decrypted::default();
    super::decrypt(payloads, log, &mut decrypted);
    decrypted
}

#[test]
fn the_records_of_rfc_8448_open_at_their_packet() {
    let (finished, data) = (unhex(FINISHED), unhex(DATA));
    let asking = client(&[&finished[..], &data].concat());
    let all = [("CLIENT_HANDSHAKE_TRAFFIC_SECRET", HANDSHAKE), ("CLIENT_TRAFFIC_SECRET_0", TRAFFIC)];
    let packet = asking.packet_at(asking.bytes.len() - data.len()).expect("a packet");
    let both = [asking, tls_1_3()];
    for (secrets, sealed) in [(&all[..], 0), (&all[1..], finished.len() - HEADER)] {
        let decrypted = decrypt(&both, &log(secrets));
        let [opened] = &decrypted.payloads[..] else { panic!("{decrypted:?}") };
        assert_eq!(opened.bytes, (0..50).collect::<Vec<u8>>());
        assert_eq!(opened.packets, [(0, packet)]);
        assert!(opened.decrypted && opened.way == both[0].way);
        assert_eq!(decrypted.sealed.values().sum::<u64>(), sealed as u64);
    }
}

#[test]
fn what_cannot_be_opened_is_counted() {
    let data = unhex(DATA);
    let traffic = log(&[("CLIENT_TRAFFIC_SECRET_0", TRAFFIC)]);
    let short = log(&[("CLIENT_TRAFFIC_SECRET_0", &TRAFFIC[2..])]);
    let sealed = |answer: Payload, log: &KeyLog| {
        let decrypted = decrypt(&[client(&data), answer], log);
        assert!(decrypted.payloads.is_empty());
        decrypted.sealed.values().sum::<u64>()
    };
    let whole = (data.len() - HEADER) as u64;
    assert_eq!(sealed(tls_1_3(), &KeyLog::default()), whole, "no secret");
    assert_eq!(sealed(tls_1_3(), &short), whole, "a secret that is too short");
    assert_eq!(sealed(server(0x0303, 0x1304, &extension_of(0x2b, &[3, 4])), &traffic), whole, "CCM");
    assert_eq!(sealed(server(0x0302, 0xc013, &[]), &traffic), whole, "TLS 1.1");
    let early = Payload { packets: vec![(0, 1)], ..tls_1_3() };
    assert_eq!(sealed(early, &traffic), whole, "an answer before the question is another's");
}

/// A port that is used again: each question goes with the answer that came next.
#[test]
fn conversations_of_one_pair_of_ports_are_told_apart() {
    let asking = client(&unhex(DATA));
    let later: Vec<(usize, u64)> = asking.packets.iter().map(|(at, packet)| (*at, packet + 100)).collect();
    let again = Payload { packets: later, ..asking.clone() };
    let answered = Payload { packets: vec![(0, 102)], ..tls_1_3() };
    let weak = server(0x0303, 0x002f, &[]);
    let traffic = log(&[("CLIENT_TRAFFIC_SECRET_0", TRAFFIC)]);
    let opened = decrypt(&[asking, again, answered, weak], &traffic).payloads;
    assert!(matches!(&opened[..], [one] if one.packets[0].1 > 100), "{opened:?}");
}

proptest! {
    #[test]
    fn any_bytes_behind_hellos_are_survived(
        rest in prop::collection::vec(any::<u8>(), 0..300),
        at in 0_usize..400,
        value: u8,
    ) {
        let mut asking = client(&[&unhex(FINISHED)[..], &unhex(DATA), &rest].concat());
        if let Some(byte) = asking.bytes.get_mut(at) {
            *byte = value;
        }
        let long = asking.bytes.len();
        let all = log(&[("CLIENT_HANDSHAKE_TRAFFIC_SECRET", HANDSHAKE), ("CLIENT_TRAFFIC_SECRET_0", TRAFFIC)]);
        let decrypted = decrypt(&[asking, tls_1_3()], &all);
        prop_assert!(decrypted.payloads.iter().all(|payload| payload.bytes == (0..50).collect::<Vec<u8>>()));
        prop_assert!(decrypted.sealed.values().sum::<u64>() <= long as u64);
    }
}
