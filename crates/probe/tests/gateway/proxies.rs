//! Small proxies to go through: SOCKS5 with a login, connections and datagrams, and HTTP CONNECT with a login.
//!
//! Promises: they speak what RFC 1928, RFC 1929 and RFC 9110 ask of a server, for well-formed clients; each request is
//! kept, so that a test sees what went through them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};

use crate::fixture::World;
use crate::tcp::bounded;

/// What was asked of a proxy, in order.
pub type Asked = Arc<Mutex<Vec<SocketAddr>>>;

/// A SOCKS5 proxy in the host's namespace that wants the login `who` with `secret`.
pub fn socks5(world: &World, at: &str) -> Asked {
    proxy(world, at, serve_socks5)
}

/// An HTTP proxy in the host's namespace that wants the login `who` with `secret`.
pub fn http(world: &World, at: &str) -> Asked {
    proxy(world, at, serve_http)
}

fn proxy(world: &World, at: &str, serve: fn(TcpStream, Asked) -> io::Result<()>) -> Asked {
    let listener = world.host.run(|| TcpListener::bind(at)).expect("a listener");
    let asked = Asked::default();
    let kept = Arc::clone(&asked);
    let spawner = world.host.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, asked) = (stream.expect("a connection"), Arc::clone(&kept));
            bounded(&stream);
            spawner.spawn(move || drop(serve(stream, asked)));
        }
    });
    asked
}

fn serve_socks5(mut stream: TcpStream, asked: Asked) -> io::Result<()> {
    let mut greeting = [0; 3];
    stream.read_exact(&mut greeting)?;
    assert_eq!(greeting, [5, 1, 2], "one method: a login");
    stream.write_all(&[5, 2])?;
    let mut login = [0; 12];
    stream.read_exact(&mut login)?;
    if login != *b"\x01\x03who\x06secret" {
        return stream.write_all(&[1, 1]);
    }
    stream.write_all(&[1, 0])?;
    let mut request = [0; 4];
    stream.read_exact(&mut request)?;
    let to = read_address(&mut stream, request[3])?;
    match request[1] {
        1 => {
            asked.lock().expect("a list").push(to);
            let code = match TcpStream::connect(to) {
                Ok(server) => {
                    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
                    return pass(stream, server);
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => 5,
                Err(_) => 4,
            };
            stream.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0])
        }
        _ => associate(stream, asked),
    }
}

fn associate(mut stream: TcpStream, asked: Asked) -> io::Result<()> {
    let inner = UdpSocket::bind("127.0.0.1:0")?;
    let outer = UdpSocket::bind("0.0.0.0:0")?;
    let port = inner.local_addr()?.port().to_be_bytes();
    // No address: the client has to know that it is the proxy's.
    stream.write_all(&[&[5, 0, 0, 1, 0, 0, 0, 0][..], &port].concat())?;
    let (from_client, to_client) = (inner.try_clone()?, inner);
    let client = Arc::new(Mutex::new(None));
    let (answers, kept) = (outer.try_clone()?, Arc::clone(&client));
    std::thread::spawn(move || {
        let mut buffer = [0; 65_535];
        while let Ok((length, from)) = answers.recv_from(&mut buffer) {
            let IpAddr::V4(ip) = from.ip() else { continue };
            let head = [&[0, 0, 0, 1][..], &ip.octets(), &from.port().to_be_bytes()].concat();
            let client: Option<SocketAddr> = *kept.lock().expect("a client");
            to_client.send_to(&[&head, &buffer[..length]].concat(), client.expect("a client")).expect("sent");
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; 65_535];
        while let Ok((length, from)) = from_client.recv_from(&mut buffer) {
            *client.lock().expect("a client") = Some(from);
            let mut rest = &buffer[4..length];
            let to = read_address(&mut rest, buffer[3]).expect("an address");
            asked.lock().expect("a list").push(to);
            outer.send_to(rest, to).expect("sent");
        }
    });
    // The association lives as long as this connection, which says nothing more: however slow the machine, not less.
    stream.set_read_timeout(None)?;
    while stream.read(&mut [0])? > 0 {}
    Ok(())
}

fn read_address(from: &mut impl Read, kind: u8) -> io::Result<SocketAddr> {
    let mut bytes = vec![0; if kind == 1 { 6 } else { 18 }];
    from.read_exact(&mut bytes)?;
    let (ip, port) = bytes.split_at(bytes.len() - 2);
    let ip = match <[u8; 4]>::try_from(ip) {
        Ok(ip) => IpAddr::V4(Ipv4Addr::from(ip)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(ip).expect("an address"))),
    };
    Ok(SocketAddr::new(ip, u16::from_be_bytes([port[0], port[1]])))
}

fn serve_http(mut stream: TcpStream, asked: Asked) -> io::Result<()> {
    let lines: Vec<_> =
        BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    // `who:secret`
    if !lines.iter().any(|line| line == "Proxy-Authorization: Basic d2hvOnNlY3JldA==") {
        return stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    }
    let to: SocketAddr = lines[0].split(' ').nth(1).expect("a server").parse().expect("an address");
    asked.lock().expect("a list").push(to);
    match TcpStream::connect(to) {
        Ok(server) => {
            stream.write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")?;
            pass(stream, server)
        }
        Err(_) => stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"),
    }
}

/// Copies both ways until both have ended.
fn pass(client: TcpStream, server: TcpStream) -> io::Result<()> {
    let (mut up, mut down) = ((client.try_clone()?, server.try_clone()?), (server, client));
    let going_up = std::thread::spawn(move || {
        let _reset = io::copy(&mut up.0, &mut up.1);
        up.1.shutdown(Shutdown::Write)
    });
    io::copy(&mut down.0, &mut down.1)?;
    down.1.shutdown(Shutdown::Write)?;
    going_up.join().expect("a thread")
}
