//! The internet checksum: a one's complement sum of 16-bit words (RFC 1071), and how it follows a rewriting
//! (RFC 1624).
//!
//! Promises: a sum is the same for the same bytes whatever their alignment; nothing is read beyond the slice.

/// The folded sum of the bytes as big-endian words; an odd last byte is followed by a zero. Not complemented.
pub fn sum(bytes: &[u8]) -> u16 {
    // Any order of bytes gives the same sum in that order, so whole native words are added and swapped at the end.
    let (words, rest) = bytes.as_chunks::<4>();
    let mut total: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    total += u64::from(u32::from_ne_bytes(last));
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    u16::from_be(total as u16)
}

/// One's complement addition.
pub fn add(a: u16, b: u16) -> u16 {
    let (total, carried) = a.overflowing_add(b);
    total + u16::from(carried)
}

/// What a checksum field becomes when words that summed to `old` are replaced by words that sum to `new`.
pub fn adjust(field: u16, old: u16, new: u16) -> u16 {
    !add(add(!field, !old), new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of RFC 1071, section 3.
    #[test]
    fn sums_the_published_example() {
        assert_eq!(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0xddf2);
        assert_eq!(sum(&[0x01]), 0x0100);
    }

    proptest! {
        #[test]
        fn an_adjusted_field_is_the_one_of_the_new_bytes(
            mut bytes in prop::collection::vec(any::<u8>(), 20..100),
            change in any::<[u8; 4]>(),
        ) {
            bytes[19] |= 1; // All zeros have two spellings of their sum.
            let before = !sum(&bytes);
            let old = sum(&bytes[4..8]);
            bytes[4..8].copy_from_slice(&change);
            prop_assert_eq!(adjust(before, old, sum(&change)), !sum(&bytes));
        }
    }
}
