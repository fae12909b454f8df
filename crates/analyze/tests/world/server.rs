//! One made-up server.

use overheard_model::{Asn, Claim, Destination, Endpoint, Place, Transport};
use std::sync::Arc;

/// A server as a table gives it; empty texts for what is not known.
pub fn server(address: &str, country: &str, asn: u32, domain: &str) -> Endpoint {
    let at = Destination { address: address.parse().unwrap(), port: 443, transport: Transport::Tcp };
    let claim = Claim {
        source: "table".into(),
        country: country.parse().ok(),
        asn: (asn > 0).then_some(Asn(asn)),
        network: None,
    };
    let place = Place { claims: [claim].into(), ..Place::default() };
    Endpoint {
        domains: if domain.is_empty() { Arc::default() } else { [domain.into()].into() },
        ..Endpoint::unseen("table".into(), at, place.into())
    }
}
