//! MQTT 3.1, 3.1.1 and 5 (OASIS MQTT Version 5.0 §3.1).

use super::{Dissector, Opening, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Mqtt;

impl Dissector for Mqtt {
    fn protocol(&self) -> Protocol {
        Protocol::Mqtt
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let bytes = opening.latest();
        match opening.transport {
            Transport::Tcp if opening.on_port(1883) => (is_connect(bytes) || is_packets(bytes)).into(),
            Transport::Tcp if is_connect(bytes) => Recognition::Yes,
            Transport::Tcp => judge_ping(opening),
            _ => Recognition::No,
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && matches!(first, Some(0x10..))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }
}

/// A connection that was captured midway mostly keeps itself alive: PINGREQ and PINGRESP.
fn judge_ping(opening: &Opening<'_>) -> Recognition {
    const REQUEST: &[u8] = b"\xc0\x00";
    const RESPONSE: &[u8] = b"\xd0\x00";
    match (opening.src, opening.dst) {
        (REQUEST, b"") | (b"", REQUEST) => Recognition::Unsure,
        (src, dst) => {
            let answered =
                |client: &[u8], server: &[u8]| client.starts_with(REQUEST) && server.starts_with(RESPONSE);
            (answered(src, dst) || answered(dst, src)).into()
        }
    }
}

/// CONNECT names the protocol and its level.
fn is_connect(bytes: &[u8]) -> bool {
    let body = bytes.strip_prefix(&[0x10]).and_then(remaining).map(|(_, body)| body);
    let names: [&[u8]; 4] = [b"\0\x04MQTT\x03", b"\0\x04MQTT\x04", b"\0\x04MQTT\x05", b"\0\x06MQIsdp\x03"];
    body.is_some_and(|body| names.iter().any(|name| body.starts_with(name)))
}

/// Packets of known types whose lengths add up to what was sent.
fn is_packets(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((0x10..=0xff, after)) = rest.split_first() {
        let Some((length, body)) = remaining(after) else { return false };
        let Some(next) = body.get(length..) else { return false };
        rest = next;
    }
    rest.is_empty() && !bytes.is_empty()
}

/// The remaining length, seven bits an octet and four octets at most (§1.5.5), and what follows it.
fn remaining(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0;
    for (index, &byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((length, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connect_is_recognised_and_a_chain_of_packets() {
        assert!(is_connect(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a"));
        assert!(!is_connect(b"\x10\x0d\x00\x04HTTP\x04\x02\x00\x3c"));
        assert!(is_packets(b"\xc0\x00\xd0\x00"));
        assert!(!is_packets(b"\xc0\x01"));
        assert_eq!(remaining(b"\x80\x01x"), Some((128, &b"x"[..])));
    }
}
