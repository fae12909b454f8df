//! XMPP (RFC 6120): an XML stream, mostly on the way into TLS.

use super::lines::{UntilTls, holds};
use super::{Dissector, Opening, Reader, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Xmpp;

impl Dissector for Xmpp {
    fn protocol(&self) -> Protocol {
        Protocol::Xmpp
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        match opening.transport {
            Transport::Tcp => judge(opening.latest(), opening.on_port(5222) || opening.on_port(5269)),
            _ => Recognition::No,
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && first.is_some_and(|first| first == b'<' || first.is_ascii_whitespace())
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(UntilTls::default()))
    }
}

fn judge(bytes: &[u8], known_port: bool) -> Recognition {
    /// A stream's head fits in this.
    const HEAD: usize = 1024;
    /// Stanzas of a stream whose head was not captured (RFC 6120 §8).
    const STANZAS: [&[u8]; 3] = [b"<iq ", b"<message ", b"<presence"];
    let bytes = bytes.trim_ascii_start();
    let head = &bytes[..bytes.len().min(HEAD)];
    let stanza = STANZAS.iter().any(|stanza| head.starts_with(stanza));
    match head.first() {
        None => Recognition::Unsure,
        Some(b'<') if holds(head, b"<stream:stream") || holds(head, b"jabber:") => Recognition::Yes,
        Some(b'<') if stanza && known_port => Recognition::Yes,
        Some(b'<') if head.len() < HEAD && (head.starts_with(b"<?xml") || head.len() < 16) => {
            Recognition::Unsure
        }
        Some(_) => Recognition::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_recognised_by_its_head() {
        assert_eq!(judge(b"<?xml version='1.0'?>", false), Recognition::Unsure);
        let head = b"<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client'";
        assert_eq!(judge(head, false), Recognition::Yes);
        assert_eq!(judge(b"<html><body></body></html>", false), Recognition::No);
        assert_eq!(judge(b"<iq type='get' id='1'/>", true), Recognition::Yes);
    }
}
