//! What is not allowed gets nowhere, and each attempt is counted in its class.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use overheard_probe::gateway::{Attempt, Class, Dns, Options, Policy, Way};

use crate::datagrams::bind;
use crate::fixture::{SERVER_V4, SERVER_V6, World};
use crate::tcp::{bounded, connect};

#[test]
fn only_the_allowed_way_is_open() {
    let way =
        Way { at: SocketAddr::from(([10, 219, 0, 1], 1080)), to: SocketAddr::from(([127, 0, 0, 1], 1080)) };
    let options = Options { policy: Policy::Only(vec![way]), dns: Dns::None, ..Options::default() };
    let Some(mut world) = World::new(options) else { return };

    let listener = world.host.run(|| TcpListener::bind(way.to)).expect("a listener");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        bounded(&stream);
        stream.write_all(b"allowed").expect("a word");
    });
    let mut heard = Vec::new();
    connect(&world, way.at).expect("a connection").read_to_end(&mut heard).expect("a word");
    assert_eq!(heard, b"allowed");

    let servers =
        [SERVER_V4, SERVER_V6].map(|at| world.host.run(|| TcpListener::bind((at, 0))).expect("a listener"));
    for server in &servers {
        let error = connect(&world, server.local_addr().expect("an address")).expect_err("denied");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    let quic = bind(&world.room, "0.0.0.0");
    quic.send_to(b"hello", "198.18.0.1:443").expect("sent");
    quic.send_to(b"hello", "10.219.0.1:53").expect("sent");
    quic.send_to(b"hello", "224.0.0.251:5353").expect("sent");
    // In two parts, of which only the first says what it is.
    quic.send_to(&[0; 65_507], "198.18.0.1:123").expect("sent");
    // Answered by the gateway in the order of arrival: once this is, all before it were judged.
    connect(&world, SocketAddr::from(([198, 18, 0, 1], 853))).expect_err("denied");

    let counts = world.running.take().expect("a gateway").stop().expect("counts");
    let expected = [
        (Class::Mdns, 1),
        (Class::Dns, 1),
        (Class::Dot, 1),
        (Class::Ntp, 1),
        (Class::Quic, 1),
        (Class::Ipv6, 1),
        (Class::OtherTcp, 1),
        (Class::OtherUdp, 1),
    ];
    // A busy machine may make a kernel ask again before it was answered.
    let is_tcp = |class| matches!(class, Class::Dot | Class::Ipv6 | Class::OtherTcp);
    let once = |(class, count)| (class, if is_tcp(class) { 1.min(count) } else { count });
    assert_eq!(counts.denied.into_iter().map(once).collect::<Vec<_>>(), expected);
    let quic = Attempt { class: Class::Quic, protocol: 17, address: [198, 18, 0, 1].into(), port: 443 };
    assert_eq!(counts.attempts.get(&quic), Some(&1));
    for server in servers {
        server.set_nonblocking(true).expect("an option");
        assert!(server.accept().is_err(), "a denied connection arrived");
    }
}

/// The host's own loopback is not the app's to reach, whatever address it writes.
#[test]
fn the_hosts_loopback_is_out_of_reach() {
    let Some(world) = World::new(Options::default()) else { return };
    let listener = world.host.run(|| TcpListener::bind("[::]:7777")).expect("a listener");
    world.room.ip("route del table local 127.0.0.0/8 dev lo");
    world.room.ip("route add 127.0.0.0/8 dev room");
    world.room.run(|| std::fs::write("/proc/sys/net/ipv4/conf/all/route_localnet", "1")).expect("a setting");
    let error =
        connect(&world, SocketAddr::from(([127, 0, 0, 2], 7777))).map(|_: TcpStream| ()).expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let packets = world.tape.packets();
    assert!(packets.iter().any(|(_, ip)| ip[16..20] == [127, 0, 0, 2]), "the question came to the gateway");
    listener.set_nonblocking(true).expect("an option");
    assert!(listener.accept().is_err(), "the host's loopback was reached");
}
