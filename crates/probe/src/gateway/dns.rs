//! Answers the app's questions for names, which it asks the gateway.
//!
//! Promises: questions and answers pass unread and unchanged but for an answer that is longer than the app can take
//! over UDP, which is cut as RFC 2181, section 9 asks. With [`Dns::Proxied`] no question leaves but through the
//! upstream.
//! Sources: RFC 1035, section 4.2.2 (over TCP), RFC 6891 (how long an answer may be).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::packet::Header;
use super::policy::Verdict;
use super::upstream::Upstream;
use super::{Gateway, compose};
use crate::door::{GATEWAY_V4, GATEWAY_V6};

const PORT: u16 = 53;

/// For one server while there are others; the app's resolver asks again by itself after five seconds.
const PATIENCE: Duration = Duration::from_millis(2500);

/// For the last server: a resolver that has asked again still takes a late answer to its first question.
const LAST_PATIENCE: Duration = Duration::from_secs(30);

/// Who answers questions that reach the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dns {
    /// The host's name servers, asked straight from the host, whatever the upstream.
    #[default]
    System,
    /// This one, asked straight from the host, whatever the upstream.
    Server(SocketAddr),
    /// This one, asked over TCP through the upstream.
    Proxied(SocketAddr),
    /// Nobody: a question to the gateway is judged as any other packet.
    None,
}

impl Dns {
    /// This server if there is one, through the proxy if there is one. With neither, the host's own; behind a proxy,
    /// nobody rather than them.
    pub fn by(server: Option<SocketAddr>, upstream: &Upstream) -> Self {
        match (server, upstream) {
            (None, Upstream::Direct) => Self::System,
            (None, _) => Self::None,
            (Some(server), Upstream::Direct) => Self::Server(server),
            (Some(server), _) => Self::Proxied(server),
        }
    }
}

/// The servers that are asked, in their order.
#[derive(Debug)]
pub struct Names {
    servers: Vec<SocketAddr>,
    is_proxied: bool,
}

impl Names {
    pub fn new(dns: &Dns) -> io::Result<Self> {
        let is_proxied = matches!(dns, Dns::Proxied(_));
        let servers = match dns {
            Dns::System => system(&std::fs::read_to_string(Path::new("/etc/resolv.conf"))?),
            Dns::Server(server) | Dns::Proxied(server) => vec![*server],
            Dns::None => Vec::new(),
        };
        Ok(Self { servers, is_proxied })
    }

    /// Whether a datagram is a question to the gateway.
    pub fn udp(&self, to: SocketAddr) -> bool {
        !self.servers.is_empty() && to.port() == PORT && (to.ip() == GATEWAY_V4 || to.ip() == GATEWAY_V6)
    }

    /// Where a connection for questions to the gateway leads.
    pub fn tcp(&self, to: SocketAddr) -> Option<Verdict> {
        let server = *self.servers.first().filter(|_| self.udp(to))?;
        Some(if self.is_proxied { Verdict::Upstream(server) } else { Verdict::Straight(server) })
    }
}

/// The name servers of resolv.conf(5); without any, the local one.
fn system(file: &str) -> Vec<SocketAddr> {
    let named = file.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        words.next().filter(|word| *word == "nameserver")?;
        words.next()?.parse().ok().map(|ip| SocketAddr::new(ip, PORT))
    });
    let servers: Vec<_> = named.collect();
    if servers.is_empty() { vec![(Ipv4Addr::LOCALHOST, PORT).into()] } else { servers }
}

/// A question of the app.
pub fn question(gateway: &Rc<Gateway>, ip: &[u8], header: &Header) {
    let Some((app, to)) = header.ends(ip) else { return gateway.drop_packet() };
    let question = ip[..header.end].get(header.transport + 8..).unwrap_or_default().to_vec();
    let gateway = Rc::clone(gateway);
    tokio::task::spawn_local(async move {
        // Without an answer the app's resolver hears nothing, as when its server is gone.
        if let Some(mut answer) = answer(&gateway, &question).await {
            cut(&mut answer, longest(&question));
            gateway.send(compose::udp(to, app, &answer));
        }
    });
}

async fn answer(gateway: &Gateway, question: &[u8]) -> Option<Vec<u8>> {
    let servers = &gateway.names.servers;
    for (number, server) in servers.iter().enumerate() {
        let patience = if number + 1 < servers.len() { PATIENCE } else { LAST_PATIENCE };
        let asked = async {
            match gateway.names.is_proxied {
                true => ask_proxied(gateway, *server, question).await,
                false => ask(*server, question).await,
            }
        };
        if let Ok(Ok(answer)) = tokio::time::timeout(patience, asked).await {
            return Some(answer);
        }
    }
    None
}

async fn ask(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind(if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut answer = vec![0; 65_535];
    loop {
        let length = socket.recv(&mut answer).await?;
        if length >= 12 && answer[..2] == question[..question.len().min(2)] {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}

async fn ask_proxied(gateway: &Gateway, server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = gateway.dial(Verdict::Upstream(server)).await?;
    let length = u16::try_from(question.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// How long an answer over UDP may be: what the question's OPT record says, which is its last in practice.
fn longest(question: &[u8]) -> usize {
    const OPT: [u8; 3] = [0, 0, 41];
    // Root name, type OPT, size; behind the question, whose own name ends with such a zero at most four bytes before.
    let records = question.get(12..).unwrap_or_default();
    let at = records.windows(5).rposition(|window| window[..3] == OPT);
    match at {
        Some(at) if question.get(10..12) != Some(&[0, 0]) => {
            usize::from(u16::from_be_bytes([records[at + 3], records[at + 4]])).max(512)
        }
        _ => 512,
    }
}

/// Leaves the header and the question of an answer that is too long, and says that it was cut.
fn cut(answer: &mut Vec<u8>, longest: usize) {
    if answer.len() <= longest {
        return;
    }
    let mut end = 12;
    while let Some(label) = answer.get(end).filter(|length| **length != 0 && **length < 64) {
        end += 1 + usize::from(*label);
    }
    answer.truncate((end + 5).min(longest));
    answer[2] |= 0b10;
    answer[6..12].fill(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01a\x02nl\x00\x00\x10\x00\x01\
                              \x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";

    #[test]
    fn a_long_answer_is_cut_to_its_question() {
        assert_eq!(longest(QUESTION), 1232);
        assert_eq!(longest(&QUESTION[..22]), 512);
        let mut answer = QUESTION[..22].to_vec();
        answer[7] = 9;
        answer.resize(1300, 7);
        cut(&mut answer, 1232);
        assert_eq!(
            answer,
            b"\x12\x34\x03\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02nl\x00\x00\x10\x00\x01"
        );
    }

    #[test]
    fn name_servers_are_read_as_the_system_reads_them() {
        let file = "# nameserver 192.0.2.9\nsearch example\nnameserver 192.0.2.1\nnameserver\t2001:db8::1\n";
        let servers = ["192.0.2.1:53", "[2001:db8::1]:53"].map(|server| server.parse().expect("an address"));
        assert_eq!(system(file), servers);
        assert_eq!(system(""), ["127.0.0.1:53".parse().expect("an address")]);
    }
}
