//! Packets and fragments stated byte by byte.

use super::fragment::{Origin, Reassembly};
use super::*;
use crate::decode::Decoder;
use crate::packet::{Frame, Packet, TcpFlags, Undecoded};
use overheard_model::{Timestamp, Transport};

pub(crate) const SRC: [u8; 4] = [192, 0, 2, 1];
pub(crate) const DST: [u8; 4] = [198, 51, 100, 2];
pub(crate) const RAW: u32 = 101;

pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// An IPv4 packet; `flags` is the word of flags and fragment offset.
pub(crate) fn v4_with(id: u16, flags: u16, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len() as u16).to_be_bytes();
    let [id, flags] = [id.to_be_bytes(), flags.to_be_bytes()];
    join(&[&[0x45, 0], &total, &id, &flags, &[64, protocol, 0, 0], &SRC, &DST, payload])
}

pub(crate) fn v4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    v4_with(1, 0x4000, protocol, payload)
}

/// An IPv6 packet from 2001:db8::1 to 2001:db8::2.
pub(crate) fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    let address = |last| [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    join(&[&[0x60, 0, 0, 0], &length, &[next, 64], &address(1), &address(2), payload])
}

pub(crate) fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len() as u16).to_be_bytes();
    join(&[&src.to_be_bytes(), &dst.to_be_bytes(), &length, &[0, 0], payload])
}

/// A TCP SYN-ACK with four bytes of options.
pub(crate) fn tcp(payload: &[u8]) -> Vec<u8> {
    let header = [0x01, 0xbb, 0xc0, 0, 0, 0, 0, 7, 0, 0, 0, 9, 0x60, 0x12, 1, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4];
    join(&[&header, payload])
}

pub(crate) fn frame(link: u32, bytes: &[u8]) -> Frame<'_> {
    let wire_len = bytes.len() as u32;
    Frame { number: 1, time: Timestamp(0), wire_len, link, bytes }
}

/// Decodes one frame and hands its packet over.
pub(crate) fn with_packet<T>(
    link: u32,
    bytes: &[u8],
    look: impl FnOnce(Result<Packet<'_>, Undecoded>) -> T,
) -> T {
    look(Decoder::default().decode(&frame(link, bytes)))
}

/// The UDP ports of the innermost packet and the tunnels around it, or what else it is.
pub(crate) fn told(link: u32, bytes: &[u8]) -> String {
    with_packet(link, bytes, |packet| match packet {
        Err(reason) => format!("{reason:?}"),
        Ok(packet) => {
            let tunnels = packet.tunnels.label().unwrap_or_default();
            match packet.segment {
                Segment::Udp { src_port, dst_port, .. } => format!("{src_port}>{dst_port} {tunnels}"),
                Segment::Tcp(tcp) => format!("tcp {}>{} {tunnels}", tcp.src_port, tcp.dst_port),
                Segment::Sctp { src_port, dst_port } => format!("sctp {src_port}>{dst_port} {tunnels}"),
                Segment::Icmp { transport, .. } | Segment::Other { transport } => {
                    format!("{transport} {tunnels}")
                }
            }
            .trim_end()
            .to_string()
        }
    })
}

#[test]
fn a_tcp_segment() {
    with_packet(RAW, &v4(6, &tcp(b"hello")), |packet| {
        let packet = packet.unwrap();
        assert_eq!((packet.addresses.src(), packet.addresses.dst()), (SRC.into(), DST.into()));
        assert_eq!((packet.frames, packet.wire_bytes), (1, 49));
        let Segment::Tcp(tcp) = packet.segment else { panic!("{packet:?}") };
        assert_eq!((tcp.src_port, tcp.dst_port, tcp.seq, tcp.ack), (443, 49152, 7, 9));
        assert!(tcp.flags.has(TcpFlags::SYN | TcpFlags::ACK) && !tcp.flags.has(TcpFlags::FIN));
        assert_eq!((tcp.payload, tcp.missing), (&b"hello"[..], 0));
    });
}

#[test]
fn padding_after_the_packet_is_no_payload() {
    let padded = join(&[&v4(6, &tcp(b"")), &[0; 6]]);
    with_packet(RAW, &padded, |packet| {
        let Segment::Tcp(tcp) = packet.unwrap().segment else { panic!() };
        assert_eq!((tcp.payload, tcp.missing), (&b""[..], 0));
    });
    with_packet(RAW, &v4(17, &join(&[&udp(1, 2, b"abc"), b"tail"])), |packet| {
        let Segment::Udp { payload, missing, .. } = packet.unwrap().segment else { panic!() };
        assert_eq!((payload, missing), (&b"abc"[..], 0));
    });
}

#[test]
fn what_the_snapshot_length_cut_off_is_missing() {
    let whole = v4(6, &tcp(&[1; 100]));
    let cut = Frame { wire_len: whole.len() as u32, ..frame(RAW, &whole[..54]) };
    let mut decoder = Decoder::default();
    let Segment::Tcp(tcp) = decoder.decode(&cut).unwrap().segment else { panic!() };
    assert_eq!((tcp.payload.len(), tcp.missing), (10, 90));
    // Within the options: no payload, and all of it missing.
    let cut = Frame { wire_len: whole.len() as u32, ..frame(RAW, &whole[..42]) };
    let Segment::Tcp(tcp) = decoder.decode(&cut).unwrap().segment else { panic!() };
    assert_eq!((tcp.payload.len(), tcp.missing), (0, 100));
    let whole = v4(17, &udp(1, 2, &[1; 100]));
    let cut = Frame { wire_len: whole.len() as u32, ..frame(RAW, &whole[..30]) };
    let Segment::Udp { payload, missing, .. } = decoder.decode(&cut).unwrap().segment else { panic!() };
    assert_eq!((payload.len(), missing), (2, 98));
}

#[test]
fn headers_cut_short_are_told_or_counted() {
    let whole = v4(17, &udp(1, 2, b"abc"));
    for length in 0..20 {
        assert!(told(RAW, &whole[..length]).starts_with("Malformed"), "{length}");
    }
    assert_eq!(told(RAW, &whole[..24]), "udp", "the ports, but no header");
    assert_eq!(told(RAW, &v4(6, &tcp(b"")[..12])), "tcp");
    assert_eq!(told(RAW, &v4(1, &[8])), "icmp");
    assert!(told(RAW, &v6(17, b"")[..30]).starts_with("Malformed"));
    assert!(told(RAW, &[0x75; 60]).starts_with("Malformed"), "no such version");
}

#[test]
fn contradictory_lengths() {
    let mut offloaded = v4(17, &udp(1, 2, b"abc"));
    offloaded[2..4].fill(0);
    assert_eq!(told(RAW, &offloaded), "1>2", "segmentation offload leaves no total length");
    let mut offloaded = v6(17, &udp(1, 2, b"abc"));
    offloaded[4..6].fill(0);
    assert_eq!(told(RAW, &offloaded), "1>2");
    let mut too_short = v4(17, &udp(1, 2, b"abc"));
    too_short[3] = 19;
    assert!(told(RAW, &too_short).starts_with("Malformed"));
    let mut header_beyond = v4(17, &udp(1, 2, b"abc"));
    header_beyond[0] = 0x4f;
    assert!(told(RAW, &header_beyond).starts_with("Malformed"), "no room for its options");
    let mut no_header = v4(6, &tcp(b"hello"));
    no_header[20 + 12] = 0x10;
    with_packet(RAW, &no_header, |packet| {
        let Segment::Tcp(tcp) = packet.unwrap().segment else { panic!() };
        assert_eq!((tcp.src_port, tcp.payload), (443, &b""[..]));
    });
}

#[test]
fn ipv4_options_and_authentication_are_passed() {
    let mut options = v4(17, &join(&[&[1, 1, 1, 0], &udp(1, 2, b"abc")]));
    options[0] = 0x46;
    assert_eq!(told(RAW, &options), "1>2");
    let header = [17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2];
    assert_eq!(told(RAW, &v4(51, &join(&[&header, &udp(1, 2, b"abc")]))), "1>2");
}

#[test]
fn ipv6_extension_headers_are_passed() {
    // Hop-by-hop, routing, destination options, mobility, an unfragmented fragment header, shim6.
    let chain = |last: u8| {
        join(&[
            &[43, 0, 1, 4, 0, 0, 0, 0],
            &[60, 1, 4, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9],
            &[44, 0, 1, 4, 0, 0, 0, 0],
            &[140, 0, 0, 0, 0, 0, 0, 7],
            &[last, 0, 0x80, 0, 0, 0, 0, 0],
        ])
    };
    assert_eq!(told(RAW, &v6(0, &join(&[&chain(17), &udp(1, 2, b"abc")]))), "1>2");
    assert_eq!(told(RAW, &v6(0, &join(&[&chain(58), &[128, 0, 0, 0]]))), "icmp6");
    assert_eq!(told(RAW, &v6(0, &chain(59))), "ip-140", "nothing follows");
    assert_eq!(told(RAW, &v6(0, &[17, 200, 0, 0, 0, 0, 0, 0])), "ip-0", "it does not end");
    assert_eq!(told(RAW, &v4(0, &udp(1, 2, b""))), "ip-0", "IPv4 has no such headers");
}

#[test]
fn other_transports() {
    assert_eq!(told(RAW, &v4(132, &[0, 9, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0])), "sctp 9>80");
    assert_eq!(told(RAW, &v4(50, &[1; 20])), "ip-50");
    with_packet(RAW, &v4(1, &[3, 1, 0, 0, 7, 7]), |packet| {
        let Segment::Icmp { transport, kind, code, rest } = packet.unwrap().segment else { panic!() };
        assert_eq!((transport, kind, code, rest), (Transport::Icmp, 3, 1, &[7, 7][..]));
    });
}

/// Fragments of a UDP datagram of 8 + 24 bytes, cut at the given places.
fn fragments(id: u16, cuts: &[usize]) -> Vec<Vec<u8>> {
    let whole = udp(1, 2, b"abcdefghijklmnopqrstuvwx");
    let ends = cuts.iter().copied().chain([whole.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let fragment = |(start, end): (usize, usize)| {
        let more = if end == whole.len() { 0 } else { 0x2000 };
        v4_with(id, more | (start / 8) as u16, 17, &whole[start..end])
    };
    starts.zip(ends).map(fragment).collect()
}

/// Decodes frames; what comes of each: the payload of the UDP datagram that it completes.
fn decode_all(decoder: &mut Decoder, frames: &[Vec<u8>]) -> Vec<Option<(String, u32, u64)>> {
    let mut outcomes = Vec::new();
    for bytes in frames {
        outcomes.push(match decoder.decode(&frame(RAW, bytes)) {
            Err(Undecoded::Fragment) => None,
            Ok(Packet { segment: Segment::Udp { payload, .. }, frames, wire_bytes, .. }) => {
                Some((String::from_utf8_lossy(payload).into_owned(), frames, wire_bytes))
            }
            other => panic!("{other:?}"),
        });
    }
    outcomes
}

const PAYLOAD: &str = "abcdefghijklmnopqrstuvwx";

#[test]
fn fragments_are_put_together_in_any_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        let parts = fragments(7, &[8, 16]);
        let shuffled: Vec<_> = order.iter().map(|i| parts[*i].clone()).collect();
        let outcomes = decode_all(&mut Decoder::default(), &shuffled);
        let whole = (PAYLOAD.to_string(), 3, 3 * 20 + 32);
        assert_eq!(outcomes, [None, None, Some(whole)]);
    }
}

#[test]
fn fragments_of_different_packets_are_kept_apart() {
    let (a, b) = (fragments(1, &[16]), fragments(2, &[16]));
    let frames = [a[0].clone(), b[1].clone(), a[1].clone(), b[0].clone()];
    let outcomes = decode_all(&mut Decoder::default(), &frames);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_some()).count(), 2);
}

#[test]
fn of_ipv4_overlaps_the_first_bytes_stay() {
    let parts = fragments(7, &[16]);
    let mut again = v4_with(7, 0x2000 | 1, 17, b"!!!!!!!!????????");
    let outcomes = decode_all(&mut Decoder::default(), &[parts[0].clone(), again.clone(), parts[1].clone()]);
    let (payload, frames, _) = outcomes[2].clone().unwrap();
    assert_eq!((payload.as_str(), frames), ("abcdefgh????????qrstuvwx", 3));
    again.truncate(20 + 8);
    again[3] = 28;
    let frames = [parts[0].clone(), again, parts[1].clone()];
    let outcomes = decode_all(&mut Decoder::default(), &frames);
    assert_eq!(outcomes[2].clone().unwrap().0, PAYLOAD, "wholly covered");
}

/// An IPv6 fragment of a payload that begins with UDP.
fn six(offset: u16, more: bool, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (offset | u16::from(more)).to_be_bytes();
    v6(44, &join(&[&[17, 0, high, low, 0, 0, 0, 9], payload]))
}

#[test]
fn ipv6_fragments_are_put_together_and_overlaps_spoil_them() {
    let whole = udp(1, 2, PAYLOAD.as_bytes());
    let (first, last) = (six(0, true, &whole[..16]), six(16, false, &whole[16..]));
    let outcomes = decode_all(&mut Decoder::default(), &[first.clone(), first.clone(), last.clone()]);
    assert_eq!(outcomes[2].clone().unwrap().0, PAYLOAD, "a repeated fragment is no overlap");
    let mut decoder = Decoder::default();
    let outcomes = decode_all(&mut decoder, &[first, six(8, true, b"!!!!!!!!"), last]);
    assert_eq!(outcomes, [None, None, None]);
    decoder.abandon_fragments();
    let abandoned = decoder.pop_abandoned().unwrap();
    assert_eq!(abandoned.frames, 3);
    assert!(matches!(abandoned.segment, Segment::Other { transport: Transport::Udp }));
    assert!(decoder.pop_abandoned().is_none());
}

#[test]
fn fragments_beyond_the_end_or_the_largest_packet_complete_nothing() {
    let parts = fragments(7, &[16]);
    let beyond = v4_with(7, 0x2000 | 8, 17, b"12345678");
    let outcomes = decode_all(&mut Decoder::default(), &[parts[1].clone(), beyond, parts[0].clone()]);
    assert_eq!(outcomes, [None, None, None]);
    let outcomes = decode_all(&mut Decoder::default(), &[v4_with(7, 0x1fff, 17, b"123456789")]);
    assert_eq!(outcomes, [None]);
}

#[test]
fn fragments_that_were_cut_short_are_not_kept() {
    let mut decoder = Decoder::default();
    let parts = fragments(7, &[16]);
    let cut = |bytes: &'static [u8], wire_len| Frame { wire_len, ..frame(RAW, bytes) };
    let first: &'static [u8] = parts[0][..30].to_vec().leak();
    let last: &'static [u8] = parts[1][..30].to_vec().leak();
    let packet = decoder.decode(&cut(first, 36)).unwrap();
    assert!(matches!(packet.segment, Segment::Udp { src_port: 1, missing: 6, .. }), "{packet:?}");
    let packet = decoder.decode(&cut(last, 36)).unwrap();
    assert!(matches!(packet.segment, Segment::Other { transport: Transport::Udp }));
}

#[test]
fn a_tunnel_in_fragments_in_a_tunnel() {
    let inner = v4(17, &udp(5, 6, b"deep"));
    let outer = v4(4, &inner);
    let (first, rest) = outer[20..].split_at(16);
    let mut decoder = Decoder::default();
    assert!(decoder.decode(&frame(RAW, &v4_with(3, 0x2000, 4, first))).is_err());
    let last = v4_with(3, 2, 4, rest);
    let last = frame(RAW, &last);
    let packet = decoder.decode(&last).unwrap();
    assert!(matches!(packet.segment, Segment::Udp { src_port: 5, dst_port: 6, .. }));
    assert_eq!((packet.tunnels.label().as_deref(), packet.frames), (Some("ip-in-ip"), 2));
}

fn origin(seconds: i64) -> Origin {
    let time = Timestamp(seconds * 1_000_000_000);
    Origin { number: 1, time, frames: 1, wire_bytes: 100 }
}

fn lone(id: u32, bytes: &[u8]) -> Fragment<'_> {
    let addresses = Addresses::of(SRC.into(), DST.into()).unwrap();
    let path = Path::default();
    Fragment { addresses, id, protocol: 17, offset: 0, more: true, bytes, path }
}

#[test]
fn fragments_time_out_by_the_packets_clock() {
    let mut reassembly = Reassembly::default();
    assert!(reassembly.add(&lone(1, &[0; 8]), origin(0)).is_none());
    reassembly.add(&lone(2, &[0; 8]), origin(60));
    assert!(reassembly.pop_abandoned().is_none());
    reassembly.add(&lone(3, &[0; 8]), origin(61));
    assert_eq!(reassembly.pop_abandoned().map(|packet| packet.wire_bytes), Some(100));
    assert!(reassembly.pop_abandoned().is_none());
}

#[test]
fn packets_that_completed_are_forgotten() {
    let mut reassembly = Reassembly::default();
    for id in 0..20_000 {
        assert!(reassembly.add(&lone(id, &[0; 8]), origin(0)).is_none());
        let last = Fragment { offset: 8, more: false, ..lone(id, &[0; 8]) };
        assert!(reassembly.add(&last, origin(0)).is_some());
    }
    assert!(reassembly.pop_abandoned().is_none(), "none of them was given up");
}

#[test]
fn memory_is_bounded_and_nothing_is_lost() {
    let mut reassembly = Reassembly::default();
    let mut frames = 0;
    for id in 0..5000 {
        assert!(reassembly.add(&lone(id, &[0; 16_000]), origin(0)).is_none());
    }
    while let Some(packet) = reassembly.pop_abandoned() {
        frames += packet.frames;
    }
    let room = (32 << 20) / 16_000 + 1;
    assert!(frames >= 5000 - room, "{frames}");
    reassembly.abandon_all();
    while let Some(packet) = reassembly.pop_abandoned() {
        frames += packet.frames;
    }
    assert_eq!(frames, 5000);
}
