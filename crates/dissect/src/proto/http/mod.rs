//! HTTP/1 (RFC 9112): the host of every request, and where a connection turns into something else.
//!
//! For: `Host`, absolute targets and CONNECT. After CONNECT or an upgrade the bytes go on to
//! whichever dissector knows them ([`Inner`]).
//! Promises: several `Host` fields are several names, folded lines are read. Keeps one unfinished
//! line a side. Heads of requests are looked for where they may begin: after the content of the one
//! before, and, where its end is not known or bytes were lost, at the start of a segment.

mod body;
mod line;

use super::inner::Inner;
use super::{Appetite, Chunk, Dissector, Notes, Opening, Reader, Recognition, host_name};
use body::{Framing, chunk_length};
use line::First;
pub(super) use line::{judge, may_begin};
use memchr::memchr;
use overheard_model::{NameSource, Protocol, Transport, Visibility};

/// Longest line that is kept; servers stop at 8 to 64 KiB.
const LINE_LIMIT: usize = 64 << 10;

pub(super) struct Http;

impl Dissector for Http {
    fn protocol(&self) -> Protocol {
        Protocol::Http
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        match opening.transport {
            Transport::Tcp => judge(opening.latest()),
            _ => Recognition::No,
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && line::may_begin(first)
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(HttpReader::default()))
    }
}

/// What an HTTP connection may turn into; proxies within proxies are not followed.
fn within_http(protocol: Protocol) -> bool {
    !matches!(protocol, Protocol::Http | Protocol::Socks)
}

/// Where one side's stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Not in a head: one may begin at the next segment.
    #[default]
    Between,
    FirstLine,
    Fields,
    /// In a request's content, of which so many bytes are to come.
    Content(u64),
    /// The same in a chunk of it.
    Chunk(u64),
    /// Before the length of a chunk.
    ChunkLength,
    /// The fields after the last chunk.
    Trailer,
}

impl Place {
    /// After a head.
    fn after_head(framing: Framing) -> Self {
        match framing {
            Framing::Length(length @ 1..) => Self::Content(length),
            Framing::Chunked => Self::ChunkLength,
            Framing::Length(0) | Framing::Empty | Framing::Unclear => Self::Between,
        }
    }

    /// Past bytes of a content that nobody looks at, seen or lost; how many of `count` they are.
    fn skip(&mut self, count: u64) -> u64 {
        let (left, beyond) = match *self {
            Self::Content(left) => (left, Self::Between),
            Self::Chunk(left) => (left, Self::ChunkLength),
            _ => return 0,
        };
        let skipped = left.min(count);
        *self = match (left - skipped, *self) {
            (0, _) => beyond,
            (left, Self::Chunk(_)) => Self::Chunk(left),
            (left, _) => Self::Content(left),
        };
        skipped
    }
}

/// One side of the conversation.
#[derive(Default)]
struct Stream {
    place: Place,
    /// This side has answered: it asks nothing, whatever its contents look like.
    answers: bool,
    /// What the fields so far say about the content.
    framing: Framing,
    /// A line whose end is still to come.
    line: Vec<u8>,
    /// The line before was a `Host` without a value: it may follow folded (RFC 9112 §5.2).
    host_folds: bool,
}

impl Stream {
    /// Reading goes on in the same content, or at the next head.
    fn lose(&mut self, gap: u64) {
        let mut place = self.place;
        let within = place.skip(gap) == gap;
        let place = if within { place } else { Place::Between };
        *self = Self { place, answers: self.answers, ..Self::default() };
    }
}

/// Also reads the datagrams of SSDP.
#[derive(Default)]
pub(super) struct HttpReader {
    streams: [Stream; 2],
    /// What the client asked the connection to turn into, with CONNECT or `Upgrade`.
    inner: Option<Inner>,
}

impl Reader for HttpReader {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        if let Some(inner) = self.inner.as_mut().filter(|inner| inner.is_recognised()) {
            return inner.read(chunk, notes);
        }
        let side = chunk.from as usize;
        if chunk.gap > 0 {
            self.streams[side].lose(chunk.gap);
        }
        let mut rest = chunk.bytes;
        while !rest.is_empty() {
            let content = self.streams[side].place.skip(rest.len() as u64);
            if content > 0 {
                rest = &rest[content as usize..];
                continue;
            }
            if self.streams[side].place == Place::Between {
                if judge(rest) == Recognition::No {
                    return self.beyond_heads(&Chunk { bytes: rest, ..*chunk }, notes);
                }
                self.streams[side].place = Place::FirstLine;
            }
            let (line, after) = match memchr(b'\n', rest) {
                Some(end) => (&rest[..end], &rest[end + 1..]),
                None => {
                    self.keep(side, rest);
                    break;
                }
            };
            self.take_line(side, line, notes);
            rest = after;
        }
        Appetite::More
    }

    fn held(&self) -> usize {
        let lines: usize = self.streams.iter().map(|stream| stream.line.capacity()).sum();
        lines + self.inner.as_ref().map_or(0, Inner::held)
    }
}

impl HttpReader {
    fn keep(&mut self, side: usize, part: &[u8]) {
        let line = &mut self.streams[side].line;
        let room = LINE_LIMIT.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// Bytes of a body, or of what the connection has turned into.
    fn beyond_heads(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        let Some(inner) = &mut self.inner else { return Appetite::More };
        let appetite = inner.read(chunk, notes);
        // A body comes here too when an upgrade was refused: only a recognised protocol can end it.
        if inner.is_recognised() { appetite } else { Appetite::More }
    }

    fn take_line(&mut self, side: usize, end: &[u8], notes: &mut Notes) {
        if self.streams[side].line.is_empty() {
            return self.read_line(side, end, notes);
        }
        self.keep(side, end);
        let line = std::mem::take(&mut self.streams[side].line);
        self.read_line(side, &line, notes);
    }

    fn read_line(&mut self, side: usize, line: &[u8], notes: &mut Notes) {
        let blank = line.trim_ascii().is_empty();
        self.streams[side].place = match self.streams[side].place {
            Place::Fields if blank => Place::after_head(std::mem::take(&mut self.streams[side].framing)),
            Place::ChunkLength if !blank => match chunk_length(line) {
                Some(0) => Place::Trailer,
                Some(length) => Place::Chunk(length),
                None => Place::Between,
            },
            Place::Trailer if blank => Place::Between,
            Place::Trailer => Place::Trailer,
            Place::Fields => {
                self.read_field(side, line, notes);
                Place::Fields
            }
            at if blank => at,
            _ => self.read_first(side, line, notes),
        };
    }

    fn read_first(&mut self, side: usize, line: &[u8], notes: &mut Notes) -> Place {
        match line::first_line(line) {
            First::Request { .. } if self.streams[side].answers => return Place::Between,
            First::Request { method, target } => {
                let connect = method == b"CONNECT";
                self.inner = connect.then(|| Inner::carried(within_http));
                let (host, source) = match connect {
                    true => (host_name(target), NameSource::HttpConnect),
                    false => (line::target_host(target), NameSource::HttpHost),
                };
                notes.names.extend(host.map(|host| (host, source)));
            }
            First::Status(code) => {
                self.streams[side].answers = true;
                if !matches!(code, 101 | 200..300) {
                    self.inner = None;
                }
            }
            First::Neither => return Place::Between,
        }
        Place::Fields
    }

    /// A field of a request: those of answers name nobody, and what ends their contents depends on
    /// the request.
    fn read_field(&mut self, side: usize, line: &[u8], notes: &mut Notes) {
        if self.streams[side].answers {
            return;
        }
        let stream = &mut self.streams[side];
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        let field = line::field(line);
        stream.framing = field.map_or(stream.framing, |(name, value)| stream.framing.with(name, value));
        let host = if folded && stream.host_folds {
            Some(line.trim_ascii())
        } else {
            let field = field.filter(|_| !folded);
            if field.is_some_and(|(name, _)| name.eq_ignore_ascii_case(b"upgrade")) && self.inner.is_none() {
                self.inner = Some(Inner::carried(within_http));
            }
            field.filter(|(name, _)| name.eq_ignore_ascii_case(b"host")).map(|(_, value)| value)
        };
        stream.host_folds = host.is_some_and(<[u8]>::is_empty);
        let name = host.and_then(host_name);
        notes.names.extend(name.map(|name| (name, NameSource::HttpHost)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::tests;
    use overheard_model::Side;

    fn chunk(bytes: &[u8]) -> Chunk<'_> {
        tests::chunk(Transport::Tcp, 80, Side::Src, bytes)
    }

    fn names<'a>(segments: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, NameSource)> {
        let (mut reader, mut notes) = (HttpReader::default(), Notes::default());
        for segment in segments {
            reader.read(&chunk(segment), &mut notes);
        }
        notes.names.into_iter().map(|(name, source)| (name.to_string(), source)).collect()
    }

    fn hosts(expected: &[&str]) -> Vec<(String, NameSource)> {
        expected.iter().map(|name| (name.to_string(), NameSource::HttpHost)).collect()
    }

    #[test]
    fn hosts_are_found_however_the_field_is_written() {
        for field in [
            "Host: a.example\r\n",
            "hOsT:A.Example:8080\n",
            "Host :\ta.example. \r\n",
            "Host:\r\n a.example\r\n",
        ] {
            let head = format!("GET / HTTP/1.1\r\nX: y\r\n{field}\r\n");
            assert_eq!(names([head.as_bytes()]), hosts(&["a.example"]), "{field:?}");
            assert_eq!(names(head.as_bytes().chunks(1)), hosts(&["a.example"]), "{field:?} byte by byte");
        }
    }

    #[test]
    fn every_host_of_every_request_is_a_name() {
        let pipelined = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET / HTTP/1.1\r\nHost: c\r\n\r\n";
        let body = b"POST / HTTP/1.1\r\nHost: d\r\n\r\nHost: not-a-name\r\n\r\n";
        let segments: [&[u8]; 4] = [pipelined, body, b"more body", b"GET / HTTP/1.1\r\nHost: e\r\n\r\n"];
        assert_eq!(names(segments), hosts(&["a", "b", "c", "d", "e"]));
    }

    #[test]
    fn a_proxy_is_asked_for_a_host() {
        let absolute: &[u8] = b"GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n";
        assert_eq!(names([absolute]), hosts(&["a.example", "b.example"]));
        let connect: &[u8] = b"CONNECT a.example:443 HTTP/1.1\r\n\r\n";
        assert_eq!(names([connect]), [("a.example".to_string(), NameSource::HttpConnect)]);
    }

    #[test]
    fn the_content_of_a_request_is_no_request() {
        let inner = "GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n";
        let next = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
        let post = "POST /up HTTP/1.1\r\nHost: a\r\n";
        let length = inner.len();
        for asked in [
            format!("{post}Content-Length: {length}\r\n\r\n{inner}{next}"),
            format!(
                "{post}Transfer-Encoding: chunked\r\n\r\n{length:x};x=y\r\n{inner}\r\n0\r\nHost: c\r\n\r\n{next}"
            ),
        ] {
            assert_eq!(names([asked.as_bytes()]), hosts(&["a", "b"]));
            assert_eq!(names(asked.as_bytes().chunks(1)), hosts(&["a", "b"]), "byte by byte");
            let at = asked.find("GET /x").unwrap();
            let (head, rest) = asked.as_bytes().split_at(at);
            assert_eq!(names([head, rest]), hosts(&["a", "b"]), "at the start of a segment");
        }
    }

    #[test]
    fn an_answer_names_nobody() {
        let (mut reader, mut notes) = (HttpReader::default(), Notes::default());
        let answer = b"HTTP/1.1 200 OK\r\nHost: a.example\r\n\r\nGET / HTTP/1.1\r\nHost: b.example\r\n\r\n";
        reader.read(&Chunk { from: Side::Dst, ..chunk(answer) }, &mut notes);
        assert_eq!(notes.names, []);
    }

    #[test]
    fn what_is_lost_of_a_content_counts() {
        let (mut reader, mut notes) = (HttpReader::default(), Notes::default());
        reader.read(&chunk(b"PUT / HTTP/1.1\r\nContent-Length: 40\r\n\r\n"), &mut notes);
        let content = Chunk { gap: 9, ..chunk(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n..") };
        reader.read(&content, &mut notes);
        assert_eq!(notes.names, []);
    }

    /// What the connection is, after each side has said its part.
    fn turned_into(said: &[(Side, &[u8])]) -> (Option<Protocol>, Option<Visibility>) {
        let (mut reader, mut notes) = (HttpReader::default(), Notes::default());
        for (from, bytes) in said {
            reader.read(&Chunk { from: *from, ..chunk(bytes) }, &mut notes);
        }
        (notes.protocol, notes.visibility)
    }

    #[test]
    fn what_runs_through_a_tunnel_is_recognised() {
        let asked: (Side, &[u8]) = (Side::Src, b"CONNECT a.example:22 HTTP/1.1\r\n\r\n");
        let banner: (Side, &[u8]) = (Side::Src, b"SSH-2.0-OpenSSH_9.2\r\n");
        let granted: (Side, &[u8]) = (Side::Dst, b"HTTP/1.1 200 OK\r\n\r\n");
        let refused: (Side, &[u8]) = (Side::Dst, b"HTTP/1.1 403 Forbidden\r\n\r\n");
        let ssh = (Some(Protocol::Ssh), Some(Visibility::Encrypted));
        assert_eq!(turned_into(&[asked, granted, banner]), ssh);
        assert_eq!(turned_into(&[asked, banner]), ssh, "one direction captured");
        assert_eq!(turned_into(&[asked, refused, banner]), (None, None));
    }

    #[test]
    fn an_upgrade_to_http2_is_followed() {
        let asked: (Side, &[u8]) = (Side::Src, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n");
        let granted: (Side, &[u8]) = (Side::Dst, b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
        let preface: (Side, &[u8]) = (Side::Src, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let http2 = (Some(Protocol::Http2), Some(Visibility::Readable));
        assert_eq!(turned_into(&[asked, granted, preface]), http2);
    }

    #[test]
    fn reading_goes_on_after_a_gap() {
        let (mut reader, mut notes) = (HttpReader::default(), Notes::default());
        reader.read(&chunk(b"GET / HTTP/1.1\r\nHost: a.exa"), &mut notes);
        let next = Chunk { gap: 9, ..chunk(b"mple\r\n\r\n") };
        reader.read(&next, &mut notes);
        assert_eq!(notes.names, []);
        reader.read(&chunk(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n"), &mut notes);
        assert_eq!(notes.names.len(), 1);
    }
}
