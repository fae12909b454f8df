//! Through a proxy, and nowhere else: not when it is down, not when it says no.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};

use overheard_model::{Destination, Transport};
use overheard_probe::gateway::{Dns, Options, Upstream};

use crate::datagrams::{bind, echoing, uninterrupted};
use crate::dns::{NAME_SERVER, QUESTION, ask, name_server};
use crate::fixture::{SERVER_V4, SERVER_V6, World};
use crate::proxies;
use crate::tcp::{connect, serve};

const PROXY: &str = "127.0.0.1:1080";

fn through(upstream: &str) -> Option<World> {
    let upstream: Upstream = upstream.parse().expect("an upstream");
    World::new(Options { upstream, dns: Dns::Proxied(NAME_SERVER), ..Options::default() })
}

fn ping_pong(world: &World, at: &str) -> SocketAddr {
    let server = serve(world, at, |mut stream| {
        stream.read_exact(&mut [0; 4]).expect("a question");
        stream.write_all(b"pong").expect("an answer");
    });
    let mut app = connect(world, server).expect("a connection");
    app.write_all(b"ping").expect("a question");
    let mut answer = Vec::new();
    app.read_to_end(&mut answer).expect("an answer");
    assert_eq!(answer, b"pong");
    server
}

#[test]
fn socks5_carries_connections_datagrams_and_questions() {
    let Some(mut world) = through(&format!("socks5://who:secret@{PROXY}")) else { return };
    let asked = proxies::socks5(&world, PROXY);
    name_server(&world, 20);
    let mut expected = vec![ping_pong(&world, SERVER_V4), ping_pong(&world, SERVER_V6)];

    let server = echoing(&world, SERVER_V4);
    let app = bind(&world.room, "0.0.0.0");
    let mut buffer = vec![0; 65_535];
    for length in [0, 1, 1472, 9000, 65_000] {
        app.send_to(&vec![7; length], server).expect("sent");
        assert_eq!(uninterrupted(|| app.recv_from(&mut buffer)).expect("an answer"), (length, server));
        expected.push(server);
    }

    let answer = ask(&bind(&world.room, "0.0.0.0"), "10.219.0.1:53").expect("an answer");
    assert_eq!(answer, [QUESTION, &[7; 20]].concat());
    expected.push(NAME_SERVER);
    assert_eq!(*asked.lock().expect("a list"), expected);

    let refused = connect(&world, SocketAddr::from(([198, 18, 0, 1], 9))).expect_err("refused");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let unreachable = connect(&world, SocketAddr::from(([198, 19, 1, 1], 9))).expect_err("unreachable");
    assert_eq!(unreachable.kind(), ErrorKind::HostUnreachable);
    // Who refuses was reached.
    assert_eq!(uncarried(&mut world), ["tcp 198.19.1.1:9"]);
}

/// To whom nothing was carried, once the gateway has ended.
fn uncarried(world: &mut World) -> Vec<String> {
    let counts = world.running.take().expect("a gateway").stop().expect("counts");
    counts.uncarried.listed.iter().map(ToString::to_string).collect()
}

#[test]
fn http_carries_connections_and_says_that_it_carries_no_datagrams() {
    let Some(mut world) = through(&format!("http://who:secret@{PROXY}")) else { return };
    let asked = proxies::http(&world, PROXY);
    name_server(&world, 20);
    let mut expected = vec![ping_pong(&world, SERVER_V4), ping_pong(&world, SERVER_V6)];
    assert!(ask(&bind(&world.room, "0.0.0.0"), "10.219.0.1:53").is_ok());
    expected.push(NAME_SERVER);
    assert_eq!(*asked.lock().expect("a list"), expected);

    let app = bind(&world.room, "0.0.0.0");
    world.room.run(|| app.connect("198.18.0.1:9")).expect("an address");
    app.send(b"anybody?").expect("sent");
    assert_eq!(uninterrupted(|| app.recv(&mut [0])).expect_err("refused").kind(), ErrorKind::HostUnreachable);
    let unreachable = connect(&world, SocketAddr::from(([198, 18, 0, 1], 9))).expect_err("unreachable");
    assert_eq!(unreachable.kind(), ErrorKind::HostUnreachable);
    let meanwhile = world.running.as_ref().expect("a gateway").carried().uncarried();
    assert_eq!((meanwhile.listed.len(), meanwhile.all_but), (2, None), "it is known while the gateway works");
    // HTTP does not say whether the server refused or was never found.
    assert_eq!(uncarried(&mut world), ["tcp 198.18.0.1:9", "udp 198.18.0.1:9"]);
}

#[test]
fn without_a_way_there_nothing_is_carried_and_with_one_all_is() {
    let Some(mut world) = World::new(Options::default()) else { return };
    ping_pong(&world, SERVER_V4);
    let app = bind(&world.room, "0.0.0.0");
    app.send_to(b"anybody?", "198.18.0.1:9").expect("sent");
    let refused = connect(&world, SocketAddr::from(([198, 18, 0, 1], 9))).expect_err("refused");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    // The host has no route there at all.
    let unreachable = connect(&world, SocketAddr::from(([203, 0, 113, 1], 9))).expect_err("unreachable");
    assert_eq!(unreachable.kind(), ErrorKind::NetworkUnreachable);
    // Nor does it let anything go to this one.
    world.room.run(|| app.connect("198.19.2.1:9")).expect("an address");
    app.send(b"anybody?").expect("sent");
    assert!(uninterrupted(|| app.recv(&mut [0])).is_err());
    assert_eq!(uncarried(&mut world), ["udp 198.19.2.1:9", "tcp 203.0.113.1:9"]);
}

/// A server that would notice being spoken to past the proxy, over TCP or UDP.
fn noticing(world: &World) -> (SocketAddr, impl FnOnce() -> bool) {
    let tcp = world.host.run(|| TcpListener::bind((SERVER_V4, 0))).expect("a listener");
    let server = tcp.local_addr().expect("an address");
    let udp = world.host.run(|| std::net::UdpSocket::bind(server)).expect("a socket");
    let noticed = move || {
        tcp.set_nonblocking(true).expect("an option");
        udp.set_nonblocking(true).expect("an option");
        tcp.accept().is_ok() || udp.recv(&mut [0]).is_ok()
    };
    (server, noticed)
}

fn is_cut_off(world: &mut World) {
    let (server, noticed) = noticing(world);
    let questions = world.host.run(|| std::net::UdpSocket::bind(NAME_SERVER)).expect("a socket");
    let error = connect(world, server).expect_err("no network");
    assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
    let app = bind(&world.room, "0.0.0.0");
    app.set_read_timeout(Some(std::time::Duration::from_millis(300))).expect("a limit");
    app.send_to(b"anybody?", server).expect("sent");
    assert!(uninterrupted(|| app.recv(&mut [0])).is_err());
    assert!(ask(&app, "10.219.0.1:53").is_err());
    questions.set_nonblocking(true).expect("an option");
    assert!(questions.recv(&mut [0]).is_err(), "a question went past the proxy");
    assert!(!noticed(), "something went past the proxy");
    let counts = world.running.take().expect("a gateway").stop().expect("counts");
    assert!(!counts.proxy_faults.is_empty() && counts.answered == 0, "{counts:?}");
    let [address, port] = [server.ip().to_string(), server.port().to_string()];
    let named =
        |to: &&Destination| (to.address.to_string(), to.port.to_string()) == (address.clone(), port.clone());
    let transports = counts.uncarried.listed.iter().filter(named).map(|to| to.transport);
    assert_eq!(
        transports.collect::<Vec<_>>(),
        [Transport::Tcp, Transport::Udp],
        "both were tried: {counts:?}"
    );
}

#[test]
fn a_proxy_that_is_down_is_no_network() {
    for scheme in ["socks5", "http"] {
        let Some(mut world) = through(&format!("{scheme}://who:secret@{PROXY}")) else { return };
        is_cut_off(&mut world);
    }
}

#[test]
fn a_login_that_is_not_accepted_is_no_network() {
    let Some(mut world) = through(&format!("socks5://who:forget@{PROXY}")) else { return };
    proxies::socks5(&world, PROXY);
    is_cut_off(&mut world);
    let Some(mut world) = through(&format!("http://who:forget@{PROXY}")) else { return };
    proxies::http(&world, PROXY);
    is_cut_off(&mut world);
}
