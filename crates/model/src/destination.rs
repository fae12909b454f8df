//! Where something was bound for: an address, with the port and transport there.
//!
//! For: recordings of ours, which say in words to whom nothing was carried, and whoever reads them.
//! Promises: what it displays it reads again, such as `udp 198.51.100.7:53` and `icmp 2001:db8::1`.

use crate::Transport;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A place on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    pub address: IpAddr,
    /// Zero where the transport has none.
    pub port: u16,
    pub transport: Transport,
}

impl Destination {
    /// As people write it, by a name where there is one: `chat.example.org:443`, `[2001:db8::1]:443/udp`,
    /// `198.51.100.7 icmp`. TCP goes without saying.
    pub fn label(&self, name: Option<&str>) -> String {
        let Self { address, port, transport } = *self;
        if !transport.has_ports() {
            return format!("{} {transport}", name.map_or_else(|| address.to_string(), str::to_owned));
        }
        let socket = match name {
            Some(name) => format!("{name}:{port}"),
            None => SocketAddr::new(address, port).to_string(),
        };
        match transport {
            Transport::Tcp => socket,
            other => format!("{socket}/{other}"),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, port, transport } = *self;
        match transport.has_ports() {
            true => write!(f, "{transport} {}", SocketAddr::new(address, port)),
            false => write!(f, "{transport} {address}"),
        }
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (transport, place) = text.split_once(' ')?;
            let transport: Transport = transport.parse().ok()?;
            let (address, port) = match transport.has_ports() {
                true => place.parse::<SocketAddr>().map(|at| (at.ip(), at.port())).ok()?,
                false => (place.parse().ok()?, 0),
            };
            Some(Self { address, port, transport })
        };
        read().ok_or_else(|| format!("{text:?} is no destination, such as udp 198.51.100.7:53"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_what_goes_without_saying_last_or_not_at_all() {
        let label = |text: &str, name| text.parse::<Destination>().map(|it| it.label(name));
        assert_eq!(label("tcp 198.51.100.7:443", None).as_deref(), Ok("198.51.100.7:443"));
        assert_eq!(label("udp [2001:db8::1]:443", None).as_deref(), Ok("[2001:db8::1]:443/udp"));
        assert_eq!(label("udp [2001:db8::1]:53", Some("ns.example")).as_deref(), Ok("ns.example:53/udp"));
        assert_eq!(label("icmp 198.51.100.7", None).as_deref(), Ok("198.51.100.7 icmp"));
    }

    #[test]
    fn what_is_displayed_is_read_again() {
        for text in ["udp 198.51.100.7:53", "tcp [2001:db8::1]:443", "icmp 198.51.100.7", "ip-47 2001:db8::1"]
        {
            assert_eq!(text.parse::<Destination>().map(|it| it.to_string()).as_deref(), Ok(text));
        }
        for text in ["udp 198.51.100.7", "icmp 198.51.100.7:1", "198.51.100.7:53", ""] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }
}
