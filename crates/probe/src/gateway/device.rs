//! A TUN device that gives and takes IP packets behind a `virtio_net_hdr`.
//!
//! Promises: a read or a write is one whole packet, never a part; neither blocks. What the device cannot take at
//! once is lost, as on any wire.
//! Source: `struct virtio_net_hdr` of virtio 1.2, section 5.1.6, in the machine's byte order as TUN has it.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::checksum;

/// The largest packet with its header: IPv6's fixed header and the longest payload.
pub const FRAME: usize = Offload::LENGTH + 40 + 65_535;

/// What the sender's kernel left for a device to do. Carried along untouched, since both ends are kernels.
#[derive(Clone, Copy, Debug)]
pub struct Offload([u8; Self::LENGTH]);

impl Offload {
    pub const LENGTH: usize = 10;
    const NEEDS_CHECKSUM: u8 = 1;

    /// Nothing is left to do: for a packet of our own, which is complete.
    pub const NONE: Self = Self([0; Self::LENGTH]);

    /// Whether the transport's checksum field holds the sum of the pseudo-header alone.
    pub fn is_partial(&self) -> bool {
        self.0[0] & Self::NEEDS_CHECKSUM != 0
    }

    /// Completes the checksum that was left to the device. The packet is then what a wire would have carried.
    pub fn complete(&self, ip: &mut [u8]) {
        if !self.is_partial() {
            return;
        }
        let start = usize::from(u16::from_ne_bytes([self.0[6], self.0[7]]));
        let field = start + usize::from(u16::from_ne_bytes([self.0[8], self.0[9]]));
        if field + 2 > ip.len() {
            return;
        }
        let whole = match !checksum::sum(&ip[start..]) {
            0 => 0xffff, // Only UDP minds, where zero would say that there is none (RFC 768).
            sum => sum,
        };
        ip[field..field + 2].copy_from_slice(&whole.to_be_bytes());
    }
}

/// One end of the way: the room's device, or the lobby's.
#[derive(Debug)]
pub struct Tun(AsyncFd<OwnedFd>);

impl Tun {
    pub fn new(device: OwnedFd) -> io::Result<Self> {
        let flags = OFlag::from_bits_retain(fcntl(&device, FcntlArg::F_GETFL)?);
        fcntl(&device, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        // SAFETY: an `OwnedFd` is open and stays the same until it is dropped, and the `AsyncFd` owns it until then.
        let device = unsafe { AsyncFd::register_with_interest(device, Interest::READABLE) };
        Ok(Self(device?))
    }

    /// The next packet, in `frame` behind [`Offload::LENGTH`] bytes, once there is one.
    pub async fn read(&self, frame: &mut [u8]) -> io::Result<(Offload, usize)> {
        loop {
            let mut ready = self.0.readable().await?;
            let read = ready.try_io(|device| Ok(nix::unistd::read(device, frame)?));
            match read {
                Ok(length) => return Ok((header(frame), length?.saturating_sub(Offload::LENGTH))),
                Err(_not_yet) => continue,
            }
        }
    }

    pub fn write(&self, offload: Offload, ip: &[u8]) -> io::Result<()> {
        nix::sys::uio::writev(&self.0, &[IoSlice::new(&offload.0), IoSlice::new(ip)])?;
        Ok(())
    }
}

fn header(frame: &[u8]) -> Offload {
    let mut header = [0; Offload::LENGTH];
    header.copy_from_slice(&frame[..Offload::LENGTH]);
    Offload(header)
}
