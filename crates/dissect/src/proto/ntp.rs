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
        let Some(&first) = bytes.first() else { return Recognition::No };
        let (version, mode) = (first >> 3 & 7, first & 7);
        let shortest = match mode {
            1..=5 => 48,
            6 => 12,
            7 => 8,
            _ => return Recognition::No,
        };
        let on_port = opening.transport == Transport::Udp && opening.on_port(123);
        (on_port && (1..=4).contains(&version) && bytes.len() >= shortest).into()
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }
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
