//! A text in pieces that are never cut, and messages made of some of them.
//!
//! Promises: what is left out never makes a new word: where two kept pieces would meet, a filler stands between
//! them. It holds a letter that the text has nowhere, which no rule of this text can hold, of the text's own script if
//! one is free (a filter that looks at this script alone still sees the letter), between spaces (a filter that wants whole
//! words still sees them).

use crate::bits::Bits;
use std::collections::HashSet;
use std::ops::Range;

/// A script that a filter may look at alone, and letters of it that few words hold.
struct OwnScript {
    holds: fn(char) -> bool,
    rare: [char; 4],
}

const SCRIPTS: [OwnScript; 3] = [
    OwnScript { holds: |letter| letter.is_ascii_alphabetic(), rare: ['q', 'j', 'x', 'z'] },
    OwnScript { holds: |letter| matches!(letter, '\u{400}'..='\u{4ff}'), rare: ['ъ', 'щ', 'ф', 'э'] },
    OwnScript {
        holds: |letter| matches!(letter, '\u{3400}'..='\u{9fff}'), rare: ['龘', '靐', '齉', '爩']
    },
];
/// The same of none of these scripts.
const OTHERS: [char; 6] = ['ƣ', 'ƕ', 'ȣ', 'ƿ', 'ǂ', 'ɣ'];

/// A letter that stands in none of the texts, of the script that most of their letters are of, if one is free.
pub(crate) fn free_letter<'a>(texts: impl IntoIterator<Item = &'a str>) -> char {
    let held: HashSet<char> = texts.into_iter().flat_map(str::chars).collect();
    let lower: HashSet<char> = held.iter().flat_map(|letter| letter.to_lowercase()).collect();
    let share = |script: &&OwnScript| lower.iter().filter(|letter| (script.holds)(**letter)).count();
    let script = SCRIPTS.iter().max_by_key(share).filter(|script| share(script) > 0);
    let own = script.map_or(&[][..], |script| &script.rare);
    own.iter().chain(&OTHERS).copied().find(|letter| !lower.contains(letter)).unwrap_or(OTHERS[0])
}

/// What stands between the words of a pool.
pub fn filler<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    format!(" {} ", free_letter(words))
}

/// One filler where nothing is left out costs at most this many bytes, or this many characters.
const ROOM: (usize, usize) = (5, 3);

/// How long a message may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Characters(usize),
    Bytes(usize),
}

impl Limit {
    pub fn takes(self, text: &str) -> bool {
        match self {
            Limit::Characters(most) => text.chars().count() <= most,
            Limit::Bytes(most) => text.len() <= most,
        }
    }

    fn with_room(self) -> Self {
        let (bytes, characters) = ROOM;
        match self {
            Limit::Bytes(most) => Limit::Bytes(most.saturating_sub(bytes)),
            Limit::Characters(most) => Limit::Characters(most.saturating_sub(characters)),
        }
    }
}

/// A text as a list of pieces: characters, each with the marks that belong to it.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    text: String,
    /// Where each piece begins, and the end.
    bounds: Vec<usize>,
    letter: char,
    /// Pieces that are letters or digits of scripts that part words by blanks.
    lettered: Bits,
}

impl Text {
    pub fn new(text: &str) -> Self {
        let mut bounds: Vec<usize> = Vec::with_capacity(text.len() + 1);
        let mut joined = false;
        for (at, character) in text.char_indices() {
            if bounds.is_empty() || !(joined || belongs_to_the_one_before(character)) {
                bounds.push(at);
            }
            joined = character == '\u{200d}';
        }
        bounds.push(text.len());
        let letter = free_letter([text]);
        let starts = bounds.iter().filter_map(|at| text[*at..].chars().next());
        let lettered = starts.enumerate().filter(|(_, first)| is_of_spaced_words(*first));
        let lettered = Bits::of(bounds.len(), lettered.map(|(piece, _)| piece));
        Self { text: text.to_owned(), bounds, letter, lettered }
    }

    pub fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Pieces that are not blank.
    pub fn solid(&self) -> usize {
        (0..self.len()).filter(|piece| !self.slice(*piece..*piece + 1).trim().is_empty()).count()
    }

    /// Pieces that are in one word with the piece before: a filter of whole words sees them with it alone.
    pub fn joined(&self) -> Bits {
        let follows =
            |piece: &usize| piece.checked_sub(1).is_some_and(|before| self.lettered.contains(before));
        Bits::of(self.bounds.len(), self.lettered.members().filter(follows))
    }

    /// Whether any of these pieces is more than one code point.
    pub fn is_composed(&self, mut pieces: Range<usize>) -> bool {
        pieces.any(|piece| self.slice(piece..piece + 1).chars().nth(1).is_some())
    }

    pub fn fits(&self, limit: Limit) -> bool {
        limit.with_room().takes(&self.text)
    }

    pub fn slice(&self, pieces: Range<usize>) -> &str {
        &self.text[self.bounds[pieces.start]..self.bounds[pieces.end]]
    }

    /// All places where the same words stand, as pieces.
    pub fn places_of(&self, word: &str) -> Vec<Range<usize>> {
        let matches = self.bounds.iter().enumerate().filter(|(_, at)| self.text[**at..].starts_with(word));
        let end = |at: usize| self.bounds.binary_search(&(at + word.len())).ok();
        matches.filter_map(|(start, at)| Some(start..end(*at)?)).filter(|range| !range.is_empty()).collect()
    }

    /// The given parts in the given order, a filler between any two: no longer than what it stands for, unless that would
    /// join it to a word and the limit takes more.
    pub fn join(&self, parts: &[Range<usize>], limit: Option<Limit>) -> String {
        let message = self.filled(parts, true);
        match limit.is_none_or(|limit| limit.takes(&message)) {
            true => message,
            false => self.filled(parts, false),
        }
    }

    /// `apart`: whether fillers stay apart from words in scripts that part words by blanks.
    fn filled(&self, parts: &[Range<usize>], apart: bool) -> String {
        let mut message = String::new();
        let mut before: Option<usize> = None;
        for part in parts {
            if let Some(before) = before {
                let beside_a_word =
                    self.lettered.contains(before.saturating_sub(1)) || self.lettered.contains(part.start);
                match part.start.checked_sub(before) {
                    Some(1 | 2) if apart && beside_a_word => message.extend([' ', self.letter, ' ']),
                    Some(1) => message.push(self.letter),
                    Some(2) => message.extend([self.letter, ' ']),
                    _ => message.extend([' ', self.letter, ' ']),
                }
            }
            message.push_str(self.slice(part.clone()));
            before = Some(part.end);
        }
        message
    }
}

/// Unbroken runs of members.
pub(crate) fn runs(kept: &Bits) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for member in kept.members() {
        match runs.last_mut().filter(|run| run.end == member) {
            Some(run) => run.end += 1,
            None => runs.push(member..member + 1),
        }
    }
    runs
}

/// A letter or digit of a script that parts words by blanks: none of Thai, Lao, Burmese, Khmer, Chinese and Japanese.
fn is_of_spaced_words(character: char) -> bool {
    let unspaced = matches!(character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{a4cf}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    character.is_alphanumeric() && !unspaced
}

/// Combining marks, variation selectors, skin tones and joiners (a part of UAX #29 that needs no tables).
fn belongs_to_the_one_before(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{93c}' | '\u{93e}'..='\u{94d}' | '\u{e31}' | '\u{e34}'..='\u{e3a}'
        | '\u{e47}'..='\u{e4e}' | '\u{1160}'..='\u{11ff}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{3099}' | '\u{309a}' | '\u{fe00}'..='\u{fe0f}' | '\u{200d}' | '\u{1f3fb}'..='\u{1f3ff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keep(text: &Text, kept: impl IntoIterator<Item = usize>) -> String {
        text.join(&runs(&Bits::of(text.len(), kept)), Some(Limit::Characters(text.len())))
    }

    #[test]
    fn what_is_left_out_never_makes_a_word() {
        let text = Text::new("红苹果色");
        assert_eq!(keep(&text, [0, 3]), "红龘 色");
        assert_eq!(keep(&text, [0, 1]), "红苹");
        assert_eq!(text.join(&[3..4, 0..1], None), "色 龘 红");
        assert_eq!(text.join(&[0..1, 3..4], None), "红龘 色");
        let words = |most| Text::new("a b").join(&[0..1, 2..3], Some(Limit::Characters(most)));
        assert_eq!((words(5), words(4)), ("a q b".into(), "aqb".into()));
    }

    proptest! {
        #[test]
        fn whatever_is_kept_stood_in_the_text(text in "[ab ]{1,30}", kept in proptest::collection::vec(any::<bool>(), 30)) {
            let text = Text::new(&text);
            let message = keep(&text, (0..text.len()).filter(|piece| kept[*piece]));
            let stood = |part: &str| text.text.contains(part) || text.text.contains(part.trim_matches(' '));
            prop_assert!(message.split(text.letter).all(stood), "{message}");
            prop_assert!(message.chars().count() <= text.text.chars().count());
        }
    }

    #[test]
    fn the_letter_between_is_free_and_of_the_texts_script() {
        let letters =
            ["lamp", "Jump Quickly", "квас", "六四 boat", "شجرة", "jqxz"].map(|text| free_letter([text]));
        assert_eq!(letters, ['q', 'x', 'ъ', 'q', 'ƣ', 'ƣ']);
        assert_eq!((free_letter(["ƣƕ"]), free_letter(["真相龘"]), free_letter([])), ('ȣ', '靐', 'ƣ'));
    }

    #[test]
    fn pieces_of_one_word_are_told_from_those_beside_it() {
        let joined = |text| Text::new(text).joined().members().collect::<Vec<_>>();
        assert_eq!(joined("ab c1红苹d"), [1, 4]);
        assert_eq!(joined("де\u{301}л 한국"), [1, 2, 5]);
    }

    #[test]
    fn marks_stay_with_what_they_mark() {
        let text = Text::new("e\u{301}x👩\u{200d}🚀👍🏽");
        let pieces: Vec<&str> = (0..text.len()).map(|at| text.slice(at..at + 1)).collect();
        assert_eq!(pieces, ["e\u{301}", "x", "👩\u{200d}🚀", "👍🏽"]);
        assert_eq!(Text::new("").len(), 0);
        assert_eq!(Text::new("\u{301}").len(), 1);
    }

    #[test]
    fn all_places_of_a_word_are_found() {
        assert_eq!(Text::new("aXbaaXb").places_of("aXb"), [0..3, 4..7]);
        assert_eq!(Text::new("aaa").places_of("aa"), [0..2, 1..3]);
    }

    #[test]
    fn a_limit_is_in_characters_or_bytes() {
        assert!(
            Text::new("红苹果").fits(Limit::Characters(6)) && !Text::new("红苹果").fits(Limit::Characters(5))
        );
        assert!(!Text::new("红苹果").fits(Limit::Bytes(13)));
        assert!(Text::new("红苹果").fits(Limit::Bytes(14)));
    }
}
