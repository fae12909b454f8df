//! SOCKS 4, 4a (Ying-Da Lee) and 5 (RFC 1928, RFC 1929): a proxy that is asked for a host.
//!
//! Promises: recognised when the server's reply fits the client's request, or on the port. What is
//! spoken through the proxy is judged anew ([`Inner`]).

use super::inner::Inner;
use super::{Appetite, Chunk, Dissector, Notes, Opening, Reader, Recognition, host_name};
use overheard_model::{NameSource, Protocol, Side, Transport, Visibility};
use std::sync::Arc;

pub(super) struct Socks;

const PORT: u16 = 1080;

impl Dissector for Socks {
    fn protocol(&self) -> Protocol {
        Protocol::Socks
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        if opening.transport != Transport::Tcp {
            return Recognition::No;
        }
        let asked = match opening.src {
            [] | [4] | [5] | [5, _] => return Recognition::Unsure,
            [4, ..] => request4(opening.src).is_some(),
            [5, count, methods @ ..] => {
                let methods = methods.get(..usize::from(*count));
                methods.is_some_and(|methods| !methods.is_empty() && methods.iter().all(is_method))
            }
            _ => false,
        };
        match (opening.src.first(), opening.dst) {
            _ if !asked => Recognition::No,
            (_, []) if opening.on_port(PORT) => Recognition::Yes,
            (_, []) => Recognition::Unsure,
            (Some(5), [5, method, ..]) => (is_method(method) || *method == 0xff).into(),
            (Some(4), [0, 0x5a..=0x5d, ..]) => Recognition::Yes,
            _ => Recognition::No,
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && matches!(first, None | Some(4 | 5))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        let inner = Inner::carried(|protocol| protocol != Protocol::Socks);
        Some(Box::new(SocksReader { said: [Some(Vec::new()), Some(Vec::new())], inner }))
    }
}

/// None, GSSAPI, user name and the others that are assigned; private ones (IANA "SOCKS Methods").
fn is_method(method: &u8) -> bool {
    matches!(method, 0..=9 | 0x80..=0xfe)
}

/// Where the client's part of the negotiation ends, and the name it asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    end: usize,
    name: Option<Arc<str>>,
}

fn request(bytes: &[u8]) -> Option<Asked> {
    if bytes.first() == Some(&4) { request4(bytes) } else { request5(bytes) }
}

/// Version, command, port, address, user; in 4a (address 0.0.0.x) also a name.
fn request4(bytes: &[u8]) -> Option<Asked> {
    let (&[4, 1 | 2, _, _, a, b, c, d], rest) = bytes.split_first_chunk()? else { return None };
    let user = rest.iter().take(256).position(|&byte| byte == 0)?;
    let end = 8 + user + 1;
    if [a, b, c] != [0, 0, 0] || d == 0 {
        return Some(Asked { end, name: None });
    }
    let name = bytes.get(end..)?;
    let length = name.iter().position(|&byte| byte == 0)?;
    Some(Asked { end: end + length + 1, name: host_name(&name[..length]) })
}

/// Greeting, user and password where there is such a part, then the request.
fn request5(bytes: &[u8]) -> Option<Asked> {
    let mut at = 2 + usize::from(*bytes.get(1)?);
    if bytes.get(at) == Some(&1) {
        at += 2 + usize::from(*bytes.get(at + 1)?);
        at += 1 + usize::from(*bytes.get(at)?);
    }
    let (&[5, 1..=3, 0, kind], rest) = bytes.get(at..)?.split_first_chunk()? else { return None };
    let end = at + 4 + address(kind, rest)? + 2;
    let name =
        if kind == 3 { rest.split_first().map(|(&length, rest)| &rest[..usize::from(length)]) } else { None };
    (bytes.len() >= end).then(|| Asked { end, name: name.and_then(host_name) })
}

/// Length of an address field that is all there.
fn address(kind: u8, bytes: &[u8]) -> Option<usize> {
    let length = match kind {
        1 => 4,
        3 => 1 + usize::from(*bytes.first()?),
        4 => 16,
        _ => return None,
    };
    (bytes.len() >= length).then_some(length)
}

/// Where the server's part ends: its choice, its word on the password, its reply.
fn reply(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0, ..] => (bytes.len() >= 8).then_some(8),
        [5, method, ..] => {
            let at = if *method == 2 { 4 } else { 2 };
            let (&[_, _, _, kind], rest) = bytes.get(at..)?.split_first_chunk()?;
            let end = at + 4 + address(kind, rest)? + 2;
            (bytes.len() >= end).then_some(end)
        }
        _ => None,
    }
}

struct SocksReader {
    /// What each side said while it negotiates; `None` once it has done so.
    said: [Option<Vec<u8>>; 2],
    inner: Inner,
}

impl Reader for SocksReader {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        /// More than any negotiation takes.
        const LIMIT: usize = 2 << 10;
        let Some(said) = &mut self.said[chunk.from as usize] else {
            return self.inner.read(chunk, notes);
        };
        said.extend_from_slice(chunk.bytes);
        let end = match chunk.from {
            Side::Src => request(said).map(|asked| {
                notes.names.extend(asked.name.map(|name| (name, NameSource::HttpConnect)));
                asked.end
            }),
            Side::Dst => reply(said),
        };
        let Some(end) = end else {
            return if said.len() < LIMIT { Appetite::More } else { Appetite::Sated };
        };
        let rest = said.split_off(end);
        self.said[chunk.from as usize] = None;
        match rest.is_empty() {
            true => Appetite::More,
            false => self.inner.read(&Chunk { bytes: &rest, ..*chunk }, notes),
        }
    }

    fn held(&self) -> usize {
        self.said.iter().flatten().map(Vec::capacity).sum::<usize>() + self.inner.held()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::opening;
    use super::*;

    fn judge(dst_port: u16, src: &[u8], dst: &[u8]) -> Recognition {
        Socks.recognise(&opening(Transport::Tcp, dst_port, src, dst))
    }

    #[test]
    fn the_reply_must_fit_the_request() {
        assert_eq!(judge(9050, b"\x05\x01\x00", b""), Recognition::Unsure);
        assert_eq!(judge(9050, b"\x05\x01\x00", b"\x05\x00"), Recognition::Yes);
        assert_eq!(judge(9050, b"\x05\x01\x00", b"\x04\x00"), Recognition::No);
        assert_eq!(judge(1080, b"\x05\x02\x00\x02", b""), Recognition::Yes);
        assert_eq!(
            judge(9050, b"\x04\x01\x00\x50\x0a\x00\x00\x01\x00", b"\x00\x5a\x00\x00"),
            Recognition::Yes
        );
        assert_eq!(judge(1080, b"\x05\x00", b""), Recognition::Unsure);
        assert_eq!(judge(1080, b"\x05\x00\x01", b""), Recognition::No);
    }

    #[test]
    fn a_name_is_asked_for() {
        let named = |end, name: &str| Some(Asked { end, name: Some(name.into()) });
        let five = b"\x05\x01\x00\x05\x01\x00\x03\x09a.example\x01\xbbrest";
        assert_eq!(request(five), named(19, "a.example"));
        let with_password = b"\x05\x01\x02\x01\x01u\x02pw\x05\x01\x00\x03\x01a\x00\x50";
        assert_eq!(request(with_password), named(with_password.len(), "a"));
        let four_a = b"\x04\x01\x01\xbb\x00\x00\x00\x01user\x00a.example\x00rest";
        assert_eq!(request(four_a), named(23, "a.example"));
        assert_eq!(request(&five[..18]), None);
    }

    #[test]
    fn replies_end_where_their_address_says() {
        assert_eq!(reply(b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50TLS"), Some(12));
        assert_eq!(reply(b"\x05\x02\x01\x00\x05\x00\x00\x03\x01a\x00\x50"), Some(12));
        assert_eq!(reply(b"\x00\x5a\x00\x00\x00\x00\x00\x00"), Some(8));
        assert_eq!(reply(b"\x05\x00\x05"), None);
    }
}
