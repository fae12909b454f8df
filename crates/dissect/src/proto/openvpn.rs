//! OpenVPN's handshake over UDP and TCP (draft-openvpn-wire-protocol-00 §2).
//!
//! Promises: a client's plain reset counts alone; with tls-auth the server must repeat the client's
//! identifier; with tls-crypt only opcodes can be seen, and the port must be OpenVPN's too.

use super::cursor::Cursor;
use super::{Dissector, Opening, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Openvpn;

const PORT: u16 = 1194;
const SESSION_ID: usize = 8;

impl Dissector for Openvpn {
    fn protocol(&self) -> Protocol {
        Protocol::Openvpn
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let [src, dst] = [opening.src, opening.dst].map(|bytes| match opening.transport {
            Transport::Tcp => unframed(bytes),
            _ => bytes,
        });
        let on_port = opening.on_port(PORT);
        match judge(src, dst, on_port) {
            Recognition::No => judge(dst, src, on_port),
            judged => judged,
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        // A stream begins with a length.
        transport == Transport::Tcp || matches!(first, Some(0x38 | 0x50))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Encrypted
    }
}

/// Over TCP a length of two octets precedes each message. A first message that is not complete is
/// none yet.
fn unframed(stream: &[u8]) -> &[u8] {
    Cursor(stream).vector16().unwrap_or_default()
}

fn judge(client: &[u8], server: &[u8], on_port: bool) -> Recognition {
    let [0x38 | 0x50, after @ ..] = client else { return Recognition::No };
    let Some((session, rest)) = after.split_first_chunk::<SESSION_ID>() else { return Recognition::No };
    // No acknowledgements, and packet 0.
    if rest == [0; 5] {
        return Recognition::Yes;
    }
    // With an HMAC of 16 to 64 bytes, a packet number and a time; keys in tls-crypt-v2 may follow.
    if rest.len() < 25 {
        return Recognition::No;
    }
    match server {
        [] => Recognition::Unsure,
        [0x40, reply @ ..] => {
            let repeated = reply.windows(SESSION_ID).any(|window| window == session);
            (on_port || repeated).into()
        }
        _ => Recognition::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"\x38\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x00\x00";

    #[test]
    fn a_plain_reset_counts_alone() {
        assert_eq!(judge(PLAIN, b"", false), Recognition::Yes);
        assert_eq!(judge(&PLAIN[..13], b"", true), Recognition::No);
        assert_eq!(unframed(b"\x00\x02\x38\x01\x99"), b"\x38\x01");
        assert_eq!(unframed(b"\x00\x03\x38\x01"), b"");
    }

    #[test]
    fn an_authenticated_reset_waits_for_the_server() {
        let client = [&PLAIN[..9], &[7; 33]].concat();
        let server = [&[0x40], &[9; 30][..], &PLAIN[1..9], &[0; 4]].concat();
        assert_eq!(judge(&client, b"", false), Recognition::Unsure);
        assert_eq!(judge(&client, &server, false), Recognition::Yes);
        assert_eq!(judge(&client, &[0x40; 54], false), Recognition::No);
        assert_eq!(judge(&client, &[0x40; 54], true), Recognition::Yes);
    }
}
