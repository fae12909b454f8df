//! Finds a text, or a part of it, in bytes: as it is, or in the encodings that clients use.
//!
//! For: readable copies of what was written, in outgoing flows.
//! Promises: pure; says where and how; parts shorter than [`SHORTEST`] bytes of the encoded text are not looked for,
//! since they turn up by chance (a part of 8 bytes in a megabyte of noise: 1e-13 for each pattern).
//! Compressed data is opened up to [`MOST_INFLATED`] bytes; data that is broken off is read as far as it goes.
//! To extend: an encoding is a variant of [`Encoding`] and a pattern in [`patterns`].

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use memchr::memmem;
use std::collections::BTreeSet;
use std::io::Read;

/// Shortest part of a text, bytes in UTF-8, that is taken for a copy.
const SHORTEST: usize = 8;
/// Most bytes that one compressed stream is opened to, and most places that are tried.
const MOST_INFLATED: u64 = 4 << 20;
const MOST_STREAMS: usize = 64;

/// How a copy was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Encoding {
    Raw,
    Base64,
    Base64Url,
    Hex,
    Url,
    Utf16Le,
    Utf16Be,
    /// Every byte with the same key.
    Xor(u8),
}

/// What the bytes were opened with first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Packing {
    None,
    Gzip,
    Zlib,
    Deflate,
}

/// A copy, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    pub encoding: Encoding,
    pub packing: Packing,
    /// First byte of the copy, or of the stream that it is packed in.
    pub offset: usize,
    /// Bytes of the text (UTF-8) that were found in one piece.
    pub length: usize,
}

/// All copies of the text in the payload, the longest first; one for each encoding and packing.
pub fn find(text: &str, payload: &[u8]) -> Vec<Copy> {
    if payload.is_empty() {
        return Vec::new();
    }
    let mut copies = search(text, payload, Packing::None, None);
    for (packing, offset, opened) in streams(payload) {
        copies.extend(search(text, &opened, packing, Some(offset)));
    }
    copies.sort_by_key(|copy| (std::cmp::Reverse(copy.length), copy.encoding, copy.packing, copy.offset));
    let mut seen = Vec::new();
    copies.retain(|copy| {
        let new = !seen.contains(&(copy.encoding, copy.packing));
        seen.push((copy.encoding, copy.packing));
        new
    });
    copies
}

/// A part of the text as an encoding writes it.
struct Pattern {
    encoding: Encoding,
    bytes: Vec<u8>,
    /// Bytes of the text that it stands for.
    length: usize,
}

fn patterns(text: &str) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for part in parts(text) {
        let raw = part.as_bytes();
        let mut add = |encoding, bytes: Vec<u8>| {
            if bytes.len() >= SHORTEST {
                patterns.push(Pattern { encoding, bytes, length: raw.len() });
            }
        };
        add(Encoding::Raw, raw.to_vec());
        add(Encoding::Hex, hex(raw));
        add(Encoding::Utf16Le, part.encode_utf16().flat_map(u16::to_le_bytes).collect());
        add(Encoding::Utf16Be, part.encode_utf16().flat_map(u16::to_be_bytes).collect());
        // Plain letters look the same either way: then it is raw.
        let url = url(raw);
        if url != raw {
            add(Encoding::Url, url);
        }
        for alignment in 0..3 {
            let (standard, safe) = (base64(raw, alignment, b"+/"), base64(raw, alignment, b"-_"));
            if safe != standard {
                add(Encoding::Base64Url, safe);
            }
            add(Encoding::Base64, standard);
        }
    }
    patterns
}

/// The whole text, its halves, their halves …, as long as they are not too short to prove anything.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut level = vec![text];
    while !level.is_empty() {
        level.retain(|part| part.len() >= SHORTEST);
        parts.extend(&level);
        level = level.into_iter().flat_map(halves).collect();
    }
    parts
}

fn halves(part: &str) -> [&str; 2] {
    let middle = (part.len() / 2..part.len()).find(|at| part.is_char_boundary(*at)).unwrap_or(0);
    let (left, right) = part.split_at(middle);
    [left, right]
}

fn search(text: &str, bytes: &[u8], packing: Packing, stream: Option<usize>) -> Vec<Copy> {
    // Hex digits come in both cases.
    let lower = bytes.to_ascii_lowercase();
    let place = |at: usize| stream.unwrap_or(at);
    let plain = patterns(text).into_iter().filter_map(|Pattern { encoding, bytes: pattern, length }| {
        let at = match encoding {
            Encoding::Hex | Encoding::Url => memmem::find(&lower, &pattern.to_ascii_lowercase())?,
            _ => memmem::find(bytes, &pattern)?,
        };
        Some(Copy { encoding, packing, offset: place(at), length })
    });
    // What two neighbours differ in does not depend on the key.
    let differences = differ(bytes);
    let masked = parts(text).into_iter().filter(|part| is_varied(part)).filter_map(|part| {
        let at = memmem::find_iter(&differences, &differ(part.as_bytes()))
            .find(|at| bytes[*at] != part.as_bytes()[0])?;
        let key = bytes[at] ^ part.as_bytes()[0];
        Some(Copy { encoding: Encoding::Xor(key), packing, offset: place(at), length: part.len() })
    });
    plain.chain(masked).collect()
}

/// A row of one character looks like any row of zeros.
fn is_varied(part: &str) -> bool {
    part.bytes().collect::<BTreeSet<u8>>().len() >= SHORTEST / 2
}

fn differ(bytes: &[u8]) -> Vec<u8> {
    bytes.windows(2).map(|pair| pair[0] ^ pair[1]).collect()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

/// Percent-encoding of all but unreserved characters (RFC 3986).
fn url(bytes: &[u8]) -> Vec<u8> {
    let encode = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => vec![*byte],
        _ => format!("%{byte:02X}").into_bytes(),
    };
    bytes.iter().flat_map(encode).collect()
}

/// What base64 (RFC 4648) writes for these bytes when `alignment` bytes of their group of three are another's: only
/// characters that do not depend on the neighbours.
fn base64(bytes: &[u8], alignment: usize, last: &[u8; 2]) -> Vec<u8> {
    let skip = (3 - alignment) % 3;
    let whole = bytes.get(skip..).unwrap_or_default().chunks_exact(3);
    let sixes = whole.flat_map(|three| {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        [18, 12, 6, 0].map(|shift| (bits >> shift & 63) as u8)
    });
    let character = |six: u8| match six {
        0..26 => b'A' + six,
        26..52 => b'a' + six - 26,
        52..62 => b'0' + six - 52,
        _ => last[usize::from(six) - 62],
    };
    sixes.map(character).collect()
}

/// Compressed streams within the bytes, opened: those that announce themselves, and all of it as bare deflate.
fn streams(bytes: &[u8]) -> Vec<(Packing, usize, Vec<u8>)> {
    let gzip = memmem::find_iter(bytes, &[0x1f, 0x8b, 8]).map(|at| (Packing::Gzip, at));
    let zlib =
        memchr::memchr_iter(0x78, bytes).filter(|at| is_zlib(&bytes[*at..])).map(|at| (Packing::Zlib, at));
    let starts = gzip.take(MOST_STREAMS).chain(zlib.take(MOST_STREAMS)).chain([(Packing::Deflate, 0)]);
    let opened = starts.map(|(packing, at)| (packing, at, inflate(packing, &bytes[at..])));
    opened.filter(|(.., opened)| !opened.is_empty()).collect()
}

/// RFC 1950: the first two bytes are a multiple of 31.
fn is_zlib(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|flags| (0x7800 + u16::from(*flags)) % 31 == 0)
}

fn inflate(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    let reader: Box<dyn Read + '_> = match packing {
        Packing::None => return Vec::new(),
        Packing::Gzip => Box::new(MultiGzDecoder::new(bytes)),
        Packing::Zlib => Box::new(ZlibDecoder::new(bytes)),
        Packing::Deflate => Box::new(DeflateDecoder::new(bytes)),
    };
    let mut opened = Vec::new();
    // What comes before a damage is kept.
    let _ = reader.take(MOST_INFLATED).read_to_end(&mut opened);
    opened
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    const TEXT: &str = "明天早上八点在桥边见, bring the red book";

    fn has(payload: &[u8], encoding: Encoding, packing: Packing) -> bool {
        let found = find(TEXT, payload);
        found
            .iter()
            .any(|copy| (copy.encoding, copy.packing) == (encoding, packing) && copy.length == TEXT.len())
    }

    /// Independent of the patterns: whole messages, with padding.
    fn standard_base64(bytes: &[u8]) -> Vec<u8> {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = Vec::new();
        for three in bytes.chunks(3) {
            let bits = (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(*three.get(at).unwrap_or(&0)));
            let digits = [18, 12, 6, 0].map(|shift| DIGITS[bits >> shift & 63]);
            text.extend(&digits[..=three.len()]);
            text.extend(std::iter::repeat_n(b'=', 3 - three.len()));
        }
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_encoding_is_found_wherever_it_stands(
            before in proptest::collection::vec(any::<u8>(), 0..200),
            after in proptest::collection::vec(any::<u8>(), 0..50),
            key in 1_u8..,
        ) {
            let within = |bytes: &[u8]| [&before, bytes, &after].concat();
            let plain = within(TEXT.as_bytes());
            prop_assert!(has(&plain, Encoding::Raw, Packing::None));
            let base64 = standard_base64(&plain);
            prop_assert!(has(&base64, Encoding::Base64, Packing::None));
            let upper = hex(&plain).to_ascii_uppercase();
            prop_assert!(has(&upper, Encoding::Hex, Packing::None) && has(&hex(&plain), Encoding::Hex, Packing::None));
            prop_assert!(has(&within(&url(TEXT.as_bytes())), Encoding::Url, Packing::None));
            let little: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
            prop_assert!(has(&within(&little), Encoding::Utf16Le, Packing::None));
            prop_assert!(has(&within(&big), Encoding::Utf16Be, Packing::None));
            let masked: Vec<u8> = plain.iter().map(|byte| byte ^ key).collect();
            prop_assert!(has(&masked, Encoding::Xor(key), Packing::None));
        }

        #[test]
        fn what_is_packed_is_opened(padding in "[a-z ]{0,80}", text in "[ -~]{0,200}") {
            let message = format!("{padding}{TEXT}{text}");
            let mut gzip = GzEncoder::new(b"head".to_vec(), Compression::best());
            let mut zlib = ZlibEncoder::new(b"xx".to_vec(), Compression::fast());
            let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(message.as_bytes()).unwrap();
            zlib.write_all(message.as_bytes()).unwrap();
            deflate.write_all(standard_base64(message.as_bytes()).as_slice()).unwrap();
            prop_assert!(has(&gzip.finish().unwrap(), Encoding::Raw, Packing::Gzip));
            prop_assert!(has(&zlib.finish().unwrap(), Encoding::Raw, Packing::Zlib));
            prop_assert!(has(&deflate.finish().unwrap(), Encoding::Base64, Packing::Deflate));
        }

        #[test]
        fn any_text_and_any_bytes_are_searched(text in ".{0,60}", payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            find(&text, &payload);
        }
    }

    #[test]
    fn a_megabyte_of_noise_holds_no_copy() {
        // xorshift64 (Marsaglia 2003).
        let mut state = 88_172_645_463_325_252_u64;
        let mut noise = Vec::with_capacity(1 << 20);
        while noise.len() < 1 << 20 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            noise.extend(state.to_le_bytes());
        }
        assert_eq!(find(TEXT, &noise), []);
    }

    #[test]
    fn a_part_is_a_copy_with_its_length() {
        let half = halves(TEXT)[0];
        let found = find(TEXT, format!("…{half}").as_bytes());
        assert_eq!((found[0].encoding, found[0].length, found[0].offset), (Encoding::Raw, half.len(), 3));
        assert_eq!(find("short", b"a short text"), []);
        assert_eq!(find("", b""), []);
        assert_eq!(find("------------------", &[0; 64]), []);
    }

    #[test]
    fn url_safe_base64_is_told_apart() {
        let text = "???>>>~~~???>>>";
        let safe: Vec<u8> = standard_base64(text.as_bytes())
            .into_iter()
            .map(|digit| match digit {
                b'+' => b'-',
                b'/' => b'_',
                digit => digit,
            })
            .collect();
        assert!(find(text, &safe).iter().any(|copy| copy.encoding == Encoding::Base64Url));
    }
}
