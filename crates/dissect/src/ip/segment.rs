//! Transport headers: TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792, RFC 4443).

use crate::link::Span;
use crate::packet::{Segment, TcpFlags, TcpSegment};
use crate::tunnel;
use overheard_model::Transport;

/// Reads a payload's transport header; [`Segment::Other`] where it is cut short or not known.
#[inline(always)]
pub(crate) fn segment(protocol: u8, span: Span<'_>) -> Segment<'_> {
    let transport = Transport::from(protocol);
    let known = match transport {
        Transport::Tcp => tcp(span),
        Transport::Udp => udp(span),
        Transport::Sctp => sctp(span),
        Transport::Icmp | Transport::Icmp6 => icmp(transport, span),
        Transport::Other(_) => None,
    };
    known.unwrap_or(Segment::Other { transport })
}

#[inline(always)]
pub(super) fn tcp(span: Span<'_>) -> Option<Segment<'_>> {
    let (header, options) = span.split::<20>()?;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, ..] = *header;
    // A header that says to be shorter than it must be leaves no payload to trust.
    let options_length = usize::from(offset >> 4).checked_sub(5).map(|words| words * 4);
    let (payload, missing) = match options_length {
        None => (Default::default(), 0),
        Some(length) => match options.after(length) {
            Some(rest) => (rest.bytes, rest.missing()),
            None => (Default::default(), options.wire.saturating_sub(length as u32)),
        },
    };
    Some(Segment::Tcp(TcpSegment {
        src_port: u16::from_be_bytes([s0, s1]),
        dst_port: u16::from_be_bytes([d0, d1]),
        seq: u32::from_be_bytes([q0, q1, q2, q3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        flags: TcpFlags(flags),
        payload,
        missing,
    }))
}

#[inline(always)]
fn udp(span: Span<'_>) -> Option<Segment<'_>> {
    let ([s0, s1, d0, d1, high, low, _, _], rest) = span.split::<8>()?;
    // Zero stands for more than 65,535 bytes (RFC 2675): the rest of the packet.
    let payload = match u32::from(u16::from_be_bytes([*high, *low])) {
        0 => rest,
        length => rest.up_to(length.saturating_sub(8)),
    };
    Some(Segment::Udp {
        src_port: u16::from_be_bytes([*s0, *s1]),
        dst_port: u16::from_be_bytes([*d0, *d1]),
        payload: payload.bytes,
        missing: payload.missing(),
    })
}

/// A datagram that nothing suggests to be a tunnel.
#[inline(always)]
pub(super) fn untunnelled_udp(span: Span<'_>) -> Option<Segment<'_>> {
    let segment = udp(span)?;
    let Segment::Udp { src_port, dst_port, payload, missing } = segment else { return None };
    tunnel::entrance(src_port, dst_port, Span::partial(payload, missing)).is_none().then_some(segment)
}

fn sctp(span: Span<'_>) -> Option<Segment<'_>> {
    let ([s0, s1, d0, d1], _) = span.split::<4>()?;
    Some(Segment::Sctp { src_port: u16::from_be_bytes([*s0, *s1]), dst_port: u16::from_be_bytes([*d0, *d1]) })
}

#[inline]
fn icmp(transport: Transport, span: Span<'_>) -> Option<Segment<'_>> {
    let ([kind, code, _, _], rest) = span.split::<4>()?;
    Some(Segment::Icmp { transport, kind: *kind, code: *code, rest: rest.bytes })
}
