//! Plants one leak of every class, so that a room proves itself before an app is let into it.
//!
//! A program of ours, with the privilege over the room's network that its app lacks, enters the room's network
//! namespace ([`enter`]), sends one packet of every class ([`plant`]) and says what became of each. The gateway must
//! have seen and denied every one ([`judge`]).
//!
//! Promises: where a room does leak after all, what leaks is harmless: a greeting without content, to addresses that
//! are nobody's (RFC 2544, RFC 5180, RFC 3692) or to a service's well-known address. Takes no longer than [`PATIENCE`]
//! and a little.

use super::Class;
use super::statement::Planted;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, sendto, socket,
};
use nix::sys::stat::Mode;
use overheard_model::Transport;
use serde::{Deserialize, Serialize};
use std::fs::read_link;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::{self, net::UnixStream};
use std::time::Duration;

/// How long an answer is waited for. A gateway that denies answers at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// One packet that must not get out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leak {
    class: Class,
    /// [`Transport::Tcp`] and [`Transport::Udp`] by ordinary sockets, everything else by a raw one.
    transport: Transport,
    to: SocketAddr,
    /// What follows the transport's header; nothing for TCP, which is not let come so far.
    payload: &'static [u8],
}

/// A planted leak, and what its sender heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sown {
    pub class: Class,
    pub transport: Transport,
    pub to: SocketAddr,
    pub fate: Fate,
}

/// What became of everything that was planted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Harvest {
    pub sown: Vec<Sown>,
    /// Whether the abstract socket outside of the room could be reached.
    pub reached_outside: bool,
}

/// What the sender heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Nothing, or the network's word that it may not.
    Nothing,
    /// It got out: there was an answer.
    Answered,
    /// It could not even be sent, and so proves nothing; why.
    Unsent(String),
}

/// RFC 2544: for tests between networks, assigned to nobody.
const NOBODY: [u8; 4] = [198, 18, 255, 254];
/// RFC 5180: the same of IPv6.
const NOBODY_V6: [u16; 8] = [0x2001, 2, 0, 0, 0, 0, 0, 0xfffe];
/// RFC 3692: a protocol number for experiments.
const EXPERIMENT: u8 = 253;

/// The question for `leak.invalid`, type A (RFC 1035; the name is nobody's by RFC 6761).
const QUESTION: &[u8] =
    b"\x4f\x68\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04leak\x07invalid\x00\x00\x01\x00\x01";
/// A search for every device that speaks UPnP.
const SEARCH: &[u8] =
    b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n";
/// The first byte of a client's request in NTP version 4 (RFC 5905), and 47 of zero.
const TIME: &[u8] = &[
    0x23, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
/// A STUN Binding request (RFC 8489).
const BINDING: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42overheard-xx";
/// The beginning of a QUIC Initial of a version that is reserved for forcing negotiation (RFC 9000, section 15).
const INITIAL: &[u8] = b"\xc0\x0a\x0a\x0a\x0a\x08overhear\x00";
/// An ICMP echo request with its checksum.
const ECHO: &[u8] = &[8, 0, 0xf7, 0xff, 0, 0, 0, 0];
const NOTHING: &[u8] = b"";

/// One of every class, in the order of [`Class::ALL`].
const LEAKS: [Leak; 18] = [
    leak(Class::Metadata, Transport::Tcp, [169, 254, 169, 254], 80, NOTHING),
    leak(Class::Mdns, Transport::Udp, [224, 0, 0, 251], 5353, QUESTION),
    leak(Class::Ssdp, Transport::Udp, [239, 255, 255, 250], 1900, SEARCH),
    leak(Class::Llmnr, Transport::Udp, [224, 0, 0, 252], 5355, QUESTION),
    // RFC 2365: for one organization.
    leak(Class::Multicast, Transport::Udp, [239, 192, 255, 254], 9, NOTHING),
    leak(Class::LinkLocal, Transport::Udp, [169, 254, 255, 1], 9, NOTHING),
    leak(Class::Dns, Transport::Udp, NOBODY, 53, QUESTION),
    leak(Class::Dot, Transport::Tcp, NOBODY, 853, NOTHING),
    leak(Class::Doh, Transport::Tcp, [1, 1, 1, 1], 443, NOTHING),
    leak(Class::Ntp, Transport::Udp, NOBODY, 123, TIME),
    leak(Class::Stun, Transport::Udp, NOBODY, 3478, BINDING),
    leak(Class::Quic, Transport::Udp, NOBODY, 443, INITIAL),
    leak(Class::Lan, Transport::Udp, [192, 168, 255, 254], 9, NOTHING),
    leak(Class::Icmp, Transport::Icmp, NOBODY, 0, ECHO),
    leak(Class::Raw, Transport::Other(EXPERIMENT), NOBODY, 0, NOTHING),
    Leak {
        class: Class::Ipv6,
        transport: Transport::Tcp,
        to: SocketAddr::new(IpAddr::V6(Ipv6Addr::from_segments(NOBODY_V6)), 80),
        payload: NOTHING,
    },
    leak(Class::OtherTcp, Transport::Tcp, NOBODY, 80, NOTHING),
    leak(Class::OtherUdp, Transport::Udp, NOBODY, 9, NOTHING),
];

const fn leak(class: Class, transport: Transport, to: [u8; 4], port: u16, payload: &'static [u8]) -> Leak {
    Leak { class, transport, to: SocketAddr::new(IpAddr::V4(Ipv4Addr::from_octets(to)), port), payload }
}

/// Puts this program into the network namespace of a process, with privilege over it where the room's user namespace
/// is ours. To be called before the program has a second thread.
pub fn enter(pid: u32) -> io::Result<()> {
    let namespace = |kind: &str| format!("/proc/{pid}/ns/{kind}");
    let network = open(&*namespace("net"), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    if read_link(namespace("user"))? != read_link("/proc/self/ns/user")? {
        let user = open(&*namespace("user"), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
        setns(user, CloneFlags::CLONE_NEWUSER)?;
    }
    setns(network, CloneFlags::CLONE_NEWNET)?;
    Ok(())
}

/// Sends one leak of every class from the network namespace that this program is in, and tries the abstract Unix
/// socket of this name, which is open elsewhere.
pub fn plant(outside: &str) -> Harvest {
    let reached_outside = abstract_socket(outside).and_then(|at| UnixStream::connect_addr(&at)).is_ok();
    Harvest { sown: sow(), reached_outside }
}

/// The address of an abstract Unix socket, which belongs to a network namespace and to no file system (unix(7)).
pub(super) fn abstract_socket(name: &str) -> io::Result<unix::net::SocketAddr> {
    unix::net::SocketAddr::from_abstract_name(name)
}

fn sow() -> Vec<Sown> {
    std::thread::scope(|scope| {
        let sown = LEAKS.map(|leak| (leak, scope.spawn(move || send(&leak))));
        sown.map(|(Leak { class, transport, to, .. }, sent)| {
            let fate = sent.join().unwrap_or_else(|_| Fate::Unsent("the sender panicked".into()));
            Sown { class, transport, to, fate }
        })
        .into()
    })
}

/// What is stated of each leak; `denied` says whether the gateway saw it and denied it.
pub fn judge(sown: &[Sown], denied: impl Fn(&Sown) -> bool) -> Vec<Planted> {
    let judged = |leak: &Sown| Planted {
        class: leak.class,
        transport: leak.transport,
        to: leak.to,
        stopped: leak.fate == Fate::Nothing,
        seen: denied(leak),
    };
    sown.iter().map(judged).collect()
}

fn send(leak: &Leak) -> Fate {
    let heard = match (leak.transport, leak.to) {
        (Transport::Tcp, to) => TcpStream::connect_timeout(&to, PATIENCE).map(drop),
        (Transport::Udp, to) => ask(to, leak.payload),
        (transport, SocketAddr::V4(to)) => match send_raw(transport, to, leak.payload) {
            // A raw socket for sending hears nothing.
            Ok(()) => return Fate::Nothing,
            Err(error) => Err(error),
        },
        (_, SocketAddr::V6(_)) => Err(ErrorKind::Unsupported.into()),
    };
    match heard {
        Ok(()) => Fate::Answered,
        Err(error) if was_sent(&error) => Fate::Nothing,
        Err(error) => Fate::Unsent(error.to_string()),
    }
}

/// Whether an error tells of a packet that left: a refusal that came back, or time that ran out.
fn was_sent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
    )
}

fn ask(to: SocketAddr, payload: &[u8]) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(to)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send(payload)?;
    socket.recv(&mut [0; 1]).map(drop)
}

/// With an IP header of our own; the kernel fills in the source, the length and the checksum (raw(7)).
fn send_raw(transport: Transport, to: SocketAddrV4, payload: &[u8]) -> io::Result<()> {
    let [a, b, c, d] = to.ip().octets();
    let header = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, transport.number(), 0, 0, 0, 0, 0, 0, a, b, c, d];
    let packet = [&header, payload].concat();
    let socket = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw)?;
    sendto(socket.as_raw_fd(), &packet, &SockaddrIn::from(to), MsgFlags::empty())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_leak_of_every_class() {
        assert_eq!(LEAKS.map(|leak| leak.class), Class::ALL);
    }

    #[test]
    fn what_was_not_sent_or_was_answered_is_not_stopped() {
        let sown = |fate| Sown {
            class: Class::Dns,
            transport: Transport::Udp,
            to: "198.18.0.1:53".parse().unwrap(),
            fate,
        };
        let fates = [Fate::Nothing, Fate::Answered, Fate::Unsent("no privilege".into())].map(sown);
        let judged = judge(&fates, |leak| leak.fate != Fate::Answered);
        assert_eq!(judged.iter().map(|leak| leak.stopped).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(judged.iter().map(|leak| leak.seen).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn the_echo_request_has_its_checksum() {
        let sum: u32 = ECHO.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
        assert_eq!(sum, 0xffff);
    }
}
