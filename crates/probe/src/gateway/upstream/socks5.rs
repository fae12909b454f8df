//! SOCKS version 5: connections, and an association for datagrams (RFC 1928), with a login (RFC 1929).
//!
//! Promises: what the proxy says of the server becomes the errno that the server itself would have caused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::errno::Errno;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::line::Line;
use super::{Failure, Login, Proxy, ProxyFault};

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
const ASSOCIATE: u8 = 3;

/// A connection to `to` through the proxy at the other end of `stream`.
pub async fn connect(mut stream: TcpStream, proxy: &Proxy, to: SocketAddr) -> Result<TcpStream, Failure> {
    ask(&mut stream, proxy, CONNECT, to).await?;
    Ok(stream)
}

/// An association, which ends with its connection.
pub async fn associate(mut stream: TcpStream, proxy: &Proxy) -> Result<Line, Failure> {
    // We cannot tell where our datagrams will come from, and say so with zeros.
    let unknown = match proxy.address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let mut relay = ask(&mut stream, proxy, ASSOCIATE, unknown).await?;
    if relay.ip().is_unspecified() {
        relay.set_ip(proxy.address.ip());
    }
    let unbound = if relay.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(unbound).await?;
    socket.connect(relay).await?;
    Ok(Line::Socks5 { socket, control: stream })
}

/// Logs in and asks; the address that the proxy answers with.
async fn ask(
    stream: &mut TcpStream,
    proxy: &Proxy,
    command: u8,
    to: SocketAddr,
) -> Result<SocketAddr, Failure> {
    log_in(stream, proxy.login.as_ref()).await?;
    let mut request = vec![VERSION, command, 0];
    put_address(&mut request, to);
    stream.write_all(&request).await?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply).await?;
    match (reply[0], reply[1]) {
        (VERSION, 0) => {}
        (VERSION, code) => return Err(refused(code)),
        _ => return Err(Failure::Proxy(ProxyFault::Broken)),
    }
    read_address(stream, reply[3]).await
}

async fn log_in(stream: &mut TcpStream, login: Option<&Login>) -> Result<(), Failure> {
    const NONE: u8 = 0;
    const PASSWORD: u8 = 2;
    let method = if login.is_some() { PASSWORD } else { NONE };
    stream.write_all(&[VERSION, 1, method]).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match chosen {
        [VERSION, chosen] if chosen == method => {}
        [VERSION, _] => return Err(Failure::Proxy(ProxyFault::Login)),
        _ => return Err(Failure::Proxy(ProxyFault::Broken)),
    }
    let Some(login) = login else { return Ok(()) };
    let mut request = vec![1];
    for text in [&login.name, &login.password] {
        request.push(u8::try_from(text.len()).map_err(|_| Failure::Proxy(ProxyFault::Login))?);
        request.extend(text.as_bytes());
    }
    stream.write_all(&request).await?;
    let mut reply = [0; 2];
    stream.read_exact(&mut reply).await?;
    if reply[1] == 0 { Ok(()) } else { Err(Failure::Proxy(ProxyFault::Login)) }
}

/// RFC 1928, section 6.
fn refused(code: u8) -> Failure {
    match code {
        2 => Failure::Proxy(ProxyFault::NotAllowed),
        3 => Errno::ENETUNREACH.into(),
        4 | 6 => Errno::EHOSTUNREACH.into(),
        5 => Errno::ECONNREFUSED.into(),
        // "General failure" is what some say of a server that does not answer.
        1 => Errno::EHOSTUNREACH.into(),
        7 => Failure::Proxy(ProxyFault::Unsupported),
        _ => Failure::Proxy(ProxyFault::Broken),
    }
}

async fn read_address(stream: &mut TcpStream, kind: u8) -> Result<SocketAddr, Failure> {
    let ip: IpAddr = match kind {
        1 => Ipv4Addr::from(stream.read_u32().await?).into(),
        4 => Ipv6Addr::from(stream.read_u128().await?).into(),
        3 => {
            // A name, which only tells where the proxy thinks that it is.
            let mut name = vec![0; usize::from(stream.read_u8().await?)];
            stream.read_exact(&mut name).await?;
            Ipv4Addr::UNSPECIFIED.into()
        }
        _ => return Err(Failure::Proxy(ProxyFault::Broken)),
    };
    Ok(SocketAddr::new(ip, stream.read_u16().await?))
}

fn put_address(request: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => {
            request.push(1);
            request.extend(ip.octets());
        }
        IpAddr::V6(ip) => {
            request.push(4);
            request.extend(ip.octets());
        }
    }
    request.extend(address.port().to_be_bytes());
}

/// A datagram as the relay wants it (section 7).
pub fn wrap(to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0, 0, 0];
    put_address(&mut datagram, to);
    datagram.extend(payload);
    datagram
}

/// Who sent a datagram that came from the relay, and its payload. Fragments and names are not understood.
pub fn unwrap(datagram: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let [_, _, 0, kind, rest @ ..] = datagram else { return None };
    let (ip, rest): (IpAddr, _) = match kind {
        1 => rest.split_first_chunk::<4>().map(|(ip, rest)| (Ipv4Addr::from(*ip).into(), rest))?,
        4 => rest.split_first_chunk::<16>().map(|(ip, rest)| (Ipv6Addr::from(*ip).into(), rest))?,
        _ => return None,
    };
    let (port, payload) = rest.split_first_chunk::<2>()?;
    Some((SocketAddr::new(ip, u16::from_be_bytes(*port)), payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_come_out_as_they_went_in() {
        for to in ["198.18.0.1:9", "[2001:2::1]:9"] {
            let to = to.parse().expect("an address");
            assert_eq!(unwrap(&wrap(to, b"hello")), Some((to, &b"hello"[..])));
        }
        assert_eq!(unwrap(&[0, 0, 1, 1, 198, 18, 0, 1, 0, 9]), None, "a fragment");
        assert_eq!(unwrap(&[0, 0, 0, 4, 198, 18, 0, 1, 0, 9]), None, "too short");
    }
}
