//! What harmless texts must not hold: any of many texts, in lower case, wherever it stands.
//!
//! Promises: a text is looked through once, however many are avoided (Aho and Corasick 1975, *Comm. ACM* 18, 333); letters
//! are compared one by one, so that what is found does not depend on what stands around it.

use crate::exit::{Failure, Result};
use aho_corasick::{AhoCorasick, AhoCorasickKind};

pub struct Avoided(AhoCorasick);

impl Avoided {
    /// Empty texts are in none.
    pub fn new(texts: &[String]) -> Result<Self> {
        let lower =
            texts.iter().filter(|text| !text.is_empty()).map(|text| lowered(text).collect::<String>());
        // A table of all transitions takes a kilobyte for each letter of them.
        let built = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(lower);
        built.map(Self).map_err(|error| {
            Failure::new(format!("the texts that are asked about are too many: {error}"))
                .hint("ask about fewer of them at a time")
        })
    }

    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(&lowered(text).collect::<String>())
    }

    /// Byte by byte of a text, the earliest end of what begins there or later; beyond all bytes where nothing does.
    pub fn ends(&self, text: &str) -> Vec<usize> {
        let mut lower = String::with_capacity(text.len());
        // Of each byte in lower case: the letter that it is of, from and to.
        let mut origins: Vec<(usize, usize)> = Vec::with_capacity(text.len());
        for (at, letter) in text.char_indices() {
            lower.extend(lowered(letter.encode_utf8(&mut [0; 4])));
            origins.resize(lower.len(), (at, at + letter.len_utf8()));
        }
        let mut ends = vec![usize::MAX; text.len()];
        for found in self.0.find_overlapping_iter(&lower) {
            let (start, end) = (origins[found.start()].0, origins[found.end() - 1].1);
            ends[start] = ends[start].min(end);
        }
        for at in (1..ends.len()).rev() {
            ends[at - 1] = ends[at - 1].min(ends[at]);
        }
        ends
    }
}

/// Sigma has two small letters, of which one ends words.
fn lowered(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_that_grow_in_lower_case_are_one_all_the_same() {
        let avoided = Avoided::new(&["i\u{307}b".to_owned(), String::new()]).unwrap();
        let text = "aİB";
        let ends = avoided.ends(text);
        assert_eq!(ends, [4, 4, usize::MAX, usize::MAX]);
        assert!(avoided.is_in(text) && !avoided.is_in("ab") && !avoided.is_in(""));
        assert!(Avoided::new(&["ΟΔΟΣ".to_owned()]).unwrap().is_in("οδος"));
    }

    proptest! {
        #[test]
        fn a_stretch_holds_what_ends_within_it(texts in proptest::collection::vec("[abB]{1,3}", 0..5), text in "[abAB ]{0,12}") {
            let avoided = Avoided::new(&texts).unwrap();
            let ends = avoided.ends(&text);
            for start in 0..text.len() {
                for end in start + 1..=text.len() {
                    let lower = text[start..end].to_lowercase();
                    let holds = texts.iter().any(|avoided| lower.contains(&avoided.to_lowercase()));
                    prop_assert_eq!(ends[start] <= end, holds);
                }
            }
        }
    }
}
