//! RDP (MS-RDPBCGR §2.2.1): a connection request in ISO clothes, then mostly TLS.

use super::lines::{UntilTls, holds};
use super::{Dissector, Opening, Reader, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Rdp;

impl Dissector for Rdp {
    fn protocol(&self) -> Protocol {
        Protocol::Rdp
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        match opening.transport {
            Transport::Tcp => is_connection(opening.latest(), opening.on_port(3389)).into(),
            _ => (opening.on_port(3389) && is_datagram_syn(opening.latest())).into(),
        }
    }

    /// Older clients have an encryption of their own, with keys of 40 to 128 bits or none.
    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        first == Some(if transport == Transport::Tcp { 3 } else { 0xff })
    }

    fn visibility(&self) -> Visibility {
        Visibility::Unknown
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(UntilTls::default()))
    }
}

/// TPKT (RFC 1006) around a connection request or confirm of X.224. Others use both, so that the
/// cookie or the negotiation at the end must be RDP's, or the port.
fn is_connection(bytes: &[u8], on_port: bool) -> bool {
    let Some((&[3, 0, high, low, indicator, 0xd0 | 0xe0], _)) = bytes.split_first_chunk() else {
        return false;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let Some(packet) = bytes.get(..length).filter(|_| usize::from(indicator) + 5 == length) else {
        return false;
    };
    let negotiation = packet.last_chunk::<8>();
    let negotiates = negotiation.is_some_and(|last| matches!(last, [1..=3, _, 8, 0, _, 0, 0, 0]));
    on_port || negotiates || holds(packet, b"Cookie: mstshash=")
}

/// MS-RDPEUDP §2.2.2.1: the first datagram acknowledges nothing and sets the SYN flag, and is padded to
/// the size that the path must carry.
fn is_datagram_syn(bytes: &[u8]) -> bool {
    const SMALLEST: usize = 1132;
    matches!(bytes, [0xff, 0xff, 0xff, 0xff, _, _, _, flags, ..] if flags & 1 == 1) && bytes.len() >= SMALLEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_that_sets_syn_is_recognised() {
        let syn = [&b"\xff\xff\xff\xff\x00\x40\x18\x01"[..], &[0; 1224]].concat();
        assert!(is_datagram_syn(&syn));
        assert!(!is_datagram_syn(&syn[..100]));
    }

    #[test]
    fn the_negotiation_tells_rdp_from_its_relatives() {
        let request = b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x0b\x00\x00\x00";
        assert!(is_connection(request, false));
        assert!(!is_connection(&request[..18], true), "cut short");
        let siemens =
            b"\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x02";
        assert!(!is_connection(siemens, false));
    }
}
