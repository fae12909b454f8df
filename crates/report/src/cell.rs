//! Single cells, for whoever lays out columns of their own: a full-screen view, lines in a pipe.
//!
//! Promises: the rules of the text report: what comes from a capture is made safe, a host name cannot pass for
//! another, and what is too wide is cut by the columns it takes (UAX #11) where that loses least.

use crate::figures;
use crate::text::layout::{self, Field, Ink};
use crate::text::reading;
use overheard_model::Endpoint;

/// Text that keeps its beginning.
pub fn text(text: &str, width: usize) -> String {
    layout::field(text, Ink::Plain).fitted(width).into_owned()
}

/// An address, which keeps both its ends.
pub fn address(text: &str, width: usize) -> String {
    layout::address(text, Ink::Plain).fitted(width).into_owned()
}

/// The best name of an endpoint, else its address: what a person is told of it first.
pub fn who(endpoint: &Endpoint, width: usize) -> String {
    match endpoint.names.first() {
        Some(name) => host(&name.name, endpoint, width),
        None => address(&socket(endpoint), width),
    }
}

/// A name of an endpoint, which keeps its registrable domain.
pub fn host(name: &str, endpoint: &Endpoint, width: usize) -> String {
    let domains = endpoint.domains.iter().map(|domain| &**domain);
    let host: Field = layout::host(name, domains, Ink::Plain);
    host.fitted(width).into_owned()
}

/// `203.0.113.9:443`, `[2001:db8::1]:443/udp`, `203.0.113.9 icmp`.
pub fn socket(endpoint: &Endpoint) -> String {
    reading::socket(endpoint)
}

/// The name of the network, else its number; empty where neither is known.
pub fn network(endpoint: &Endpoint) -> String {
    reading::network(endpoint)
}

/// A country's label with its name: `CN China`, `CN/AU? China or Australia`, `anycast`.
pub fn country(label: &str) -> String {
    crate::country::titled(label)
}

/// `512 B`, `1.4 MB`.
pub fn bytes(number: u64) -> String {
    figures::bytes(number)
}

/// `0.4 ms`, `182 ms`.
pub fn milliseconds(value: f64) -> String {
    figures::milliseconds(value)
}

/// `1 run`, `20 runs`.
pub fn counted(number: u64, noun: &str) -> String {
    figures::counted(number, noun)
}
