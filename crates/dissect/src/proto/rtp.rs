//! RTP and RTCP (RFC 3550): the sound and pictures of a call.
//!
//! Promises: an RTCP packet counts alone, its lengths must add up; RTP's header says so little that
//! two packets must agree.

use super::cursor::Cursor;
use super::{Dissector, Opening, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Rtp;

impl Dissector for Rtp {
    fn protocol(&self) -> Protocol {
        Protocol::Rtp
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let unprivileged = opening.src_port >= 1024 && opening.dst_port >= 1024;
        match opening.transport {
            _ if !unprivileged => Recognition::No,
            Transport::Tcp => judge_stream(opening.latest()),
            _ if is_rtcp(opening.latest()) => Recognition::Yes,
            _ => judge_datagrams(opening),
        }
    }

    /// The payload may be SRTP (RFC 3711), whose header looks the same.
    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        // A stream begins with a length.
        transport == Transport::Tcp || matches!(first, Some(0x80..=0xbf))
    }

    fn visibility(&self) -> Visibility {
        Visibility::Unknown
    }
}

/// Two packets of one source in order, or one of each direction with the same payload type.
fn judge_datagrams(opening: &Opening<'_>) -> Recognition {
    let Some(latest) = header(opening.latest()) else { return Recognition::No };
    if header(opening.earlier).is_some_and(|earlier| earlier.precedes(&latest)) {
        return Recognition::Yes;
    }
    match (header(opening.src), header(opening.dst)) {
        (Some(src), Some(dst)) if src.payload_type == dst.payload_type && src.source != dst.source => {
            Recognition::Yes
        }
        _ => Recognition::Unsure,
    }
}

/// Over TCP a length of two octets precedes each packet (RFC 4571): two in order must be seen.
fn judge_stream(bytes: &[u8]) -> Recognition {
    let Some((first, rest)) = framed(bytes) else {
        let may_follow =
            bytes.len() < 1500 && bytes.get(2..).is_none_or(|rest| rest.is_empty() || rest[0] >> 6 == 2);
        return if may_follow { Recognition::Unsure } else { Recognition::No };
    };
    let Some(first) = header(first) else { return Recognition::No };
    match framed(rest) {
        Some((second, _)) => header(second).is_some_and(|second| first.precedes(&second)).into(),
        None => Recognition::Unsure,
    }
}

fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut cursor = Cursor(bytes);
    Some((cursor.vector16()?, cursor.rest()))
}

struct Header {
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    source: [u8; 4],
}

impl Header {
    /// Whether `next` is a packet of the same source soon after.
    fn precedes(&self, next: &Self) -> bool {
        const LOST: u16 = 50;
        const TEN_SECONDS: u32 = 10 * 90_000;
        self.source == next.source
            && (1..=LOST).contains(&next.sequence.wrapping_sub(self.sequence))
            && next.timestamp.wrapping_sub(self.timestamp) <= TEN_SECONDS
            && self.source != [0; 4]
    }
}

/// The fixed header, its list of contributing sources and its extension must fit.
fn header(bytes: &[u8]) -> Option<Header> {
    let (fixed, rest) = bytes.split_first_chunk::<12>()?;
    let &[first, second, q0, q1, t0, t1, t2, t3, s0, s1, s2, s3] = fixed;
    let rest = rest.get(4 * usize::from(first & 0xf)..)?;
    let payload = match first & 0x10 {
        0 => rest,
        _ => {
            let (&[_, _, high, low], after) = rest.split_first_chunk()?;
            after.get(4 * usize::from(u16::from_be_bytes([high, low]))..)?
        }
    };
    let payload_type = second & 0x7f;
    // Static and dynamic types of RFC 3551 §6; 72 to 76 would be RTCP.
    let known = first >> 6 == 2 && matches!(payload_type, 0..=34 | 96..=127) && !payload.is_empty();
    known.then_some(Header {
        payload_type,
        sequence: u16::from_be_bytes([q0, q1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        source: [s0, s1, s2, s3],
    })
}

/// One or more packets whose lengths fill the datagram (RFC 3550 §6.1). SRTCP adds an index and a tag
/// of 4 to 10 octets, and more with a key identifier (RFC 3711 §3.4).
fn is_rtcp(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut packets = 0;
    while let Some((&[first, kind, high, low], _)) = rest.split_first_chunk()
        && first >> 6 == 2
        && (200..=207).contains(&kind)
    {
        let length = 4 * (1 + usize::from(u16::from_be_bytes([high, low])));
        let Some(after) = rest.get(length..) else { return false };
        (rest, packets) = (after, packets + 1);
    }
    packets > 0 && bytes.len() >= 8 && rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::tests::opening;
    use super::*;

    fn judge(src: &[u8], dst: &[u8], earlier: &[u8]) -> Recognition {
        Rtp.recognise(&Opening { earlier, ..opening(Transport::Udp, 40002, src, dst) })
    }

    fn packet(kind: u8, sequence: u8, source: u8) -> Vec<u8> {
        [&[0x80, kind, 0, sequence, 0, 0, sequence, 160, 1, 2, 3, source][..], &[0xff; 160]].concat()
    }

    #[test]
    fn two_packets_must_agree() {
        assert_eq!(judge(&packet(0, 1, 1), b"", b""), Recognition::Unsure);
        assert_eq!(judge(&packet(0, 1, 1), &packet(0, 1, 2), b""), Recognition::Yes);
        assert_eq!(judge(&packet(0, 1, 1), &packet(8, 1, 2), b""), Recognition::Unsure);
        assert_eq!(judge(&packet(0, 2, 1), b"", &packet(0, 1, 1)), Recognition::Yes);
        assert_eq!(judge(&packet(0, 1, 1), b"", &packet(0, 1, 1)), Recognition::Unsure);
        assert_eq!(judge(b"other", &packet(0, 1, 1), b""), Recognition::No);
    }

    #[test]
    fn a_stream_carries_packets_behind_their_length() {
        let framed = |sequence| [&[0, 172][..], &packet(8, sequence, 1)].concat();
        let stream = [framed(1), framed(2)].concat();
        assert_eq!(judge_stream(&stream), Recognition::Yes);
        assert_eq!(judge_stream(&stream[..200]), Recognition::Unsure);
        assert_eq!(judge_stream(b"\x00\x10GET / HTTP"), Recognition::No);
    }

    #[test]
    fn control_packets_fill_their_datagram() {
        let report = b"\x80\xc9\x00\x01\x01\x02\x03\x04";
        assert_eq!(judge(report, b"", b""), Recognition::Yes);
        assert_eq!(judge(&report[..7], b"", b""), Recognition::No);
    }
}
