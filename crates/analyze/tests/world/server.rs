//! One made-up server.

use overheard_model::{Asn, Claim, Endpoint, Indices, Place, Protocols, Transport, Visibility};
use std::net::IpAddr;
use std::sync::Arc;

/// A server as a table gives it; empty texts for what is not known.
pub fn server(address: &str, country: &str, asn: u32, domain: &str) -> Endpoint {
    let address: IpAddr = address.parse().unwrap();
    let claim = Claim {
        source: "table".into(),
        country: country.parse().ok(),
        asn: (asn > 0).then_some(Asn(asn)),
        network: None,
    };
    Endpoint {
        capture: "table".into(),
        address,
        port: 443,
        transport: Transport::Tcp,
        names: Box::default(),
        domains: if domain.is_empty() { Arc::default() } else { [domain.into()].into() },
        place: Place { claims: [claim].into(), ..Place::default() }.into(),
        protocols: Protocols::default(),
        visibility: Visibility::Unknown,
        packets_out: 1,
        packets_in: 1,
        bytes_out: 60,
        bytes_in: 60,
        first: None,
        last: None,
        rtt_ms: None,
        flows: Indices::default(),
        packet: 1,
    }
}
