//! BitTorrent: peers (BEP 3), uTP (BEP 29), the distributed hash table (BEP 5), UDP trackers (BEP 15)
//! and local discovery (BEP 14). Trackers over HTTP stay HTTP, whose names matter more.

use super::lines::holds;
use super::{Dissector, Opening, Recognition};
use memchr::memmem;
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Bittorrent;

const HANDSHAKE: &[u8] = b"\x13BitTorrent protocol";

impl Dissector for Bittorrent {
    fn protocol(&self) -> Protocol {
        Protocol::Bittorrent
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let bytes = opening.latest();
        match opening.transport {
            Transport::Tcp => judge_peer(opening),
            _ if is_dht(bytes) || is_tracker(bytes) || bytes.starts_with(b"BT-SEARCH * HTTP/1.1") => {
                Recognition::Yes
            }
            _ => judge_utp(opening),
        }
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        // On its own ports a stream may begin with anything.
        transport == Transport::Tcp || matches!(first, Some(b'd' | b'B' | 0 | 1 | 0x11 | 0x21 | 0x31 | 0x41))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }
}

/// A peer's handshake, also behind the obfuscated key exchange (Message Stream Encryption) where the
/// peers agree on plain text after it. Obfuscation is waited out on BitTorrent's own ports alone:
/// elsewhere nothing tells it from any other random bytes.
fn judge_peer(opening: &Opening<'_>) -> Recognition {
    const PORTS: std::ops::RangeInclusive<u16> = 6881..=6889;
    const KEY: usize = 96;
    let said = [opening.src, opening.dst];
    let on_port = PORTS.contains(&opening.src_port) || PORTS.contains(&opening.dst_port);
    let begun = |bytes: &[u8]| !bytes.is_empty() && HANDSHAKE.starts_with(bytes);
    // Behind a key of any length; asked with every segment, so it must be quick.
    let within = |bytes: &[u8]| on_port && memmem::find(bytes, HANDSHAKE).is_some();
    let shows = |bytes: &[u8]| bytes.starts_with(HANDSHAKE) || within(bytes);
    match () {
        () if said.into_iter().any(shows) => Recognition::Yes,
        () if said.into_iter().any(begun) => Recognition::Unsure,
        () if on_port && said.iter().any(|bytes| bytes.len() >= KEY) => Recognition::Unsure,
        () => Recognition::No,
    }
}

/// A dictionary in bencode that has a kind (`y`) of query, response or error.
fn is_dht(bytes: &[u8]) -> bool {
    let begins = [&b"d1:ad2:id20:"[..], b"d1:rd2:id20:", b"d1:eli", b"d2:ip6:", b"d2:ip4:", b"d2:ip18:"];
    begins.iter().any(|begin| bytes.starts_with(begin))
        && [b"1:y1:q", b"1:y1:r", b"1:y1:e"].iter().any(|kind| holds(bytes, *kind))
}

/// The connect request of BEP 15 begins with a number that was chosen to be recognised.
fn is_tracker(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00") && bytes.len() == 16
}

struct Utp<'a> {
    kind: u8,
    connection: u16,
    sequence: u16,
    acknowledged: u16,
    payload: &'a [u8],
}

/// Version 1 of the header, with extensions that fit.
fn utp(bytes: &[u8]) -> Option<Utp<'_>> {
    let (header, mut payload) = bytes.split_first_chunk::<20>()?;
    let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let mut extension = header[1];
    while extension != 0 {
        let (&[next, length], rest) = payload.split_first_chunk()?;
        payload = rest.get(usize::from(length)..).filter(|_| extension <= 3)?;
        extension = next;
    }
    let (kind, version) = (header[0] >> 4, header[0] & 0xf);
    let known = version == 1 && kind <= 4;
    known.then_some(Utp {
        kind,
        connection: number(2),
        sequence: number(16),
        acknowledged: number(18),
        payload,
    })
}

/// A payload that says so, or an answer that fits the request in all its numbers.
fn judge_utp(opening: &Opening<'_>) -> Recognition {
    const STATE: u8 = 2;
    const SYN: u8 = 4;
    let said = [utp(opening.src), utp(opening.dst)];
    if said.iter().flatten().any(|packet| packet.payload.starts_with(HANDSHAKE)) {
        return Recognition::Yes;
    }
    match said {
        [Some(syn), None] if syn.kind == SYN && opening.dst.is_empty() => Recognition::Unsure,
        [Some(syn), Some(state)] if syn.kind == SYN && state.kind == STATE => {
            (syn.connection == state.connection && syn.sequence == state.acknowledged).into()
        }
        _ => Recognition::No,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::opening;
    use super::*;

    fn judge(src: &[u8], dst: &[u8]) -> Recognition {
        Bittorrent.recognise(&opening(Transport::Udp, 6881, src, dst))
    }

    /// The example of BEP 5, "ping".
    #[test]
    fn the_hash_table_is_recognised() {
        let ping = b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
        assert_eq!(judge(ping, b""), Recognition::Yes);
        assert_eq!(judge(b"d1:ad2:id20:", b""), Recognition::No);
    }

    #[test]
    fn an_answer_must_fit_its_request() {
        let packet = |kind: u8, sequence: u8, acknowledged: u8| {
            [&[kind, 0, 0x12, 0x34][..], &[0; 12], &[0, sequence, 0, acknowledged]].concat()
        };
        assert_eq!(judge(&packet(0x41, 1, 0), b""), Recognition::Unsure);
        assert_eq!(judge(&packet(0x41, 1, 0), &packet(0x21, 7, 1)), Recognition::Yes);
        assert_eq!(judge(&packet(0x41, 1, 0), &packet(0x21, 7, 2)), Recognition::No);
    }
}
