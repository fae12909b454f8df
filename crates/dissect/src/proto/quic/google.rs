//! Google's QUIC before TLS: a handshake of tagged values, sent in the clear up to version Q046.
//!
//! Sources: Google's "QUIC Crypto" and "QUIC Wire Layout Specification" (2016), and Wireshark's
//! `packet-gquic.c` as a description of what is seen.
//! Promises: reads the SNI of a client's hello (CHLO) wherever it begins in a packet that carries
//! one of Google's versions; there is no JA4, for this is no TLS.

use super::super::cursor::Cursor;
use super::version;

/// Whether a packet that begins with the byte may state a version in the form up to Q043.
pub(crate) fn may_state_version(flags: u8) -> bool {
    const VERSION: u8 = 0x01;
    const CONNECTION_ID: u8 = 0x08;
    flags & (0xc0 | VERSION | CONNECTION_ID) == VERSION | CONNECTION_ID
}

/// The version that a client's packet states: after the flags and the connection identifier up to
/// Q043, right after the flags since.
pub(crate) fn stated_version(datagram: &[u8]) -> Option<u32> {
    let mut cursor = Cursor(datagram);
    let flags = cursor.u8()?;
    if flags & 0x80 == 0 {
        cursor.take(8).filter(|_| may_state_version(flags))?;
    }
    cursor.u32().filter(|&version| version::is_google(version))
}

/// The server name of the first CHLO in the bytes.
pub(crate) fn server_name(bytes: &[u8]) -> Option<&[u8]> {
    let start = bytes.windows(4).position(|tag| tag == b"CHLO")?;
    let mut cursor = Cursor(bytes.get(start + 4..)?);
    let count = usize::from(cursor.u16()?.swap_bytes());
    let _padding = cursor.u16()?;
    let index = cursor.take(count.checked_mul(8)?)?;
    let mut begin = 0;
    for entry in index.chunks_exact(8) {
        let (tag, end) = entry.split_first_chunk::<4>()?;
        let end = u32::from_le_bytes(*end.first_chunk()?) as usize;
        if tag == b"SNI\0" {
            return cursor.rest().get(begin..end);
        }
        begin = end;
    }
    None
}
