//! Protocols within protocols and tunnels within tunnels, deeper than anybody uses them.

use super::cost::{FIXED, MIB, read_all, size, turn};
use super::tls::hello;
use super::wire::{CLIENT, SERVER, Talk, datagram, ipv4, ipv6, pcap, udp};

/// Proxies that are asked for proxies, and text that asks for TLS: each layer is handed on, and one flow
/// holds no more than the layers that are followed.
#[test]
fn proxies_within_proxies_come_to_an_end() {
    let _turn = turn();
    let deep = size(20_000, 400_000) as usize;
    let layers: [(u16, &[u8], &[u8]); 5] = [
        (8080, b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
        (
            1080,
            b"\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb",
            b"\x05\x00\x05\x00\x00\x01\x0a\x00\x00\x01\x01\xbb",
        ),
        (1080, b"\x04\x01\x01\xbb\x0a\x00\x00\x01\x00", b"\x00\x5a\x01\xbb\x0a\x00\x00\x01"),
        (25, b"EHLO a\r\nSTARTTLS\r\n", b"250 STARTTLS\r\n220 go\r\n"),
        (80, b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
    ];
    for (port, asked, granted) in layers {
        let mut talk = Talk::new(port);
        for _ in 0..deep / 100 {
            talk = talk.out(asked, 1400).back(granted, 1400);
        }
        let talk = talk.out(&asked.repeat(deep), 1400).out(&hello(1_000, 1_000), 1400);
        assert_eq!(read_all(FIXED, &talk.pcap()).flows.len(), 1, "{port}");
    }
}

/// Puts a packet into a frame that carries it.
type Layer = fn(&[u8]) -> Vec<u8>;

/// Wraps a packet (from its Ethernet header on) in layer after layer, as far as 64 KiB go.
fn wrapped(layer: Layer, inner: Vec<u8>) -> Vec<u8> {
    const ETHERNET: usize = 14;
    let mut frame = inner;
    loop {
        let next = layer(&frame[ETHERNET..]);
        if next.len() > 60_000 {
            return frame;
        }
        frame = next;
    }
}

#[test]
fn tunnels_within_tunnels_are_opened_to_a_depth() {
    let _turn = turn();
    let innermost = || datagram((40_000, 53), b"x");
    let layers: [Layer; 5] = [
        |packet| ipv4(CLIENT, SERVER, 4, packet),
        |packet| ipv6(1, 2, 4, packet),
        |packet| ipv4(CLIENT, SERVER, 47, &[&[0, 0, 8, 0][..], packet].concat()),
        |packet| {
            ipv4(
                CLIENT,
                SERVER,
                17,
                &udp(
                    (2152, 2152),
                    &[&[0x30, 0xff][..], &(packet.len() as u16).to_be_bytes(), &[0; 4], packet].concat(),
                ),
            )
        },
        |packet| {
            ipv4(
                CLIENT,
                SERVER,
                17,
                &udp((40_000, 4789), &[&[8, 0, 0, 0, 0, 0, 0, 0][..], &[0; 12], &[8, 0], packet].concat()),
            )
        },
    ];
    for (number, layer) in layers.into_iter().enumerate() {
        let frame = wrapped(layer, innermost());
        let frames = vec![frame; size(20, 400) as usize];
        let reading = read_all(FIXED, &pcap(&frames));
        assert_eq!(reading.capture.packets, frames.len() as u64);
        // What is deeper than tunnels are opened is a packet that was not understood, or the outermost
        // that was: it is counted either way.
        assert!(reading.flows.len() as u64 + reading.capture.undecoded > 0, "{number}");
    }
}

/// Tags of VLANs and labels of MPLS until the frame ends.
#[test]
fn tags_and_labels_without_end_are_walked_once() {
    let _turn = turn();
    let vlan = [&[0; 12][..], &[0x81, 0, 0, 1].repeat(15_000)].concat();
    let mpls = [&[0; 12][..], &[0x88, 0x47], &[0, 0, 0x10, 64].repeat(15_000)].concat();
    let frames: Vec<_> = [vlan, mpls].into_iter().cycle().take(size(40, 1000) as usize).collect();
    let reading = read_all(FIXED, &pcap(&frames));
    assert_eq!(reading.capture.undecoded, frames.len() as u64);
}

/// IPv6 extension headers until the packet ends (RFC 8200 §4.1 allows any number).
#[test]
fn extension_headers_without_end_are_walked_once() {
    let _turn = turn();
    let frames: Vec<_> = [0_u8, 60, 43]
        .iter()
        .map(|next| ipv6(1, 2, *next, &[*next, 0, 0, 0, 0, 0, 0, 0].repeat(7_000)))
        .cycle()
        .take(size(40, 1000) as usize)
        .collect();
    let reading = read_all(FIXED + MIB, &pcap(&frames));
    assert_eq!(reading.capture.packets, frames.len() as u64);
}
