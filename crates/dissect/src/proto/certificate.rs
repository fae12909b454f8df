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

#[cfg(test)]
mod tests {
    use super::*;

    /// Self-signed, made with `openssl req -x509 -newkey ed25519`: common name www.example.org,
    /// alternatives *.example.org, www.example.org, localhost, 192.0.2.1 and WWW.Example.org.
    const ALTERNATIVES: &str = "308201983082014aa0030201020214668dd7a2706f3d8375f8f7ab8c6b0786d0dca256300506032b6570301a31183016\
        06035504030c0f7777772e6578616d706c652e6f7267301e170d3236313132333034343833375a170d32363131323430\
        34343833375a301a3118301606035504030c0f7777772e6578616d706c652e6f7267302a300506032b65700321001955\
        2a7b7f620f5c71d35d70ae0fa9dab18afb6ad0396299c9f7be917a0a50b1a381a130819e301d0603551d0e04160414ee\
        a4370ad98dceef0d9f8423708a6137153919fc301f0603551d23041830168014eea4370ad98dceef0d9f8423708a6137\
        153919fc300f0603551d130101ff040530030101ff304b0603551d1104443042820d2a2e6578616d706c652e6f726782\
        0f7777772e6578616d706c652e6f726782096c6f63616c686f73748704c0000201820f5757572e4578616d706c652e6f\
        7267300506032b6570034100581c86b12d9fcb73590cf36189f7b3846108bd4075a7a1be3a0a8b5d1f0074f364cdb5d7\
        9a0636df2d16fcef399eeff88dd95807ef085388c6b759d10b659806";

    /// As above: common name mail.example.net, no alternatives.
    const COMMON_NAME: &str = "3082014a3081fda00302010202142932912cd9a23b961a94d59d216d09185112b0dc300506032b6570301b3119301706\
        035504030c106d61696c2e6578616d706c652e6e6574301e170d3236313132333034343833375a170d32363131323430\
        34343833375a301b3119301706035504030c106d61696c2e6578616d706c652e6e6574302a300506032b65700321001d\
        1f42d86b92e5d5315a94d4a412e3b7572632b8f1257398047814894f76277da3533051301d0603551d0e04160414b097\
        1f5f39fe18419332393de5f2e8aa96c3125c301f0603551d23041830168014b0971f5f39fe18419332393de5f2e8aa96\
        c3125c300f0603551d130101ff040530030101ff300506032b65700341005e3baeaa083d5f2e3fd58a0a7178bc465e7a\
        3cea744b0c4066ddebb2ae4063ce44447490a54901a9804a186987ae9513250e5a2e8dd13dbf7b6902f576bcda06";

    /// A Certificate message's body with one certificate.
    fn message(hex: &str) -> Vec<u8> {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        let der: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let u24 = |length: usize| [0, (length >> 8) as u8, length as u8];
        [&u24(der.len() + 3)[..], &u24(der.len()), &der].concat()
    }

    #[test]
    fn alternatives_count_the_common_name_first_and_labels_are_left_out() {
        let names = names(&message(ALTERNATIVES));
        assert_eq!(
            names.iter().map(|name| &**name).collect::<Vec<_>>(),
            ["www.example.org", "*.example.org"]
        );
    }

    #[test]
    fn the_common_name_counts_where_there_are_no_alternatives() {
        assert_eq!(names(&message(COMMON_NAME)), ["mail.example.net".into()]);
    }

    #[test]
    fn a_certificate_cut_short_names_nobody() {
        let whole = message(COMMON_NAME);
        assert!((0..whole.len()).all(|end| names(&whole[..end]).is_empty()));
    }
}
