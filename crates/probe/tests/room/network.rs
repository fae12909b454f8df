//! One door: what is sent inside arrives at the door's descriptors, and there is no other interface.

use crate::{LIMIT, open, output, shell};
use nix::poll::{PollFd, PollFlags, poll};
use overheard_probe::door::{self, Door};
use overheard_probe::room::{Room, Spec};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// `struct virtio_net_hdr`
const HEADER: usize = 10;

/// The next packet within so many milliseconds.
fn packet(device: &OwnedFd, limit: u16) -> Option<Vec<u8>> {
    let ready = poll(&mut [PollFd::new(device.as_fd(), PollFlags::POLLIN)], limit).expect("it can be polled");
    let mut bytes = vec![0; HEADER + door::MTU as usize];
    (ready > 0).then(|| {
        let length = nix::unistd::read(device, &mut bytes).expect("a packet can be read");
        bytes[HEADER..length].to_vec()
    })
}

/// The first packet that a script sends. Nothing answers it here, so the script is ended then.
fn first_packet(room: &Room, door: &Door, script: &str) -> Option<Vec<u8>> {
    let child = room.spawn(&shell(script)).expect("the shell starts");
    let first = packet(&door.room, 30_000);
    child.kill().expect("it can be ended");
    child.wait(LIMIT).expect("it can be waited for").expect("it has ended");
    while packet(&door.room, 0).is_some() {}
    first
}

/// Protocol, source and destination.
fn ends(packet: &[u8]) -> (u8, IpAddr, IpAddr) {
    let v4 =
        |at: usize| Ipv4Addr::from(<[u8; 4]>::try_from(&packet[at..at + 4]).expect("long enough")).into();
    let v6 =
        |at: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&packet[at..at + 16]).expect("long enough")).into();
    match packet[0] >> 4 {
        4 => (packet[9], v4(12), v4(16)),
        6 => (packet[6], v6(8), v6(24)),
        version => panic!("IP version {version}"),
    }
}

#[test]
fn there_is_the_loopback_and_the_one_device() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let up = output(&room, "cd /sys/class/net; for i in *; do echo $i $(($(<$i/flags) & 1)); done");
    let up: Vec<&str> = up.lines().filter_map(|line| line.strip_suffix(" 1")).collect();
    assert_eq!(up, ["eth0", "lo"]);
    assert_eq!(output(&room, "cat /sys/class/net/eth0/{mtu,tx_queue_len}"), "65520\n10000\n");
}

#[test]
fn the_kernel_itself_says_nothing() {
    let Some((_room, door)) = open(&Spec::default()) else { return };
    // Reports and solicitations come within a second, where they come.
    assert_eq!(packet(&door.room, 1200), None);
    assert_eq!(packet(&door.lobby, 1), None);
}

#[test]
fn what_is_sent_inside_arrives_at_the_door() {
    let Some((room, door)) = open(&Spec::default()) else { return };
    let v4 = IpAddr::from(door::ROOM_V4);
    let v6 = IpAddr::from(door::ROOM_V6);
    let cases = [
        ("udp/198.18.0.1/53", 17, v4),
        ("udp/2001:2::1/53", 17, v6),
        ("tcp/198.18.0.1/80", 6, v4),
        ("tcp/2001:2::1/80", 6, v6),
        ("udp/10.219.0.1/5351", 17, v4),
        ("udp/169.254.169.254/80", 17, v4),
        ("udp/239.255.255.250/1900", 17, v4),
        ("udp/ff02::fb%eth0/5353", 17, v6),
        ("udp/ff05::c/1900", 17, v6),
    ];
    for (target, protocol, source) in cases {
        let packet = first_packet(&room, &door, &format!("echo hello >/dev/{target}"));
        let packet = packet.unwrap_or_else(|| panic!("{target} does not arrive"));
        let address = target.split(['/', '%']).nth(1).expect("an address");
        let address: IpAddr = address.parse().expect("an address");
        assert_eq!(ends(&packet), (protocol, source, address), "{target}");
    }
}

#[test]
fn names_are_asked_of_the_gateway() {
    let Some((room, door)) = open(&Spec::default()) else { return };
    let packet = first_packet(&room, &door, "exec getent ahosts overheard.example").expect("a question");
    assert_eq!(ends(&packet), (17, door::ROOM_V4.into(), door::GATEWAY_V4.into()));
    assert_eq!(packet[22..24], 53_u16.to_be_bytes());
    assert!(packet.windows(9).any(|bytes| bytes == b"overheard"), "the question");
}

#[test]
fn abstract_sockets_of_the_machine_are_not_there() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let name = format!("overheard-abstract-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let _listener = UnixListener::bind_addr(&address).expect("it can be bound");
    let python = "/usr/bin/python3";
    if output(&room, &format!("[ -x {python} ] && echo here")).is_empty() {
        return eprintln!("skipped: no {python}");
    }
    let script = format!("import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')");
    let said = output(&room, &format!("{python} -c \"{script}\""));
    assert!(said.contains("ConnectionRefusedError"), "{said}");
}

#[test]
fn the_loopback_stays_inside() {
    let Some((room, door)) = open(&Spec::default()) else { return };
    output(
        &room,
        "echo hello >/dev/udp/127.0.0.1/9; echo hello >/dev/udp/::1/9; echo hello >/dev/udp/10.219.0.2/9",
    );
    assert_eq!(packet(&door.room, 0), None);
}

#[test]
fn the_lobby_answers_who_comes_from_its_flows() {
    let Some((_room, door)) = open(&Spec::default()) else { return };
    let v4 = door.tcp_v4.local_addr().expect("it is bound");
    assert_eq!(v4.ip(), IpAddr::from(door::LOBBY_V4));
    let from = Ipv4Addr::from(u32::from(door::LOBBY_FLOWS_V4) + 7);
    nix::unistd::write(&door.lobby, &syn_v4(from, v4.port())).expect("a packet can be written");
    let answer = packet(&door.lobby, 30_000).expect("an answer");
    assert_eq!(ends(&answer), (6, door::LOBBY_V4.into(), from.into()));
    assert_eq!(answer[20 + 13], 0x12, "SYN and ACK");

    let v6 = door.tcp_v6.local_addr().expect("it is bound");
    assert_eq!(v6.ip(), IpAddr::from(door::LOBBY_V6));
    let from = Ipv6Addr::from(u128::from(door::LOBBY_FLOWS_V6) + 7);
    nix::unistd::write(&door.lobby, &syn_v6(from, v6.port())).expect("a packet can be written");
    let answer = std::iter::from_fn(|| packet(&door.lobby, 30_000)).find(|packet| packet[0] >> 4 == 6);
    let answer = answer.expect("an answer");
    assert_eq!(ends(&answer), (6, door::LOBBY_V6.into(), from.into()));
    assert_eq!(answer[40 + 13], 0x12, "SYN and ACK");
}

/// VIRTIO_NET_HDR_F_NEEDS_CSUM with where: the kernel then trusts the checksum of TCP.
fn trusted(header: u16) -> [u8; HEADER] {
    let [start, offset] = [header.to_ne_bytes(), 16_u16.to_ne_bytes()];
    [1, 0, 0, 0, 0, 0, start[0], start[1], offset[0], offset[1]]
}

fn syn(port: u16) -> Vec<u8> {
    let mut segment = vec![0; 20];
    segment[..2].copy_from_slice(&40_000_u16.to_be_bytes());
    segment[2..4].copy_from_slice(&port.to_be_bytes());
    segment[12] = 5 << 4;
    segment[13] = 0x02;
    segment[14..16].copy_from_slice(&[0xff, 0xff]);
    segment
}

fn syn_v4(from: Ipv4Addr, port: u16) -> Vec<u8> {
    let mut header = vec![0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0];
    header.extend(from.octets());
    header.extend(door::LOBBY_V4.octets());
    let words = header.chunks_exact(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    let checksum = !(((sum & 0xffff) + (sum >> 16)) as u16);
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    [&trusted(header.len() as u16)[..], &header, &syn(port)].concat()
}

fn syn_v6(from: Ipv6Addr, port: u16) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0, 0, 20, 6, 64];
    header.extend(from.octets());
    header.extend(door::LOBBY_V6.octets());
    [&trusted(header.len() as u16)[..], &header, &syn(port)].concat()
}
