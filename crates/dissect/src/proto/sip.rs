//! SIP (RFC 3261): calls are set up in readable text.

use super::lines::first_line;
use super::{Dissector, Opening, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Sip;

const PORT: u16 = 5060;

impl Dissector for Sip {
    fn protocol(&self) -> Protocol {
        Protocol::Sip
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let bytes = opening.latest();
        let on_port = opening.on_port(PORT);
        if !on_port && !bytes.first().is_some_and(u8::is_ascii_uppercase) {
            return Recognition::No;
        }
        let (line, complete) = first_line(bytes);
        let request = line.ends_with(b" SIP/2.0") && line.first().is_some_and(u8::is_ascii_uppercase);
        // Empty lines and single zeros keep a path open (RFC 5626 §3.5.1).
        let silence = bytes.len() <= 4 && bytes.iter().all(|byte| b"\r\n\0".contains(byte));
        match () {
            () if complete && (request || line.starts_with(b"SIP/2.0 ")) => Recognition::Yes,
            () if silence && on_port => Recognition::Unsure,
            () if !complete && on_port && line.is_ascii() => Recognition::Unsure,
            () => Recognition::No,
        }
    }

    fn may_begin(&self, _transport: Transport, first: Option<u8>) -> bool {
        matches!(first, Some(..0x80))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::opening;
    use super::*;

    fn judge(src: &[u8]) -> Recognition {
        Sip.recognise(&opening(Transport::Udp, PORT, src, &[]))
    }

    #[test]
    fn requests_and_replies_are_recognised() {
        assert_eq!(judge(b"REGISTER sip:example.org SIP/2.0\r\n"), Recognition::Yes);
        assert_eq!(judge(b"SIP/2.0 200 OK\r\n"), Recognition::Yes);
        assert_eq!(judge(b"\r\n\r\n"), Recognition::Unsure);
        assert_eq!(judge(b"OPTIONS * HTTP/1.1\r\n"), Recognition::No);
    }
}
