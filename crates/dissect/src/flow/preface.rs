//! What a load balancer puts before a connection's own bytes: the PROXY protocol's header.
//!
//! Source: "The PROXY protocol", versions 1 and 2, Willy Tarreau, HAProxy Technologies. A sender has
//! to send the header at once, so it is looked for in the originator's first bytes only.

const V1: &[u8] = b"PROXY ";
/// Longest line of version 1, with its end.
const V1_LONGEST: usize = 107;
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Length of the PROXY header that the bytes begin with; 0 where they begin with none.
pub(super) fn proxy_header(bytes: &[u8]) -> usize {
    if bytes.starts_with(V1) {
        let line = bytes.get(..V1_LONGEST).unwrap_or(bytes);
        return line.windows(2).position(|end| end == b"\r\n").map_or(0, |end| end + 2);
    }
    match bytes.strip_prefix(V2) {
        Some(&[0x20 | 0x21, _family, high, low, ..]) => 16 + usize::from(u16::from_be_bytes([high, low])),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_both_versions_are_measured() {
        assert_eq!(proxy_header(b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n\x16\x03\x01"), 45);
        assert_eq!(proxy_header(b"PROXY UNKNOWN\r\nGET"), 15);
        assert_eq!(proxy_header(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c............GET"), 28);
        assert_eq!(proxy_header(b"PROXY is what the line says, but it never ends"), 0);
        assert_eq!(proxy_header(b"GET / HTTP/1.1\r\n"), 0);
    }
}
