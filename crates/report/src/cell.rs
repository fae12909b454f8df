//! Single cells, for whoever lays out columns of their own: a full-screen view, lines in a pipe.
//!
//! Promises: the rules of the text report: what comes from a capture is made safe, a host name cannot pass for
//! another, and what is too wide is cut by the columns it takes (UAX #11) where that loses least.

pub use crate::country::titled as country;
pub use crate::endpoint::{network, socket};
pub use crate::figures::{bytes, counted, milliseconds};
use crate::text::layout::{self, Field, Ink};
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
