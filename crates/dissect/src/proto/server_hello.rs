//! A ServerHello: what a TLS server chose, before anything is encrypted.
//!
//! Sources: RFC 8446 §4.1.3 (a HelloRetryRequest has the same form), RFC 5246 §7.4.1.3.
//! Promises: borrows its message; one without extensions is read as well.

use super::client_hello::extension;
use super::cursor::Cursor;

/// Handshake message type.
pub(crate) const SERVER_HELLO: u8 = 2;

/// The fields of a ServerHello that say how it goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerHello<'a> {
    /// `legacy_version`.
    pub(crate) version: u16,
    pub(crate) random: &'a [u8; 32],
    pub(crate) cipher: u16,
    extensions: &'a [u8],
}

impl<'a> ServerHello<'a> {
    /// Reads the body, after type and length.
    pub(crate) fn parse_body(body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor(body);
        let version = cursor.u16()?;
        let random = cursor.take(32)?.first_chunk()?;
        let _session = cursor.vector8()?;
        let cipher = cursor.u16()?;
        let _compression = cursor.u8()?;
        let extensions = cursor.vector16().unwrap_or_default();
        Some(Self { version, random, cipher, extensions })
    }

    /// Whether it chose TLS 1.3 (or a draft of it) in the extension made for that.
    pub(crate) fn supports_tls_1_3(&self) -> bool {
        self.has(extension::SUPPORTED_VERSIONS)
    }

    /// Whether a block cipher's MAC is over what was encrypted (RFC 7366).
    pub(crate) fn encrypts_then_mac(&self) -> bool {
        self.has(extension::ENCRYPT_THEN_MAC)
    }

    fn has(&self, extension: u16) -> bool {
        let mut cursor = Cursor(self.extensions);
        let mut numbers = std::iter::from_fn(|| Some((cursor.u16()?, cursor.vector16()?)));
        numbers.any(|(number, _)| number == extension)
    }
}
