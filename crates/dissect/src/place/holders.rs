//! Names of the networks' holders: AS number → name, in the codes of a symbol table.
//!
//! For: showing `AS4134 Chinanet` from the embedded table.
//! Promises: a look-up reads one name, and skips a few others; damaged bytes give no name, never a panic.
//!
//! Layout, integers little-endian, `v` a LEB128 number:
//!
//! ```text
//! the symbol table
//! u32 blocks
//! blocks × (u32 first AS number, u32 offset)
//! blocks: per name: v step from the last number, v bytes of its codes, the codes
//! ```

use super::packed::{put_varint, take_varint};
use super::symbols::{Symbols, Writer};
use overheard_model::Asn;
use std::collections::BTreeMap;

/// Names of a block.
const BLOCK: usize = 16;

/// The packed names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holders<'a> {
    symbols: Symbols<'a>,
    index: &'a [[u8; 8]],
    blocks: &'a [u8],
}

impl<'a> Holders<'a> {
    /// Reads the header; nothing where the bytes are no such table.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let (symbols, rest) = Symbols::open(bytes)?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let (index, blocks) = rest.split_at_checked(count.checked_mul(8)?)?;
        Some(Self { symbols, index: index.as_chunks().0, blocks })
    }

    /// The name of the network's holder.
    pub(crate) fn name(&self, asn: Asn) -> Option<String> {
        let block = self.index.partition_point(|entry| number_and_offset(entry).0 <= asn.0).checked_sub(1)?;
        let (mut number, from) = number_and_offset(self.index.get(block)?);
        let to = self.index.get(block + 1).map_or(self.blocks.len(), |entry| number_and_offset(entry).1);
        let mut rest = self.blocks.get(from..to)?;
        loop {
            let step = u32::try_from(take_varint(&mut rest)?).ok()?;
            let length = usize::try_from(take_varint(&mut rest)?).ok()?;
            let (codes, after) = rest.split_at_checked(length)?;
            (number, rest) = (number.checked_add(step)?, after);
            if number >= asn.0 {
                return (number == asn.0).then(|| String::from_utf8(self.symbols.text(codes)?).ok())?;
            }
        }
    }
}

fn number_and_offset(entry: &[u8; 8]) -> (u32, usize) {
    let [a, b, c, d, offset @ ..] = *entry;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes(offset) as usize)
}

/// Packs the names.
///
/// # Panics
/// Where they take 4 GiB or more: the packer's own mistake.
pub fn pack_holders(names: &BTreeMap<u32, String>) -> Vec<u8> {
    let texts: Vec<&[u8]> = names.values().map(|name| name.as_bytes()).collect();
    let writer = Writer::learn(&texts);
    let names: Vec<(u32, &[u8])> = names.keys().copied().zip(texts).collect();
    let (mut index, mut blocks) = (Vec::new(), Vec::new());
    for block in names.chunks(BLOCK) {
        let mut last = block[0].0;
        index.extend_from_slice(&last.to_le_bytes());
        index.extend_from_slice(&u32::try_from(blocks.len()).expect("below 4 GiB").to_le_bytes());
        for (asn, name) in block {
            let codes = writer.codes(name);
            put_varint(&mut blocks, u64::from(asn - last));
            put_varint(&mut blocks, codes.len() as u64);
            blocks.extend(codes);
            last = *asn;
        }
    }
    let count = u32::try_from(index.len() / 8).expect("below 2^32").to_le_bytes().to_vec();
    [writer.pack(), count, index, blocks].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        let names: BTreeMap<u32, String> = (1..=500).map(|n| (n * 3, format!("Holder {n}"))).collect();
        let packed = pack_holders(&names);
        let holders = Holders::open(&packed).unwrap();
        for asn in 0..1600 {
            assert_eq!(holders.name(Asn(asn)), names.get(&asn).cloned(), "AS{asn}");
        }
    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(mut flips in prop::collection::vec((any::<usize>(), any::<u8>()), 1..8)) {
            let names = (1..=200).map(|n| (n * 7, format!("Holder {n}"))).collect();
            let mut packed = pack_holders(&names);
            for (at, byte) in flips.drain(..) {
                let at = at % packed.len();
                packed[at] = byte;
            }
            if let Some(holders) = Holders::open(&packed) {
                for asn in [0, 7, 700, 1400, u32::MAX] {
                    holders.name(Asn(asn));
                }
            }
        }
    }
}
