//! WireGuard (whitepaper §5.4): four message types of fixed form.
//!
//! Promises: handshake messages count alone, being 148, 92 and 64 bytes long; transport messages only
//! where both sides send them.

use super::{Dissector, Opening, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Wireguard;

impl Dissector for Wireguard {
    fn protocol(&self) -> Protocol {
        Protocol::Wireguard
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        if opening.transport != Transport::Udp {
            return Recognition::No;
        }
        match (kind(opening.src), kind(opening.dst)) {
            (Some(Kind::Handshake), _) | (_, Some(Kind::Handshake)) => Recognition::Yes,
            (Some(Kind::Transport), Some(Kind::Transport)) => Recognition::Yes,
            (Some(Kind::Transport), None) if opening.dst.is_empty() => Recognition::Unsure,
            (None, Some(Kind::Transport)) if opening.src.is_empty() => Recognition::Unsure,
            _ => Recognition::No,
        }
    }

    fn visibility(&self) -> Visibility {
        Visibility::Encrypted
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Handshake,
    Transport,
}

fn kind(bytes: &[u8]) -> Option<Kind> {
    match (bytes.first_chunk()?, bytes.len()) {
        ([1, 0, 0, 0], 148) | ([2, 0, 0, 0], 92) | ([3, 0, 0, 0], 64) => Some(Kind::Handshake),
        ([4, 0, 0, 0], length) if length >= 32 && length.is_multiple_of(16) => {
            // A counter from zero: no key lives for 2³² messages.
            let high = bytes.get(12..16)?;
            high.iter().all(|&byte| byte == 0).then_some(Kind::Transport)
        }
        _ => None,
    }
}
