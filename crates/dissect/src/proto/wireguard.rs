//! WireGuard (whitepaper §5.4): four message types of fixed form.
//!
//! Promises: handshake messages count alone, being 148, 92 and 64 bytes long; transport messages only
//! where one follows another under the same key.

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
        match (kind(opening.latest()), kind(opening.earlier)) {
            (Some(Kind::Handshake), _) => Recognition::Yes,
            (Some(latest), Some(earlier)) => earlier.precedes(&latest).into(),
            (Some(_), None) => Recognition::Unsure,
            (None, _) => Recognition::No,
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Udp && matches!(first, Some(1..=4))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Encrypted
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Handshake,
    Transport { receiver: [u8; 4], counter: u64 },
}

impl Kind {
    /// Whether `next` is under the same key, a little later.
    fn precedes(self, next: &Self) -> bool {
        match (self, *next) {
            (Self::Transport { receiver, counter }, Self::Transport { receiver: same, counter: later }) => {
                receiver == same && (1..=64).contains(&later.wrapping_sub(counter))
            }
            _ => true,
        }
    }
}

fn kind(bytes: &[u8]) -> Option<Kind> {
    match (bytes.first_chunk()?, bytes.len()) {
        ([1, 0, 0, 0], 148) | ([2, 0, 0, 0], 92) | ([3, 0, 0, 0], 64) => Some(Kind::Handshake),
        ([4, 0, 0, 0], length) if length >= 32 && length.is_multiple_of(16) => {
            let receiver = bytes.get(4..)?.first_chunk().copied()?;
            let counter = u64::from_le_bytes(*bytes.get(8..)?.first_chunk()?);
            Some(Kind::Transport { receiver, counter })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::opening;
    use super::*;

    fn judge(src: &[u8], earlier: &[u8]) -> Recognition {
        Wireguard.recognise(&Opening { earlier, ..opening(Transport::Udp, 51820, src, &[]) })
    }

    #[test]
    fn a_handshake_counts_alone() {
        let initiation = [&[1, 0, 0, 0][..], &[7; 144]].concat();
        assert_eq!(judge(&initiation, b""), Recognition::Yes);
        assert_eq!(judge(&initiation[..147], b""), Recognition::No);
    }

    #[test]
    fn transport_messages_must_follow_each_other() {
        let message =
            |counter: u8| [&[4, 0, 0, 0, 1, 2, 3, 4, counter, 0, 0, 0, 0, 0, 0, 0][..], &[9; 32]].concat();
        assert_eq!(judge(&message(1), b""), Recognition::Unsure);
        assert_eq!(judge(&message(2), &message(1)), Recognition::Yes);
        assert_eq!(judge(&message(1), &message(1)), Recognition::No);
    }
}
