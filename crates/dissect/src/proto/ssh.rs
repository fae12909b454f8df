//! SSH (RFC 4253 §4.2): its version is said in the clear, nothing else.

use super::{Dissector, Opening, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Ssh;

impl Dissector for Ssh {
    fn protocol(&self) -> Protocol {
        Protocol::Ssh
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        const BANNER: &[u8] = b"SSH-";
        let bytes = opening.latest();
        match opening.transport {
            Transport::Tcp if bytes.len() < BANNER.len() + 1 && BANNER.starts_with(bytes) => {
                Recognition::Unsure
            }
            Transport::Tcp => {
                let version = bytes.strip_prefix(BANNER).and_then(<[u8]>::first);
                version.is_some_and(u8::is_ascii_digit).into()
            }
            _ => Recognition::No,
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && first == Some(b'S')
    }

    fn visibility(&self) -> Visibility {
        Visibility::Encrypted
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::opening;
    use super::*;

    #[test]
    fn a_banner_is_recognised() {
        let judge = |src| Ssh.recognise(&opening(Transport::Tcp, 2222, src, &[]));
        assert_eq!(judge(b"SSH-2.0-OpenSSH_9.2\r\n"), Recognition::Yes);
        assert_eq!(judge(b"SS"), Recognition::Unsure);
        assert_eq!(judge(b"SSH-x"), Recognition::No);
    }
}
