//! TCP through the gateway is TCP without it: what is refused, unreachable, half-closed or reset looks so.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use overheard_probe::gateway::Options;

use crate::datagrams::uninterrupted;
use crate::fixture::{SERVER_V4, SERVER_V6, World};

/// So that nothing hangs for ever; a busy machine takes long for little.
const LIMIT: Duration = Duration::from_secs(60);

/// A server in the host's namespace that treats each connection so.
pub fn serve(
    world: &World,
    at: &str,
    treat: impl Fn(TcpStream) + Send + Sync + Clone + 'static,
) -> SocketAddr {
    let listener = world.host.run(|| TcpListener::bind((at, 0))).expect("a listener");
    let address = listener.local_addr().expect("an address");
    world.host.spawn(move || {
        for stream in listener.incoming() {
            let (stream, treat) = (stream.expect("a connection"), treat.clone());
            bounded(&stream);
            std::thread::spawn(move || treat(stream));
        }
    });
    address
}

pub fn bounded(stream: &TcpStream) {
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream.set_write_timeout(Some(LIMIT)).expect("a limit");
}

/// A connection out of the room.
pub fn connect(world: &World, to: SocketAddr) -> io::Result<TcpStream> {
    let stream = world.room.run(|| TcpStream::connect_timeout(&to, LIMIT))?;
    bounded(&stream);
    Ok(stream)
}

fn reset(stream: TcpStream) {
    let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::Linger, &linger).expect("an option");
}

/// Bytes of which no two stretches are alike.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

#[test]
fn a_server_answers_over_both_families() {
    let Some(world) = World::new(Options::default()) else { return };
    for at in [SERVER_V4, SERVER_V6] {
        let server = serve(&world, at, |mut stream| {
            let mut asked = [0; 4];
            stream.read_exact(&mut asked).expect("a question");
            stream.write_all(b"pong").expect("an answer");
        });
        let mut app = connect(&world, server).expect("a connection");
        app.write_all(b"ping").expect("a question");
        let mut answer = Vec::new();
        app.read_to_end(&mut answer).expect("an answer");
        assert_eq!(answer, b"pong");
    }
}

#[test]
fn what_is_refused_or_unreachable_looks_so() {
    let Some(world) = World::new(Options::default()) else { return };
    let refused = [
        format!("{SERVER_V4}:9"),
        format!("[{SERVER_V6}]:9"),
        "10.219.0.1:9".into(),
        "[fd6f:7665:7268::1]:9".into(),
    ];
    for server in refused {
        let error = connect(&world, server.parse().expect("an address")).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{server}: {error}");
    }
    for (server, kind) in [
        ("198.19.0.1:9", ErrorKind::NetworkUnreachable),
        ("[2001:2:1::1]:9", ErrorKind::NetworkUnreachable),
        ("198.19.1.1:9", ErrorKind::HostUnreachable),
        // The kernel tells "administratively prohibited" so to the app (`icmp_err_convert`).
        ("198.19.2.1:9", ErrorKind::HostUnreachable),
    ] {
        let error = connect(&world, server.parse().expect("an address")).expect_err("unreachable");
        assert_eq!(error.kind(), kind, "{server}: {error}");
    }
}

#[test]
fn each_side_may_end_first_and_still_hear_the_other() {
    let Some(world) = World::new(Options::default()) else { return };
    // The app ends, and hears what the server makes of all that it said.
    let server = serve(&world, SERVER_V4, |mut stream| {
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("all");
        stream.write_all(&said).expect("an answer");
    });
    let mut app = connect(&world, server).expect("a connection");
    app.write_all(b"first and last").expect("a question");
    app.shutdown(Shutdown::Write).expect("an end");
    let mut answer = Vec::new();
    app.read_to_end(&mut answer).expect("an answer");
    assert_eq!(answer, b"first and last");

    // The server ends, and hears what the app says afterwards.
    let (sender, heard) = std::sync::mpsc::channel();
    let server = serve(&world, SERVER_V4, move |mut stream| {
        stream.write_all(b"go on").expect("a word");
        stream.shutdown(Shutdown::Write).expect("an end");
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("all");
        sender.send(said).expect("a listener");
    });
    let mut app = connect(&world, server).expect("a connection");
    let mut said = Vec::new();
    app.read_to_end(&mut said).expect("a word");
    assert_eq!(said, b"go on");
    app.write_all(b"later").expect("a word");
    drop(app);
    assert_eq!(heard.recv_timeout(LIMIT).expect("what was heard"), b"later");
}

#[test]
fn a_reset_by_one_side_resets_the_other() {
    let Some(world) = World::new(Options::default()) else { return };
    let server = serve(&world, SERVER_V4, |mut stream| {
        stream.read_exact(&mut [0]).expect("a byte");
        reset(stream);
    });
    let mut app = connect(&world, server).expect("a connection");
    app.write_all(b"x").expect("a byte");
    assert_eq!(uninterrupted(|| app.read(&mut [0])).expect_err("a reset").kind(), ErrorKind::ConnectionReset);

    // Also when it has ended before.
    let server = serve(&world, SERVER_V4, |mut stream| {
        stream.shutdown(Shutdown::Write).expect("an end");
        stream.read_exact(&mut [0]).expect("a byte");
        reset(stream);
    });
    let mut app = connect(&world, server).expect("a connection");
    assert_eq!(uninterrupted(|| app.read(&mut [0])).expect("an end"), 0);
    app.write_all(b"x").expect("a byte");
    let mut tries = 0;
    let error = loop {
        std::thread::sleep(Duration::from_millis(20));
        if let Err(error) = app.write_all(b"x") {
            break error;
        }
        tries += 1;
        assert!(tries < 500, "no reset");
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");

    let (sender, heard) = std::sync::mpsc::channel();
    let server = serve(&world, SERVER_V4, move |mut stream| {
        stream.write_all(b"x").expect("a byte");
        sender.send(uninterrupted(|| stream.read(&mut [0]))).expect("a listener");
    });
    let mut app = connect(&world, server).expect("a connection");
    app.read_exact(&mut [0]).expect("a byte");
    reset(app);
    let heard = heard.recv_timeout(LIMIT).expect("what was heard");
    assert_eq!(heard.expect_err("a reset").kind(), ErrorKind::ConnectionReset);
}

#[test]
fn bulk_passes_both_ways_at_once_and_whole() {
    const LENGTH: usize = 64 << 20;
    let Some(world) = World::new(Options::default()) else { return };
    let (up, down) = (Arc::new(noise(1, LENGTH)), Arc::new(noise(2, LENGTH)));
    for at in [SERVER_V4, SERVER_V6] {
        let (sender, heard) = std::sync::mpsc::channel();
        let (hear, say) = (Arc::clone(&up), Arc::clone(&down));
        let server = serve(&world, at, move |stream| {
            sender.send(exchange(stream, &say, &hear)).expect("a listener");
        });
        let app = connect(&world, server).expect("a connection");
        assert!(exchange(app, &up, &down), "down");
        assert!(heard.recv_timeout(LIMIT).expect("the server's word"), "up");
    }

    /// Says one and hears another, at the same time; whether the other was whole.
    fn exchange(stream: TcpStream, say: &Arc<Vec<u8>>, hear: &[u8]) -> bool {
        let mut out = stream.try_clone().expect("a file descriptor");
        let say = Arc::clone(say);
        let said = std::thread::spawn(move || {
            out.write_all(&say).expect("all");
            out.shutdown(Shutdown::Write).expect("an end");
        });
        let mut heard = Vec::with_capacity(LENGTH);
        (&stream).read_to_end(&mut heard).expect("all");
        said.join().expect("said");
        heard == hear
    }
}

#[test]
fn thousands_of_short_flows_pass_and_each_is_recorded() {
    const FLOWS: u32 = 2000;
    let Some(mut world) = World::new(Options::default()) else { return };
    let server = serve(&world, SERVER_V4, |mut stream| {
        let mut number = [0; 4];
        stream.read_exact(&mut number).expect("a number");
        stream.write_all(&number).expect("an answer");
    });
    world.room.run(|| {
        for number in 0..FLOWS {
            let mut app = TcpStream::connect_timeout(&server, LIMIT).expect("a connection");
            bounded(&app);
            app.write_all(&number.to_be_bytes()).expect("a number");
            let mut answer = Vec::new();
            app.read_to_end(&mut answer).expect("an answer");
            assert_eq!(answer, number.to_be_bytes());
        }
    });
    let counts = world.running.take().expect("a gateway").stop().expect("counts");
    let packets = world.tape.packets();
    assert_eq!(counts.packets(), packets.len() as u64, "recorded if and only if it crossed");
    // A busy machine may make a kernel send one again, which has the same port and sequence number.
    let syns = packets.iter().filter(|(_, ip)| ip[0] == 0x45 && ip[9] == 6 && ip[33] == 0b10);
    let flows: HashSet<_> = syns.map(|(_, ip)| ip[20..28].to_vec()).collect();
    assert_eq!(flows.len(), FLOWS as usize);
}
