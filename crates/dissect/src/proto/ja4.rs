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

#[cfg(test)]
mod tests {
    use super::super::client_hello::tests::{body, extension_of, list, server_name_of};
    use super::*;

    /// A browser's hello, as in FoxIO's description of the method, GREASE and all.
    fn browser(extra: &[u16]) -> Vec<u8> {
        let ciphers = [
            0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
            0x009c, 0x009d, 0x002f, 0x0035,
        ];
        let algorithms = list(&[16, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]);
        let mut extensions = vec![
            extension_of(0x1a1a, &[]),
            extension_of(0x0000, &server_name_of(b"example.org")),
            extension_of(0x0010, b"\x00\x0c\x02h2\x08http/1.1"),
            extension_of(0x002b, b"\x06\x8a\x8a\x03\x04\x03\x03"),
            extension_of(0x000d, &algorithms),
        ];
        let plain = [0x0017, 0xff01, 0x000a, 0x000b, 0x0005, 0x0012, 0x0033, 0x002d, 0x001b, 0x4469];
        extensions.extend(plain.iter().chain(extra).map(|&number| extension_of(number, &[])));
        body(0x0303, &ciphers, &extensions)
    }

    fn both(body: &[u8], carrier: Carrier) -> (String, String) {
        ja4(&ClientHello::parse_body(body, true).expect("a hello"), carrier)
    }

    #[test]
    fn the_published_example_comes_out() {
        let (plain, _) = both(&browser(&[0x0023, 0x0015]), Carrier::Tls);
        assert_eq!(plain, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn the_normalised_form_is_equal_across_resumptions() {
        let (first, first_normalised) = both(&browser(&[0x0023, 0x0015]), Carrier::Quic);
        let (again, again_normalised) = both(&browser(&[0x0029, 0x002a]), Carrier::Quic);
        assert_ne!(first, again);
        assert_eq!(first_normalised, again_normalised);
        assert!(first_normalised.starts_with("q13d1514h2_8daaf6152771_"));
    }

    #[test]
    fn empty_lists_are_zeros_and_dtls_says_its_version() {
        let (plain, _) = both(&body(0xfefd, &[], &[]), Carrier::Dtls);
        assert_eq!(plain, "dd2i000000_000000000000_000000000000");
    }

    #[test]
    fn an_alpn_value_that_is_no_text_is_shown_in_hexadecimal() {
        let (plain, _) =
            both(&body(0x0303, &[1], &[extension_of(0x10, b"\x00\x03\x02\xab\xcd")]), Carrier::Tls);
        assert!(plain.starts_with("t12i0101ad_"), "{plain}");
    }
}
