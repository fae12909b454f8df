//! Names in a server's certificate, sent in the clear up to TLS 1.2.
//!
//! Sources: RFC 5246 §7.4.2 (the message), RFC 5280 §4.2.1.6 (subject alternative names),
//! RFC 9525 (the common name counts only where there are none).
//! Promises: only the server's own certificate, the first of its chain; at most [`MOST`] names; no
//! name without a dot, which would be a device's or a program's label and no host on the Internet.

use super::cursor::Cursor;
use super::host_name;
use std::collections::HashSet;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Most names that are taken: certificates of content networks list hundreds of strangers.
const MOST: usize = 16;

/// Most that are looked at to find the common name among them.
const LISTED: usize = 256;

/// Host names of the first certificate in the body of a Certificate message, the common name first
/// where it is one of them. Wildcards stay as they are.
pub(crate) fn names(body: &[u8]) -> Vec<Arc<str>> {
    first_certificate(body)
        .and_then(|der| X509Certificate::from_der(der).ok())
        .map_or_else(Vec::new, |(_, found)| subject_names(&found))
}

fn first_certificate(body: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor(body);
    let length = cursor.u24()?;
    let mut chain = Cursor(cursor.take(length)?);
    let length = chain.u24()?;
    chain.take(length)
}

fn subject_names(certificate: &X509Certificate<'_>) -> Vec<Arc<str>> {
    let common = certificate.subject().iter_common_name().next();
    let common = common.and_then(|name| name.as_str().ok()).and_then(dotted);
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let alternatives = alternatives.iter().flat_map(|extension| &extension.value.general_names);
    let dns = alternatives.filter_map(|name| match name {
        GeneralName::DNSName(name) => dotted(name),
        _ => None,
    });
    let mut names: Vec<Arc<str>> = dns.take(LISTED).collect();
    match common {
        Some(common) if names.is_empty() => names.push(common),
        Some(common) => names.sort_by_key(|name| *name != common),
        None => {}
    }
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names.truncate(MOST);
    names
}

fn dotted(name: &str) -> Option<Arc<str>> {
    host_name(name.as_bytes()).filter(|name| name.contains('.'))
}
