//! The way that the datagrams, or the echoes, of one socket of the app take: a socket of the host, or an association at
//! a proxy.
//!
//! Promises: what ICMP said of a datagram is told with who said it, of whom and of what payload.
//! Echoes leave by the kernel's ping sockets where `net.ipv4.ping_group_range` allows them, else by raw sockets.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{self, sock_extended_err};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, recvmsg,
    setsockopt, socket, sockopt,
};
use tokio::io::Interest;
use tokio::net::{TcpStream, UdpSocket};

use super::super::checksum;
use super::super::outlet::{Datagram, Origin};
use super::socks5;

#[derive(Debug)]
pub enum Line {
    Udp(UdpSocket),
    /// Echoes by the kernel's ping socket, which has an identifier of its own.
    Ping(UdpSocket),
    /// Echoes by a raw socket, told apart by this identifier.
    Raw(UdpSocket, [u8; 2]),
    Socks5 {
        socket: UdpSocket,
        control: TcpStream,
    },
}

/// What came back.
#[derive(Debug)]
pub enum Received<'a> {
    Payload {
        from: SocketAddr,
        payload: &'a [u8],
    },
    /// An ICMP error about a payload that was sent to `to`.
    Error {
        from: IpAddr,
        to: SocketAddr,
        kind: u8,
        code: u8,
        info: u32,
        payload: Vec<u8>,
    },
    /// Something that is not for us.
    Nothing,
}

impl Line {
    /// A socket of this host.
    pub fn direct(origin: Origin) -> io::Result<Self> {
        let v6 = origin.app.is_ipv6();
        let (family, protocol) = match v6 {
            false => (AddressFamily::Inet, SockProtocol::Icmp),
            true => (AddressFamily::Inet6, SockProtocol::IcmpV6),
        };
        let open =
            |kind, protocol| socket(family, kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, protocol);
        if !origin.is_echo {
            let socket = open(SockType::Datagram, None)?;
            setsockopt(&socket, sockopt::Broadcast, &true)?;
            return Ok(Self::Udp(prepared(socket, v6)?));
        }
        if let Ok(socket) = open(SockType::Datagram, Some(protocol)) {
            return Ok(Self::Ping(prepared(socket, v6)?));
        }
        let socket = open(SockType::Raw, Some(protocol))?;
        // One of our own for each socket of the app; other programs' identifiers are their process's, mostly.
        let id = (socket.as_raw_fd() as u16 ^ std::process::id() as u16).to_be_bytes();
        Ok(Self::Raw(prepared(socket, v6)?, id))
    }

    fn socket(&self) -> &UdpSocket {
        match self {
            Self::Udp(socket) | Self::Ping(socket) | Self::Raw(socket, _) | Self::Socks5 { socket, .. } => {
                socket
            }
        }
    }

    pub async fn send(&self, datagram: &Datagram) -> io::Result<()> {
        let Datagram { to, ttl, payload } = datagram;
        let sent = match self {
            Self::Socks5 { socket, .. } => socket.send(&socks5::wrap(*to, payload)).await,
            Self::Udp(socket) | Self::Ping(socket) => {
                set_ttl(socket, to, *ttl)?;
                socket.send_to(payload, to).await
            }
            Self::Raw(socket, id) => {
                set_ttl(socket, to, *ttl)?;
                socket.send_to(&identified(payload, *id), to).await
            }
        };
        sent.map(|_| ())
    }

    /// The next thing that comes back. An error means that nothing will any more.
    pub async fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Received<'a>> {
        let (length, from) = match self {
            Self::Socks5 { socket, control } => {
                return tokio::select! {
                    length = socket.recv(buffer) => {
                        // An error of the relay's port is told by the control connection too, if it means the end.
                        let unwrapped = socks5::unwrap(&buffer[..length.unwrap_or(0)]);
                        Ok(unwrapped.map_or(Received::Nothing, |(from, payload)| Received::Payload { from, payload }))
                    }
                    () = closed(control) => Err(Errno::ECONNRESET.into()),
                };
            }
            _ => loop {
                let ready = self.socket().ready(Interest::READABLE | Interest::ERROR).await?;
                if ready.is_error()
                    && let Some(error) = self.error()
                {
                    return Ok(error);
                }
                match self.socket().try_recv_from(buffer) {
                    Ok(received) => break received,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(_told_by_the_queue_of_errors) => continue,
                }
            },
        };
        Ok(self
            .payload(&buffer[..length], from)
            .map_or(Received::Nothing, |payload| Received::Payload { from, payload }))
    }

    /// The oldest ICMP error that has not been told yet.
    pub fn error(&self) -> Option<Received<'static>> {
        if matches!(self, Self::Socks5 { .. }) {
            return None;
        }
        self.socket().try_io(Interest::ERROR, || queued_error(self.socket())).ok()
    }

    fn payload<'a>(&self, received: &'a [u8], from: SocketAddr) -> Option<&'a [u8]> {
        let Self::Raw(_, id) = self else { return Some(received) };
        // Raw sockets of IPv4 show the IP header, those of IPv6 do not; all see every message to this host.
        let start = if from.is_ipv4() { usize::from(received.first()? & 15) * 4 } else { 0 };
        let message = received.get(start..)?;
        let reply = if from.is_ipv4() { 0 } else { 129 };
        (message.first() == Some(&reply) && message.get(4..6) == Some(id)).then_some(message)
    }
}

fn prepared(socket: OwnedFd, v6: bool) -> io::Result<UdpSocket> {
    match v6 {
        false => setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?,
        true => setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?,
    }
    UdpSocket::from_std(socket.into())
}

/// The app's own, so that its traceroute finds the routers of the real way.
fn set_ttl(socket: &UdpSocket, to: &SocketAddr, ttl: u8) -> io::Result<()> {
    let ttl = i32::from(ttl.max(1));
    match (to.is_ipv4(), to.ip().is_multicast()) {
        (true, false) => setsockopt(socket, sockopt::Ipv4Ttl, &ttl)?,
        (true, true) => setsockopt(socket, sockopt::IpMulticastTtl, &(ttl as u8))?,
        (false, _) => setsockopt(socket, sockopt::Ipv6Ttl, &ttl)?,
    }
    Ok(())
}

/// An echo request with another identifier; the kernel makes the checksum of IPv6, whose pseudo-header it alone knows.
fn identified(message: &[u8], id: [u8; 2]) -> Vec<u8> {
    let mut message = message.to_vec();
    message[4..6].copy_from_slice(&id);
    message[2..4].fill(0);
    let sum = !checksum::sum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// Returns when the proxy ends the association; what it says meanwhile is of no meaning (RFC 1928, section 7).
async fn closed(control: &TcpStream) {
    let mut said = [0; 64];
    loop {
        if control.readable().await.is_err() {
            return;
        }
        match control.try_read(&mut said) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}

fn queued_error(socket: &UdpSocket) -> io::Result<Received<'static>> {
    let mut payload = vec![0; 2048];
    let mut control = cmsg_space!(sock_extended_err, libc::sockaddr_in6);
    let mut parts = [IoSliceMut::new(&mut payload)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_fd().as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    let to = message.address.as_ref().and_then(address);
    let said = message.cmsgs().ok().into_iter().flatten().find_map(|control| match control {
        ControlMessageOwned::Ipv4RecvErr(error, Some(from)) => {
            Some((error, IpAddr::from(u32::from_be(from.sin_addr.s_addr).to_be_bytes())))
        }
        ControlMessageOwned::Ipv6RecvErr(error, Some(from)) => {
            Some((error, IpAddr::from(from.sin6_addr.s6_addr)))
        }
        _ => None,
    });
    let length = message.bytes;
    payload.truncate(length);
    let is_icmp = |error: &sock_extended_err| {
        matches!(error.ee_origin, libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6)
    };
    Ok(match (to, said) {
        (Some(to), Some((error, from))) if is_icmp(&error) => Received::Error {
            from,
            to,
            kind: error.ee_type,
            code: error.ee_code,
            info: error.ee_info,
            payload,
        },
        _ => Received::Nothing,
    })
}

fn address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|address| SocketAddr::from((address.ip(), address.port())));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddr::from((address.ip(), address.port()))))
}
