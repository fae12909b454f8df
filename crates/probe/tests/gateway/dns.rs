//! Questions for names: asked of the gateway, answered from upstream, over UDP and TCP.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use overheard_probe::gateway::{Dns, Options};

use crate::datagrams::{bind, uninterrupted};
use crate::fixture::World;
use crate::tcp::{bounded, connect};

/// A question for `a.nl`, type TXT, without EDNS.
pub const QUESTION: &[u8] =
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02nl\x00\x00\x10\x00\x01";

/// Where [`name_server`] stands.
pub const NAME_SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1)), 53);

/// A name server in the host's namespace whose answers are the question and this many bytes.
pub fn name_server(world: &World, more: usize) {
    let answer = move |question: &[u8]| [question, &vec![7; more][..]].concat();
    let udp = world.host.run(|| UdpSocket::bind(NAME_SERVER)).expect("a socket");
    let tcp = world.host.run(|| TcpListener::bind(NAME_SERVER)).expect("a listener");
    std::thread::spawn(move || {
        let mut buffer = [0; 600];
        while let Ok((length, from)) = udp.recv_from(&mut buffer) {
            udp.send_to(&answer(&buffer[..length]), from).expect("an answer");
        }
    });
    std::thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.expect("a connection");
            bounded(&stream);
            let mut length = [0; 2];
            stream.read_exact(&mut length).expect("a length");
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).expect("a question");
            let answer = answer(&question);
            stream
                .write_all(&[&(answer.len() as u16).to_be_bytes(), &answer[..]].concat())
                .expect("an answer");
        }
    });
}

pub fn ask(app: &UdpSocket, gateway: &str) -> std::io::Result<Vec<u8>> {
    app.send_to(QUESTION, gateway)?;
    let mut answer = vec![0; 2000];
    let (length, from) = uninterrupted(|| app.recv_from(&mut answer))?;
    assert_eq!(from, gateway.parse().expect("an address"));
    answer.truncate(length);
    Ok(answer)
}

fn world() -> Option<World> {
    World::new(Options { dns: Dns::Server(NAME_SERVER), ..Options::default() })
}

#[test]
fn questions_are_answered_from_upstream() {
    let Some(world) = world() else { return };
    name_server(&world, 20);
    for (gateway, any) in [("10.219.0.1:53", "0.0.0.0"), ("[fd6f:7665:7268::1]:53", "::")] {
        let answer = ask(&bind(&world.room, any), gateway).expect("an answer");
        assert_eq!(answer, [QUESTION, &[7; 20]].concat());
    }
}

#[test]
fn an_answer_that_is_too_long_is_cut_and_comes_whole_over_tcp() {
    let Some(world) = world() else { return };
    name_server(&world, 1000);
    let cut = ask(&bind(&world.room, "0.0.0.0"), "10.219.0.1:53").expect("an answer");
    assert_eq!((cut.len(), cut[2] & 0b10), (QUESTION.len(), 0b10));
    for gateway in ["10.219.0.1:53", "[fd6f:7665:7268::1]:53"] {
        let mut stream = connect(&world, gateway.parse().expect("an address")).expect("a connection");
        stream.write_all(&[&(QUESTION.len() as u16).to_be_bytes(), QUESTION].concat()).expect("a question");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        assert_eq!(answer[2..], [QUESTION, &[7; 1000]].concat());
    }
}
