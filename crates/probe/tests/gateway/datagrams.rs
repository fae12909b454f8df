//! UDP and echoes through the gateway: sizes, sources and errors are those of the real peers.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, setsockopt, socket, sockopt};
use overheard_probe::gateway::{Direction, Options};

use crate::fixture::{Namespace, SERVER_V4, SERVER_V6, World};

/// So that nothing hangs for ever; a busy machine takes long for little.
const LIMIT: Duration = Duration::from_secs(60);

/// A socket in a namespace, whose waits are bounded.
pub fn bind(namespace: &Namespace, at: &str) -> UdpSocket {
    let socket = namespace.run(|| UdpSocket::bind((at, 0))).expect("a socket");
    socket.set_read_timeout(Some(LIMIT)).expect("a limit");
    socket
}

/// Receives again where nothing was received: a wait that has a limit is not resumed by the kernel once it was
/// interrupted (signal(7)), as it is when the machine is paused.
pub fn uninterrupted<T>(mut receive: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match receive() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            received => return received,
        }
    }
}

/// Has the kernel tell a socket of errors that may pass, as an unreachable host, too.
fn hear_all_errors(socket: &UdpSocket) {
    match socket.local_addr().expect("an address").is_ipv4() {
        true => setsockopt(socket, sockopt::Ipv4RecvErr, &true).expect("an option"),
        false => setsockopt(socket, sockopt::Ipv6RecvErr, &true).expect("an option"),
    }
}

/// Answers each datagram with itself.
pub fn echoing(world: &World, at: &str) -> SocketAddr {
    let server = bind(&world.host, at);
    // It lives as long as the test, however slow that is.
    server.set_read_timeout(None).expect("no limit");
    let address = server.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_535];
        while let Ok((length, from)) = server.recv_from(&mut buffer) {
            server.send_to(&buffer[..length], from).expect("an answer");
        }
    });
    address
}

#[test]
fn datagrams_of_all_sizes_come_back_whole() {
    let Some(world) = World::new(Options::default()) else { return };
    for (at, any) in [(SERVER_V4, "0.0.0.0"), (SERVER_V6, "::")] {
        let server = echoing(&world, at);
        let app = bind(&world.room, any);
        let mut buffer = vec![0; 65_535];
        for length in [0, 1, 2, 1471, 1472, 1473, 9000, 65_452, 65_492, 65_493, 65_506, 65_507] {
            let sent: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            app.send_to(&sent, server).expect("sent");
            let (heard, from) = uninterrupted(|| app.recv_from(&mut buffer))
                .unwrap_or_else(|error| panic!("{length}: {error}"));
            assert_eq!((from, &buffer[..heard]), (server, &sent[..]));
        }
    }
}

#[test]
fn one_socket_of_the_app_is_one_socket_to_all_its_peers() {
    let Some(world) = World::new(Options::default()) else { return };
    let servers = [bind(&world.host, SERVER_V4), bind(&world.host, SERVER_V4)];
    let app = bind(&world.room, "0.0.0.0");
    let seen = servers.each_ref().map(|server| {
        app.send_to(b"hello", server.local_addr().expect("an address")).expect("sent");
        uninterrupted(|| server.recv_from(&mut [0; 9])).expect("a datagram").1
    });
    assert_eq!(seen[0], seen[1]);
    // A peer that was never spoken to finds the app there too, and is told apart.
    let stranger = bind(&world.host, SERVER_V4);
    stranger.send_to(b"it is me", seen[0]).expect("sent");
    let (_, from) = uninterrupted(|| app.recv_from(&mut [0; 9])).expect("a datagram");
    assert_eq!(from, stranger.local_addr().expect("an address"));
}

#[test]
fn the_networks_errors_reach_the_socket_that_caused_them() {
    let Some(world) = World::new(Options::default()) else { return };
    for (server, any, kind) in [
        (format!("{SERVER_V4}:9"), "0.0.0.0", ErrorKind::ConnectionRefused),
        (format!("[{SERVER_V6}]:9"), "::", ErrorKind::ConnectionRefused),
        ("10.219.0.1:9".into(), "0.0.0.0", ErrorKind::ConnectionRefused),
        ("198.19.1.1:9".into(), "0.0.0.0", ErrorKind::HostUnreachable),
    ] {
        let app = bind(&world.room, any);
        hear_all_errors(&app);
        world.room.run(|| app.connect(&server)).expect("an address");
        // Twice: what was said of the first must not swallow the second.
        for _ in 0..2 {
            app.send(b"anybody?").expect("sent");
            let error = uninterrupted(|| app.recv(&mut [0])).expect_err("nobody");
            assert_eq!(error.kind(), kind, "{server}: {error}");
        }
    }
}

/// A ping socket in the room.
fn pinger(world: &World, v6: bool) -> UdpSocket {
    let (family, protocol) = match v6 {
        false => (AddressFamily::Inet, SockProtocol::Icmp),
        true => (AddressFamily::Inet6, SockProtocol::IcmpV6),
    };
    let opened = world.room.run(|| {
        std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647").expect("ping sockets");
        socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC, protocol).expect("a ping socket")
    });
    let socket = UdpSocket::from(opened);
    socket.set_read_timeout(Some(LIMIT)).expect("a limit");
    socket
}

fn ping(world: &World, to: &str) -> std::io::Result<Vec<u8>> {
    let to: SocketAddr = to.parse().expect("an address");
    let app = pinger(world, to.is_ipv6());
    hear_all_errors(&app);
    app.connect(to)?;
    let kind = if to.is_ipv6() { 128 } else { 8 };
    app.send(&[&[kind, 0, 0, 0, 0, 0, 0, 7], &b"anybody?"[..]].concat())?;
    let mut heard = vec![0; 99];
    let length = uninterrupted(|| app.recv(&mut heard))?;
    heard.truncate(length);
    Ok(heard)
}

#[test]
fn echoes_are_answered_by_whoever_is_there() {
    let Some(world) = World::new(Options::default()) else { return };
    let servers = [format!("{SERVER_V4}:0"), format!("[{SERVER_V6}]:0"), "10.219.0.1:0".into()];
    for sockets in ["0 2147483647", "1 0"] {
        // Without ping sockets the host has raw ones.
        world
            .host
            .run(|| std::fs::write("/proc/sys/net/ipv4/ping_group_range", sockets))
            .expect("ping sockets");
        for server in &servers {
            let heard = ping(&world, server).unwrap_or_else(|error| panic!("{server}, {sockets}: {error}"));
            assert_eq!(
                (heard[0] & 127, &heard[6..]),
                (if server.starts_with('[') { 1 } else { 0 }, &b"\0\x07anybody?"[..])
            );
        }
    }
    let error = ping(&world, "198.19.1.1:0").expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::HostUnreachable);
}

#[test]
fn what_is_recorded_has_right_checksums() {
    let Some(mut world) = World::new(Options::default()) else { return };
    let server = echoing(&world, SERVER_V4);
    let app = bind(&world.room, "0.0.0.0");
    app.send_to(b"hello", server).expect("sent");
    uninterrupted(|| app.recv_from(&mut [0; 9])).expect("an answer");
    world.running.take().expect("a gateway").stop().expect("counts");
    let packets = world.tape.packets();
    let datagrams: Vec<_> = packets.iter().filter(|(_, ip)| ip[0] == 0x45 && ip[9] == 17).collect();
    assert_eq!(
        datagrams.iter().map(|packet| packet.0).collect::<Vec<_>>(),
        [Direction::Outbound, Direction::Inbound]
    );
    for (_, ip) in datagrams {
        let words = |bytes: &[u8]| -> u32 {
            bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum()
        };
        let fold = |sum: u32| (sum & 0xffff) + (sum >> 16);
        assert_eq!(fold(words(&ip[..20])), 0xffff, "of IP");
        let pseudo = words(&ip[12..20]) + 17 + ip.len() as u32 - 20;
        assert_eq!(fold(pseudo + words(&ip[20..])), 0xffff, "of UDP");
    }
}
