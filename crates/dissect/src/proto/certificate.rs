//! Names in a server's certificate, sent in the clear up to TLS 1.2.
//!
//! Sources: RFC 5246 §7.4.2 (the message), RFC 5280 §4.2.1.6 (subject alternative names),
//! RFC 9525 (the common name counts only where there are none).
//! Promises: only the server's own certificate, the first of its chain; at most [`MOST`] names; no
//! name without a dot, which would be a device's or a program's label and no host on the Internet.

use super::cursor::Cursor;
use super::host_name;
use std::sync::Arc;

/// Most names that are taken: certificates of content networks list hundreds of strangers.
const MOST: usize = 16;

/// Most that are looked at to find the common name among them.
const LISTED: usize = 256;

/// Tags of DER (X.690 §8.1.2, X.680 §8.4).
mod tag {
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const OCTET_STRING: u8 = 0x04;
    pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(super) const UTF8_STRING: u8 = 0x0c;
    pub(super) const NUMERIC_STRING: u8 = 0x12;
    pub(super) const PRINTABLE_STRING: u8 = 0x13;
    pub(super) const IA5_STRING: u8 = 0x16;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const SET: u8 = 0x31;
    pub(super) const VERSION: u8 = 0xa0;
    pub(super) const EXTENSIONS: u8 = 0xa3;
    /// Of a general name.
    pub(super) const DNS_NAME: u8 = 0x82;
}

/// id-at-commonName, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// id-ce-subjectAltName, 2.5.29.17.
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 29, 17];

/// Host names of the first certificate in the body of a Certificate message, the common name first
/// where it is one of them. Wildcards stay as they are.
pub(crate) fn names(body: &[u8]) -> Vec<Arc<str>> {
    first_certificate(body).and_then(subject).map_or_else(Vec::new, |subject| subject.names())
}

fn first_certificate(body: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor(body);
    let length = cursor.u24()?;
    let mut chain = Cursor(cursor.take(length)?);
    let length = chain.u24()?;
    chain.take(length)
}

/// Whom a certificate speaks of.
struct Subject<'a> {
    common: Option<&'a str>,
    /// Host names among the subject alternative names.
    alternatives: Vec<&'a str>,
}

impl Subject<'_> {
    fn names(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        let common = self.common.and_then(dotted);
        let listed = || self.alternatives.iter().filter_map(|name| dotted(name));
        if let Some(common) = common
            && (listed().any(|name| name == common) || listed().next().is_none())
        {
            names.push(common);
        }
        for name in listed() {
            if names.len() == MOST {
                break;
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

fn dotted(name: &str) -> Option<Arc<str>> {
    host_name(name.as_bytes()).filter(|name| name.contains('.'))
}

/// Walks the fields of a certificate (RFC 5280 §4.1) past those that name nobody.
fn subject(certificate: &[u8]) -> Option<Subject<'_>> {
    let certificate = take(&mut Cursor(certificate), tag::SEQUENCE)?;
    let mut fields = Cursor(take(&mut Cursor(certificate), tag::SEQUENCE)?);
    take_optional(&mut fields, tag::VERSION);
    take(&mut fields, tag::INTEGER)?;
    for _signature_issuer_validity in 0..3 {
        take(&mut fields, tag::SEQUENCE)?;
    }
    let subject = take(&mut fields, tag::SEQUENCE)?;
    let _key = take(&mut fields, tag::SEQUENCE)?;
    while let Some((found, content)) = element(&mut fields) {
        if found == tag::EXTENSIONS {
            let extensions = take(&mut Cursor(content), tag::SEQUENCE)?;
            let alternatives = alternatives(extensions).and_then(host_names).unwrap_or_default();
            return Some(Subject { common: common_name(subject), alternatives });
        }
    }
    Some(Subject { common: common_name(subject), alternatives: Vec::new() })
}

/// The first common name of a subject, where it is text.
fn common_name(subject: &[u8]) -> Option<&str> {
    let mut sets = Cursor(subject);
    while let Some(set) = take(&mut sets, tag::SET) {
        let mut attributes = Cursor(set);
        while let Some(attribute) = take(&mut attributes, tag::SEQUENCE) {
            let mut attribute = Cursor(attribute);
            if take(&mut attribute, tag::OBJECT_IDENTIFIER)? == COMMON_NAME {
                let (found, text) = element(&mut attribute)?;
                let is_text = matches!(
                    found,
                    tag::UTF8_STRING | tag::NUMERIC_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING
                );
                return std::str::from_utf8(text).ok().filter(|_| is_text);
            }
        }
    }
    None
}

/// The content of the extension that lists alternative names; nothing where there are two of them,
/// which RFC 5280 §4.2 forbids.
fn alternatives(extensions: &[u8]) -> Option<&[u8]> {
    let mut extensions = Cursor(extensions);
    let mut found = None;
    while let Some(extension) = take(&mut extensions, tag::SEQUENCE) {
        let mut extension = Cursor(extension);
        if take(&mut extension, tag::OBJECT_IDENTIFIER)? == SUBJECT_ALTERNATIVE_NAME {
            take_optional(&mut extension, tag::BOOLEAN);
            let content = take(&mut extension, tag::OCTET_STRING)?;
            if found.replace(content).is_some() {
                return None;
            }
        }
    }
    found
}

/// The host names of a list of general names.
fn host_names(content: &[u8]) -> Option<Vec<&str>> {
    let mut list = Cursor(take(&mut Cursor(content), tag::SEQUENCE)?);
    let mut names = Vec::new();
    while !list.is_empty() && names.len() < LISTED {
        let (found, name) = element(&mut list)?;
        let name = std::str::from_utf8(name).ok().filter(|_| found == tag::DNS_NAME);
        names.extend(name);
    }
    Some(names)
}

/// The next element's content, if it has the tag.
fn take<'a>(cursor: &mut Cursor<'a>, tag: u8) -> Option<&'a [u8]> {
    element(cursor).filter(|&(found, _)| found == tag).map(|(_, content)| content)
}

/// Passes over the next element if it has the tag.
fn take_optional(cursor: &mut Cursor<'_>, tag: u8) {
    if cursor.rest().first() == Some(&tag) {
        element(cursor);
    }
}

/// The next element: its tag and its content. No field on the way has a tag of several octets or a
/// length that is left open (X.690 §8.1.2.4, §10.1).
fn element<'a>(cursor: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    const LONG_TAG: u8 = 0x1f;
    let tag = cursor.u8().filter(|tag| tag & LONG_TAG != LONG_TAG)?;
    let length = match cursor.u8()? {
        length @ ..=0x7f => usize::from(length),
        width @ 0x81..=0x84 => cursor.number(usize::from(width & 0x7f))? as usize,
        _ => return None,
    };
    Some((tag, cursor.take(length)?))
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
    const COMMON_NAME_ONLY: &str = "3082014a3081fda00302010202142932912cd9a23b961a94d59d216d09185112b0dc300506032b6570301b3119301706\
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
        assert_eq!(names(&message(COMMON_NAME_ONLY)), ["mail.example.net".into()]);
    }

    #[test]
    fn a_certificate_cut_short_names_nobody() {
        let whole = message(COMMON_NAME_ONLY);
        assert!((0..whole.len()).all(|end| names(&whole[..end]).is_empty()));
    }
}
