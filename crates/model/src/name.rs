//! Names of an endpoint, each with where it was read and how far it can be trusted.
//!
//! Promises: a total order of trust ([`Name::rank`]), so that "the" name of a flow is one rule.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Where a name was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameSource {
    /// Server Name Indication of a TLS ClientHello (RFC 6066 §3).
    TlsSni,
    /// Server Name Indication inside a QUIC Initial (RFC 9001).
    QuicSni,
    /// Server Name Indication of a DTLS ClientHello.
    DtlsSni,
    /// Target of an HTTP CONNECT request.
    HttpConnect,
    /// `Host` of an HTTP/1 request.
    HttpHost,
    /// `:authority` of an HTTP/2 request sent in the clear.
    H2Authority,
    /// The name asked for in a DNS query whose answer held the address.
    Dns,
    /// An HTTPS or SVCB record whose hints held the address (RFC 9460).
    DnsHttps,
    /// A multicast DNS answer (RFC 6762).
    Mdns,
    /// A Link-Local Multicast Name Resolution answer (RFC 4795).
    Llmnr,
    /// A subject name of the certificate that a TLS 1.2 server sent in the clear.
    TlsCertificate,
    /// A canonical name on the way from the query to the address.
    DnsCname,
    /// A reverse (PTR) answer.
    DnsPtr,
    /// A Name Resolution Block of a pcapng file: somebody's resolver, later.
    Nrb,
    /// A table that the user brought.
    Table,
}

impl fmt::Display for NameSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Whether a name was known when the flow to it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Learned {
    /// Said by the flow itself.
    Within,
    /// Answered before the flow began: probably why it began.
    Before,
    /// Answered only afterwards: a name of the address, not a cause of the flow.
    After,
}

/// One name of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Name {
    /// Lower-case, without a trailing dot or port.
    pub name: Arc<str>,
    pub source: NameSource,
    /// Number of the packet that said it, from 1; absent for tables and name blocks.
    pub packet: Option<u64>,
    pub learned: Learned,
}

impl NameSource {
    /// Trust: the lower the better. What the flow said itself comes first, then what DNS said before
    /// it began, then certificates, then answers that came after, then reverse and foreign names.
    pub fn rank(self, learned: Learned) -> u8 {
        use NameSource::*;
        match (self, learned) {
            (TlsSni | QuicSni | DtlsSni, _) => 0,
            (HttpConnect | HttpHost | H2Authority, _) => 1,
            (Table, _) => 2,
            (Dns | DnsHttps | Mdns | Llmnr, Learned::Before | Learned::Within) => 3,
            (TlsCertificate, _) => 4,
            (Dns | DnsHttps | Mdns | Llmnr, Learned::After) => 5,
            (DnsCname, Learned::Before | Learned::Within) => 6,
            (DnsCname, Learned::After) => 7,
            (DnsPtr, _) => 8,
            (Nrb, _) => 9,
        }
    }
}

impl Name {
    /// Trust: see [`NameSource::rank`].
    pub fn rank(&self) -> u8 {
        self.source.rank(self.learned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(source: NameSource, learned: Learned) -> Name {
        Name { name: "example.org".into(), source, packet: Some(1), learned }
    }

    #[test]
    fn dns_before_the_flow_outranks_dns_after_it() {
        let before = name(NameSource::Dns, Learned::Before);
        let after = name(NameSource::Dns, Learned::After);
        assert!(before.rank() < after.rank());
    }

    #[test]
    fn a_source_prints_as_it_is_written_in_json() {
        assert_eq!(NameSource::H2Authority.to_string(), "h2-authority");
        assert_eq!(NameSource::TlsSni.to_string(), "tls-sni");
    }
}
