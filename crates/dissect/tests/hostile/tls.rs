//! ClientHellos in the smallest pieces.

use super::cost::{FIXED, MIB, count_of, little, read_all, size, turn};
use super::wire::{ACK, SERVER, Talk, ipv4, pcap, tcp};

/// A ClientHello of so many bytes that asks for `deep.example`, in records of at most 16 KiB (RFC 8446
/// §5.1); the padding stands before the name.
pub fn hello(length: usize, per_record: usize) -> Vec<u8> {
    let extension = |kind: u16, value: &[u8]| {
        [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
    };
    let name = b"deep.example";
    let entry = [&[0][..], &(name.len() as u16).to_be_bytes(), name].concat();
    let server_name = extension(0, &[&(entry.len() as u16).to_be_bytes()[..], &entry].concat());
    let beside = 4 + 2 + 32 + 1 + 4 + 2 + 2 + 4 + server_name.len();
    let extensions = [extension(21, &vec![0; length - beside]), server_name].concat();
    let mut body = [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0x13, 1], &[1, 0]].concat();
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1];
    message.extend(&(body.len() as u32).to_be_bytes()[1..]);
    message.extend(body);
    let records = message
        .chunks(per_record)
        .map(|part| [&[0x16, 3, 1][..], &(part.len() as u16).to_be_bytes(), part].concat());
    records.collect::<Vec<_>>().concat()
}

/// The longest that a two-byte length of its extensions allows, one byte in a segment. Hellos of that
/// length are no longer read to their end: that is a bound, and the flow is still TLS.
#[test]
fn a_hello_of_64_kilobytes_in_segments_of_a_byte() {
    let _turn = turn();
    for per_record in [16 << 10, 1] {
        let talk = Talk::new(443).out(&hello(65_000, per_record), 1);
        let file = talk.pcap();
        let reading = read_all(FIXED, &file);
        assert_eq!(reading.flows.len(), 1);
        let flow = reading.flows.iter().next().expect("one");
        assert_eq!(flow.protocol.to_string(), "tls", "records of {per_record}");
    }
}

/// One that is within what is read is read, though it comes byte by byte.
#[test]
fn a_hello_of_12_kilobytes_in_segments_of_a_byte_is_read() {
    let _turn = turn();
    let talk = Talk::new(443).out(&hello(12_000, 1000), 1);
    let reading = read_all(FIXED, &talk.pcap());
    let names: Vec<_> = reading.flows.iter().flat_map(|flow| flow.names).map(|name| name.name).collect();
    assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["deep.example"]);
}

/// Its segments come from the last to the first: each is put before all that wait.
#[test]
fn a_hello_backwards_in_segments_of_a_byte() {
    let _turn = turn();
    let mut talk = Talk::new(443).out(&hello(65_000, 16 << 10), 1);
    talk.frames[3..].reverse();
    let reading = read_all(FIXED, &talk.pcap());
    assert_eq!(reading.flows.len(), 1);
}

/// Many flows at once hold hellos that never end: what they hold is charged and given up.
#[test]
fn hellos_that_never_end_are_kept_within_memory() {
    let _turn = turn();
    let (flows, start) = (size(2_000, 20_000) as u32, hello(16_000, 16_000));
    let frames = |flow: u32| {
        let parts = start[..14_000].chunks(1400).enumerate();
        parts.map(move |(n, part)| {
            ipv4(0x0a00_0000 + flow, SERVER, 6, &tcp((40_000, 443), 1 + n as u32 * 1400, 1, ACK, part))
        })
    };
    let frames: Vec<_> = (0..flows).flat_map(frames).collect();
    let reading = read_all(little().memory + 4 * MIB, &pcap(&frames));
    assert_eq!(reading.flows.len(), flows as usize);
    assert!(count_of(&reading, "stream-evicted") > 0);
}
