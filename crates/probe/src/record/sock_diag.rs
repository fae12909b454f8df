//! Asks the kernel which socket a flow belongs to.
//!
//! Source: sock_diag(7), `linux/inet_diag.h`, `linux/netlink.h`. One request names both ends and is answered at once,
//! however many sockets there are. Promises: sees the sockets of the network namespace in which it was opened, and
//! needs no privilege.

use super::opening::Ends;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use overheard_model::Transport;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
/// Bytes of `nlmsghdr` and of `inet_diag_req_v2`.
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;
/// Where `inet_diag_msg.idiag_inode` lies behind the header.
const INODE: usize = HEADER + 68;
/// `INET_DIAG_NOCOOKIE`: any socket with these ends.
const ANY_COOKIE: [u8; 8] = [0xff; 8];

/// A netlink socket of the room's network namespace.
#[derive(Debug)]
pub struct SocketDiagnosis(OwnedFd);

impl SocketDiagnosis {
    /// To be called by a thread that is in the room's network namespace; it may leave afterwards.
    pub fn open() -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkSockDiag,
        )?;
        Ok(Self(socket))
    }

    /// The inode of the socket, if there still is one with these ends.
    pub(super) fn inode(&self, ends: &Ends) -> Option<u64> {
        let (local, remote) = match ends.transport {
            Transport::Tcp => (ends.src, ends.dst),
            // Here the kernel takes the two ends of its request the other way round.
            Transport::Udp => (ends.dst, ends.src),
            _ => return None,
        };
        let request = request(ends.transport, local, remote);
        send(self.0.as_raw_fd(), &request, MsgFlags::empty()).ok()?;
        let mut answer = [0; 4096];
        // The kernel answers within the call above.
        let length = recv(self.0.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT).ok()?;
        inode(answer.get(..length)?)
    }
}

impl From<OwnedFd> for SocketDiagnosis {
    /// A `NETLINK_SOCK_DIAG` socket that somebody else opened in the room's network namespace.
    fn from(socket: OwnedFd) -> Self {
        Self(socket)
    }
}

fn request(transport: Transport, local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let family = match local {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let mut request = Vec::with_capacity(REQUEST);
    request.extend((REQUEST as u32).to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(NLM_F_REQUEST.to_ne_bytes());
    // Sequence number and sender: the answer is taken right away.
    request.extend([0; 8]);
    request.extend([family as u8, transport.number(), 0, 0]);
    // Sockets in every state.
    request.extend(u32::MAX.to_ne_bytes());
    request.extend(local.port().to_be_bytes());
    request.extend(remote.port().to_be_bytes());
    request.extend(address(local.ip()));
    request.extend(address(remote.ip()));
    // On any interface.
    request.extend([0; 4]);
    request.extend(ANY_COOKIE);
    request
}

fn address(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V6(ip) => ip.octets(),
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
    }
}

/// Of an answer that describes a socket; a socket that nobody holds any longer has inode 0.
fn inode(answer: &[u8]) -> Option<u64> {
    let kind = answer.get(4..6)?.try_into().ok().map(u16::from_ne_bytes)?;
    let inode = answer.get(INODE..INODE + 4)?.try_into().ok().map(u32::from_ne_bytes)?;
    (kind == SOCK_DIAG_BY_FAMILY && inode != 0).then_some(u64::from(inode))
}
