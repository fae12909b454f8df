//! A ClientHello: what a TLS, QUIC or DTLS client says before anything is encrypted.
//!
//! Sources: RFC 8446 §4.1.2, RFC 5246 §7.4.1.2, RFC 6347 §4.2.1 (the cookie of DTLS), RFC 6066 §3
//! (server name), RFC 7301 (ALPN), RFC 8701 (GREASE).
//! Promises: borrows its message; a message of which only the beginning came is read as far as that
//! goes ([`ClientHello::complete`] says so), so that a name is not lost with a hello's tail.
//! With Encrypted ClientHello this is the outer hello, whose name is the one that the wire shows.

use super::cursor::{Cursor, u16s};

/// Extension numbers (IANA, TLS ExtensionType Values).
pub(crate) mod extension {
    pub(crate) const SERVER_NAME: u16 = 0x0000;
    pub(crate) const SIGNATURE_ALGORITHMS: u16 = 0x000d;
    pub(crate) const ALPN: u16 = 0x0010;
    pub(crate) const ENCRYPT_THEN_MAC: u16 = 0x0016;
    pub(crate) const SUPPORTED_VERSIONS: u16 = 0x002b;
}

/// Handshake message type.
pub(crate) const CLIENT_HELLO: u8 = 1;

/// The fields of a ClientHello that say who is called and by what program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientHello<'a> {
    /// `legacy_version`.
    pub(crate) version: u16,
    pub(crate) random: &'a [u8; 32],
    ciphers: &'a [u8],
    extensions: &'a [u8],
    /// Where the extensions lie in the body, as far as their length states.
    span: (usize, usize),
    /// All of the message was there.
    pub(crate) complete: bool,
}

impl<'a> ClientHello<'a> {
    /// Reads a handshake message, type and length first, or its beginning. Nothing when it is not
    /// a ClientHello or when the extensions are not reached.
    pub(crate) fn parse(message: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor(message);
        if cursor.u8()? != CLIENT_HELLO {
            return None;
        }
        let length = cursor.u24()?;
        let complete = cursor.rest().len() >= length;
        Self::parse_body(cursor.take_up_to(length), complete)
    }

    /// Reads the body, after type and length.
    pub(crate) fn parse_body(body: &'a [u8], complete: bool) -> Option<Self> {
        let mut cursor = Cursor(body);
        let version = cursor.u16()?;
        let random = cursor.take(32)?.first_chunk()?;
        cursor.vector8()?;
        if is_dtls(version) {
            cursor.vector8()?;
        }
        let ciphers = cursor.vector16()?;
        cursor.vector8()?;
        let length = match cursor.u16() {
            Some(length) => usize::from(length),
            // SSL 3.0 and TLS 1.0 may end before the extensions.
            None if complete => 0,
            None => return None,
        };
        let start = body.len() - cursor.rest().len();
        let extensions = cursor.take_up_to(length);
        let complete = complete && extensions.len() == length;
        Some(Self { version, random, ciphers, extensions, span: (start, start + length), complete })
    }

    /// Cipher suites as offered, GREASE included.
    pub(crate) fn ciphers(&self) -> impl Iterator<Item = u16> + 'a {
        u16s(self.ciphers)
    }

    /// Number and content of each extension as sent, GREASE included.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = (u16, &'a [u8])> + 'a {
        let mut cursor = Cursor(self.extensions);
        std::iter::from_fn(move || Some((cursor.u16()?, cursor.vector16()?)))
    }

    /// The content of one extension.
    pub(crate) fn extension(&self, number: u16) -> Option<&'a [u8]> {
        self.extensions().find(|&(found, _)| found == number).map(|(_, content)| content)
    }

    /// The host name that is called, as sent.
    pub(crate) fn server_name(&self) -> Option<&'a [u8]> {
        listed_name(self.extension(extension::SERVER_NAME)?)
    }

    /// The application protocols on offer, in the client's order.
    pub(crate) fn alpn(&self) -> impl Iterator<Item = &'a [u8]> + 'a {
        let list = self.extension(extension::ALPN).and_then(|content| Cursor(content).vector16());
        let mut cursor = Cursor(list.unwrap_or_default());
        std::iter::from_fn(move || cursor.vector8())
    }

    /// Versions of the `supported_versions` extension, GREASE included.
    pub(crate) fn supported_versions(&self) -> impl Iterator<Item = u16> + 'a {
        let list =
            self.extension(extension::SUPPORTED_VERSIONS).and_then(|content| Cursor(content).vector8());
        u16s(list.unwrap_or_default())
    }

    /// Signature algorithms in the client's order, GREASE included.
    pub(crate) fn signature_algorithms(&self) -> impl Iterator<Item = u16> + 'a {
        let list =
            self.extension(extension::SIGNATURE_ALGORITHMS).and_then(|content| Cursor(content).vector16());
        u16s(list.unwrap_or_default())
    }
}

/// The host name in a server name extension.
fn listed_name(content: &[u8]) -> Option<&[u8]> {
    const HOST_NAME: u8 = 0;
    let mut list = Cursor(Cursor(content).vector16()?);
    while !list.is_empty() {
        let kind = list.u8()?;
        let name = list.vector16()?;
        if kind == HOST_NAME {
            return Some(name);
        }
    }
    None
}

/// The search for the server name in a hello that comes piece by piece. It goes on where it stopped,
/// so that a hello in pieces of one byte costs no more than a whole one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NameSearch {
    /// Where in the message the extensions that were not looked at begin and end, once that is known.
    left: Option<(usize, usize)>,
}

impl NameSearch {
    /// The name, once its extension is whole. `beginning` is that of one message, type and length
    /// first, and only ever grows.
    pub(crate) fn name<'a>(&mut self, beginning: &'a [u8]) -> Option<&'a [u8]> {
        const TYPE_AND_LENGTH: usize = 4;
        let (start, end) = match self.left {
            Some(left) => left,
            None => {
                let (start, end) = ClientHello::parse(beginning)?.span;
                (start + TYPE_AND_LENGTH, end + TYPE_AND_LENGTH)
            }
        };
        let mut cursor = Cursor(beginning.get(start..end.min(beginning.len()))?);
        loop {
            self.left = Some((end.min(beginning.len()) - cursor.rest().len(), end));
            let (number, content) = (cursor.u16()?, cursor.vector16()?);
            if number == extension::SERVER_NAME {
                self.left = Some((end, end));
                return listed_name(content);
            }
        }
    }
}

/// Whether a `legacy_version` is one of DTLS: 1.0, 1.2, or what OpenSSL sent before 1.0 was fixed
/// (Cisco AnyConnect still does).
pub(crate) fn is_dtls(version: u16) -> bool {
    matches!(version, 0xfeff | 0xfefd | 0x0100)
}

/// Whether a number is reserved to keep servers tolerant (RFC 8701): 0x0a0a, 0x1a1a, … 0xfafa.
pub(crate) fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn vector16(content: &[u8]) -> Vec<u8> {
        [&(content.len() as u16).to_be_bytes()[..], content].concat()
    }

    /// An extension with its number and length.
    pub(crate) fn extension_of(number: u16, content: &[u8]) -> Vec<u8> {
        [&number.to_be_bytes()[..], &vector16(content)].concat()
    }

    /// The content of a server name extension.
    pub(crate) fn server_name_of(name: &[u8]) -> Vec<u8> {
        vector16(&[&[0][..], &vector16(name)].concat())
    }

    /// Numbers in network byte order.
    pub(crate) fn list(numbers: &[u16]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    /// The body of a hello, with a cookie where the version is one of DTLS.
    pub(crate) fn body(version: u16, ciphers: &[u16], extensions: &[Vec<u8>]) -> Vec<u8> {
        let cookie: &[u8] = if is_dtls(version) { &[2, 7, 7] } else { &[] };
        let version = version.to_be_bytes();
        [
            &version[..],
            &[9; 32],
            &[0],
            cookie,
            &vector16(&list(ciphers)),
            &[1, 0],
            &vector16(&extensions.concat()),
        ]
        .concat()
    }

    /// A handshake message of TLS.
    pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let [_, length @ ..] = (body.len() as u32).to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    #[test]
    fn a_name_is_seen_once_its_extension_is_whole() {
        let extensions = [
            extension_of(0x2a2a, &[]),
            extension_of(0, &server_name_of(b"a.example")),
            extension_of(5, &[1; 9]),
        ];
        let hello = message(CLIENT_HELLO, &body(0x0303, &[0x1301], &extensions));
        let name_ends = hello.len() - 13;
        let mut search = NameSearch::default();
        for cut in 0..hello.len() {
            let parsed = ClientHello::parse(&hello[..cut]);
            let name = parsed.and_then(|hello| hello.server_name());
            assert_eq!(name, (cut >= name_ends).then_some(&b"a.example"[..]), "cut at {cut}");
            assert_eq!(NameSearch::default().name(&hello[..cut]), name, "cut at {cut}");
            assert_eq!(search.name(&hello[..cut]).is_some(), cut == name_ends, "cut at {cut}");
            assert!(parsed.is_none_or(|hello| !hello.complete));
        }
        assert!(ClientHello::parse(&hello).is_some_and(|hello| hello.complete));
    }

    #[test]
    fn a_hello_without_extensions_is_whole() {
        let mut bytes = body(0x0301, &[0x002f], &[]);
        bytes.truncate(bytes.len() - 2);
        let hello = ClientHello::parse_body(&bytes, true).expect("a hello");
        assert!(hello.complete && hello.extensions().count() == 0);
        assert!(ClientHello::parse_body(&bytes, false).is_none());
    }
}
