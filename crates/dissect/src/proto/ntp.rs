//! NTP (RFC 5905) with its control and private modes (RFC 9327), on its port only: the header says
//! too little to be believed elsewhere.

use super::{Dissector, Opening, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Ntp;

impl Dissector for Ntp {
    fn protocol(&self) -> Protocol {
        Protocol::Ntp
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let bytes = opening.latest();
        let shortest = bytes.first().and_then(|&first| shortest(first));
        let on_port = opening.transport == Transport::Udp && opening.on_port(123);
        (on_port && shortest.is_some_and(|shortest| bytes.len() >= shortest)).into()
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Udp && first.and_then(shortest).is_some()
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }
}

/// The shortest message whose first byte has this version and mode.
fn shortest(first: u8) -> Option<usize> {
    let (version, mode) = (first >> 3 & 7, first & 7);
    let shortest = match mode {
        1..=5 => 48,
        6 => 12,
        7 => 8,
        _ => return None,
    };
    (1..=4).contains(&version).then_some(shortest)
}

#[cfg(test)]
mod tests {
    use super::super::tests::opening;
    use super::*;

    #[test]
    fn version_mode_length_and_port_must_fit() {
        let judge = |port, src: &[u8]| Ntp.recognise(&opening(Transport::Udp, port, src, &[]));
        let client = [&[0x23][..], &[0; 47]].concat();
        assert_eq!(judge(123, &client), Recognition::Yes);
        assert_eq!(judge(124, &client), Recognition::No);
        assert_eq!(judge(123, &client[..47]), Recognition::No);
        assert_eq!(judge(123, &[0x20; 48]), Recognition::No, "mode 0 is reserved");
    }
}
