//! The packed range table: which value holds from which address on, searched in place.
//!
//! For: the embedded country and network tables, which must be small in the program and cost neither
//! memory nor start-up time. Both directions live here, so that one test holds them together.
//! Promises: opening reads the header only; a look-up decodes one block of 256 ranges and allocates
//! nothing; damaged bytes give no answer, never a panic.
//!
//! Layout, integers little-endian, `v` a LEB128 number:
//!
//! ```text
//! u8 width of a key in the index (4 or 16)   u32 ranges   u32 values
//! values × u32                               the dictionary, most frequent first
//! blocks × (key: width bytes, u32 offset)    first key of each block of 256 ranges
//! per range: step (absent in a block's first), v rank (0 = nothing, n = dictionary[n − 1])
//! step: one byte t < 128: 2^t; else (t − 128) zeros and a v: v · 2^(t − 128)
//! ```
//!
//! Address ranges begin on round numbers, so most steps are the one byte.

use std::collections::HashMap;

const BLOCK: usize = 256;

/// A packed table over addresses; IPv4 and IPv6 addresses are both keys of 128 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranges<'a> {
    width: usize,
    dictionary: &'a [u8],
    index: &'a [u8],
    blocks: &'a [u8],
}

impl<'a> Ranges<'a> {
    /// Reads the header; nothing where the bytes are no such table.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let (&width, rest) = bytes.split_first()?;
        let (ranges, rest) = rest.split_first_chunk::<4>()?;
        let (values, rest) = rest.split_first_chunk::<4>()?;
        let ranges = usize::try_from(u32::from_le_bytes(*ranges)).ok()?;
        let values = usize::try_from(u32::from_le_bytes(*values)).ok()?;
        let width = usize::from(width);
        let (dictionary, rest) = rest.split_at_checked(values.checked_mul(4)?)?;
        let (index, blocks) = rest.split_at_checked(ranges.div_ceil(BLOCK).checked_mul(width + 4)?)?;
        matches!(width, 4 | 16).then_some(Self { width, dictionary, index, blocks })
    }

    /// The value that holds at `key`.
    pub(crate) fn get(&self, key: u128) -> Option<u32> {
        let block = self.block_of(key)?;
        let (mut at, mut bytes) = self.block(block)?;
        let mut rank = take_varint(&mut bytes)?;
        for _ in 1..BLOCK {
            if bytes.is_empty() {
                break;
            }
            at = at.checked_add(take_step(&mut bytes)?)?;
            if at > key {
                break;
            }
            rank = take_varint(&mut bytes)?;
        }
        let entry = usize::try_from(rank).ok()?.checked_sub(1)?.checked_mul(4)?;
        Some(u32::from_le_bytes(*self.dictionary.get(entry..)?.first_chunk()?))
    }

    /// Number of the last block that begins at or before `key`.
    fn block_of(&self, key: u128) -> Option<usize> {
        let (mut low, mut high) = (0, self.index.len() / (self.width + 4));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.index_entry(middle)?.0 <= key { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1)
    }

    /// First key of a block, and where its bytes begin.
    fn index_entry(&self, block: usize) -> Option<(u128, usize)> {
        let entry = self.index.get(block.checked_mul(self.width + 4)?..)?;
        let (key, offset) = entry.split_at_checked(self.width)?;
        let key = key.iter().rev().fold(0, |key, &byte| key << 8 | u128::from(byte));
        Some((key, usize::try_from(u32::from_le_bytes(*offset.first_chunk()?)).ok()?))
    }

    fn block(&self, block: usize) -> Option<(u128, &'a [u8])> {
        let (key, from) = self.index_entry(block)?;
        let to = self.index_entry(block + 1).map_or(self.blocks.len(), |(_, next)| next);
        Some((key, self.blocks.get(from..to)?))
    }
}

/// Packs ranges given by their first keys, ascending; each holds until the next one begins.
///
/// # Panics
/// Where keys do not ascend or do not fit `width` bytes: the packer's own mistake.
pub fn pack_ranges(width: u8, ranges: &[(u128, Option<u32>)]) -> Vec<u8> {
    let dictionary = by_frequency(ranges.iter().filter_map(|&(_, value)| value));
    let rank: HashMap<u32, u128> = dictionary.iter().copied().zip(1..).collect();
    let mut index = Vec::new();
    let mut blocks = Vec::new();
    for block in ranges.chunks(BLOCK) {
        index.extend_from_slice(&block[0].0.to_le_bytes()[..usize::from(width)]);
        index.extend_from_slice(&u32::try_from(blocks.len()).expect("below 4 GiB").to_le_bytes());
        for (n, &(key, value)) in block.iter().enumerate() {
            assert!(width == 16 || key >> (8 * u32::from(width)) == 0, "key {key:x} is too wide");
            if n > 0 {
                put_step(&mut blocks, key.checked_sub(block[n - 1].0).expect("keys ascend"));
            }
            put_varint(&mut blocks, value.map_or(0, |value| rank[&value]));
        }
    }
    let count = |n: usize| u32::try_from(n).expect("below 2^32").to_le_bytes();
    let mut packed = vec![width];
    packed.extend_from_slice(&count(ranges.len()));
    packed.extend_from_slice(&count(dictionary.len()));
    packed.extend(dictionary.iter().flat_map(|value| value.to_le_bytes()));
    packed.extend(index);
    packed.extend(blocks);
    packed
}

fn by_frequency(values: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut dictionary: Vec<u32> = counts.keys().copied().collect();
    dictionary.sort_unstable_by_key(|value| (std::cmp::Reverse(counts[value]), *value));
    dictionary
}

fn take_step(bytes: &mut &[u8]) -> Option<u128> {
    let (&token, rest) = bytes.split_first()?;
    *bytes = rest;
    let zeros = u32::from(token & 0x7f);
    let odd = if token < 0x80 { 1 } else { take_varint(bytes)? };
    odd.checked_mul(1u128.checked_shl(zeros)?)
}

fn put_step(bytes: &mut Vec<u8>, step: u128) {
    assert!(step > 0, "keys ascend");
    let zeros = step.trailing_zeros();
    let token = u8::try_from(zeros).expect("below 128");
    if step.is_power_of_two() {
        bytes.push(token);
    } else {
        bytes.push(token | 0x80);
        put_varint(bytes, step >> zeros);
    }
}

/// Takes a LEB128 number off the front; nothing where it runs out or exceeds 128 bits.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u128> {
    let mut number = 0u128;
    for shift in (0..126).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u128::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

pub(super) fn put_varint(bytes: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn bytes_are_as_the_layout_says() {
        let packed = pack_ranges(4, &[(0, None), (256, Some(7)), (1024, Some(9)), (1025, Some(7))]);
        let expected = [
            4, 4, 0, 0, 0, 2, 0, 0, 0, // width, ranges, values
            7, 0, 0, 0, 9, 0, 0, 0, // the dictionary: 7 is more frequent
            0, 0, 0, 0, 0, 0, 0, 0, // one block from key 0 at offset 0
            0, 8, 1, 0x88, 3, 2, 0, 1, // nothing; +2^8: 7; +3·2^8: 9; +2^0: 7
        ];
        assert_eq!(packed, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn what_was_packed_is_found(
            starts in prop::collection::btree_map(any::<u128>(), prop::option::of(0u32..300), 1..700),
            probes in prop::collection::vec(any::<u128>(), 50),
        ) {
            let starts: BTreeMap<u128, Option<u32>> = starts.into_iter().map(|(k, v)| (k >> 2, v)).collect();
            let ranges: Vec<_> = starts.iter().map(|(k, v)| (*k, *v)).collect();
            let packed = pack_ranges(16, &ranges);
            let table = Ranges::open(&packed).unwrap();
            let near = starts.keys().flat_map(|&k| [k.saturating_sub(1), k, k + 1]);
            for key in near.chain(probes.iter().copied()) {
                let expected = starts.range(..=key).next_back().and_then(|(_, value)| *value);
                prop_assert_eq!(table.get(key), expected);
            }
        }

    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), key: u128) {
            if let Some(table) = Ranges::open(&bytes) {
                table.get(key);
            }
            let mut narrow = vec![4, 1, 0, 0, 0, 1, 0, 0, 0];
            narrow.extend(bytes);
            if let Some(table) = Ranges::open(&narrow) {
                table.get(key >> 96);
            }
        }
    }
}
