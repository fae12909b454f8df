//! Which part of a candidate does it: what was found within candidates that trigger by themselves.
//!
//! A list says that "blackbird" is blocked, and not that "bird" is all that the filter acts on. So each candidate that
//! triggers is searched like a blocked text. A part that this finds was blocked with fillers around, as a word of its own;
//! so it is sent once more in its place, with all other letters made others ("qqqqqbird"). Only if that is blocked does
//! the part stand for the candidate: a filter of whole words may act on "bird" and on "blackbird" both.
//! Promises: a candidate of which no part was shown to do it stays a candidate and is not called exact; one of which the
//! search says that it arrives is no rule.

use super::text::Text;
use overheard_model::{Found, Rule, SearchWarning};
use std::collections::{HashMap, VecDeque};

/// What the search of a candidate came to.
#[derive(Clone, Debug, PartialEq)]
enum Searched {
    /// All of it is needed, in one word or in several.
    Whole(Rule),
    /// Nothing that stands for it.
    Open,
    Arrives,
}

/// Of all candidates that were searched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    searched: HashMap<String, Searched>,
    /// Parts still to be sent in their candidate's place.
    unplaced: VecDeque<Rule>,
    /// Parts that were; those that were not blocked there have no candidate.
    placed: Vec<Rule>,
}

impl Parts {
    /// The next of these rules whose candidate was not searched yet.
    pub fn next<'a>(&self, rules: &'a [Rule]) -> Option<&'a Rule> {
        rules.iter().filter(|rule| !rule.exact).find(|rule| !self.searched.contains_key(&rule.all[0]))
    }

    /// Takes in what was found within the candidate of a rule, by a search that was told what convicted it.
    pub fn take(&mut self, rule: &Rule, found: &Found) {
        let candidate = &rule.all[0];
        let arrives = found.rules.is_empty() && found.warnings.contains(&SearchWarning::NotBlocked);
        let mut searched = if arrives { Searched::Arrives } else { Searched::Open };
        for part in &found.rules {
            let part = Rule { candidates: vec![candidate.clone()], ..part.clone() };
            match in_place(&part.all, candidate) == *candidate {
                true => searched = Searched::Whole(part),
                false => self.unplaced.push_back(part),
            }
        }
        self.searched.insert(candidate.clone(), searched);
    }

    /// The next part in its candidate's place.
    pub fn unplaced(&self) -> Option<String> {
        let part = self.unplaced.front()?;
        Some(in_place(&part.all, part.candidates.first()?))
    }

    /// Whether that was blocked.
    pub fn place(&mut self, blocked: bool) {
        let Some(mut part) = self.unplaced.pop_front() else { return };
        part.candidates.retain(|_| blocked);
        self.placed.push(part);
    }

    /// How many parts were placed.
    pub fn placed(&self) -> usize {
        self.placed.len()
    }

    /// Takes back all parts behind the first so many that were placed.
    pub fn take_back(&mut self, certain: usize) {
        self.placed.truncate(certain);
    }

    /// The rules, with the parts that stand for them; the same words are one rule, whichever candidates hold them.
    pub fn applied(&self, rules: &[Rule]) -> Vec<Rule> {
        let whole = rules.iter().filter_map(|rule| self.stands_for(rule));
        let mut applied: Vec<Rule> = Vec::new();
        for rule in whole.chain(&self.placed) {
            match applied.iter_mut().find(|known| known.all == rule.all) {
                Some(known) => merge(known, rule),
                None => applied.push(rule.clone()),
            }
        }
        applied
    }

    /// Nothing, where a part does or the candidate arrives after all.
    fn stands_for<'a>(&'a self, rule: &'a Rule) -> Option<&'a Rule> {
        let does_it = |part: &Rule| part.candidates == rule.candidates;
        match self.searched.get(&rule.all[0]).filter(|_| !rule.exact) {
            Some(Searched::Whole(exact)) => Some(exact),
            Some(Searched::Arrives) => None,
            Some(Searched::Open) if self.placed.iter().any(does_it) => None,
            Some(Searched::Open) | None => Some(rule),
        }
    }
}

/// Letters that hide others: such as every filter takes for letters, in hardly any word.
const MASKS: [char; 5] = ['q', 'j', 'z', 'x', 'ƣ'];

/// The candidate with all made another letter that is neither blank nor of these words.
fn in_place(words: &[String], candidate: &str) -> String {
    let text = Text::new(candidate);
    let kept: Vec<_> = words.iter().filter_map(|word| text.places_of(word).into_iter().next()).collect();
    let lower = candidate.to_lowercase();
    let mask = MASKS.into_iter().find(|mask| !lower.contains(*mask)).unwrap_or(MASKS[0]).to_string();
    let pieces = (0..text.len()).map(|piece| (piece, text.slice(piece..piece + 1)));
    let shown = pieces.map(|(piece, own)| {
        let stays = own.trim().is_empty() || kept.iter().any(|word| word.contains(&piece));
        if stays { own } else { &mask }
    });
    shown.collect()
}

/// The better proof of the two stands.
fn merge(known: &mut Rule, other: &Rule) {
    let more = other.candidates.iter().filter(|candidate| !known.candidates.contains(candidate));
    let candidates = known.candidates.iter().chain(more).cloned().collect();
    let messages = known.messages + other.messages;
    let is_better = (other.exact, -other.error_bound) > (known.exact, -known.error_bound);
    let better = if is_better { other.clone() } else { known.clone() };
    *known = Rule { candidates, messages, ..better };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(words: &[&str], candidate: &str, exact: bool) -> Rule {
        Rule {
            all: words.iter().map(|word| (*word).to_owned()).collect(),
            ordered: None,
            candidates: vec![candidate.into()],
            exact,
            error_bound: 0.004,
            messages: 3,
        }
    }

    fn found(rules: Vec<Rule>, warnings: &[SearchWarning]) -> Found {
        Found { rules, warnings: warnings.to_vec(), ..Found::default() }
    }

    #[test]
    fn a_part_stands_for_all_candidates_that_hold_it() {
        let listed = ["blackbird", "bird", "birdcage"].map(|word| rule(&[word], word, false));
        let mut parts = Parts::default();
        for (at, all) in [&["bird"][..], &["bird"], &["bird", "age"]].into_iter().enumerate() {
            assert_eq!(parts.next(&listed), Some(&listed[at]));
            parts.take(&listed[at], &found(vec![rule(all, "", true)], &[]));
        }
        assert_eq!(parts.next(&listed), None);
        assert!(parts.applied(&listed).iter().all(|rule| rule.exact == (rule.all == ["bird"])));
        assert_eq!(parts.unplaced().as_deref(), Some("qqqqqbird"));
        parts.place(true);
        parts.place(true);
        let applied = parts.applied(&listed);
        let shown: Vec<(usize, usize)> =
            applied.iter().map(|rule| (rule.all.len(), rule.candidates.len())).collect();
        assert_eq!((shown, applied[0].messages), (vec![(1, 2), (2, 1)], 6));
        parts.take_back(0);
        assert_eq!(parts.applied(&listed).len(), 3);
    }

    #[test]
    fn all_of_a_candidate_need_not_be_sent_in_its_place() {
        let listed = [rule(&["black bird"], "black bird", false)];
        let mut parts = Parts::default();
        parts.take(&listed[0], &found(vec![rule(&["black", "bird"], "", true)], &[]));
        assert_eq!((parts.unplaced(), parts.applied(&listed)[0].all.len()), (None, 2));
    }

    #[test]
    fn what_is_not_blocked_in_its_place_stands_for_itself() {
        let listed = [rule(&["blackbird"], "blackbird", false)];
        let mut parts = Parts::default();
        parts.take(&listed[0], &found(vec![rule(&["bird"], "", true)], &[]));
        parts.place(false);
        let applied = parts.applied(&listed);
        assert_eq!(applied[0], listed[0]);
        assert_eq!((&applied[1].all[..], applied[1].candidates.len()), (&["bird".to_owned()][..], 0));
    }

    #[test]
    fn what_came_to_no_end_is_not_exact_and_what_arrives_is_no_rule() {
        let listed = [rule(&["lamp"], "lamp", false), rule(&["moss"], "moss", false)];
        let mut parts = Parts::default();
        parts.take(&listed[0], &found(Vec::new(), &[SearchWarning::Unsettled]));
        parts.take(&listed[1], &found(Vec::new(), &[SearchWarning::NotBlocked]));
        assert_eq!(parts.applied(&listed), [listed[0].clone()]);
    }

    #[test]
    fn what_is_blank_stays_and_marks_are_no_letters_of_their_own() {
        let words = ["é".to_owned(), "quay".into()];
        assert_eq!(in_place(&words, "né the quay e\u{301}"), "jé jjj quay j");
    }
}
