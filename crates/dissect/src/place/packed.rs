//! The packed range table: which value holds from which address on, searched in place.
//!
//! For: the embedded country and network tables, which must be small in the program and cost neither
//! memory nor start-up time. Both directions live here, so that one test holds them together.
//! Promises: opening reads the header only; a look-up decodes one block of about 32 ranges, some hundred
//! instructions, or goes on from where the last one ended, and allocates nothing; damaged bytes never panic.
//!
//! Layout, integers little-endian, `v` a LEB128 number of at most 64 bits:
//!
//! ```text
//! u32 blocks   u32 values
//! values × u32          the dictionary, most frequent first
//! blocks × first key    an IPv4 address, or the upper 64 bits of an IPv6 address: the lower are 0
//! blocks × u32          where its bytes begin
//! per block: v rank of its first range (0 = nothing, n = dictionary[n − 1]), then per range: step, v rank
//! step: one byte t < 128: 2^t; else (t − 128) zeros and a v: v · 2^(t − 128)
//! ```
//!
//! Address ranges begin on round numbers, so most steps are the one byte. A step of more than 64
//! significant bits is taken as two.

use std::collections::HashMap;

/// Ranges of a block; more where the next one begins on no round number.
const BLOCK: usize = 32;

/// A packed table over addresses; first keys take `N` bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranges<'a, const N: usize> {
    dictionary: &'a [[u8; 4]],
    first_keys: &'a [[u8; N]],
    offsets: &'a [[u8; 4]],
    blocks: &'a [u8],
}

/// A table over IPv4 addresses.
pub(crate) type RangesV4<'a> = Ranges<'a, 4>;
/// A table over IPv6 addresses.
pub(crate) type RangesV6<'a> = Ranges<'a, 8>;

impl<'a, const N: usize> Ranges<'a, N> {
    /// Reads the header; nothing where the bytes are no such table.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let (blocks, rest) = bytes.split_first_chunk::<4>()?;
        let (values, rest) = rest.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_le_bytes(*blocks)).ok()?;
        let values = usize::try_from(u32::from_le_bytes(*values)).ok()?;
        let (dictionary, rest) = rest.split_at_checked(values.checked_mul(4)?)?;
        let (first_keys, rest) = rest.split_at_checked(count.checked_mul(N)?)?;
        let (offsets, blocks) = rest.split_at_checked(count.checked_mul(4)?)?;
        Some(Self {
            dictionary: dictionary.as_chunks().0,
            first_keys: first_keys.as_chunks().0,
            offsets: offsets.as_chunks().0,
            blocks,
        })
    }

    /// The value that holds at a key; looked for from where the last look-up ended, if that is before it in its block.
    fn find<K: Key<N>>(&self, key: K, latest: &mut Option<Cursor<'a, K>>) -> Option<u32> {
        let near = latest.take().filter(|cursor| cursor.at <= key && cursor.end.is_none_or(|end| key < end));
        let mut cursor = near.or_else(|| self.block_of(key))?;
        cursor.go_to(key)?;
        let entry = usize::try_from(cursor.rank).ok()?.checked_sub(1);
        *latest = Some(cursor);
        Some(u32::from_le_bytes(*self.dictionary.get(entry?)?))
    }

    /// The first range of the block that a key lies in.
    fn block_of<K: Key<N>>(&self, key: K) -> Option<Cursor<'a, K>> {
        let first = |block: usize| self.first_keys.get(block).map(|first| K::first(*first));
        let next = self.first_keys.partition_point(|first| K::first(*first) <= key);
        let block = next.checked_sub(1)?;
        let mut rest = self.block(block)?;
        let rank = take_varint(&mut rest)?;
        Some(Cursor { at: first(block)?, rank, rest, end: first(next) })
    }

    fn block(&self, block: usize) -> Option<&'a [u8]> {
        let offset = |block: usize| Some(u32::from_le_bytes(*self.offsets.get(block)?) as usize);
        self.blocks.get(offset(block)?..offset(block + 1).unwrap_or(self.blocks.len()))
    }
}

impl<'a> RangesV4<'a> {
    /// The value that holds at an IPv4 address. Of addresses in order most are found at or behind the latest one.
    pub(crate) fn get(&self, key: u32, latest: &mut Option<Cursor<'a, u32>>) -> Option<u32> {
        self.find(key, latest)
    }
}

impl<'a> RangesV6<'a> {
    /// The value that holds at an IPv6 address, as of IPv4.
    pub(crate) fn get(&self, key: u128, latest: &mut Option<Cursor<'a, u128>>) -> Option<u32> {
        self.find(key, latest)
    }
}

/// A range of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a, K> {
    /// The first key.
    at: K,
    rank: u64,
    /// What its block holds behind it.
    rest: &'a [u8],
    /// The first key of the next block.
    end: Option<K>,
}

impl<K> Cursor<'_, K> {
    /// Goes on to the range of its block that a later key lies in.
    fn go_to<const N: usize>(&mut self, key: K) -> Option<()>
    where
        K: Key<N>,
    {
        while let Some((&token, mut rest)) = self.rest.split_first() {
            let odd = if token < 0x80 { 1 } else { take_varint(&mut rest)? };
            let next = self.at.after(odd, u32::from(token & 0x7f));
            if next > key {
                break;
            }
            self.rank = take_varint(&mut rest)?;
            (self.at, self.rest) = (next, rest);
        }
        Some(())
    }
}

/// An address as a number, of which `N` bytes stand in the index.
trait Key<const N: usize>: Copy + Ord {
    fn first(bytes: [u8; N]) -> Self;
    /// `odd · 2^zeros` later; what damaged bytes carry beyond the last address is lost.
    fn after(self, odd: u64, zeros: u32) -> Self;
}

impl Key<4> for u32 {
    fn first(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }

    fn after(self, odd: u64, zeros: u32) -> Self {
        self.wrapping_add((odd as Self).wrapping_shl(zeros))
    }
}

impl Key<8> for u128 {
    fn first(bytes: [u8; 8]) -> Self {
        Self::from(u64::from_le_bytes(bytes)) << 64
    }

    fn after(self, odd: u64, zeros: u32) -> Self {
        self.wrapping_add(Self::from(odd).wrapping_shl(zeros))
    }
}

/// Packs ranges of IPv4 addresses given by their first, ascending; each holds until the next one begins.
///
/// # Panics
/// Where addresses do not ascend: the packer's own mistake.
pub fn pack_ranges_v4(ranges: &[(u32, Option<u32>)]) -> Vec<u8> {
    let wide: Vec<_> = ranges.iter().map(|&(key, value)| (u128::from(key), value)).collect();
    pack(&wide, |key| key.to_le_bytes()[..4].to_vec(), |_| true)
}

/// As [`pack_ranges_v4`], of IPv6 addresses.
///
/// # Panics
/// Also where the very first one is not round: its lower 64 bits are not 0.
pub fn pack_ranges_v6(ranges: &[(u128, Option<u32>)]) -> Vec<u8> {
    assert!(ranges.first().is_none_or(|(key, _)| *key as u64 == 0), "the first key is not round");
    pack(ranges, |key| key.to_le_bytes()[8..].to_vec(), |key| key as u64 == 0)
}

/// `first` is what the index keeps of a key, where `round` says that it loses nothing.
fn pack(
    ranges: &[(u128, Option<u32>)],
    first: impl Fn(u128) -> Vec<u8>,
    round: impl Fn(u128) -> bool,
) -> Vec<u8> {
    let dictionary = by_frequency(ranges.iter().filter_map(|&(_, value)| value));
    let ranks: HashMap<u32, u64> = dictionary.iter().copied().zip(1..).collect();
    let rank = |value: Option<u32>| value.map_or(0, |value| ranks[&value]);
    let count = |n: usize| u32::try_from(n).expect("below 2^32").to_le_bytes();
    let (mut first_keys, mut offsets, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
    let (mut before, mut of_block) = (None, BLOCK);
    for &(key, value) in ranges {
        if of_block >= BLOCK && round(key) {
            first_keys.extend(first(key));
            offsets.extend(count(blocks.len()));
            of_block = 0;
        } else if let Some((last, held)) = before {
            put_step(&mut blocks, key - last, rank(held));
        }
        assert!(before.is_none_or(|(last, _)| last < key), "keys ascend");
        put_varint(&mut blocks, rank(value));
        before = Some((key, value));
        of_block += 1;
    }
    let mut packed = Vec::from(count(offsets.len() / 4));
    packed.extend(count(dictionary.len()));
    packed.extend(dictionary.iter().flat_map(|value| value.to_le_bytes()));
    packed.extend([first_keys, offsets, blocks].concat());
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

/// `held` is the rank of the range that the step leaves, for a step that takes two.
fn put_step(bytes: &mut Vec<u8>, step: u128, held: u64) {
    let zeros = step.trailing_zeros();
    let (upper, odd) = ((step >> zeros >> 64) as u64, (step >> zeros) as u64);
    if upper != 0 {
        put_step(bytes, u128::from(upper) << (zeros + 64), held);
        put_varint(bytes, held);
    }
    let token = u8::try_from(zeros).expect("below 128: keys ascend");
    if odd == 1 {
        bytes.push(token);
    } else {
        bytes.push(token | 0x80);
        put_varint(bytes, odd);
    }
}

/// Takes a LEB128 number off the front; nothing where it runs out or exceeds 64 bits.
#[inline]
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..70).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

pub(super) fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
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
        let packed = pack_ranges_v4(&[(0, None), (256, Some(7)), (1024, Some(9)), (1025, Some(7))]);
        let expected = [
            1, 0, 0, 0, 2, 0, 0, 0, // blocks, values
            7, 0, 0, 0, 9, 0, 0, 0, // the dictionary: 7 is more frequent
            0, 0, 0, 0, 0, 0, 0, 0, // one block from key 0, at offset 0
            0, 8, 1, 0x88, 3, 2, 0, 1, // nothing; +2^8: 7; +3·2^8: 9; +2^0: 7
        ];
        assert_eq!(packed, expected);
    }

    #[test]
    fn a_wide_step_is_taken_as_two() {
        let packed = pack_ranges_v6(&[(0, Some(5)), ((1 << 100) + 1, None)]);
        // 5; +2^100: still 5; +2^0: nothing
        assert!(packed.ends_with(&[1, 100, 1, 0, 0]), "{packed:?}");
    }

    /// Keys as address ranges have them: most of them round, some not.
    fn keys() -> impl Strategy<Value = u128> {
        (any::<u128>(), 0u32..128).prop_map(|(key, zeros)| key >> zeros << zeros)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_was_packed_is_found(
            starts in prop::collection::btree_map(keys(), prop::option::of(0u32..300), 1..700),
            probes in prop::collection::vec(any::<u128>(), 50),
        ) {
            let mut starts: BTreeMap<u128, Option<u32>> = starts;
            starts.insert(0, None);
            let ranges: Vec<_> = starts.iter().map(|(k, v)| (*k, *v)).collect();
            let packed = pack_ranges_v6(&ranges);
            let table = RangesV6::open(&packed).unwrap();
            let near = starts.keys().flat_map(|&k| [k.saturating_sub(1), k, k.saturating_add(1)]);
            let mut latest = None;
            for key in near.chain(probes.iter().copied()) {
                let expected = starts.range(..=key).next_back().and_then(|(_, value)| *value);
                prop_assert_eq!([table.get(key, &mut None), table.get(key, &mut latest)], [expected; 2]);
            }
        }

        #[test]
        fn what_was_packed_is_found_in_ipv4(
            starts in prop::collection::btree_map(any::<u32>(), prop::option::of(0u32..300), 1..700),
            probes in prop::collection::vec(any::<u32>(), 50),
        ) {
            let ranges: Vec<_> = starts.iter().map(|(k, v)| (*k, *v)).collect();
            let packed = pack_ranges_v4(&ranges);
            let table = RangesV4::open(&packed).unwrap();
            let near = starts.keys().flat_map(|&k| [k.saturating_sub(1), k, k.saturating_add(1)]);
            let mut latest = None;
            for key in near.chain(probes.iter().copied()) {
                let expected = starts.range(..=key).next_back().and_then(|(_, value)| *value);
                prop_assert_eq!([table.get(key, &mut None), table.get(key, &mut latest)], [expected; 2]);
            }
        }
    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            blocks in 0u8..4,
            key: u128,
        ) {
            for header in [vec![], vec![blocks, 0, 0, 0, 1, 0, 0, 0]] {
                let bytes = [header, bytes.clone()].concat();
                if let Some(table) = RangesV4::open(&bytes) {
                    table.get(key as u32, &mut None);
                }
                if let Some(table) = RangesV6::open(&bytes) {
                    table.get(key, &mut None);
                }
            }
        }
    }
}
