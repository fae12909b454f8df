//! An endpoint: a remote address, port and transport, as one run met it.
//!
//! Promises: the key of an endpoint at each level of comparison is computed here and nowhere else
//! ([`crate::Level::keys_of`]).

use crate::{Destination, Indices, Name, Place, Protocols, Timestamp, Transport, Visibility};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;

const _: () = assert!(size_of::<Endpoint>() <= 192, "there are nearly as many as flows");

/// One remote transport address and all that was learned of it in one capture or table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Path of the artifact it was read from.
    pub capture: Arc<str>,
    pub address: IpAddr,
    pub port: u16,
    pub transport: Transport,
    /// Best first, without repeats.
    pub names: Box<[Name]>,
    /// Registrable domains (Public Suffix List) of the best name of each of its flows, sorted; mostly one, which
    /// many endpoints have.
    pub domains: Arc<[Arc<str>]>,
    /// Few places are unlike, so that endpoints share them.
    pub place: Arc<Place>,
    /// Of its flows.
    pub protocols: Protocols,
    /// The most readable of its flows: `readable`, else `unknown`, else `encrypted`.
    pub visibility: Visibility,
    /// From us to it, and back.
    pub packets_out: u64,
    pub packets_in: u64,
    pub bytes_out: u64,
    pub bytes_in: u64,
    /// Absent for tables.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// The quickest handshake, milliseconds.
    pub rtt_ms: Option<f64>,
    /// Indices into the reading's flows; empty for tables.
    pub flows: Indices,
    /// First packet, or line of the table, that shows it.
    pub packet: u64,
}

impl Endpoint {
    pub fn destination(&self) -> Destination {
        Destination { address: self.address, port: self.port, transport: self.transport }
    }

    /// An endpoint of which nothing was seen yet but where it is.
    pub fn unseen(capture: Arc<str>, at: Destination, place: Arc<Place>) -> Self {
        let Destination { address, port, transport } = at;
        Self {
            capture,
            address,
            port,
            transport,
            names: Box::default(),
            domains: Arc::default(),
            place,
            protocols: Protocols::default(),
            visibility: Visibility::Unknown,
            packets_out: 0,
            packets_in: 0,
            bytes_out: 0,
            bytes_in: 0,
            first: None,
            last: None,
            rtt_ms: None,
            flows: Indices::default(),
            packet: 0,
        }
    }
}
