//! The measure for protocols that nobody recognised: how printable, how random.
//!
//! Plaintext: at least 90 % of the bytes are printable. Of uniformly random bytes about 43 % are
//! (98 ASCII values of 256, and a few pairs that happen to be UTF-8), so that eight random bytes pass
//! in about 1 case of 800 and longer ones hardly ever; fewer than eight bytes are not called text.
//!
//! High entropy: the Shannon entropy of `n` bytes cannot exceed log2 n, so a short sample is held
//! against what `n` uniformly random bytes would show on average, [`expected_entropy`], and passes
//! when it falls short by at most a quarter bit. At 128 bytes that is 3.7 standard deviations of what
//! random bytes show, and a source of 7 bits per byte falls 0.37 bits short (1 in 20 passes; none of
//! 2,000 did at 192 bytes); fewer than 128 bytes are not called random. Encrypted and
//! compressed bytes look alike here, so `unknown-high-entropy` does not say `encrypted`.

use overheard_model::{Measure, Protocol, Visibility};
use std::sync::LazyLock;

const MIN_TEXT: usize = 8;
const MIN_PRINTABLE: f64 = 0.9;
const MIN_RANDOM: usize = 128;
const MAX_SHORTFALL: f64 = 0.25;
/// Beyond the mode the probabilities fall faster than geometrically: the rest adds nothing.
const NEGLIGIBLE: f64 = 1e-12;

/// [`expected_entropy`] of powers of two, from [`MIN_RANDOM`] on. It grows with the length, so that
/// most samples are judged by their neighbours.
static EXPECTED: LazyLock<[f64; 10]> =
    LazyLock::new(|| std::array::from_fn(|power| expected_entropy(MIN_RANDOM << power)));

/// How often each byte value occurs.
type Counts = [u32; 256];

/// Bytes of each side that are measured: more would tell nothing further, and unknown flows are many.
const MEASURED: usize = 512;

/// Measures what both sides said first and judges it.
pub(super) fn judge(said: [&[u8]; 2]) -> (Measure, Protocol, Visibility) {
    let said = said.map(|bytes| bytes.get(..MEASURED).unwrap_or(bytes));
    let mut counts = [0; 256];
    for bytes in said {
        bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    }
    let bytes = said[0].len() + said[1].len();
    let printable =
        printable_ascii(&counts) + printable_beyond_ascii(said[0]) + printable_beyond_ascii(said[1]);
    let measure = Measure {
        bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        printable: printable as f64 / bytes.max(1) as f64,
        entropy: entropy(&counts, bytes),
    };
    let text = bytes >= MIN_TEXT && measure.printable >= MIN_PRINTABLE;
    let (protocol, visibility) = match text {
        true => (Protocol::UnknownPlaintext, Visibility::Readable),
        false if is_random(measure.entropy, bytes) => (Protocol::UnknownHighEntropy, Visibility::Unknown),
        false => (Protocol::UnknownBinary, Visibility::Unknown),
    };
    (measure, protocol, visibility)
}

/// Whether a sample shows the entropy of random bytes.
fn is_random(entropy: f64, bytes: usize) -> bool {
    let Some(power) = (bytes / MIN_RANDOM).checked_ilog2() else { return false };
    let shown = entropy + MAX_SHORTFALL;
    let [shorter, longer] = [power, power + 1].map(|power| EXPECTED.get(power as usize));
    match () {
        () if shorter.is_some_and(|&least| shown < least) => false,
        () if longer.is_some_and(|&most| shown > most) => true,
        () => entropy >= expected_entropy(bytes) - MAX_SHORTFALL,
    }
}

/// Bytes that are printable ASCII or white space.
fn printable_ascii(counts: &Counts) -> usize {
    let of = |values: &[u32]| values.iter().map(|&count| count as usize).sum::<usize>();
    of(&counts[usize::from(b' ')..=usize::from(b'~')])
        + [b'\t', b'\n', b'\r'].map(|byte| counts[usize::from(byte)] as usize).iter().sum::<usize>()
}

/// Bytes of well-formed UTF-8 beyond ASCII, without control characters (U+0080 to U+009F). No byte
/// within a sequence can begin another one (RFC 3629 §3), so each place can be judged by itself.
fn printable_beyond_ascii(bytes: &[u8]) -> usize {
    let mut printable = 0;
    for (at, pair) in bytes.windows(2).enumerate() {
        if pair[0] >= FIRST_LEAD && pair[1] & 0xc0 == 0x80 {
            printable += sequence(pair[0], bytes.get(at + 1..).unwrap_or_default());
        }
    }
    printable
}

/// The lowest byte that begins a sequence of UTF-8 (RFC 3629 §4).
const FIRST_LEAD: u8 = 0xc2;

/// Length of the well-formed sequence that a lead and what follows it begin with, control characters
/// left out; 0 where there is none.
fn sequence(lead: u8, after: &[u8]) -> usize {
    let continues = |byte: &u8| (0x80..=0xbf).contains(byte);
    let fits = |second: std::ops::RangeInclusive<u8>, length: usize| {
        let Some((first, others)) = after.get(..length - 1).and_then(<[u8]>::split_first) else { return 0 };
        if second.contains(first) && others.iter().all(continues) { length } else { 0 }
    };
    match lead {
        0xc2 => fits(0xa0..=0xbf, 2),
        0xc3..=0xdf => fits(0x80..=0xbf, 2),
        0xe0 => fits(0xa0..=0xbf, 3),
        0xed => fits(0x80..=0x9f, 3),
        0xe1..=0xef => fits(0x80..=0xbf, 3),
        0xf0 => fits(0x90..=0xbf, 4),
        0xf1..=0xf3 => fits(0x80..=0xbf, 4),
        0xf4 => fits(0x80..=0x8f, 4),
        _ => 0,
    }
}

/// Shannon entropy of the byte values, bits per byte. Most values occur as often as others: what a
/// count adds is worked out once for the small ones.
fn entropy(counts: &Counts, bytes: usize) -> f64 {
    const SMALL: usize = 64;
    let n = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)).max(1.0);
    let surprise = |count: u32| f64::from(count) / n * (n / f64::from(count)).log2();
    let mut known = [f64::NAN; SMALL];
    let mut entropy = 0.0;
    for &count in counts.iter().filter(|&&count| count > 0) {
        entropy += match known.get_mut(count as usize) {
            Some(known) if known.is_nan() => {
                *known = surprise(count);
                *known
            }
            Some(known) => *known,
            None => surprise(count),
        };
    }
    entropy
}

/// Mean Shannon entropy of `n` uniformly random bytes: each value's count is binomial with
/// probability 1/256, and the mean of a sum is the sum of the means.
fn expected_entropy(n: usize) -> f64 {
    let total = n as f64;
    // P(count = k) by its recurrence, from P(0) = (255/256)^n.
    let mut probability = (total * (255.0_f64 / 256.0).ln()).exp();
    let mut mean = 0.0;
    for k in 1..=n {
        let count = k as f64;
        probability *= (total - count + 1.0) / count / 255.0;
        mean += probability * count / total * (total / count).log2();
        if probability < NEGLIGIBLE && count > total / 256.0 {
            break;
        }
    }
    256.0 * mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A xorshift generator (Marsaglia 2003): bytes without structure.
    fn random_bytes(n: usize, mut state: u64) -> Vec<u8> {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn random_bytes_are_told_from_text_and_from_structure() {
        for seed in 1..200 {
            for n in [128, 300, 1024] {
                let bytes = random_bytes(n, u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
                let (measure, protocol, _) = judge([&bytes, &[]]);
                assert_eq!(protocol, Protocol::UnknownHighEntropy, "{measure:?} seed {seed}");
                let seven_bits: Vec<u8> = bytes.iter().map(|byte| byte | 0x80).collect();
                let short = judge([&seven_bits, &[]]).0;
                assert!(n < 300 || short.entropy < expected_entropy(n) - MAX_SHORTFALL);
            }
        }
    }

    #[test]
    fn text_is_readable() {
        let (measure, protocol, visibility) = judge(["LOGIN größe\r\n".as_bytes(), b"OK 1\r\n"]);
        assert_eq!((protocol, visibility), (Protocol::UnknownPlaintext, Visibility::Readable));
        assert_eq!((measure.bytes, measure.printable), (21, 1.0));
    }

    #[test]
    fn short_or_structured_bytes_are_binary() {
        assert_eq!(judge([b"hello", &[]]).1, Protocol::UnknownBinary);
        assert_eq!(judge([&[0; 400], &[1; 40]]).1, Protocol::UnknownBinary);
        assert_eq!(judge([&[], &[]]).0.entropy, 0.0);
    }

    #[test]
    fn the_expected_entropy_grows_so_that_its_neighbours_decide() {
        let expected: Vec<f64> = (MIN_RANDOM..2049).map(expected_entropy).collect();
        assert!(expected.is_sorted());
        for (entropy, bytes) in [(6.0, 150), (6.8, 150), (7.5, 150), (7.5, 1500), (7.7, 1500), (8.0, 1 << 20)]
        {
            let random = entropy >= expected_entropy(bytes) - MAX_SHORTFALL;
            assert_eq!(is_random(entropy, bytes), random, "{entropy} of {bytes}");
        }
        assert!(!is_random(8.0, MIN_RANDOM - 1));
    }

    proptest! {
        #[test]
        fn what_is_printable_is_what_the_standard_library_decodes(
            bytes in prop::collection::vec(
                prop_oneof![any::<u8>(), prop::sample::select(&b"\xc2\xc3\xe0\xed\xef\xf0\xf4\x80\x9f\xa0\xbf\x90\x8fa\n\x7f"[..])],
                0..80,
            ),
        ) {
            let plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
            let shown = |text: &str| text.chars().filter(|&c| plain(c)).map(char::len_utf8).sum::<usize>();
            let printable: usize = bytes.utf8_chunks().map(|chunk| shown(chunk.valid())).sum();
            let measure = judge([&[], &bytes]).0;
            prop_assert_eq!(measure.printable, printable as f64 / bytes.len().max(1) as f64);
        }
    }

    #[test]
    fn the_expected_entropy_nears_eight_bits() {
        assert_eq!(expected_entropy(1), 0.0);
        assert!((expected_entropy(2) - 255.0 / 256.0).abs() < 1e-9);
        assert!((expected_entropy(100_000) - 8.0).abs() < 0.01);
    }
}
