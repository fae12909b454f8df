//! Harmless texts where nobody gave one: as long as a text that may be filtered, in its scripts, made of letters that it lacks.
//!
//! Each letter, digit and pictograph is replaced by another of its script, case and length in UTF-8, drawn at random from
//! those that the texts asked about hold nowhere, in neither case; white space, punctuation and marks stay where they are.
//! So no word of these texts can stand in it, be it one character long, as words in Chinese may be. Where a script has too
//! few letters that are lacking, all of them are drawn from, and no two letters stand side by side that do so in the texts:
//! no word of two letters or more can stand in it.
//! Promises: exact in characters and bytes; the same texts and seed give the same; nothing where even that cannot be.
//! To extend: letters that people use, of a script whose tables hold many others, are a range of [`EVERYDAY`].

use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;
use unicode_script::UnicodeScript;
use unicode_segmentation::UnicodeSegmentation;

/// Letters that must be lacking for a text to be made of them alone.
const FEWEST: usize = 4;
/// Letters that one text is made of, of those that are lacking.
const MOST: usize = 64;
/// Letters and signs that people use every day. Han is what GBK has of it, Hangul all syllables.
const EVERYDAY: [RangeInclusive<char>; 25] = [
    '0'..='9',
    'A'..='Z',
    'a'..='z',
    'À'..='Þ',
    'ß'..='ÿ',
    'Α'..='Ω',
    'α'..='ω',
    'А'..='Я',
    'а'..='я',
    'א'..='ת',
    'ا'..='غ',
    'ف'..='ي',
    'अ'..='ह',
    'ก'..='ฮ',
    'あ'..='ん',
    'ア'..='ン',
    '一'..='龥',
    '가'..='힣',
    // Of flags, which are two each.
    '🇦'..='🇿',
    '🌀'..='🗿',
    '😀'..='🙏',
    '🚀'..='🛅',
    '🤐'..='🧿',
    '☀'..='⛿',
    '✀'..='➿',
];

/// Makes texts that share nothing with some others.
#[derive(Debug)]
pub struct Neutral {
    letters: HashSet<char>,
    pairs: HashSet<(char, char)>,
    random: ChaCha8Rng,
}

impl Neutral {
    pub fn new(avoided: &[String], seed: u64) -> Self {
        let lower: Vec<Vec<char>> = avoided.iter().map(|text| text.chars().map(lower).collect()).collect();
        let letters = lower.iter().flatten().copied().collect();
        let pairs = lower.iter().flat_map(|text| text.windows(2)).map(|pair| (pair[0], pair[1])).collect();
        Self { letters, pairs, random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A text in the likeness of this one; nothing where there is none.
    pub fn like(&mut self, text: &str) -> Option<String> {
        let mut pools: BTreeMap<Kind, Vec<char>> = BTreeMap::new();
        let kinds: Vec<Option<Kind>> = text.chars().map(Kind::of).collect();
        for kind in kinds.iter().flatten() {
            if !pools.contains_key(kind) {
                pools.insert(*kind, self.pool(*kind));
            }
        }
        if pools.is_empty() {
            return None;
        }
        let places: Vec<&[char]> =
            kinds.iter().map(|kind| kind.map_or(&[][..], |kind| &pools[&kind])).collect();
        let open = self.open(&places)?;
        let (mut made, mut before) = (String::with_capacity(text.len()), None);
        for (character, letters) in text.chars().zip(open) {
            let fits = |letter: &char| before.is_none_or(|it| !self.meet(it, *letter));
            let fitting: Vec<char> = letters.into_iter().filter(fits).collect();
            let drawn = fitting.choose(&mut self.random).copied();
            made.push(drawn.unwrap_or(character));
            before = drawn;
        }
        Some(made)
    }

    /// What letters of a kind are drawn from.
    fn pool(&mut self, kind: Kind) -> Vec<char> {
        let all = kind.letters();
        let lacking: Vec<char> =
            all.iter().filter(|letter| !self.letters.contains(&lower(**letter))).copied().collect();
        if lacking.len() < FEWEST { all } else { lacking.sample(&mut self.random, MOST).copied().collect() }
    }

    /// Place by place, the letters behind which others can stand up to the next place that holds none.
    fn open(&self, places: &[&[char]]) -> Option<Vec<Vec<char>>> {
        let mut open: Vec<Vec<char>> = Vec::with_capacity(places.len());
        for place in places.iter().rev() {
            let next = open.last().filter(|next| !next.is_empty());
            let goes_on =
                |letter: &char| next.is_none_or(|next| next.iter().any(|it| !self.meet(*letter, *it)));
            let letters: Vec<char> = place.iter().filter(|letter| goes_on(letter)).copied().collect();
            if letters.is_empty() && !place.is_empty() {
                return None;
            }
            open.push(letters);
        }
        open.reverse();
        Some(open)
    }

    /// Whether these stand side by side in what is avoided.
    fn meet(&self, one: char, other: char) -> bool {
        self.pairs.contains(&(lower(one), lower(other)))
    }
}

/// Letters that may stand for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// Of code points.
    first: char,
    last: char,
    script: &'static str,
    bytes: usize,
    upper: bool,
    lower: bool,
}

impl Kind {
    /// None for white space, punctuation, and marks of another letter.
    fn of(character: char) -> Option<Self> {
        let everyday = EVERYDAY.iter().find(|range| range.contains(&character));
        if extends(character) || !character.is_alphanumeric() && everyday.is_none() {
            return None;
        }
        let row = u32::from(character) & !0xff;
        let end = |at: u32| char::from_u32(at).unwrap_or(character);
        let (first, last) =
            everyday.map_or((end(row), end(row + 0xff)), |range| (*range.start(), *range.end()));
        Some(Self {
            first,
            last,
            script: character.script().full_name(),
            bytes: character.len_utf8(),
            upper: character.is_uppercase(),
            lower: character.is_lowercase(),
        })
    }

    fn letters(self) -> Vec<char> {
        (self.first..=self.last).filter(|letter| Self::of(*letter) == Some(self)).collect()
    }
}

/// Whether it belongs to the character before it, as an accent does.
fn extends(character: char) -> bool {
    !character.is_ascii() && ["a", character.encode_utf8(&mut [0; 4])].concat().graphemes(true).count() == 1
}

fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn like(text: &str, seed: u64) -> Option<String> {
        Neutral::new(&[text.to_owned()], seed).like(text)
    }

    fn shares(text: &str, made: &str) -> bool {
        made.chars().any(|it| it.is_alphanumeric() && text.chars().any(|other| lower(other) == lower(it)))
    }

    #[test]
    fn a_word_of_one_character_can_not_stand_in_it() {
        for text in
            ["茶", "明天早上八点在桥边见，茶馆", "שלום לך", "слово и дело", "tea at 4", "🕯 0604", "🇹🇼"]
        {
            let made = like(text, 1).unwrap();
            assert_eq!((made.len(), made.chars().count()), (text.len(), text.chars().count()), "{made}");
            assert!(!shares(text, &made), "{text}: {made}");
            assert_ne!(Some(made), like(text, 2), "{text}");
        }
        let of = |text| like(text, 1).unwrap();
        assert!(of("茶馆").chars().all(|it| ('一'..='龥').contains(&it)));
        assert!(of("ТЧК").chars().all(|it| ('А'..='Я').contains(&it)));
        assert!(of("🕯").chars().all(|it| ('🌀'..='🗿').contains(&it)));
        let accented = of("cafe\u{301}, a la carte");
        assert!(accented.contains("\u{301}, ") && accented.find(' ') == Some(7), "{accented}");
    }

    #[test]
    fn where_too_few_letters_are_lacking_no_two_stand_side_by_side_that_did() {
        let text = "the quick brown fox jumps over the lazy dog and walks by the river";
        let made = like(text, 1).unwrap();
        assert!(shares(text, &made), "{made}");
        let pairs = |text: &str| -> HashSet<(char, char)> {
            let letters: Vec<char> = text.chars().collect();
            letters
                .windows(2)
                .map(|pair| (pair[0], pair[1]))
                .filter(|pair| pair.0 != ' ' && pair.1 != ' ')
                .collect()
        };
        assert!(pairs(text).is_disjoint(&pairs(&made)), "{made}");
    }

    #[test]
    fn where_nothing_is_lacking_there_is_none() {
        let digits: String = (0..100).map(|at| format!("{}{} ", at / 10, at % 10)).collect();
        assert_eq!((like(&digits, 1), like("?!", 1), like("", 1)), (None, None, None));
    }

    proptest! {
        #[test]
        fn lengths_are_kept_whatever_the_text(text in ".{0,40}", seed: u64) {
            if let Some(made) = like(&text, seed) {
                prop_assert_eq!(made.len(), text.len());
                prop_assert_eq!(made.chars().count(), text.chars().count());
            }
        }
    }
}
