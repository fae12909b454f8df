//! The table: who began, counts, states, round-trip times, reuse and bounds.

use crate::flow::{Conversations, Record, Table, Told};
use crate::packet::{Addresses, Packet, Segment, TcpFlags, TcpSegment, Tunnels};
use overheard_model::{BeganBy, Flow, FlowState, Protocol, Tell, Timestamp, Transport, Visibility};

const CLIENT: &str = "192.0.2.1";
const SERVER: &str = "198.51.100.2";
const SYN: u8 = TcpFlags::SYN;
const ACK: u8 = TcpFlags::ACK;
const FIN: u8 = TcpFlags::FIN;
const RST: u8 = TcpFlags::RST;

/// A conversation played packet by packet, one millisecond apart.
struct Play {
    table: Table,
    number: u64,
}

impl Play {
    fn new() -> Self {
        Self::within(1 << 20)
    }

    fn within(memory: usize) -> Self {
        Self { table: Table::new(memory), number: 0 }
    }

    fn packet(&mut self, src: &str, dst: &str, segment: Segment<'_>) {
        self.number += 1;
        self.table.observe(&Packet {
            number: self.number,
            time: Timestamp(self.number as i64 * 1_000_000),
            addresses: Addresses::of(src.parse().unwrap(), dst.parse().unwrap()).unwrap(),
            segment,
            frames: 1,
            wire_bytes: 100,
            tunnels: Tunnels::default(),
        });
    }

    /// From the client's port 50000 to the server's port 443.
    fn out(&mut self, flags: u8, seq: u32, ack: u32, payload: &[u8]) {
        self.packet(CLIENT, SERVER, tcp(50000, 443, flags, seq, ack, payload));
    }

    fn back(&mut self, flags: u8, seq: u32, ack: u32, payload: &[u8]) {
        self.packet(SERVER, CLIENT, tcp(443, 50000, flags, seq, ack, payload));
    }

    fn handshake(&mut self) {
        self.out(SYN, 99, 0, b"");
        self.back(SYN | ACK, 499, 100, b"");
        self.out(ACK, 100, 500, b"");
    }

    fn flows(self) -> Vec<Flow> {
        told(self.table.tell())
    }

    fn flow(self) -> Flow {
        let mut flows = self.flows();
        assert_eq!(flows.len(), 1);
        flows.remove(0)
    }
}

fn told(Told { records, resolver, .. }: Told) -> Vec<Flow> {
    let conversations =
        Conversations { capture: "test".into(), records, resolver, owners: Default::default() };
    (0..conversations.len()).filter_map(|index| conversations.tell(index)).collect()
}

fn tcp(src_port: u16, dst_port: u16, flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Segment<'_> {
    Segment::Tcp(TcpSegment { src_port, dst_port, seq, ack, flags: TcpFlags(flags), payload, missing: 0 })
}

fn udp(src_port: u16, dst_port: u16, payload: &[u8]) -> Segment<'_> {
    Segment::Udp { src_port, dst_port, payload, missing: 0 }
}

#[test]
fn a_whole_connection() {
    let mut play = Play::new();
    play.handshake();
    play.out(ACK, 100, 500, b"xx");
    play.back(ACK | FIN, 500, 102, b"");
    play.out(ACK | FIN, 102, 501, b"");
    let flow = play.flow();
    assert_eq!((flow.src_port, flow.dst_port, flow.began_by), (50000, 443, BeganBy::Syn));
    assert_eq!((flow.packets_out, flow.packets_in, flow.bytes_out, flow.bytes_in), (4, 2, 400, 200));
    assert_eq!((flow.state, flow.rtt_ms, flow.retransmissions), (FlowState::Closed, Some(2.0), 0));
    assert_eq!((flow.first_packet, flow.last_packet), (1, 6));
}

#[test]
fn a_syn_ack_tells_who_began() {
    let mut play = Play::new();
    play.back(SYN | ACK, 499, 100, b"");
    let flow = play.flow();
    assert_eq!((flow.src_port, flow.began_by, flow.packets_in), (50000, BeganBy::Syn, 1));
}

#[test]
fn midstream_the_known_port_is_the_responder() {
    let mut play = Play::new();
    play.back(ACK, 7, 9, b"x");
    let flow = play.flow();
    assert_eq!((flow.src_port, flow.began_by, flow.state), (50000, BeganBy::KnownPort, FlowState::Midstream));
    let mut play = Play::new();
    play.packet(SERVER, CLIENT, tcp(40001, 40000, ACK, 7, 9, b"x"));
    let flow = play.flow();
    assert_eq!((flow.src_port, flow.began_by), (40001, BeganBy::FirstPacket));
}

#[test]
fn states_of_what_never_came_to_be() {
    let mut scan = Play::new();
    scan.out(SYN, 99, 0, b"");
    assert_eq!(scan.flow().state, FlowState::Unanswered);
    let mut refused = Play::new();
    refused.out(SYN, 99, 0, b"");
    refused.back(RST | ACK, 0, 100, b"");
    assert_eq!(refused.flow().state, FlowState::Refused);
    let mut reset = Play::new();
    reset.handshake();
    reset.back(RST, 500, 0, b"");
    assert_eq!(reset.flow().state, FlowState::Reset);
}

#[test]
fn a_repeated_syn_gives_no_round_trip_time() {
    let mut play = Play::new();
    play.out(SYN, 99, 0, b"");
    play.handshake();
    let flow = play.flow();
    assert_eq!((flow.rtt_ms, flow.retransmissions, flow.state), (None, 1, FlowState::Established));
}

#[test]
fn repetitions_are_told_from_late_segments_and_keepalives() {
    let mut play = Play::new();
    play.handshake();
    play.out(ACK, 100, 500, b"ab");
    play.out(ACK, 104, 500, b"ef");
    play.out(ACK, 102, 500, b"cd");
    play.out(ACK, 104, 500, b"ef");
    play.out(ACK, 105, 500, b"f");
    let flow = play.flow();
    assert_eq!(flow.retransmissions, 1, "the last is a keepalive");
    assert_eq!((flow.gap_bytes, flow.conflicting_bytes), (0, 0));
}

#[test]
fn a_port_used_again_goes_on_in_the_same_flow() {
    let mut play = Play::new();
    play.handshake();
    play.out(ACK, 100, 500, &[0; 40]);
    play.out(ACK | FIN, 140, 500, b"");
    play.back(ACK | FIN, 500, 141, b"");
    play.out(SYN, 70_000, 0, b"");
    play.back(SYN | ACK, 90_000, 70_001, b"");
    play.out(ACK, 70_001, 90_001, &[1; 40]);
    let flow = play.flow();
    assert_eq!((flow.packets_out, flow.state, flow.rtt_ms), (6, FlowState::Established, Some(2.0)));
    assert_eq!((flow.gap_bytes, flow.retransmissions), (0, 0), "the streams begin anew");
}

#[test]
fn a_gap_in_what_was_read_is_counted() {
    let mut play = Play::new();
    play.handshake();
    play.out(ACK, 100, 500, b"ab");
    play.out(ACK, 110, 500, b"kl");
    assert_eq!(play.flow().gap_bytes, 8);
}

#[test]
fn unknown_payload_is_measured() {
    let mut play = Play::new();
    play.packet(CLIENT, SERVER, udp(40000, 40001, b"greetings, whoever you are\r\n"));
    let flow = play.flow();
    assert_eq!((flow.protocol, flow.visibility), (Protocol::UnknownPlaintext, Visibility::Readable));
    assert_eq!(flow.measure.map(|measure| measure.bytes), Some(28));
    let mut silent = Play::new();
    silent.handshake();
    let flow = silent.flow();
    assert_eq!((flow.protocol, flow.measure), (Protocol::NoPayload, None));
}

#[test]
fn echo_and_reply_are_one_flow_and_an_error_another() {
    let icmp = |kind, code| Segment::Icmp { transport: Transport::Icmp, kind, code, rest: &[] };
    let mut play = Play::new();
    play.packet(CLIENT, SERVER, icmp(8, 0));
    play.packet(SERVER, CLIENT, icmp(0, 0));
    play.packet(SERVER, CLIENT, icmp(3, 1));
    let flows = play.flows();
    let counts: Vec<_> =
        flows.iter().map(|flow| (flow.src_port, flow.packets_out, flow.packets_in)).collect();
    assert_eq!(counts, [(0, 1, 1), (0, 1, 0)]);
}

#[test]
fn fragments_without_ports_join_no_flow_with_ports() {
    let mut play = Play::new();
    play.packet(CLIENT, SERVER, udp(0, 0, b"x"));
    play.packet(CLIENT, SERVER, Segment::Other { transport: Transport::Udp });
    let transports: Vec<_> = play.flows().iter().map(|flow| flow.transport.to_string()).collect();
    assert_eq!(transports, ["udp", "ip-17"]);
}

#[test]
fn a_scan_cannot_exhaust_memory() {
    let mut play = Play::within(1 << 20);
    play.handshake();
    for port in 1..=20_000 {
        play.packet(SERVER, CLIENT, tcp(40_000, port, SYN, 1, 0, b""));
    }
    let told = play.table.tell();
    let evicted: u64 = told.problems.clone().into_vec().iter().map(|problem| problem.count).sum();
    let flows = self::told(told);
    assert!(flows.len() < 2_000, "{}", flows.len());
    assert_eq!(flows[0].state, FlowState::Established, "answered flows stay");
    assert_eq!(evicted + flows.len() as u64, 20_001);
}

#[test]
fn streams_with_holes_cannot_exhaust_memory() {
    let mut play = Play::within(4 << 20);
    for port in 1..=200 {
        for at in 0..40 {
            play.packet(
                CLIENT,
                SERVER,
                tcp(port, 40_000, ACK, 1 + u32::from(at > 0) + at * 1400, 0, &[9; 1400]),
            );
        }
    }
    assert!(play.table.footprint() <= 4 << 20);
    let told = play.table.tell();
    assert_eq!(told.records.len(), 200);
    let kinds: Vec<_> =
        told.problems.into_vec().into_iter().map(|problem| problem.kind.to_string()).collect();
    assert_eq!(kinds, ["stream-evicted"]);
}

/// An HTTP reader keeps a line whose end has not come, up to 64 KiB a side: the table must know.
#[test]
fn readers_that_keep_much_cannot_exhaust_memory() {
    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nCookie: ";
    let mut play = Play::within(4 << 20);
    for port in 1..=200 {
        play.packet(CLIENT, SERVER, tcp(port, 80, ACK, 1, 0, HEAD));
        for at in 0..40 {
            let seq = 1 + HEAD.len() as u32 + at * 1400;
            play.packet(CLIENT, SERVER, tcp(port, 80, ACK, seq, 0, &[b'x'; 1400]));
        }
    }
    assert!(play.table.footprint() <= 4 << 20);
    let told = play.table.tell();
    let evicted = told.problems.clone().into_vec();
    let flows = self::told(told);
    assert!(flows.iter().all(|flow| flow.protocol == Protocol::Http) && flows.len() == 200);
    assert!(evicted.len() == 1 && &*evicted[0].kind == "stream-evicted" && evicted[0].count > 100);
}

/// An HTTP connection that is used again after a long pause: the request after it is read too, though
/// a segment between was lost.
#[test]
fn a_quiet_flow_is_read_on_when_it_speaks_again() {
    let mut play = Play::new();
    play.handshake();
    play.out(ACK, 100, 500, b"GET / HTTP/1.1\r\nHost: one.example\r\n\r\n");
    play.number += 200_000; // milliseconds
    play.out(ACK, 900, 500, b"GET / HTTP/1.1\r\nHost: two.example\r\n\r\n");
    let flow = play.flow();
    let names: Vec<&str> = flow.names.iter().map(|name| &*name.name).collect();
    assert_eq!((flow.protocol, names), (Protocol::Http, vec!["one.example", "two.example"]));
}

/// One datagram each way; nothing back from an address that cannot answer.
pub(super) fn exchange(src: &str, dst: &str, packet: u64) -> Record {
    let mut play = Play::new();
    play.number = packet - 1;
    play.packet(src, dst, udp(40_000, 443, b""));
    if !crate::place::scope::is_multicast(dst.parse().unwrap()) {
        play.packet(dst, src, udp(443, 40_000, b""));
    }
    play.table.tell().records.remove(0)
}
