//! A symbol table: short texts, each in a few bytes, any one of which can be read on its own.
//!
//! For: the names of 95 000 networks, which are mostly English words: [`super::holders`]. They take less
//! than deflated ones in blocks, and no other name must be read to read one.
//! Promises: the same texts give the same table; damaged bytes give no text, never a panic.
//! Source: after P. Boncz, T. Neumann, V. Leis, FSST: Fast Random Access String Compression, PVLDB 13
//! (2020); with more symbols, and codes of two bytes for the rare ones.
//!
//! Layout, integers little-endian: u16 symbols, as many u16 ends, the symbols' bytes. A text is a row of
//! codes: a byte below 240 is that symbol; `b` from 240 on and the byte `c` after it are symbol
//! `240 + 256 · (b − 240) + c`.

use foldhash::HashMap;
use std::cmp::Reverse;

/// Symbols with a code of one byte: the frequent ones.
const SHORT: usize = 240;
/// Symbols in all.
const MOST: usize = SHORT + 256 * (256 - SHORT);
/// Bytes of a symbol.
const LONGEST: usize = 12;
/// How often the table is learned anew from what the last one made of the texts.
const ROUNDS: usize = 12;

/// A packed table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbols<'a> {
    ends: &'a [[u8; 2]],
    bytes: &'a [u8],
}

impl<'a> Symbols<'a> {
    /// Reads the header; gives the table and what follows it.
    pub(super) fn open(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (count, rest) = bytes.split_first_chunk::<2>()?;
        let (ends, rest) = rest.split_at_checked(2 * usize::from(u16::from_le_bytes(*count)))?;
        let ends = ends.as_chunks().0;
        let (bytes, rest) = rest.split_at_checked(ends.last().map_or(0, |end| position(*end)))?;
        Some((Self { ends, bytes }, rest))
    }

    /// The text of a row of codes.
    pub(super) fn text(&self, mut codes: &[u8]) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(4 * codes.len());
        while let Some((&byte, rest)) = codes.split_first() {
            let mut symbol = usize::from(byte);
            codes = rest;
            if let Some(upper) = symbol.checked_sub(SHORT) {
                let (&lower, rest) = codes.split_first()?;
                symbol = SHORT + 256 * upper + usize::from(lower);
                codes = rest;
            }
            text.extend_from_slice(self.symbol(symbol)?);
        }
        Some(text)
    }

    fn symbol(&self, symbol: usize) -> Option<&'a [u8]> {
        let from =
            symbol.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied().map(position));
        self.bytes.get(from?..position(*self.ends.get(symbol)?)).filter(|bytes| bytes.len() <= LONGEST)
    }
}

fn position(bytes: [u8; 2]) -> usize {
    usize::from(u16::from_le_bytes(bytes))
}

type Counts<'t> = HashMap<&'t [u8], usize>;

/// Learns a table and writes texts with it.
pub(super) struct Writer<'t> {
    /// By code.
    symbols: Vec<&'t [u8]>,
    codes: HashMap<&'t [u8], usize>,
}

impl<'t> Writer<'t> {
    /// A table that is good for these texts: in every round, the symbols that the last table's served best
    /// stay, and pairs of them that met often become symbols.
    pub(super) fn learn(texts: &[&'t [u8]]) -> Self {
        let mut bytes: Vec<&[u8]> = texts.iter().flat_map(|text| text.chunks(1)).collect();
        bytes.sort_unstable();
        bytes.dedup();
        let mut writer = Self::of(bytes.clone());
        for round in 1..=ROUNDS {
            let (used, pairs) = writer.count(texts);
            let mut counts = used;
            if round < ROUNDS {
                for (pair, count) in pairs.into_iter().filter(|(_, count)| *count > 2) {
                    let known = counts.entry(pair).or_default();
                    *known = count.max(*known);
                }
            }
            let mut longer: Vec<&[u8]> = counts.keys().copied().filter(|symbol| symbol.len() > 1).collect();
            longer.sort_unstable_by_key(|symbol| (Reverse(counts[symbol] * symbol.len()), *symbol));
            longer.truncate(MOST - bytes.len());
            let mut symbols = [bytes.clone(), longer].concat();
            symbols.sort_by_key(|symbol| Reverse(counts.get(symbol).copied().unwrap_or(0)));
            writer = Self::of(symbols);
        }
        writer
    }

    fn of(symbols: Vec<&'t [u8]>) -> Self {
        let codes = symbols.iter().copied().zip(0..).collect();
        Self { symbols, codes }
    }

    /// How often each symbol is used, and each two of them side by side.
    fn count(&self, texts: &[&'t [u8]]) -> (Counts<'t>, Counts<'t>) {
        let (mut used, mut pairs) = (HashMap::default(), HashMap::default());
        for text in texts {
            let (mut rest, mut last) = (*text, 0);
            for length in self.parse(text) {
                *used.entry(&rest[..length]).or_default() += 1;
                if last > 0 && last + length <= LONGEST {
                    let from = text.len() - rest.len() - last;
                    *pairs.entry(&text[from..from + last + length]).or_default() += 1;
                }
                (rest, last) = (&rest[length..], length);
            }
        }
        (used, pairs)
    }

    /// Lengths of the symbols that write the text in the fewest bytes.
    fn parse(&self, text: &[u8]) -> Vec<usize> {
        // Bytes for the text from here on, and the length of the first symbol of them.
        let mut best = vec![(0, 0); text.len() + 1];
        for at in (0..text.len()).rev() {
            let lengths = 1..=LONGEST.min(text.len() - at);
            let costs = lengths.filter_map(|length| {
                let code = self.codes.get(&text[at..at + length])?;
                Some((if *code < SHORT { 1 } else { 2 } + best[at + length].0, length))
            });
            best[at] = costs.min().expect("every byte that occurs is a symbol");
        }
        let mut lengths = Vec::new();
        let mut at = 0;
        while at < text.len() {
            lengths.push(best[at].1);
            at += best[at].1;
        }
        lengths
    }

    /// The row of codes of one of the texts that the table was learned from.
    pub(super) fn codes(&self, text: &[u8]) -> Vec<u8> {
        let mut rest = text;
        let mut codes = Vec::new();
        for length in self.parse(text) {
            let (symbol, after) = rest.split_at(length);
            let code = self.codes[symbol];
            match code.checked_sub(SHORT) {
                None => codes.push(code as u8),
                Some(rare) => codes.extend([(SHORT + rare / 256) as u8, (rare % 256) as u8]),
            }
            rest = after;
        }
        codes
    }

    /// The packed table.
    pub(super) fn pack(&self) -> Vec<u8> {
        let number = |n: usize| u16::try_from(n).expect("4 336 symbols of 12 bytes").to_le_bytes();
        let ends = self.symbols.iter().scan(0, |end, symbol| {
            *end += symbol.len();
            Some(number(*end))
        });
        let mut packed = Vec::from(number(self.symbols.len()));
        packed.extend(ends.flatten());
        packed.extend(self.symbols.concat());
        packed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frequent_words_take_few_bytes() {
        let texts: Vec<String> = (0..500).map(|n| format!("University of Example {n}")).collect();
        let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        let writer = Writer::learn(&texts);
        let longest = texts.iter().map(|text| writer.codes(text).len()).max();
        assert!(longest <= Some(4), "{longest:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn what_was_written_is_read(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..60)) {
            let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
            let writer = Writer::learn(&texts);
            let packed = [writer.pack(), b"rest".to_vec()].concat();
            let (symbols, rest) = Symbols::open(&packed).unwrap();
            prop_assert_eq!(rest, b"rest");
            for text in texts {
                prop_assert_eq!(symbols.text(&writer.codes(text)), Some(text.to_vec()));
            }
        }

        #[test]
        fn damaged_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), symbols in 0u8..20) {
            for header in [vec![], vec![symbols, 0]] {
                let bytes = [header, bytes.clone()].concat();
                if let Some((symbols, rest)) = Symbols::open(&bytes) {
                    symbols.text(rest);
                }
            }
        }
    }
}
