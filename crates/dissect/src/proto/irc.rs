//! IRC (RFC 2812, IRCv3).

use super::lines::{UntilTls, begins, first_line, is_one_of, words};
use super::{Dissector, Opening, Reader, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Irc;

impl Dissector for Irc {
    fn protocol(&self) -> Protocol {
        Protocol::Irc
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        if opening.transport != Transport::Tcp {
            return Recognition::No;
        }
        let judged = [opening.src, opening.dst].map(judge);
        match judged.contains(&Recognition::Yes) {
            true => Recognition::Yes,
            false => judged[opening.from as usize],
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && matches!(first, Some(b' '..=b'~'))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(UntilTls::default()))
    }
}

fn judge(bytes: &[u8]) -> Recognition {
    const CAPABILITY: [&[u8]; 3] = [b"LS", b"REQ", b"END"];
    const MESSAGES: [&[u8]; 10] =
        [b"NOTICE", b"PRIVMSG", b"JOIN", b"PART", b"QUIT", b"NICK", b"MODE", b"PONG", b"TOPIC", b"CAP"];
    /// No line that counts is shorter.
    const SHORTEST: usize = 3;
    if !is_printable(bytes.get(..SHORTEST).unwrap_or(bytes)) {
        return Recognition::No;
    }
    let (line, complete) = first_line(bytes);
    if !complete {
        let open = line.len() < 64 && is_printable(line);
        return if open { Recognition::Unsure } else { Recognition::No };
    }
    let mut words_of_line = words(line);
    let (first, second) = (words_of_line.next().unwrap_or_default(), words_of_line.next());
    let is = |command: &[u8]| first.eq_ignore_ascii_case(command);
    let parameters = || words(line).skip(1).count();
    match () {
        () if first.starts_with(b":") => (is_numeric(second) || is_one_of(second, &MESSAGES)).into(),
        () if is(b"CAP") => is_one_of(second, &CAPABILITY).into(),
        () if is(b"NICK") => (line.len() <= 64 && parameters() == 1).into(),
        () if is(b"USER") => (parameters() >= 4).into(),
        () if is(b"NOTICE") => (is_one_of(second, &[b"AUTH", b"*"]) && parameters() >= 2).into(),
        () if is(b"PRIVMSG") || is(b"JOIN") => second.is_some_and(|word| word.starts_with(b"#")).into(),
        // More lines follow; the next segment shows them.
        () if is(b"PASS") && begins_with_second_line(bytes) => Recognition::Yes,
        () if is(b"PASS") => Recognition::Unsure,
        () => Recognition::No,
    }
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// A reply of three digits.
fn is_numeric(word: Option<&[u8]>) -> bool {
    word.is_some_and(|word| word.len() == 3 && word.iter().all(u8::is_ascii_digit))
}

/// A password comes first, then who it is for (RFC 2812 §3.1.1).
fn begins_with_second_line(bytes: &[u8]) -> bool {
    let second = bytes.split(|&byte| byte == b'\n').nth(1).unwrap_or_default();
    begins(second, b"NICK ") || begins(second, b"CAP ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_and_replies_are_recognised() {
        let lines: [&[u8]; 6] = [
            b"NICK alice\r\n",
            b"CAP LS 302\r\n",
            b"USER alice 0 * :Alice\r\n",
            b"PASS secret\r\nNICK alice\r\n",
            b":irc.example 001 alice :Welcome\r\n",
            b"NOTICE AUTH :*** Looking up your hostname\r\n",
        ];
        for line in lines {
            assert_eq!(judge(line), Recognition::Yes, "{:?}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn other_line_protocols_are_not() {
        let lines: [&[u8]; 4] = [b"USER anonymous\r\n", b"220 ready\r\n", b"GET / HTTP/1.1\r\n", b"\r\n"];
        for line in lines {
            assert_eq!(judge(line), Recognition::No, "{:?}", String::from_utf8_lossy(line));
        }
        assert_eq!(judge(b"NIC"), Recognition::Unsure);
    }
}
