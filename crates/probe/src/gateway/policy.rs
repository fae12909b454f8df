//! What the app may reach.
//!
//! Promises: what is not allowed is denied; the gateway counts each denied packet with its class and answers the app
//! as a firewall that says so: a reset, or "administratively prohibited".

use std::net::SocketAddr;

/// Whom the app may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Anybody, through the upstream.
    #[default]
    Open,
    /// Over TCP these ways and nothing else.
    Only(Vec<Way>),
}

/// One allowed way: what the app connects to, and where the connection is opened from the host, past any upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub at: SocketAddr,
    pub to: SocketAddr,
}

/// What becomes of a packet that begins something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Through the upstream to this address.
    Upstream(SocketAddr),
    /// Past any upstream to this address.
    Straight(SocketAddr),
    /// Nobody is there.
    Closed,
    Denied,
}

impl Policy {
    /// Judges a TCP connection.
    pub fn tcp(&self, destination: SocketAddr) -> Verdict {
        match self {
            Self::Open => Verdict::Upstream(destination),
            Self::Only(ways) => match ways.iter().find(|way| way.at == destination) {
                Some(way) => Verdict::Straight(way.to),
                None => Verdict::Denied,
            },
        }
    }

    /// Whether anything but TCP may pass.
    pub fn allows_other(&self) -> bool {
        *self == Self::Open
    }
}
