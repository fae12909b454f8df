//! JA4, the fingerprint of a TLS, QUIC or DTLS client, and its normalised form.
//!
//! Source: FoxIO's description of JA4 (TLS client fingerprinting), which is BSD-3-Clause. The other
//! methods of the JA4+ family carry another licence and are left alone here.
//! Promises: GREASE never counts; the normalised form leaves out the extensions that come and go
//! with a resumption (0x15 padding, 0x23 session ticket, 0x29 and 0x2a pre-shared key and early
//! data), both from the list and from its count, so that it is equal across resumptions.

use super::client_hello::{ClientHello, extension, is_grease};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use ring::digest::{SHA256, digest};
use std::cell::RefCell;
use std::fmt;

/// What carries the ClientHello: the first letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Tls,
    Quic,
    Dtls,
}

/// Extensions that depend on whether the client has met the server before.
const RESUMPTION: [u16; 4] = [0x0015, 0x0023, 0x0029, 0x002a];

/// Extensions that count but are not listed: what they hold changes from server to server.
const UNLISTED: [u16; 2] = [extension::SERVER_NAME, extension::ALPN];

/// A JA4: ten characters that say what can be counted, then two hashes of twelve digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ja4([u8; 36]);

impl Ja4 {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Ja4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// JA4 and its normalised form.
pub(crate) fn ja4(hello: &ClientHello<'_>, carrier: Carrier) -> (Ja4, Ja4) {
    HASHES.with_borrow_mut(|hashes| ja4_with(hashes, hello, carrier))
}

fn ja4_with(hashes: &mut Hashes, hello: &ClientHello<'_>, carrier: Carrier) -> (Ja4, Ja4) {
    let mut numbers: Vec<u16> = Vec::with_capacity(64);
    numbers.extend(hello.ciphers().filter(|&cipher| !is_grease(cipher)));
    numbers.sort_unstable();
    let ciphers = (numbers.len(), hashes.of(numbers.iter().copied(), std::iter::empty()));

    numbers.clear();
    numbers.extend(hello.extensions().map(|(number, _)| number).filter(|&number| !is_grease(number)));
    numbers.sort_unstable();
    let head = head(hello, carrier, numbers.contains(&extension::SERVER_NAME));
    let mut form = |numbers: &[u16]| {
        let listed = numbers.iter().copied().filter(|number| !UNLISTED.contains(number));
        let algorithms = hello.signature_algorithms().filter(|&number| !is_grease(number));
        written(head, ciphers, (numbers.len(), hashes.of(listed, algorithms)))
    };
    let plain = form(&numbers);
    let before = numbers.len();
    numbers.retain(|number| !RESUMPTION.contains(number));
    let normalised = if numbers.len() == before { plain } else { form(&numbers) };
    (plain, normalised)
}

/// Carrier, version, whether there is a server name; and the first and last character of the ALPN.
fn head(hello: &ClientHello<'_>, carrier: Carrier, named: bool) -> [u8; 6] {
    let carrier = match carrier {
        Carrier::Tls => b't',
        Carrier::Quic => b'q',
        Carrier::Dtls => b'd',
    };
    let ([major, minor], [first, last]) = (*version(hello), alpn(hello));
    [carrier, major, minor, if named { b'd' } else { b'i' }, first, last]
}

/// Puts the parts in order; ciphers and extensions are counted up to 99.
fn written(head: [u8; 6], ciphers: (usize, Hash), extensions: (usize, Hash)) -> Ja4 {
    let [carrier, major, minor, named, first, last] = head;
    let digits = |count: usize| [b'0' + (count.min(99) / 10) as u8, b'0' + (count.min(99) % 10) as u8];
    let ([c0, c1], [e0, e1]) = (digits(ciphers.0), digits(extensions.0));
    let mut ja4 = [b'_'; 36];
    ja4[..10].copy_from_slice(&[carrier, major, minor, named, c0, c1, e0, e1, first, last]);
    ja4[11..23].copy_from_slice(&ciphers.1);
    ja4[24..].copy_from_slice(&extensions.1);
    Ja4(ja4)
}

/// The highest version on offer.
fn version(hello: &ClientHello<'_>) -> &'static [u8; 2] {
    let offered = hello.supported_versions().filter(|&version| !is_grease(version));
    // DTLS counts downwards: 0xfefc is newer than 0xfefd.
    let age = |version: &u16| if version >> 8 == 0xfe { !version } else { *version };
    match offered.max_by_key(age).unwrap_or(hello.version) {
        0x0304 => b"13",
        0x0303 => b"12",
        0x0302 => b"11",
        0x0301 => b"10",
        0x0300 => b"s3",
        0x0002 => b"s2",
        0xfeff => b"d1",
        0xfefd => b"d2",
        0xfefc => b"d3",
        _ => b"00",
    }
}

/// First and last character of the first ALPN value; of its hexadecimal form where one of them is
/// not alphanumeric; `00` where there is none.
fn alpn(hello: &ClientHello<'_>) -> [u8; 2] {
    let Some((first, last)) = hello.alpn().next().and_then(|name| Some((*name.first()?, *name.last()?)))
    else {
        return *b"00";
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [first, last];
    }
    [digit(first >> 4), digit(last & 0xf)]
}

/// The first 12 hexadecimal digits of SHA-256; zeros for an empty list.
type Hash = [u8; 12];

thread_local! {
    static HASHES: RefCell<Hashes> = RefCell::default();
}

/// Hashes of lists, each worked out once: programs are few and call often.
#[derive(Default)]
struct Hashes {
    known: HashMap<Box<[u16]>, Hash, RandomState>,
    /// Room to write a list into.
    list: Vec<u16>,
}

impl Hashes {
    /// Lists that are kept, some dozen numbers each; when there are more, they are learned anew.
    const MOST: usize = 256;
    /// Numbers of a list that is kept. No known program has one as long.
    const LONGEST: usize = 256;
    /// Stands between two lists, since numbers that never count are in neither.
    const BETWEEN: u16 = 0x0a0a;

    /// The hash of `1301,1302,…`, followed by `_0403,0804,…` where there are both.
    fn of(&mut self, numbers: impl Iterator<Item = u16>, more: impl Iterator<Item = u16>) -> Hash {
        self.list.clear();
        self.list.extend(numbers);
        if self.list.is_empty() {
            return *b"000000000000";
        }
        self.list.push(Self::BETWEEN);
        self.list.extend(more);
        self.list.pop_if(|last| *last == Self::BETWEEN);
        if let Some(hash) = self.known.get(&*self.list) {
            return *hash;
        }
        let hash = hash(&self.list);
        if self.known.len() >= Self::MOST {
            self.known.clear();
        }
        if self.list.len() <= Self::LONGEST {
            self.known.insert(self.list.as_slice().into(), hash);
        }
        hash
    }
}

/// The hash of the list in hexadecimal.
fn hash(list: &[u16]) -> Hash {
    let mut text = Vec::with_capacity(5 * list.len());
    for (at, &number) in list.iter().enumerate() {
        if number == Hashes::BETWEEN {
            continue;
        }
        let after = at.checked_sub(1).and_then(|before| list.get(before));
        text.extend(after.map(|&number| if number == Hashes::BETWEEN { b'_' } else { b',' }));
        let [high, low] = number.to_be_bytes();
        text.extend_from_slice(&[digit(high >> 4), digit(high), digit(low >> 4), digit(low)]);
    }
    let digest = digest(&SHA256, &text);
    let mut hash = [b'0'; 12];
    for (digits, byte) in hash.as_chunks_mut().0.iter_mut().zip(digest.as_ref()) {
        *digits = [digit(byte >> 4), digit(byte & 0xf)];
    }
    hash
}

/// A hexadecimal digit, of the lower four bits.
fn digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble & 0xf)]
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
        let (plain, normalised) = ja4(&ClientHello::parse_body(body, true).expect("a hello"), carrier);
        (plain.as_str().to_owned(), normalised.as_str().to_owned())
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
    fn a_list_of_resumptions_alone_is_normalised_to_nothing() {
        let (plain, normalised) = both(&body(0x0303, &[1], &[extension_of(0x23, &[])]), Carrier::Tls);
        assert!(plain.starts_with("t12i010100_") && !plain.ends_with("_000000000000"));
        assert!(normalised.starts_with("t12i010000_") && normalised.ends_with("_000000000000"));
    }

    #[test]
    fn what_is_remembered_is_what_was_hashed() {
        let mut hashes = Hashes::default();
        for round in 0..2 {
            for length in 1..Hashes::MOST + 9 {
                let numbers = || (0..length as u16).map(|number| 0x1000 + number);
                let list: Vec<u16> = numbers().chain([Hashes::BETWEEN, 7]).collect();
                assert_eq!(hashes.of(numbers(), [7].into_iter()), hash(&list), "round {round}");
                assert!(hashes.known.len() <= Hashes::MOST);
                assert!(hashes.known.keys().all(|list| list.len() <= Hashes::LONGEST));
            }
        }
    }

    #[test]
    fn more_than_two_digits_are_99() {
        let ciphers: Vec<u16> = (1..=100).collect();
        assert!(both(&body(0x0303, &ciphers, &[]), Carrier::Tls).0.starts_with("t12i990000_"));
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
