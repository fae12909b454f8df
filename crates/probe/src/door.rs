//! The one door of a room: what the room hands to the gateway.
//!
//! A packet that the app sends leaves the room's network namespace by a TUN device and nowhere else.
//! The gateway reads it there, records it, and either answers it itself or carries it into the *lobby*, a second
//! network namespace whose only business is the kernel's TCP: there the app's connections end at our listeners,
//! and from there their bytes travel to the real server. So a packet is recorded if and only if it crossed.
//!
//! Promises: the door owns its file descriptors; once it is dropped nothing can cross.

use crate::record::SocketDiagnosis;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::fd::OwnedFd;

/// Largest IP packet that crosses, bytes: the devices' MTU.
pub const MTU: u32 = 65_520;

/// The room's own addresses and those of the gateway, which is its router and its name server.
pub const ROOM_V4: Ipv4Addr = Ipv4Addr::new(10, 219, 0, 2);
pub const GATEWAY_V4: Ipv4Addr = Ipv4Addr::new(10, 219, 0, 1);
pub const ROOM_V6: Ipv6Addr = Ipv6Addr::new(0xfd6f, 0x7665, 0x7268, 0, 0, 0, 0, 2);
pub const GATEWAY_V6: Ipv6Addr = Ipv6Addr::new(0xfd6f, 0x7665, 0x7268, 0, 0, 0, 0, 1);

/// Bits of their networks.
pub const ROOM_V4_BITS: u8 = 24;
pub const ROOM_V6_BITS: u8 = 64;

/// The lobby's addresses, where the listeners stand. Each flow comes to them from an address of its own within
/// [`LOBBY_FLOWS_V4`]/10 or [`LOBBY_FLOWS_V6`]/64, all of which are routed to the lobby's TUN device.
pub const LOBBY_V4: Ipv4Addr = Ipv4Addr::new(10, 219, 1, 1);
pub const LOBBY_FLOWS_V4: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 0);
pub const LOBBY_V6: Ipv6Addr = Ipv6Addr::new(0xfd6f, 0x7665, 0x7268, 1, 0, 0, 0, 1);
pub const LOBBY_FLOWS_V6: Ipv6Addr = Ipv6Addr::new(0xfd6f, 0x7665, 0x7268, 2, 0, 0, 0, 0);

/// Between the app and the lobby is memory, whose capacity nobody needs to find out, or to remember: where the system's
/// choice is BBR, its pacing would set a timer for every few segments.
pub const ROOM_SETTINGS: [Setting; 2] = [("/proc/sys/net/ipv4/tcp_congestion_control", "reno"), FORGET];

/// What waits in the lobby shall still lie in the processor's cache when it is carried on: least, first and most bytes.
pub const LOBBY_SETTINGS: [Setting; 2] = [("/proc/sys/net/ipv4/tcp_rmem", "4096 131072 524288"), FORGET];

/// Keeps each flow's address out of the table of what peers were like, which is the whole machine's.
const FORGET: Setting = ("/proc/sys/net/ipv4/tcp_no_metrics_save", "1");

/// A setting of a network namespace: its file, and what is written there. A door without it is slower and no worse.
pub type Setting = (&'static str, &'static str);

/// Both ends of the way out of a room. TUN devices give IP packets behind a `virtio_net_hdr`
/// (`IFF_TUN | IFF_NO_PI | IFF_VNET_HDR`, checksum and segmentation offload on), one a read.
#[derive(Debug)]
pub struct Door {
    /// The room's only interface.
    pub room: OwnedFd,
    /// The lobby's only interface.
    pub lobby: OwnedFd,
    /// Listen in the lobby at [`LOBBY_V4`] and [`LOBBY_V6`].
    pub tcp_v4: TcpListener,
    pub tcp_v6: TcpListener,
    /// Tells which of the room's sockets a packet came from.
    pub diagnosis: Option<SocketDiagnosis>,
}
