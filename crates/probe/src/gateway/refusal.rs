//! How a failure of the host's network looks to the app: the same error, as the packet that would have caused it.
//!
//! Promises: every errno that the kernel makes of a reset or of an ICMP error becomes that again; all others, as time
//! running out, are silence, which is what caused them.
//! Sources: the kernel's `icmp_err_convert` and `tab_unreach`; RFC 792; RFC 4443, section 3.1.

use std::io;
use std::net::IpAddr;

use nix::errno::Errno;

use super::compose;
use super::packet::{Header, Segment, TCP};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody listens at that port.
    Port,
    Network,
    Host,
    /// Somebody in between does not allow it.
    Prohibited,
    /// Nobody answers.
    Silence,
}

impl Refusal {
    pub fn of(error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ECONNREFUSED | Errno::ECONNRESET) => Self::Port,
            Some(Errno::ENETUNREACH | Errno::ENETDOWN | Errno::EADDRNOTAVAIL | Errno::EAFNOSUPPORT) => {
                Self::Network
            }
            Some(Errno::EHOSTUNREACH | Errno::EHOSTDOWN | Errno::EINVAL) => Self::Host,
            Some(Errno::EACCES | Errno::EPERM) => Self::Prohibited,
            _ => Self::Silence,
        }
    }

    /// The packet that says so to whoever sent `ip`, as if `from` sent it.
    pub fn answer(self, from: IpAddr, ip: &[u8], header: &Header) -> Option<Vec<u8>> {
        if header.destination.is_multicast() {
            return None; // RFC 1122, section 3.2.2: no error about what many were meant to hear.
        }
        if self == Self::Port && header.protocol == TCP {
            return compose::reset(header, header.ends(ip)?, Segment::read(ip, header)?);
        }
        let code = match (self, from.is_ipv4()) {
            (Self::Silence, _) => return None,
            (Self::Network, _) => 0,
            (Self::Host, true) => 1,
            (Self::Host, false) => 3,
            (Self::Port, true) => 3,
            (Self::Port, false) => 4,
            (Self::Prohibited, true) => 13,
            (Self::Prohibited, false) => 1,
        };
        let kind = if from.is_ipv4() { 3 } else { 1 };
        Some(compose::error(from, header, kind, code, 0, ip))
    }
}
