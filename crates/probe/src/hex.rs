//! Bytes as hexadecimal digits, in one way only.

use std::fmt::Write;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _never_fails = write!(text, "{byte:02x}");
        text
    })
}

/// Only of what [`hex`] writes: small letters alone, or the same signature would have other bytes.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = pairs.iter().map(byte).collect::<Option<_>>()?;
    (hex(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        assert_eq!(unhex(&hex(&[0, 0xaf, 0xff])), Some(vec![0, 0xaf, 0xff]));
        for other in ["0", "AF", "+1", "zz", "0011 "] {
            assert_eq!(unhex(other), None, "{other}");
        }
    }
}
