//! HTTP CONNECT (RFC 9110, section 9.3.6), with a login (RFC 7617).
//!
//! Promises: reads the proxy's answer to its end and not a byte beyond, which are the server's. HTTP tells why a server
//! cannot be reached by a status alone, most of which mean many things: 407 wants another login, 401, 403 and 405 say
//! that the proxy does not allow it, and for all else the server's host is unreachable.

use std::net::SocketAddr;

use nix::errno::Errno;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Failure, Login, Proxy, ProxyFault};

/// Longer than the header section of any proxy.
const HEAD: usize = 16_384;

/// A connection to `to` through the proxy at the other end of `stream`.
pub async fn connect(mut stream: TcpStream, proxy: &Proxy, to: SocketAddr) -> Result<TcpStream, Failure> {
    let login = proxy.login.as_ref().map(authorization).unwrap_or_default();
    let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{login}\r\n");
    stream.write_all(request.as_bytes()).await?;
    match status(&head(&mut stream).await?) {
        Some(200..=299) => Ok(stream),
        Some(status @ (401 | 403 | 405 | 407)) => Err(Failure::Proxy(ProxyFault::Status(status))),
        None => Err(Failure::Proxy(ProxyFault::Broken)),
        Some(_) => Err(Errno::EHOSTUNREACH.into()),
    }
}

async fn head(stream: &mut TcpStream) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD {
            return Err(Failure::Proxy(ProxyFault::Broken));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

fn authorization(login: &Login) -> String {
    let plain = format!("{}:{}", login.name, login.password);
    format!("Proxy-Authorization: Basic {}\r\n", base64(plain.as_bytes()))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let six = (word >> (18 - 6 * place) & 63) as usize;
            text.push(if place > group.len() { '=' } else { char::from(ALPHABET[six]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648, section 10.
    #[test]
    fn base64_is_as_published() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_status_is_read_from_the_first_line_alone() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\nX: 200\r\n\r\n"), Some(407));
        assert_eq!(status(b"SSH-2.0 200\r\n\r\n"), None);
    }
}
