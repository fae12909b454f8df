//! Who is asked about an opening: the dissectors that could say anything but `No`, in their order.
//!
//! For: flows by the million, most of which one look at the first bytes settles. What a dissector
//! says of first bytes ([`Dissector::may_begin`]) is laid out once in a table by transport and byte.
//! Promises: whoever is left out would have said `No`, so that asking all gives the same outcome; a
//! test holds every dissector to it.

use super::{DISSECTORS, Dissector, Opening};
use overheard_model::Transport;
use std::sync::LazyLock;

/// One bit for each of [`DISSECTORS`].
type Set = u32;

const _: () = assert!(DISSECTORS.len() <= Set::BITS as usize);

/// Who is asked, by the first byte of a side; the last entry is for a silent originator.
type ByFirst = [Set; SILENT + 1];

const SILENT: usize = 256;

static TCP: LazyLock<ByFirst> = LazyLock::new(|| by_first(Transport::Tcp));
static UDP: LazyLock<ByFirst> = LazyLock::new(|| by_first(Transport::Udp));

fn by_first(transport: Transport) -> ByFirst {
    std::array::from_fn(|first| {
        let first = u8::try_from(first).ok();
        let bit = |(at, dissector): (usize, &&dyn Dissector)| {
            Set::from(dissector.may_begin(transport, first)) << at
        };
        DISSECTORS.iter().enumerate().map(bit).fold(0, |set, bit| set | bit)
    })
}

/// The dissectors to ask, the most certain first.
pub(crate) fn asked(opening: &Opening<'_>) -> impl Iterator<Item = &'static dyn Dissector> + use<> {
    let by_first = if opening.transport == Transport::Tcp { &TCP } else { &UDP };
    let src = by_first[opening.src.first().map_or(SILENT, |&first| usize::from(first))];
    let dst = opening.dst.first().map_or(0, |&first| by_first[usize::from(first)]);
    let mut left = src | dst;
    std::iter::from_fn(move || {
        let next = DISSECTORS.get(left.trailing_zeros() as usize)?;
        left &= left.wrapping_sub(1);
        Some(*next)
    })
}

#[cfg(test)]
mod tests {
    use super::super::Recognition;
    use super::*;
    use overheard_model::Side;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Ports on which some dissector is less strict, and one on which none is.
    const PORTS: &[u16] = &[
        21, 25, 53, 67, 110, 123, 137, 143, 546, 853, 1080, 1194, 1883, 1900, 3389, 3478, 5060, 5222, 5353,
        5355, 6881, 9999,
    ];

    /// What lies behind the first check of some protocol.
    const BEGINNINGS: &[&[u8]] = &[
        b"",
        b"GET / HTTP/1.1\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x12\x34\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01",
        b"\x00\x13\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01",
        b"\x05\x01\x00",
        b"\x05\x00",
        b"\x04\x01\x00\x50\x00\x00\x00\x01\x00a\x00",
        b"\x00\x01\x00\x00\x21\x12\xa4\x42aaaaaaaaaaaa",
        b"\x40\x01\x00\x04aaaa",
        b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x0b\x00\x00\x00",
        b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c",
        b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10",
        b"\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01a",
        b"\xc0\x00\x00\x00\x01\x08aaaaaaaa\x00\x00\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"\x0daaaaaaaaQ043\x01",
        b"\x80\xc9\x00\x01aaaa",
        b"\x80\x00\x00\x01aaaaaaaabbb",
        b"\x00\x0f\x80\x00\x00\x01aaaaaaaabbb",
        b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a",
        b"\xc0\x00",
        b"\xd0\x00",
        b"220 mail.example SMTP\r\n",
        b"+OK POP3\r\n",
        b"* OK IMAP\r\n",
        b" ehlo a\r\n",
        b"a1 login\r\n",
        b"nick alice\r\n",
        b":irc.example 001 alice\r\n",
        b"<?xml version='1.0'?><stream:stream",
        b"\x13BitTorrent protocol",
        b"d1:ad2:id20:1:y1:q",
        b"\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00aaaa",
        b"\x41\x00\x12\x34aaaaaaaaaaaa\x00\x01\x00\x00",
        b"\x21\x00\x12\x34aaaaaaaaaaaa\x00\x07\x00\x01",
        b"\x38aaaaaaaa\x00\x00\x00\x00\x00",
        b"\x00\x0e\x38aaaaaaaa\x00\x00\x00\x00\x00",
        b"\x01\x01\x06",
        b"\x04\x00\x00\x00aaaa\x00\x00\x00\x00\x00\x00\x00\x00aaaaaaaaaaaaaaaa",
        b"SSH-2.0-a\r\n",
        b"REGISTER sip:a SIP/2.0\r\n",
    ];

    fn said() -> impl Strategy<Value = Vec<u8>> {
        let start = prop::sample::select(BEGINNINGS);
        let fill = prop::sample::select(&[0_usize, 0, 0, 48, 240][..]);
        (start, vec(any::<u8>(), 0..24), fill, prop::option::of(any::<u8>())).prop_map(
            |(start, rest, fill, first)| {
                let mut said = [start, &rest, &vec![0; fill]].concat();
                if let (Some(byte), Some(first)) = (said.first_mut(), first) {
                    *byte = first;
                }
                said
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn whoever_is_not_asked_would_say_no(
            (src, dst, earlier) in (said(), said(), said()),
            tcp: bool,
            from_src: bool,
            dst_port in prop::sample::select(PORTS),
        ) {
            let transport = if tcp { Transport::Tcp } else { Transport::Udp };
            let from = if from_src { Side::Src } else { Side::Dst };
            let opening = Opening { transport, src_port: 40_000, dst_port, from, src: &src, dst: &dst, earlier: &earlier };
            prop_assume!(!opening.latest().is_empty());
            let asked: Vec<_> = asked(&opening).map(|dissector| dissector.protocol()).collect();
            let told = DISSECTORS.iter().filter(|dissector| dissector.recognise(&opening) != Recognition::No);
            let told: Vec<_> = told.map(|dissector| dissector.protocol()).collect();
            prop_assert!(told.iter().all(|protocol| asked.contains(protocol)), "{told:?} {asked:?}");
            let place = |protocol: &_| DISSECTORS.iter().position(|dissector| dissector.protocol() == *protocol);
            prop_assert!(asked.is_sorted_by_key(place));
        }
    }
}
