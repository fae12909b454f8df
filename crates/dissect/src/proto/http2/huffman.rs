//! The Huffman code of HPACK (RFC 7541 §5.2, appendix B).
//!
//! Promises: refuses what the RFC calls an error: the end of string as a symbol, padding of more than seven
//! bits or of others than ones. The code is canonical, so that the lengths of its symbols are all of it.

/// Bits of each symbol; the last is the end of string.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

const SHORTEST: usize = 5;
const LONGEST: usize = 30;
const END_OF_STRING: u16 = 256;

/// Symbols in the order of their codes, and for each length where its codes and its symbols begin.
struct Code {
    symbols: [u16; LENGTHS.len()],
    first: [u32; LONGEST + 1],
    /// Behind the last code of the length.
    end: [u32; LONGEST + 1],
    begin: [usize; LONGEST + 1],
}

static CODE: Code = canonical();

/// Codes ascend with their lengths, and within a length with their symbols.
const fn canonical() -> Code {
    let mut code = Code {
        symbols: [0; LENGTHS.len()],
        first: [0; LONGEST + 1],
        end: [0; LONGEST + 1],
        begin: [0; LONGEST + 1],
    };
    let (mut length, mut next, mut filled) = (1, 0, 0);
    while length <= LONGEST {
        next <<= 1;
        (code.first[length], code.begin[length]) = (next, filled);
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                code.symbols[filled] = symbol as u16;
                filled += 1;
                next += 1;
            }
            symbol += 1;
        }
        code.end[length] = next;
        length += 1;
    }
    assert!(next == 1 << LONGEST, "every code is used once");
    code
}

/// Hands the octets that a coded string stands for to `each`; nothing where it is no such string.
pub(super) fn decode(coded: &[u8], each: &mut impl FnMut(u8)) -> Option<()> {
    // The low `held` bits of the window have not been read.
    let (mut window, mut held) = (0_u64, 0);
    let mut coded = coded.iter();
    loop {
        while held <= 56 {
            let Some(&octet) = coded.next() else { break };
            window = window << 8 | u64::from(octet);
            held += 8;
        }
        let Some((symbol, length)) = first_symbol(window, held) else { break };
        held -= length;
        each(u8::try_from(symbol).ok().filter(|_| symbol != END_OF_STRING)?);
    }
    let padding = (1 << held) - 1;
    (held < 8 && window & padding == padding).then_some(())
}

/// The symbol that the bits begin with, and its length; nothing where they are only a part of one.
fn first_symbol(window: u64, held: usize) -> Option<(u16, usize)> {
    for length in SHORTEST..=LONGEST.min(held) {
        let code = (window >> (held - length)) as u32 & ((1 << length) - 1);
        if code < CODE.end[length] {
            let place = CODE.begin[length] + (code - CODE.first[length]) as usize;
            return CODE.symbols.get(place).map(|&symbol| (symbol, length));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(coded: &[u8]) -> Option<Vec<u8>> {
        let mut octets = Vec::new();
        decode(coded, &mut |octet| octets.push(octet)).map(|()| octets)
    }

    /// RFC 7541 appendices C.4.1, C.4.3 and C.6.1.
    #[test]
    fn the_examples_of_the_rfc_are_decoded() {
        let coded = b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        assert_eq!(decoded(coded).as_deref(), Some(&b"www.example.com"[..]));
        let coded = b"\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";
        assert_eq!(decoded(coded).as_deref(), Some(&b"custom-value"[..]));
        let coded =
            b"\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff";
        assert_eq!(decoded(coded).as_deref(), Some(&b"Mon, 21 Oct 2013 20:13:21 GMT"[..]));
    }

    #[test]
    fn what_the_rfc_calls_an_error_is_refused() {
        assert_eq!(decoded(b"\xff\xff\xff\xff"), None, "the end of string");
        assert_eq!(decoded(b"\x1f\xff"), None, "a padding of eight bits or more");
        assert_eq!(decoded(b"\x18"), None, "a padding of zeros");
        assert_eq!(decoded(b"\x1f").as_deref(), Some(&b"a"[..]));
        assert_eq!(decoded(b"").as_deref(), Some(&b""[..]));
    }

    /// Writes the codes one behind the other, and ones behind the last.
    fn encoded(octets: &[u8]) -> Vec<u8> {
        let code = |octet: &u8| {
            let length = usize::from(LENGTHS[usize::from(*octet)]);
            let place = CODE.symbols.iter().position(|symbol| *symbol == u16::from(*octet)).unwrap();
            (CODE.first[length] + (place - CODE.begin[length]) as u32, length)
        };
        let bits = |(code, length): (u32, usize)| (0..length).rev().map(move |bit| code >> bit & 1 == 1);
        let mut bits: Vec<bool> = octets.iter().map(code).flat_map(bits).collect();
        bits.resize(bits.len().next_multiple_of(8), true);
        bits.chunks(8).map(|bits| bits.iter().fold(0, |octet, bit| octet << 1 | u8::from(*bit))).collect()
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decoded(&encoded(&octets)), Some(octets));
        }

        #[test]
        fn no_string_panics(coded in proptest::collection::vec(any::<u8>(), 0..80)) {
            decoded(&coded);
        }
    }
}
