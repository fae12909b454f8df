//! PPP (RFC 1661), over Ethernet (RFC 2516) and in HDLC framing; Cisco HDLC and Frame Relay beside it.

use super::{Outcome, Path, Span, cut, ethertype, mpls, skip};
use crate::ip;
use crate::packet::Tunnel;
use crate::packet::Undecoded;

/// From the address and control bytes on, or, where those are compressed away, from the protocol on.
pub(crate) fn ppp<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let span = match span.bytes {
        [0xff, 0x03, ..] => skip::<2>(span, "PPP header")?,
        _ => span,
    };
    // A protocol number's last byte is odd, all others are even: one byte will do where it is odd.
    let ([high], rest) = span.split::<1>().ok_or(cut("PPP protocol"))?;
    let (protocol, rest) = if high & 1 != 0 {
        (u16::from(*high), rest)
    } else {
        let (both, rest) = span.split::<2>().ok_or(cut("PPP protocol"))?;
        (u16::from_be_bytes(*both), rest)
    };
    match protocol {
        0x0021 => ip::v4(rest, path),
        0x0057 => ip::v6(rest, path),
        0x0281 | 0x0283 => mpls::mpls(rest, path.into(Tunnel::Mpls)?),
        _ => Err(Undecoded::NotIp),
    }
}

/// Serial PPP, or Cisco HDLC, as the first byte tells.
pub(super) fn framed<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    match span.bytes {
        [0x0f | 0x8f, ..] => cisco_hdlc(span, path),
        _ => ppp(span, path),
    }
}

/// A PPPoE session packet from its version on.
pub(super) fn pppoe<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let (header, rest) = span.split::<6>().ok_or(cut("PPPoE header"))?;
    match header {
        [0x11, 0x00, _, _, high, low] => {
            let length = u32::from(u16::from_be_bytes([*high, *low]));
            ppp(rest.up_to(length), path.into(Tunnel::Pppoe)?)
        }
        // Discovery, or another version.
        _ => Err(Undecoded::NotIp),
    }
}

/// Address, control, and an EtherType.
pub(super) fn cisco_hdlc<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let ([_, _, high, low], rest) = span.split::<4>().ok_or(cut("Cisco HDLC header"))?;
    match u16::from_be_bytes([*high, *low]) {
        // LLC behind the bridge of OSI protocols: no IP.
        0xfefe => Err(Undecoded::NotIp),
        kind => ethertype(kind, rest, path),
    }
}

/// A Frame Relay address of two to four bytes, the last of them odd, then the multiprotocol header of
/// RFC 2427 or Cisco's EtherType.
pub(super) fn frame_relay<'a>(span: Span<'a>, path: Path) -> Outcome<'a> {
    let rest = match span.bytes.iter().take(4).position(|byte| byte & 1 != 0) {
        Some(last @ 1..) => span.after(last + 1).ok_or(cut("Frame Relay header"))?,
        _ => return Err(Undecoded::NotIp),
    };
    match rest.bytes {
        [0x03, 0x00, 0xcc, ..] => ip::v4(skip::<3>(rest, "Frame Relay header")?, path),
        [0x03, 0xcc, ..] => ip::v4(skip::<2>(rest, "Frame Relay header")?, path),
        [0x03, 0x8e, ..] => ip::v6(skip::<2>(rest, "Frame Relay header")?, path),
        [0x03, 0x00, 0x80, 0x00, 0x00, 0x00, high, low, ..] => {
            ethertype(u16::from_be_bytes([*high, *low]), skip::<8>(rest, "Frame Relay header")?, path)
        }
        [0x03, 0x00, 0x80, 0x00, 0x80, 0xc2, 0x00, 0x01 | 0x07, ..] => {
            super::ethernet(skip::<8>(rest, "Frame Relay header")?, path)
        }
        [0x08, 0x00, ..] => ip::v4(skip::<2>(rest, "Frame Relay header")?, path),
        [0x86, 0xdd, ..] => ip::v6(skip::<2>(rest, "Frame Relay header")?, path),
        _ => Err(Undecoded::NotIp),
    }
}
