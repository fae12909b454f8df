//! Names that point into themselves, and answers without end.

use super::cost::{FIXED, MIB, count_of, little, read_all, read_within, size, turn};
use super::source::Lazy;
use super::wire::{CLIENT, PCAP, SERVER, Talk, datagram, ipv4, pcap, record, udp};

/// A response with one question and so many answers; what follows the header is the caller's.
fn response(answers: u16, body: &[u8]) -> Vec<u8> {
    let counts = [1, answers, 0, 0].map(u16::to_be_bytes).concat();
    [&[0x12, 0x34, 0x81, 0x80][..], &counts, body].concat()
}

/// Header of an answer of a type, with data of a length.
fn answer(name: &[u8], kind: u16, length: usize) -> Vec<u8> {
    let fields = [kind.to_be_bytes(), [0, 1], [0, 0], [0, 60], (length as u16).to_be_bytes()].concat();
    [name, &fields].concat()
}

fn answered(message: &[u8]) -> Vec<u8> {
    ipv4(SERVER, CLIENT, 17, &udp((53, 40_000), message))
}

/// A pointer to itself, two that point at each other, forwards, to the header, beyond the end, a chain of
/// as many pointers as a message holds, and labels between them that make the name longer each time round.
#[test]
fn compression_loops_come_to_an_end() {
    let _turn = turn();
    let mut chain = vec![0xc0, 12];
    (0..30_000_u16).for_each(|n| chain.extend((0xc000 | ((12 + n * 2) & 0x3fff)).to_be_bytes()));
    let bodies: [Vec<u8>; 8] = [
        vec![0xc0, 12, 0, 1, 0, 1],
        vec![0xc0, 14, 0xc0, 12, 0, 1, 0, 1],
        vec![0xc0, 14, 1, b'a', 0, 0, 1, 0, 1],
        vec![0xc0, 0, 0, 1, 0, 1],
        vec![0xff, 0xff, 0, 1, 0, 1],
        [&[1, b'a', 0xc0, 12][..], &[0, 1, 0, 1]].concat(),
        [&[63][..], &[b'a'; 63], &[0xc0, 12], &[0, 1, 0, 1]].concat(),
        chain,
    ];
    for (number, body) in bodies.iter().enumerate() {
        let packets: Vec<_> = (0..size(200, 5_000)).map(|_| answered(&response(2, body))).collect();
        let reading = read_all(FIXED, &pcap(&packets));
        assert_eq!(reading.flows.len(), 1, "{number}");
    }
}

/// Every answer's name is the longest chain of pointers that the message offers.
#[test]
fn answers_that_all_walk_the_longest_name_are_read_in_time() {
    let _turn = turn();
    let mut body = vec![0];
    body.extend([0, 1, 0, 1]);
    // 127 labels of one byte; then answers of no data that begin with a pointer to them.
    let name_at = 12 + body.len() as u16;
    body.extend([1, b'a'].repeat(126));
    body.push(0);
    body.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 9, 8, 7]);
    let pointer = (0xc000 | name_at).to_be_bytes();
    let each = [answer(&pointer, 1, 4), vec![198, 51, 100, 7]].concat();
    body.extend(each.repeat(4_000));
    let message = response(4_001, &body);
    let packets: Vec<_> = (0..size(20, 400)).map(|_| answered(&message)).collect();
    let reading = read_all(little().memory + FIXED, &pcap(&packets));
    assert_eq!(reading.flows.len(), 1);
}

/// Chains of canonical names that lead in circles, asked for again in each message.
#[test]
fn circles_of_canonical_names_come_to_an_end() {
    let _turn = turn();
    let mut body = b"\x01a\0\0\x01\0\x01".to_vec();
    for n in 0..1_000_u16 {
        let [high, low] = (b'a' as u16 + n % 26).to_be_bytes();
        let (own, next) = ([1, low, 0], [1, b'a' + ((n + 1) % 26) as u8, high]);
        body.extend(answer(&own, 5, 3));
        body.extend(next);
    }
    let packets: Vec<_> = (0..size(20, 400)).map(|_| answered(&response(1_000, &body))).collect();
    let reading = read_all(FIXED, &pcap(&packets));
    assert_eq!(reading.flows.len(), 1);
}

/// A resolver that answers a new name for a new address with every packet: names have a share of
/// `--memory`, and what does not fit is counted.
#[test]
fn answers_without_end_are_kept_within_memory() {
    let _turn = turn();
    let packets = size(200_000, 3_000_000);
    let name = |n: u64| format!("\x10{n:016x}\x07example\0").into_bytes();
    let message = |n: u64| {
        let question = [&name(n)[..], &[0, 1, 0, 1]].concat();
        let address = (n as u32).wrapping_mul(0x9e37_79b1).to_be_bytes();
        answered(&response(1, &[question, answer(&[0xc0, 12], 1, 4), address.to_vec()].concat()))
    };
    let bytes = packets * (16 + message(0).len() as u64);
    let source = Lazy::new(packets + 1, |n, file| match n {
        0 => file.extend(PCAP),
        n => record(n, &message(n), file),
    });
    let reading = read_within(little().memory, &little(), bytes, source);
    assert!(count_of(&reading, "name-refused") > 0, "{:?}", reading.capture.problems);
}

/// Over TCP a message says its own length, which never comes.
#[test]
fn messages_over_tcp_that_never_end_are_given_up() {
    let _turn = turn();
    let start = [&[0xff, 0xff][..], &response(1, b"\x01a\0\0\x01\0\x01")].concat();
    let talk = Talk::new(53).out(&start, 1).back(&start, 1).back(&vec![0; 60_000], 1);
    let reading = read_all(FIXED, &talk.pcap());
    assert_eq!(reading.flows.len(), 1);
}

/// Queries alone, of names that never end.
#[test]
fn queries_of_endless_names_hold_nothing() {
    let _turn = turn();
    let query = [&[0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &[63; 1200]].concat();
    let packets: Vec<_> = (0..size(1_000, 50_000)).map(|_| datagram((40_000, 53), &query)).collect();
    let reading = read_all(FIXED + MIB, &pcap(&packets));
    assert_eq!(reading.flows.len(), 1);
}
