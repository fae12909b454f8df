//! The lines of an HTTP/1 head: request line, status line, field.
//!
//! Promises: as lenient as the servers that one meets (RFC 9112 §2.2, §3, §5): any case of field
//! names, bare line feeds, tabs for spaces, no space after the colon.
//! To extend: a method that is met without a version goes into `METHODS`.

use crate::proto::{Recognition, host_name};
use memchr::memchr;
use std::sync::Arc;

/// Registered methods (IANA "HTTP Method Registry") that one meets, and those of UPnP, of Microsoft's
/// RPC and of SSTP. Other methods count where the line ends in `HTTP/1.x`.
const METHODS: [&[u8]; 32] = [
    b"BCOPY",
    b"BDELETE",
    b"BMOVE",
    b"BPROPFIND",
    b"BPROPPATCH",
    b"CCM_POST",
    b"CONNECT",
    b"COPY",
    b"DELETE",
    b"GET",
    b"HEAD",
    b"LOCK",
    b"M-SEARCH",
    b"MERGE",
    b"MKCALENDAR",
    b"MKCOL",
    b"MOVE",
    b"NOTIFY",
    b"OPTIONS",
    b"PATCH",
    b"POST",
    b"PROPFIND",
    b"PROPPATCH",
    b"PUT",
    b"REPORT",
    b"RPC_IN_DATA",
    b"RPC_OUT_DATA",
    b"SEARCH",
    b"SSTP_DUPLEX_POST",
    b"SUBSCRIBE",
    b"TRACE",
    b"UNSUBSCRIBE",
];
const LONGEST_METHOD: usize = 24;
const VERSION: &[u8] = b"HTTP/1.";
/// A request line this long is believed before its version is seen.
const LONG_LINE: usize = 200;

/// The first line of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First<'a> {
    Request {
        method: &'a [u8],
        target: &'a [u8],
    },
    /// The status code, 0 where it is none.
    Status(u16),
    Neither,
}

/// Whether a head can begin with the byte, the line break of an earlier body among them.
pub(in crate::proto) fn may_begin(first: Option<u8>) -> bool {
    first.is_some_and(|first| first.is_ascii_uppercase() || first.is_ascii_whitespace())
}

/// Whether bytes begin with the first line of a head.
pub(in crate::proto) fn judge(bytes: &[u8]) -> Recognition {
    // The line break that ends an earlier body may still come (RFC 9112 §2.2).
    let bytes = bytes.trim_ascii_start();
    if VERSION.starts_with(bytes) {
        return Recognition::Unsure;
    }
    // Bodies come here a segment at a time: most go again at once.
    if !bytes.first().is_some_and(u8::is_ascii_uppercase) {
        return Recognition::No;
    }
    if !is_first_word(bytes) {
        return Recognition::No;
    }
    let Some(end) = memchr(b'\n', bytes) else {
        return judge_unfinished(bytes);
    };
    (first_line(&bytes[..end]) != First::Neither).into()
}

/// Whether the line begins with a version or a method, or with part of one.
fn is_first_word(bytes: &[u8]) -> bool {
    let start = bytes.get(..LONGEST_METHOD + 1).unwrap_or(bytes);
    let end = start.iter().position(u8::is_ascii_whitespace).unwrap_or(start.len());
    bytes.starts_with(VERSION) || is_method(&start[..end])
}

fn judge_unfinished(line: &[u8]) -> Recognition {
    let (method, rest) = split_word(line);
    let versioned = line.windows(VERSION.len()).any(|window| window == VERSION);
    let known = METHODS.contains(&method) && is_target(method, rest);
    match () {
        () if versioned || (known && line.len() >= LONG_LINE) => (first_line(line) != First::Neither).into(),
        () if is_method(method) && rest.iter().all(|&byte| byte >= b' ') && line.len() < LONG_LINE => {
            Recognition::Unsure
        }
        () => Recognition::No,
    }
}

/// Reads a line without its line feed.
pub(super) fn first_line(line: &[u8]) -> First<'_> {
    let line = line.trim_ascii();
    if line.starts_with(VERSION) {
        let digits = split_word(line).1.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        return First::Status(digits.and_then(|digits| digits.parse().ok()).unwrap_or(0));
    }
    let (method, rest) = split_word(line);
    let (target, version) = match rest.iter().rposition(|&byte| byte == b' ' || byte == b'\t') {
        Some(space) => (rest[..space].trim_ascii(), &rest[space + 1..]),
        None if rest.starts_with(VERSION) => (&b""[..], rest),
        None => (rest, &b""[..]),
    };
    if !is_method(method) {
        First::Neither
    } else if version.starts_with(VERSION) {
        First::Request { method, target }
    } else if METHODS.contains(&method) && is_target(method, rest) && !is_relative(version) {
        // HTTP/0.9, a target with spaces, or a version that is misspelt.
        First::Request { method, target: rest }
    } else {
        First::Neither
    }
}

/// RTSP and SIP have HTTP's form and some of its methods.
fn is_relative(version: &[u8]) -> bool {
    version.starts_with(b"RTSP/") || version.starts_with(b"SIP/")
}

fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|&byte| byte == b' ' || byte == b'\t').unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    (word, rest.trim_ascii())
}

fn is_method(word: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    (1..=LONGEST_METHOD).contains(&word.len()) && word.iter().all(allowed)
}

fn is_target(method: &[u8], target: &[u8]) -> bool {
    let authority = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte);
    if method == b"CONNECT" && target.contains(&b':') {
        return target.iter().all(authority);
    }
    let begins = target.starts_with(b"/") || target.starts_with(b"*") || target.starts_with(b"http");
    begins && target.is_ascii()
}

/// Name and value of a field line.
pub(super) fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', line)?;
    Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()))
}

/// The host of an absolute target, `http://user@host:port/path` (RFC 9112 §3.2.2).
pub(super) fn target_host(target: &[u8]) -> Option<Arc<str>> {
    // Most targets are paths.
    target.first().filter(|first| first.is_ascii_alphanumeric())?;
    let scheme = target.windows(3).position(|window| window == b"://")?;
    let rest = &target[scheme + 3..];
    let is_scheme = target[..scheme].iter().all(u8::is_ascii_alphanumeric);
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let authority = &rest[..end];
    let host = authority.iter().rposition(|&byte| byte == b'@').map_or(0, |at| at + 1);
    if is_scheme { host_name(&authority[host..]) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(method: &'a str, target: &'a str) -> First<'a> {
        First::Request { method: method.as_bytes(), target: target.as_bytes() }
    }

    #[test]
    fn first_lines_are_told_apart() {
        assert_eq!(first_line(b"GET /a HTTP/1.1\r"), request("GET", "/a"));
        assert_eq!(first_line(b"BREW /pot HTTP/1.0"), request("BREW", "/pot"));
        assert_eq!(first_line(b"GET /a b HTTP/1.1"), request("GET", "/a b"));
        assert_eq!(first_line(b"OPTIONS HTTP/1.1"), request("OPTIONS", ""));
        assert_eq!(first_line(b"GET /"), request("GET", "/"));
        assert_eq!(first_line(b"CONNECT a.example:443 HTTP/1.1"), request("CONNECT", "a.example:443"));
        assert_eq!(first_line(b"HTTP/1.1 407 Proxy Authentication Required"), First::Status(407));
        assert_eq!(first_line(b"HTTP/1.1"), First::Status(0));
    }

    #[test]
    fn relatives_of_http_are_refused() {
        assert_eq!(first_line(b"OPTIONS sip:a@example.org SIP/2.0"), First::Neither);
        assert_eq!(first_line(b"OPTIONS * RTSP/1.0"), First::Neither);
        assert_eq!(judge(b"PRI * HTTP/2.0\r\n"), Recognition::No);
        assert_eq!(judge(b"CONNECT {\"lang\":\"C\"}\r\n"), Recognition::No, "NATS");
        assert_eq!(judge(b"USER anonymous\r\n"), Recognition::No);
        assert_eq!(judge(b"\x16\x03\x01"), Recognition::No);
    }

    #[test]
    fn a_line_that_is_not_finished_is_judged_by_what_is_there() {
        assert_eq!(judge(b""), Recognition::Unsure);
        assert_eq!(judge(b"GE"), Recognition::Unsure);
        assert_eq!(judge(b"HTT"), Recognition::Unsure);
        assert_eq!(judge(b"HTTP/1.1 2"), Recognition::Yes);
        assert_eq!(judge(b"GET / HTTP/1.1"), Recognition::Yes);
        let long = [b"GET /", &[b'a'; LONG_LINE][..]].concat();
        assert_eq!(judge(&long), Recognition::Yes);
        assert_eq!(judge(b"\r\nPOST / HTTP/1.1\r\n"), Recognition::Yes);
    }

    #[test]
    fn absolute_targets_have_a_host() {
        assert_eq!(target_host(b"http://u:p@A.example:81/x?http://b").as_deref(), Some("a.example"));
        assert_eq!(target_host(b"/x?u=http://b"), None);
        assert_eq!(target_host(b"*"), None);
    }
}
