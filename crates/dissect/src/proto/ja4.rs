//! JA4, the fingerprint of a TLS, QUIC or DTLS client, and its normalised form.
//!
//! Source: FoxIO's description of JA4 (TLS client fingerprinting), which is BSD-3-Clause. The other
//! methods of the JA4+ family carry another licence and are left alone here.
//! Promises: GREASE never counts; the normalised form leaves out the extensions that come and go
//! with a resumption (0x15 padding, 0x23 session ticket, 0x29 and 0x2a pre-shared key and early
//! data), both from the list and from its count, so that it is equal across resumptions.

use super::client_hello::{ClientHello, extension, is_grease};
use ring::digest::{SHA256, digest};
use std::fmt::Write;

/// What carries the ClientHello: the first letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Tls,
    Quic,
    Dtls,
}

/// Extensions that depend on whether the client has met the server before.
const RESUMPTION: [u16; 4] = [0x0015, 0x0023, 0x0029, 0x002a];

/// JA4 and its normalised form.
pub(crate) fn ja4(hello: &ClientHello<'_>, carrier: Carrier) -> (String, String) {
    (
        fingerprint(hello, carrier, |_| true),
        fingerprint(hello, carrier, |number| !RESUMPTION.contains(&number)),
    )
}

fn fingerprint(hello: &ClientHello<'_>, carrier: Carrier, counts: impl Fn(u16) -> bool) -> String {
    let mut ciphers: Vec<u16> = hello.ciphers().filter(|&cipher| !is_grease(cipher)).collect();
    let mut extensions: Vec<u16> = hello
        .extensions()
        .map(|(number, _)| number)
        .filter(|&number| !is_grease(number) && counts(number))
        .collect();
    let (first, last) = alpn(hello);
    let mut text = format!(
        "{}{}{}{:02}{:02}{first}{last}",
        match carrier {
            Carrier::Tls => 't',
            Carrier::Quic => 'q',
            Carrier::Dtls => 'd',
        },
        version(hello),
        if extensions.contains(&extension::SERVER_NAME) { 'd' } else { 'i' },
        ciphers.len().min(99),
        extensions.len().min(99),
    );
    ciphers.sort_unstable();
    extensions.sort_unstable();
    extensions.retain(|number| ![extension::SERVER_NAME, extension::ALPN].contains(number));
    let mut listed = hex_list(extensions.into_iter());
    let algorithms = hex_list(hello.signature_algorithms().filter(|&number| !is_grease(number)));
    if !listed.is_empty() && !algorithms.is_empty() {
        listed = format!("{listed}_{algorithms}");
    }
    text.extend(["_", &short_hash(&hex_list(ciphers.into_iter())), "_", &short_hash(&listed)]);
    text
}

/// The highest version on offer.
fn version(hello: &ClientHello<'_>) -> &'static str {
    let offered = hello.supported_versions().filter(|&version| !is_grease(version));
    // DTLS counts downwards: 0xfefc is newer than 0xfefd.
    let age = |version: &u16| if version >> 8 == 0xfe { !version } else { *version };
    match offered.max_by_key(age).unwrap_or(hello.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last character of the first ALPN value; of its hexadecimal form where one of them is
/// not alphanumeric; `00` where there is none.
fn alpn(hello: &ClientHello<'_>) -> (char, char) {
    let Some((first, last)) = hello.alpn().next().and_then(|name| Some((*name.first()?, *name.last()?)))
    else {
        return ('0', '0');
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return (char::from(first), char::from(last));
    }
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    (digit(first >> 4), digit(last & 0xf))
}

/// `1301,1302,…`
fn hex_list(numbers: impl Iterator<Item = u16>) -> String {
    numbers.fold(String::new(), |mut list, number| {
        let comma = if list.is_empty() { "" } else { "," };
        let _ = write!(list, "{comma}{number:04x}");
        list
    })
}

/// The first 12 hexadecimal digits of SHA-256; zeros for an empty list.
fn short_hash(list: &str) -> String {
    if list.is_empty() {
        return "000000000000".to_owned();
    }
    digest(&SHA256, list.as_bytes()).as_ref().iter().take(6).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
