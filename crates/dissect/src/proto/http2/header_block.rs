//! HPACK (RFC 7541): a header block becomes the authority it names.
//!
//! For: decoding by `fluke-hpack`, which takes a size update that is cut short for impossible.
//! Promises: only blocks whose every integer and string fits reach the decoder; what is kept of one is
//! bounded, however much it unfolds to.

use fluke_hpack::Decoder;

/// Authorities kept of one block, and the longest of them. A byte may stand for 4 KiB (RFC 7541 §7.3), and
/// a request has one authority, of a host name, a port and perhaps who asks.
const AUTHORITIES: usize = 8;
const LONGEST: usize = 1 << 10;

/// Values of `:authority` and `host`, in order; `None` when the block cannot be read, after which the
/// connection's table is lost.
pub(super) fn authorities(decoder: &mut Decoder<'_>, block: &[u8]) -> Option<Vec<Vec<u8>>> {
    fits(block)?;
    let mut found = Vec::new();
    let decoded = decoder.decode_with_cb(block, |name, value| {
        let kept = found.len() < AUTHORITIES && value.len() <= LONGEST;
        if kept && matches!(&*name, b":authority" | b"host") {
            found.push(value.into_owned());
        }
    });
    decoded.ok().map(|()| found)
}

/// Walks the representations of a block (RFC 7541 §6).
fn fits(mut block: &[u8]) -> Option<()> {
    while let Some(&first) = block.first() {
        let (prefix, literal) = match first {
            0x80.. => (7, false),
            0x40.. => (6, true),
            0x20.. => (5, false),
            _ => (4, true),
        };
        let name = integer(&mut block, prefix)?;
        let strings = match (literal, name) {
            (false, _) => 0,
            (true, 0) => 2,
            (true, _) => 1,
        };
        for _ in 0..strings {
            let length = integer(&mut block, 7)?;
            block = block.get(length..)?;
        }
    }
    Some(())
}

/// An integer of at most five octets (RFC 7541 §5.1), taken from the front.
fn integer(block: &mut &[u8], prefix: u32) -> Option<usize> {
    let (&first, mut rest) = block.split_first()?;
    let mask = (1_usize << prefix) - 1;
    let mut value = usize::from(first) & mask;
    let mut more = value == mask;
    for index in 0..4 {
        if !more {
            break;
        }
        let (&octet, after) = rest.split_first()?;
        value += usize::from(octet & 0x7f) << (7 * index);
        (more, rest) = (octet & 0x80 != 0, after);
    }
    *block = rest;
    (!more).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 7541 appendix C.3.1 and C.4.1: the same request, plain and with Huffman codes.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let plain = b"\x82\x86\x84\x41\x0fwww.example.com";
        let huffman = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        for block in [&plain[..], huffman] {
            let mut decoder = Decoder::new();
            assert_eq!(authorities(&mut decoder, block), Some(vec![b"www.example.com".to_vec()]));
        }
    }

    /// RFC 7541 appendix C.1.2: 1337 with a prefix of five bits.
    #[test]
    fn integers_are_read() {
        let mut bytes: &[u8] = &[0x1f, 0x9a, 0x0a, 7];
        assert_eq!(integer(&mut bytes, 5), Some(1337));
        assert_eq!(bytes, [7]);
        assert_eq!(integer(&mut &[0x1f, 0xff, 0xff, 0xff, 0xff, 0][..], 5), None);
    }

    #[test]
    fn a_size_update_that_is_cut_short_is_refused() {
        assert_eq!(authorities(&mut Decoder::new(), &[0x3f]), None);
        assert_eq!(authorities(&mut Decoder::new(), &[0x3f, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
    }

    proptest! {
        #[test]
        fn no_block_panics(blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 1..8)) {
            let mut decoder = Decoder::new();
            for block in blocks {
                let _ = authorities(&mut decoder, &block);
            }
        }
    }
}
