//! Headers without end, in HTTP/1 and HTTP/2.

use super::cost::{FIXED, MIB, read_all, size, turn};
use super::wire::Talk;
use overheard_model::Reading;

/// A mebibyte as Ethernet carries it.
const SEGMENT: usize = 1400;

/// The names that the flows themselves said.
fn names(reading: &Reading) -> Vec<String> {
    let names = reading.flows.iter().flat_map(|flow| flow.names);
    names.map(|name| name.name.to_string()).collect()
}

/// What the client says to a web server, and what else that flow may hold.
fn said(bytes: &[u8], port: u16, beside: usize) -> Reading {
    read_all(FIXED + beside, &Talk::new(port).out(bytes, SEGMENT).pcap())
}

#[test]
fn headers_without_end_are_given_up() {
    let _turn = turn();
    let much = size(2, 32) as usize * MIB;
    let floods: [(&[u8], &[u8]); 5] = [
        (b"GET / HTTP/1.1\r\nCookie: ", b"a"),
        (b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
        (b"GET / HTTP/1.1\r\n", b" folded\r\n"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;ext\r\nx\r\n"),
        (b"GET / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", b"GET / HTTP/1.1\r\n"),
    ];
    for (start, more) in floods {
        let bytes = [start, &more.repeat(much / more.len())].concat();
        assert_eq!(said(&bytes, 80, 0).flows.len(), 1);
    }
}

/// The same in segments of a byte: what waits for a line's end is not looked through each time.
#[test]
fn a_header_line_in_segments_of_a_byte_is_read_in_time() {
    let _turn = turn();
    let line =
        [&b"GET / HTTP/1.1\r\nCookie: "[..], &[b'a'; 60_000], b"\r\nHost: slow.example\r\n\r\n"].concat();
    let reading = read_all(FIXED, &Talk::new(80).out(&line, 1).pcap());
    assert_eq!(names(&reading), ["slow.example"]);
}

/// Requests without number in one flow, each with a name of its own.
#[test]
fn names_without_number_are_bounded() {
    let _turn = turn();
    let request = |n: u64| format!("GET / HTTP/1.1\r\nHost: {n}.example\r\n\r\n");
    let bytes: String = (0..size(20_000, 400_000)).map(request).collect();
    let reading = said(bytes.as_bytes(), 80, 8 * MIB);
    assert!(names(&reading).len() < 1000, "{}", names(&reading).len());
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// A frame (RFC 9113 §4.1) of stream 1.
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &1_u32.to_be_bytes(), payload].concat()
}

/// CVE-2024-27316 and its kin.
#[test]
fn a_flood_of_continuations_is_given_up() {
    let _turn = turn();
    let floods = [vec![], vec![0x82; 1000], vec![0; 16 << 10]];
    for payload in floods {
        let one = frame(CONTINUATION, 0, &payload);
        let mut bytes = [PREFACE, &frame(HEADERS, 0, &[0x82])].concat();
        bytes.extend(one.repeat((size(2, 32) as usize * MIB) / one.len()));
        said(&bytes, 80, 0);
    }
}

/// RFC 7541 §7.3: an entry of the table is named again and again, by one byte each.
#[test]
fn a_header_bomb_unfolds_to_nothing() {
    let _turn = turn();
    let rounds = size(4, 60) as usize;
    for static_name in [1_u8, 15, 38] {
        // A literal with a name of the static table (1 is :authority, 38 is host), entered into the dynamic
        // one; then 62, the newest entry there.
        let mut entry = if static_name < 63 { vec![0x40 | static_name] } else { vec![] };
        entry.extend([0x7f, 0x80 | (3_800_u32 - 127) as u8 & 0x7f | 0x80, ((3_800_u32 - 127) >> 7) as u8]);
        entry.extend([b'a'; 3_800]);
        let block = [&entry[..], &[0xbe; 12_000]].concat();
        let mut bytes = PREFACE.to_vec();
        for _ in 0..rounds {
            bytes.extend(frame(HEADERS, 0, &block));
            for _ in 0..3 {
                bytes.extend(frame(CONTINUATION, 0, &[0xbe; 15_000]));
            }
            bytes.extend(frame(CONTINUATION, END_HEADERS, &[]));
        }
        said(&bytes, 80, 0);
    }
}

/// The table grows to what it may hold, over and over (RFC 7541 §6.3).
#[test]
fn tables_that_change_their_size_are_bounded() {
    let _turn = turn();
    let update = [0x3f, 0xe1, 0xff, 0xff, 0xff, 0x07];
    let block = [&update[..], &[0x20], &update].concat().repeat(1000);
    let bytes = [PREFACE, &frame(HEADERS, END_HEADERS, &block).repeat(size(20, 400) as usize)].concat();
    said(&bytes, 80, 0);
}
