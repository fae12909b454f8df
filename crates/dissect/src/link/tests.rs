//! Frames stated byte by byte: each holds the same UDP datagram, from port 5 to port 6.

use crate::decode::Decoder;
use crate::ip::tests::{frame, join, told, udp, v4, v6};
use proptest::prelude::*;

/// Link types that are supported.
const LINKS: [u32; 22] =
    [0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 107, 108, 113, 119, 127, 149, 163, 192, 204, 228, 239, 276];

fn ip() -> Vec<u8> {
    v4(17, &udp(5, 6, b"inner"))
}

fn ip6() -> Vec<u8> {
    v6(17, &udp(5, 6, b"inner"))
}

/// After two addresses.
fn ethernet(parts: &[&[u8]]) -> String {
    told(1, &join(&[&[2; 12], &join(parts)]))
}

const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

#[test]
fn ethernet_frames() {
    assert_eq!(ethernet(&[&[8, 0], &ip()]), "5>6");
    assert_eq!(ethernet(&[&[0x86, 0xdd], &ip6()]), "5>6");
    assert_eq!(ethernet(&[&[8, 6], &[0; 28]]), "NotIp", "ARP");
    let length = [0, 8 + ip().len() as u8];
    assert_eq!(ethernet(&[&length, &SNAP, &ip(), &[0; 20]]), "5>6", "802.3 with SNAP, padded");
    assert_eq!(ethernet(&[&[0, 41], &[6, 6, 3], &ip()]), "5>6", "802.3 with LLC");
    assert_eq!(ethernet(&[&[0, 38], &[0x42, 0x42, 3], &[0; 35]]), "NotIp", "spanning tree");
    assert_eq!(ethernet(&[&[0x88, 0x70], &SNAP, &ip()]), "5>6");
    assert_eq!(ethernet(&[&[0x89, 3, 0x40, 0x20], &[4; 12], &[8, 0], &ip()]), "5>6", "FabricPath");
    assert_eq!(ethernet(&[&[8, 0], &ip6()]), "5>6", "the version counts");
    assert_eq!(ethernet(&[&[0x88, 0xe5, 0, 0, 0, 0, 0, 1, 8, 0], &ip(), &[7; 16]]), "5>6", "802.1AE");
    assert_eq!(ethernet(&[&[0x88, 0xe5, 0x20, 0, 0, 0, 0, 1], &[1; 8], &[8, 0], &ip()]), "5>6");
    assert_eq!(ethernet(&[&[0x88, 0xe5, 0x0c, 0, 0, 0, 0, 1], &[9; 40]]), "NotIp", "encrypted");
    assert!(ethernet(&[&[8]]).starts_with("Malformed"));
    assert!(told(1, &[0; 11]).starts_with("Malformed"));
}

#[test]
fn tags() {
    assert_eq!(ethernet(&[&[0x81, 0, 0, 7, 8, 0], &ip()]), "5>6 vlan");
    assert_eq!(ethernet(&[&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 8, 0x86, 0xdd], &ip6()]), "5>6 vlan/vlan");
    assert_eq!(ethernet(&[&[0x81, 0, 0, 7], &[0, 8 + 33], &SNAP, &ip()]), "5>6 vlan");
    assert_eq!(ethernet(&[&[0x89, 0x26, 0, 0, 0, 0, 8, 0], &ip()]), "5>6 vlan", "VN-Tag");
    assert_eq!(ethernet(&[&[0x88, 0xe7, 0, 0, 0, 1], &[4; 12], &[8, 0], &ip()]), "5>6 vlan", "802.1ah");
    let many = [0x81, 0, 0, 7].repeat(9);
    assert!(ethernet(&[&many, &[8, 0], &ip()]).starts_with("Malformed"), "nine tags");
}

#[test]
fn mpls() {
    let labels = [0, 1, 0, 64, 0, 2, 1, 64];
    assert_eq!(ethernet(&[&[0x88, 0x47], &labels, &ip()]), "5>6 mpls");
    assert_eq!(ethernet(&[&[0x88, 0x48], &labels, &ip6()]), "5>6 mpls");
    let frame = join(&[&[2; 12], &[8, 0], &ip()]);
    assert_eq!(ethernet(&[&[0x88, 0x47], &labels, &[0; 4], &frame]), "5>6 mpls", "control word");
    let mut unlike_ip = frame.clone();
    unlike_ip[0] = 0x22;
    assert_eq!(ethernet(&[&[0x88, 0x47], &labels, &unlike_ip]), "5>6 mpls", "no control word");
    assert_eq!(ethernet(&[&[0x88, 0x47], &labels, &[0x10; 40]]), "NotIp", "a channel");
    assert!(ethernet(&[&[0x88, 0x47], &[0; 80]]).starts_with("Malformed"), "no last label");
}

#[test]
fn ppp() {
    let protocol = [&[0x00, 0x21][..], &[0x21], &[0xff, 0x03, 0x00, 0x21]];
    for header in protocol {
        assert_eq!(told(9, &join(&[header, &ip()])), "5>6");
        assert_eq!(told(50, &join(&[header, &ip()])), "5>6");
        assert_eq!(told(204, &join(&[&[1], header, &ip()])), "5>6");
        let length = (header.len() + ip().len()) as u8;
        let session = [0x11, 0, 0, 1, 0, length];
        assert_eq!(ethernet(&[&[0x88, 0x64], &session, header, &ip(), &[0; 9]]), "5>6 pppoe");
        assert_eq!(told(51, &join(&[&session, header, &ip()])), "5>6 pppoe");
    }
    assert_eq!(told(9, &join(&[&[0x00, 0x57], &ip6()])), "5>6");
    assert_eq!(told(9, &join(&[&[0x02, 0x81, 0, 0, 1, 64], &ip()])), "5>6 mpls");
    assert_eq!(told(9, &[0xc0, 0x21, 1, 1, 0, 4]), "NotIp", "link control");
    assert_eq!(ethernet(&[&[0x88, 0x63], &[0x11, 9, 0, 0, 0, 0]]), "NotIp", "discovery");
    for link in [9, 50, 104] {
        assert_eq!(told(link, &join(&[&[0x0f, 0, 8, 0], &ip()])), "5>6", "Cisco HDLC");
    }
    assert_eq!(told(104, &[0x8f, 0, 0x80, 0x35, 0, 0, 0, 2]), "NotIp", "SLARP");
}

#[test]
fn frame_relay() {
    assert_eq!(told(107, &join(&[&[0x18, 0x41, 0x03, 0xcc], &ip()])), "5>6");
    assert_eq!(told(107, &join(&[&[0x18, 0x41, 0x03, 0x8e], &ip6()])), "5>6");
    assert_eq!(told(107, &join(&[&[0x18, 0x41, 0x03, 0x00, 0x80, 0, 0, 0, 8, 0], &ip()])), "5>6");
    assert_eq!(told(107, &join(&[&[0x18, 0x41, 8, 0], &ip()])), "5>6", "Cisco");
    assert_eq!(told(107, &join(&[&[0x18, 0x40, 0x40, 0x41, 8, 0], &ip()])), "5>6", "a long address");
    assert_eq!(told(107, &[0x00, 0x01, 0x03, 0x08, 0, 0x75]), "NotIp", "the local management interface");
}

#[test]
fn raw_ip() {
    for link in [12, 14, 101, 228, 229] {
        assert_eq!(told(link, &ip()), "5>6");
        assert_eq!(told(link, &ip6()), "5>6");
    }
}

#[test]
fn loopback() {
    assert_eq!(told(0, &join(&[&[2, 0, 0, 0], &ip()])), "5>6");
    assert_eq!(told(0, &join(&[&[0, 0, 0, 2], &ip()])), "5>6");
    assert_eq!(told(108, &join(&[&[0, 0, 0, 2], &ip()])), "5>6");
    for inet6 in [10, 23, 24, 28, 30] {
        assert_eq!(told(0, &join(&[&[inet6, 0, 0, 0], &ip6()])), "5>6");
        assert_eq!(told(0, &join(&[&[0, 0, 0, inet6], &ip6()])), "5>6");
        assert_eq!(told(108, &join(&[&[0, 0, 0, inet6], &ip6()])), "5>6");
    }
    assert_eq!(told(0, &[7, 0, 0, 0, 1, 2, 3]), "NotIp", "OSI");
}

#[test]
fn linux_cooked() {
    let header = |device: u16, protocol: u16| {
        join(&[&[0, 0], &device.to_be_bytes(), &[0, 6], &[0; 8], &protocol.to_be_bytes()])
    };
    assert_eq!(told(113, &join(&[&header(1, 0x0800), &ip()])), "5>6");
    assert_eq!(told(113, &join(&[&header(1, 0x8100), &[0, 7, 8, 0], &ip()])), "5>6 vlan");
    assert_eq!(told(113, &join(&[&header(1, 4), &SNAP, &ip()])), "5>6", "802.2");
    assert_eq!(told(113, &join(&[&header(824, 0), &ip()])), "NotIp", "netlink");
    let second = join(&[&[0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6], &[0; 8]]);
    assert_eq!(told(276, &join(&[&second, &ip6()])), "5>6");
}

#[test]
fn linux_firewall_logs() {
    let little = [2, 0, 0, 9, 7, 0, 10, 0, b'a', b'b', 0, 0, 37, 0, 9, 0];
    assert_eq!(told(239, &join(&[&little, &ip()])), "5>6");
    let big = [2, 0, 0, 9, 0, 7, 0, 10, b'a', b'b', 0, 0, 0, 37, 0, 9];
    assert_eq!(told(239, &join(&[&big, &ip()])), "5>6");
    assert_eq!(told(239, &[2, 0, 0, 9, 4, 0, 10, 0]), "NotIp", "no packet");
    assert!(told(239, &[2, 0, 0, 9, 0, 0, 0, 0]).starts_with("Malformed"), "no length");
}

/// Frame control and flags, addresses and sequence.
fn dot11(control: u8, flags: u8, more: &[u8], body: &[u8]) -> Vec<u8> {
    join(&[&[control, flags], &[0; 22], more, body])
}

#[test]
fn wireless() {
    let body = join(&[&SNAP, &ip()]);
    let aggregated = join(&[&[4; 12], &[0, 41], &body, &[4; 14]]);
    for (bytes, expected) in [
        (dot11(0x08, 1, &[], &body), "5>6"),
        (dot11(0x08, 3, &[0; 6], &body), "5>6"),
        (dot11(0x88, 1, &[0; 2], &body), "5>6"),
        (dot11(0x88, 0x81, &[0; 6], &body), "5>6"),
        (dot11(0x88, 1, &[0x80, 0], &aggregated), "5>6"),
        (dot11(0x08, 0x41, &[], &body), "NotIp"),
        (dot11(0x48, 1, &[], &body), "NotIp"),
        (dot11(0x80, 0, &[], &[0; 40]), "NotIp"),
    ] {
        assert_eq!(told(105, &bytes), expected);
        assert_eq!(told(127, &join(&[&[0, 0, 8, 0, 0, 0, 0, 0], &bytes])), expected);
        assert_eq!(told(119, &join(&[&[0, 0, 0, 0x44, 16, 0, 0, 0], &[0; 8], &bytes])), expected);
        assert_eq!(told(119, &join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 12], &[0; 4], &bytes])), expected);
        assert_eq!(told(163, &join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 12], &[0; 4], &bytes])), expected);
        assert_eq!(told(192, &join(&[&[0, 0, 8, 0, 105, 0, 0, 0], &bytes])), expected);
    }
}

#[test]
fn radiotap_tells_of_padding() {
    // Two bitmaps, a time stamp aligned to eight bytes, then the flags.
    let header = join(&[&[0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0], &[9; 8], &[0x20]]);
    let data = dot11(0x88, 1, &[0, 0, 0xff, 0xff], &join(&[&SNAP, &ip()]));
    assert_eq!(told(127, &join(&[&header, &data])), "5>6");
}

#[test]
fn apple_pktap() {
    let header = |link: u8| join(&[&[16, 0, 0, 0, 1, 0, 0, 0, link, 0, 0, 0], &[0; 4]]);
    let ethernet = join(&[&[2; 12], &[8, 0], &ip()]);
    assert_eq!(told(258, &join(&[&header(1), &ethernet])), "5>6");
    assert_eq!(told(149, &join(&[&header(12), &ip()])), "5>6");
    assert_eq!(told(149, &join(&[&header(149), &ip()])), "NotIp", "within itself");
}

#[test]
fn other_links_are_named() {
    assert_eq!(told(147, &[0; 60]), "UnknownLink(147)");
}

#[test]
fn frames_in_frames_end_somewhere() {
    let bridged = [0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 255];
    let llc = [0x88, 0x70, 0xaa, 0xaa, 3, 0, 0, 0];
    for (first, nested) in [(&[0, 255][..], bridged.repeat(10_000)), (&[], llc.repeat(10_000))] {
        assert!(told(1, &join(&[&[2; 12], first, &nested])).starts_with("Malformed"));
    }
}

/// A frame that holds a bit of everything, to be damaged.
fn rich(link: usize) -> Vec<u8> {
    let vxlan = udp(9, 4789, &join(&[&[8, 0, 0, 0, 0, 0, 1, 0], &[2; 12], &[8, 0], &ip()]));
    let gre = v4(47, &join(&[&[0x20, 0, 8, 0, 0, 0, 0, 1], &v4(17, &vxlan)]));
    let prefix: &[u8] = match link {
        0 => &[2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0x81, 0, 0, 7, 0x88, 0x47, 0, 0, 1, 64],
        1 => &[0x21],
        _ => &[],
    };
    join(&[prefix, &gre])
}

proptest! {
    #[test]
    fn arbitrary_frames_never_panic(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 1..4),
        link in prop::sample::select(LINKS.to_vec()),
        wire in 0u32..4000,
    ) {
        let mut decoder = Decoder::default();
        for bytes in &frames {
            let mut whole = frame(link, bytes);
            whole.wire_len = whole.wire_len.max(wire);
            let _ = decoder.decode(&whole);
        }
        decoder.abandon_fragments();
        while decoder.pop_abandoned().is_some() {}
    }

    #[test]
    fn damaged_frames_never_panic(
        kind in 0usize..3,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut: prop::sample::Index,
    ) {
        let mut bytes = rich(kind);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let _ = Decoder::default().decode(&frame([1, 9, 101][kind], &bytes));
    }
}
