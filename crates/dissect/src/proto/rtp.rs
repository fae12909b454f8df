//! RTP and RTCP (RFC 3550): the sound and pictures of a call.
//!
//! Promises: an RTCP packet counts alone, its lengths must add up; RTP's header says so little that
//! both directions must agree.

use super::{Dissector, Opening, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Rtp;

impl Dissector for Rtp {
    fn protocol(&self) -> Protocol {
        Protocol::Rtp
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let unprivileged = opening.src_port >= 1024 && opening.dst_port >= 1024;
        if opening.transport != Transport::Udp || !unprivileged {
            return Recognition::No;
        }
        if is_rtcp(opening.latest()) {
            return Recognition::Yes;
        }
        match (header(opening.src), header(opening.dst)) {
            (Some(src), Some(dst)) => {
                (src.payload_type == dst.payload_type && src.source != dst.source).into()
            }
            (Some(_), None) if opening.dst.is_empty() => Recognition::Unsure,
            (None, Some(_)) if opening.src.is_empty() => Recognition::Unsure,
            _ => Recognition::No,
        }
    }

    /// The payload may be SRTP (RFC 3711), whose header looks the same.
    fn visibility(&self) -> Visibility {
        Visibility::Unknown
    }
}

struct Header {
    payload_type: u8,
    source: [u8; 4],
}

/// The fixed header, its list of contributing sources and its extension must fit.
fn header(bytes: &[u8]) -> Option<Header> {
    let (fixed, rest) = bytes.split_first_chunk::<12>()?;
    let &[first, second, .., s0, s1, s2, s3] = fixed;
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
    known.then_some(Header { payload_type, source: [s0, s1, s2, s3] })
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
    use super::*;
    use overheard_model::Side;

    fn judge(src: &[u8], dst: &[u8]) -> Recognition {
        let (transport, from) = (Transport::Udp, Side::Src);
        Rtp.recognise(&Opening { transport, src_port: 40000, dst_port: 40002, from, src, dst })
    }

    #[test]
    fn both_directions_must_agree() {
        let packet = |kind: u8, source: u8| {
            [&[0x80, kind, 0, 1, 0, 0, 0, 160, 1, 2, 3, source][..], &[0xff; 160]].concat()
        };
        assert_eq!(judge(&packet(0, 1), b""), Recognition::Unsure);
        assert_eq!(judge(&packet(0, 1), &packet(0, 2)), Recognition::Yes);
        assert_eq!(judge(&packet(0, 1), &packet(8, 2)), Recognition::No);
        assert_eq!(judge(&packet(0, 1), b"other"), Recognition::No);
    }

    #[test]
    fn control_packets_fill_their_datagram() {
        let report = b"\x80\xc9\x00\x01\x01\x02\x03\x04";
        assert_eq!(judge(report, b""), Recognition::Yes);
        assert_eq!(judge(&report[..7], b""), Recognition::No);
    }
}
