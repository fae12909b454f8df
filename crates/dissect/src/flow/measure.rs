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

const MIN_TEXT: usize = 8;
const MIN_PRINTABLE: f64 = 0.9;
const MIN_RANDOM: usize = 128;
const MAX_SHORTFALL: f64 = 0.25;
/// Beyond the mode the probabilities fall faster than geometrically: the rest adds nothing.
const NEGLIGIBLE: f64 = 1e-12;

/// Measures what both sides said and judges it.
pub(super) fn judge(said: [&[u8]; 2]) -> (Measure, Protocol, Visibility) {
    let bytes = said[0].len() + said[1].len();
    let measure = Measure {
        bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        printable: (printable(said[0]) + printable(said[1])) as f64 / bytes.max(1) as f64,
        entropy: entropy(said),
    };
    let text = bytes >= MIN_TEXT && measure.printable >= MIN_PRINTABLE;
    let random = bytes >= MIN_RANDOM && measure.entropy >= expected_entropy(bytes) - MAX_SHORTFALL;
    let (protocol, visibility) = match (text, random) {
        (true, _) => (Protocol::UnknownPlaintext, Visibility::Readable),
        (false, true) => (Protocol::UnknownHighEntropy, Visibility::Unknown),
        (false, false) => (Protocol::UnknownBinary, Visibility::Unknown),
    };
    (measure, protocol, visibility)
}

/// Bytes that are printable ASCII, white space or well-formed UTF-8 beyond ASCII.
fn printable(bytes: &[u8]) -> usize {
    let plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    let shown = |text: &str| text.chars().filter(|&c| plain(c)).map(char::len_utf8).sum::<usize>();
    bytes.utf8_chunks().map(|chunk| shown(chunk.valid())).sum()
}

/// Shannon entropy of the byte values, bits per byte.
fn entropy(said: [&[u8]; 2]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in said.iter().copied().flatten() {
        counts[usize::from(byte)] += 1;
    }
    let n = f64::from(counts.iter().sum::<u32>()).max(1.0);
    let surprise = |&count: &u32| f64::from(count) / n * (n / f64::from(count)).log2();
    counts.iter().filter(|&&count| count > 0).map(surprise).sum()
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
    fn the_expected_entropy_nears_eight_bits() {
        assert_eq!(expected_entropy(1), 0.0);
        assert!((expected_entropy(2) - 255.0 / 256.0).abs() < 1e-9);
        assert!((expected_entropy(100_000) - 8.0).abs() < 0.01);
    }
}
