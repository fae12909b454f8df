//! The room's network and the lobby's: one TUN device each, and the routes to it.
//!
//! Promises: two network namespaces, in each the loopback and one device, whose index is ours to choose, so
//! that every message to rtnetlink is written before the room is built. Nothing is sent by the kernel itself:
//! no duplicate address detection, no router solicitation, no link-local address.
//! To extend: another request is one more line in [`steps`]; rtnetlink(7) and `linux/rtnetlink.h` have the rest.

use super::identity::Identity;
use super::step::{DIAGNOSIS, LOBBY_TUN, ROOM_TUN, Step, TCP_V4, TCP_V6};
use crate::door;
use nix::libc;
use nix::sched::CloneFlags;
use std::ffi::CString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const LOOPBACK: u32 = 1;
/// Far above what the kernel hands out, since modules may put devices of their own into every namespace.
const TUN: u32 = 1000;
/// Packets that wait for the gateway before the kernel drops one.
const QUEUE: u32 = 10_000;
/// IN6_ADDR_GEN_MODE_NONE: no address but those that are given.
const NO_ADDRESSES: u8 = 1;

/// Ends in the room's network namespace, with the door's five descriptors kept.
pub(super) fn steps(user: &Identity) -> Vec<Step> {
    let network = || Step::Namespace(CloneFlags::CLONE_NEWNET);
    let mut steps = vec![network(), allow_ipv6()];
    steps.extend(settings(&door::LOBBY_SETTINGS));
    steps.push(Step::Tun { name: c"lobby0", index: TUN, keep: LOBBY_TUN });
    steps.extend(links());
    steps.extend([
        address(door::LOBBY_V4.into(), 32),
        address(door::LOBBY_V6.into(), 128),
        local(door::LOBBY_V6.into()),
        route(door::LOBBY_FLOWS_V4.into(), 10, None),
        route(door::LOBBY_FLOWS_V6.into(), 64, None),
        Step::Listen { address: SocketAddr::new(door::LOBBY_V4.into(), 0), keep: TCP_V4 },
        Step::Listen { address: SocketAddr::new(door::LOBBY_V6.into(), 0), keep: TCP_V6 },
    ]);
    steps.extend([network(), allow_ipv6(), allow_ping(user)]);
    steps.extend(settings(&door::ROOM_SETTINGS));
    // Named as most networks are: some apps behave otherwise where they believe to see a VPN.
    steps.push(Step::Tun { name: c"eth0", index: TUN, keep: ROOM_TUN });
    steps.push(Step::Diagnosis { keep: DIAGNOSIS });
    steps.extend(links());
    steps.extend([
        address(door::ROOM_V4.into(), door::ROOM_V4_BITS),
        address(door::ROOM_V6.into(), door::ROOM_V6_BITS),
        local(door::ROOM_V6.into()),
        route(Ipv4Addr::UNSPECIFIED.into(), 0, Some(door::GATEWAY_V4.into())),
        route(Ipv6Addr::UNSPECIFIED.into(), 0, Some(door::GATEWAY_V6.into())),
    ]);
    steps
}

/// Some systems turn IPv6 off for every device that will come.
fn allow_ipv6() -> Step {
    setting("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0")
}

/// ICMP echo without privilege, for the one group that the room has.
fn allow_ping(user: &Identity) -> Step {
    setting("/proc/sys/net/ipv4/ping_group_range", &format!("{0} {0}", user.gid))
}

fn settings(settings: &[door::Setting]) -> impl Iterator<Item = Step> {
    settings.iter().map(|(path, text)| setting(path, text))
}

fn setting(path: &str, value: &str) -> Step {
    let path = CString::new(path).expect("our own paths hold no NUL");
    Step::Try(Box::new(Step::Write { path, text: value.into() }))
}

fn links() -> [Step; 3] {
    let properties = Message::link(TUN, 0)
        .with(libc::IFLA_MTU, &door::MTU.to_ne_bytes())
        .with(libc::IFLA_TXQLEN, &QUEUE.to_ne_bytes())
        .nest(libc::IFLA_AF_SPEC, libc::AF_INET6 as u16, IFLA_INET6_ADDR_GEN_MODE, &[NO_ADDRESSES]);
    [
        properties.step("set up the TUN device"),
        Message::link(LOOPBACK, libc::IFF_UP as u32).step("bring the loopback up"),
        Message::link(TUN, libc::IFF_UP as u32).step("bring the TUN device up"),
    ]
}

const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
/// IFA_F_NODAD: usable at once.
const NO_DETECTION: u8 = 0x02;

fn address(address: IpAddr, prefix: u8) -> Step {
    let (family, bytes) = family(address);
    let mut message = Message::new(libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
    // struct ifaddrmsg
    message.0.extend([family, prefix, NO_DETECTION, libc::RT_SCOPE_UNIVERSE]);
    message.0.extend(TUN.to_ne_bytes());
    message
        .with(libc::IFA_LOCAL, &bytes)
        .with(libc::IFA_ADDRESS, &bytes)
        .step("give the TUN device its address")
}

fn local(address: IpAddr) -> Step {
    let (family, bytes) = family(address);
    let mut message = Message::new(libc::RTM_GETROUTE, 0);
    message.0.extend([family, bytes.len() as u8 * 8, 0, 0, 0, 0, 0, 0]);
    message.0.extend(0_u32.to_ne_bytes());
    Step::AwaitLocal { message: message.with(libc::RTA_DST, &bytes).bytes() }
}

fn route(to: IpAddr, prefix: u8, by: Option<IpAddr>) -> Step {
    let (family, bytes) = family(to);
    let mut message = Message::new(libc::RTM_NEWROUTE, libc::NLM_F_CREATE);
    let scope = if by.is_some() { libc::RT_SCOPE_UNIVERSE } else { libc::RT_SCOPE_LINK };
    // struct rtmsg
    message.0.extend([
        family,
        prefix,
        0,
        0,
        libc::RT_TABLE_MAIN,
        libc::RTPROT_BOOT,
        scope,
        libc::RTN_UNICAST,
    ]);
    message.0.extend(0_u32.to_ne_bytes());
    if prefix > 0 {
        message = message.with(libc::RTA_DST, &bytes);
    }
    if let Some(by) = by {
        message = message.with(libc::RTA_GATEWAY, &self::family(by).1);
    }
    message.with(libc::RTA_OIF, &TUN.to_ne_bytes()).step("route by the TUN device")
}

fn family(address: IpAddr) -> (u8, Vec<u8>) {
    match address {
        IpAddr::V4(address) => (libc::AF_INET as u8, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6 as u8, address.octets().to_vec()),
    }
}

/// A request to rtnetlink: `struct nlmsghdr`, a header of its kind, attributes.
struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: i32) -> Self {
        let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags) as u16;
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([0; 8]);
        Self(bytes)
    }

    /// A link's `struct ifinfomsg`, with flags that shall be set.
    fn link(index: u32, up: u32) -> Self {
        let mut message = Self::new(libc::RTM_NEWLINK, 0);
        message.0.extend([0; 4]);
        message.0.extend(index.to_ne_bytes());
        message.0.extend(up.to_ne_bytes());
        message.0.extend(up.to_ne_bytes());
        message
    }

    fn with(mut self, kind: u16, value: &[u8]) -> Self {
        let length = 4 + value.len() as u16;
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// An attribute within an attribute within an attribute.
    fn nest(self, outer: u16, middle: u16, inner: u16, value: &[u8]) -> Self {
        let inner = Self(Vec::new()).with(inner, value);
        let middle = Self(Vec::new()).with(middle, &inner.0);
        self.with(outer, &middle.0)
    }

    fn step(self, what: &'static str) -> Step {
        Step::Netlink { what, message: self.bytes() }
    }

    /// With its length, which stands first.
    fn bytes(mut self) -> Vec<u8> {
        let length = self.0.len() as u32;
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        self.0
    }
}
