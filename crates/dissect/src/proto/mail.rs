//! SMTP (RFC 5321), POP3 (RFC 1939) and IMAP (RFC 9051).
//!
//! Promises: a greeting alone counts where it names the protocol or the port is the protocol's;
//! else the client's first command decides.

use super::lines::{UntilTls, begins, first_line, holds, is_one_of, words};
use super::{Dissector, Opening, Reader, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Smtp;
pub(super) struct Pop;
pub(super) struct Imap;

impl Dissector for Smtp {
    fn protocol(&self) -> Protocol {
        Protocol::Smtp
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        const COMMANDS: [&[u8]; 4] = [b"EHLO", b"HELO", b"LHLO", b"MAIL"];
        let on_port = [25, 465, 587, 2525].iter().any(|&port| opening.on_port(port));
        let greeting = |line: &[u8]| begins(line, b"220") && (on_port || holds(line, b"SMTP"));
        judge(opening, b"220", greeting, |line| {
            let mut words = words(line);
            is_one_of(words.next(), &COMMANDS) && words.next().is_some()
        })
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && may_begin(first)
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(UntilTls::default()))
    }
}

impl Dissector for Pop {
    fn protocol(&self) -> Protocol {
        Protocol::Pop
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        const COMMANDS: [&[u8]; 4] = [b"CAPA", b"APOP", b"STLS", b"UIDL"];
        let on_port = opening.on_port(110);
        let greeting = |line: &[u8]| begins(line, b"+OK") && (on_port || holds(line, b"POP"));
        judge(opening, b"+OK", greeting, |line| {
            is_one_of(words(line).next(), &COMMANDS) || (on_port && begins(line, b"USER "))
        })
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && may_begin(first)
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(UntilTls::default()))
    }
}

impl Dissector for Imap {
    fn protocol(&self) -> Protocol {
        Protocol::Imap
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        const COMMANDS: [&[u8]; 9] = [
            b"CAPABILITY",
            b"LOGIN",
            b"STARTTLS",
            b"AUTHENTICATE",
            b"SELECT",
            b"EXAMINE",
            b"LOGOUT",
            b"UID",
            b"ID",
        ];
        let greeting = |line: &[u8]| {
            begins(line, b"* OK") && (opening.on_port(143) || holds(line, b"IMAP"))
                || begins(line, b"* PREAUTH")
        };
        judge(opening, b"* OK", greeting, |line| {
            let mut words = words(line);
            let tag =
                words.next().is_some_and(|tag| tag.len() <= 16 && tag.iter().all(u8::is_ascii_alphanumeric));
            tag && is_one_of(words.next(), &COMMANDS)
        })
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && may_begin(first)
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(UntilTls::default()))
    }
}

/// Whether the first line of either side is the protocol's. A server's first word that others share
/// leaves it open until the client speaks.
pub(super) fn judge(
    opening: &Opening<'_>,
    shared_greeting: &[u8],
    is_greeting: impl Fn(&[u8]) -> bool,
    is_command: impl Fn(&[u8]) -> bool,
) -> Recognition {
    if opening.transport != Transport::Tcp {
        return Recognition::No;
    }
    let mut open = false;
    for bytes in [opening.src, opening.dst] {
        if !begins_with_text(bytes) {
            continue;
        }
        let (line, complete) = first_line(bytes);
        if complete && (is_greeting(line) || is_command(line)) {
            return Recognition::Yes;
        }
        open |= begins(line, shared_greeting) || (!complete && line.len() < 64 && is_text(line));
    }
    let silent = opening.src.is_empty() || opening.dst.is_empty();
    if open && silent { Recognition::Unsure } else { Recognition::No }
}

/// Whether a side of a line protocol can begin with the byte.
pub(super) fn may_begin(first: Option<u8>) -> bool {
    first.is_some_and(|first| is_text(&[first]))
}

/// Whether there is text where the shortest greeting or command would stand. Other bytes go at once,
/// before the end of a line is looked for.
fn begins_with_text(bytes: &[u8]) -> bool {
    const SHORTEST: usize = 3;
    is_text(bytes.get(..SHORTEST).unwrap_or(bytes))
}

fn is_text(line: &[u8]) -> bool {
    !line.is_empty() && line.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ftp::Ftp;
    use crate::proto::tests;
    use overheard_model::Side;

    /// The server spoke last.
    fn opening<'a>(dst_port: u16, src: &'a [u8], dst: &'a [u8]) -> Opening<'a> {
        Opening { from: Side::Dst, ..tests::opening(Transport::Tcp, dst_port, src, dst) }
    }

    #[test]
    fn a_greeting_that_is_shared_waits_for_the_client() {
        let greeting = b"220 mail.example ready\r\n";
        assert_eq!(Smtp.recognise(&opening(9925, b"", greeting)), Recognition::Unsure);
        assert_eq!(Ftp.recognise(&opening(9925, b"", greeting)), Recognition::Unsure);
        assert_eq!(Smtp.recognise(&opening(9925, b"EHLO a.example\r\n", greeting)), Recognition::Yes);
        assert_eq!(Ftp.recognise(&opening(9925, b"EHLO a.example\r\n", greeting)), Recognition::No);
        assert_eq!(Ftp.recognise(&opening(9921, b"USER anonymous\r\n", greeting)), Recognition::Yes);
        assert_eq!(Smtp.recognise(&opening(9921, b"USER anonymous\r\n", greeting)), Recognition::No);
        assert_eq!(Smtp.recognise(&opening(25, b"", greeting)), Recognition::Yes);
        assert_eq!(Ftp.recognise(&opening(21, b"", greeting)), Recognition::Yes);
    }

    #[test]
    fn post_offices_are_told_apart() {
        assert_eq!(Pop.recognise(&opening(9110, b"", b"+OK POP3 ready\r\n")), Recognition::Yes);
        assert_eq!(Pop.recognise(&opening(6379, b"SET a 1\r\n", b"+OK\r\n")), Recognition::No);
        assert_eq!(Imap.recognise(&opening(9143, b"", b"* OK IMAP4rev1 ready\r\n")), Recognition::Yes);
        assert_eq!(Imap.recognise(&opening(9143, b"a1 CAPABILITY\r\n", b"")), Recognition::Yes);
        assert_eq!(Imap.recognise(&opening(80, b"GET / HTTP/1.1\r\n", b"")), Recognition::No);
    }
}
