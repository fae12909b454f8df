//! Whether a filter lets more through, or more is lost anyway, than its search took into account.
//!
//! Messages of a search that held all words of a rule that was found should have been filtered, and those that held no rule
//! should have arrived. How many of them did not is compared with the rates that the answer's bounds rest on, which were
//! measured before the search, or given. A rule that lacks a word, or has one too many, shows in the same way. Messages that
//! held a word as a part of another, and all passed, are no leaks: the filter wants words of their own.
//! Promises: without such messages nothing is concluded; said wrongly at most once in a hundred searches and rules.

use super::calibration::Sense;
use super::copies::Texts;
use crate::pipeline::at_least;
use overheard_model::{Found, Rule, SearchWarning};
use overheard_probe::trial::Book;
use std::collections::BTreeSet;

/// Chance at most that so many went astray, if the rate was taken right.
const SURPRISE: f64 = 0.01;
/// Of a search that ended like this other rules may have stopped what held none that is known.
const INCOMPLETE: [SearchWarning; 3] =
    [SearchWarning::Unsettled, SearchWarning::Silent, SearchWarning::NotMonotone];

/// The messages of a search, and which of them were filtered.
pub struct Answers<'a>(Vec<(&'a str, bool)>);

impl<'a> Answers<'a> {
    /// Without those of some acts.
    pub fn of(book: &Book, sense: &Sense, texts: &'a Texts, unheard: &BTreeSet<u64>) -> Self {
        let acts = book.acts().iter().filter(|act| act.arm.is_none() && !unheard.contains(&act.number));
        let answers = acts.filter_map(|act| {
            let text = texts.get(&book.delivery(act)?.text_sha256)?;
            Some((text.as_str(), sense.is_filtered(book, act)?))
        });
        Self(answers.collect())
    }

    /// Whether more arrived of what held a rule than the leak explains.
    pub fn are_leaky(&self, found: &Found, leak: f64) -> bool {
        found.rules.iter().any(|rule| is_leaky(rule, &self.0, leak))
    }

    /// Whether more was lost of what held no rule than the loss explains; nothing is known of that where there may be others.
    pub fn are_lossy(&self, found: &Found, loss: f64) -> bool {
        let incomplete = found.warnings.iter().any(|warning| INCOMPLETE.contains(warning));
        let pairs_open = found.candidates.as_ref().is_some_and(|others| others.pairs_open);
        if incomplete || pairs_open {
            return false;
        }
        let may_hold = |text: &str| found.rules.iter().any(|rule| has_words(rule, text));
        let (lost, all) = self
            .0
            .iter()
            .filter(|(text, _)| !may_hold(text))
            .fold((0, 0), |(lost, all), (_, filtered)| (lost + u64::from(*filtered), all + 1));
        lost > 0 && at_least(lost, all, loss) < SURPRISE
    }
}

fn is_leaky(rule: &Rule, answers: &[(&str, bool)], leak: f64) -> bool {
    let held = answers.iter().filter(|(text, _)| holds(rule, text, contains));
    let (free, embedded): (Vec<_>, Vec<_>) = held.partition(|(text, _)| holds(rule, text, stands_free));
    let (mut passed, mut all) = passed(&free);
    let within = self::passed(&embedded);
    if within.0 < within.1 {
        (passed, all) = (passed + within.0, all + within.1);
    }
    passed > 0 && at_least(passed, all, leak) < SURPRISE
}

/// How many of the messages passed, of all.
fn passed(answers: &[&(&str, bool)]) -> (u64, u64) {
    let passed = answers.iter().filter(|(_, filtered)| !filtered).count();
    (passed as u64, answers.len() as u64)
}

/// Whether the rule acts on a text, if it acts on a word that is `found`; in one order, unless any is known to do.
fn holds(rule: &Rule, text: &str, found: fn(&str, &str, usize) -> Option<usize>) -> bool {
    match rule.ordered {
        Some(false) => rule.all.iter().all(|word| found(text, word, 0).is_some()),
        _ => rule.all.iter().try_fold(0, |from, word| found(text, word, from)).is_some(),
    }
}

/// Whether all its words stand in a text, in whichever order.
fn has_words(rule: &Rule, text: &str) -> bool {
    rule.all.iter().all(|word| text.contains(word.as_str()))
}

/// Where a word ends that stands behind this place.
fn contains(text: &str, word: &str, from: usize) -> Option<usize> {
    text[from..].find(word).map(|at| from + at + word.len())
}

/// The same of one that is no part of another word.
fn stands_free(text: &str, word: &str, from: usize) -> Option<usize> {
    let mut ends = text[from..].match_indices(word).map(|(at, _)| (from + at, from + at + word.len()));
    let joined = |before: Option<char>, behind: Option<char>| {
        before.is_some_and(is_spaced) && behind.is_some_and(is_spaced)
    };
    let is_free = |(start, end): &(usize, usize)| {
        let ahead = joined(text[..*start].chars().next_back(), word.chars().next());
        !ahead && !joined(word.chars().next_back(), text[*end..].chars().next())
    };
    ends.find(is_free).map(|(_, end)| end)
}

/// Letters of scripts that part words by spaces: not those of Southeast and East Asia, Korean aside.
fn is_spaced(character: char) -> bool {
    let unspaced = matches!(character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
    character.is_alphanumeric() && !unspaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_that_pass_than_expected_are_a_surprise() {
        assert!((at_least(1, 2, 0.5) - 0.75).abs() < 1e-12 && (at_least(2, 2, 0.5) - 0.25).abs() < 1e-12);
        let rule = |ordered| Rule {
            all: vec!["tea".into(), "river".into()],
            ordered,
            candidates: Vec::new(),
            exact: true,
            error_bound: 0.0,
            messages: 1,
        };
        let held = ("tea by the river", false);
        let mut answers = vec![("tea and the river", true); 20];
        answers.extend([held, held]);
        assert!(!is_leaky(&rule(Some(false)), &answers, 0.05));
        assert!(is_leaky(&rule(Some(false)), &answers, 0.001));
        let reversed = [("river of tea", false); 9];
        assert!(
            is_leaky(&rule(Some(false)), &reversed, 0.02) && !is_leaky(&rule(Some(true)), &reversed, 0.02)
        );
    }

    #[test]
    fn losses_that_no_rule_explains_are_held_against_those_before_the_search() {
        let rule = single("tea");
        let found = Found { rules: vec![rule], ..Found::default() };
        let of = |lost: usize| {
            let answers = (0..30).map(|at| ("by the river", at < lost)).chain([("tea", true); 20]);
            Answers(answers.collect())
        };
        assert!(!of(0).are_lossy(&found, 0.0) && !of(3).are_lossy(&found, 0.04));
        assert!(of(6).are_lossy(&found, 0.04) && of(1).are_lossy(&found, 0.0));
        let broken_off = Found { warnings: vec![SearchWarning::Unsettled], ..found };
        assert!(!of(6).are_lossy(&broken_off, 0.04), "another rule may be behind them");
    }

    #[test]
    fn a_filter_of_whole_words_leaks_nothing() {
        let mut answers = vec![("a bird", true), ("birdcage", false), ("bluebirds", false)];
        assert!(!is_leaky(&single("bird"), &answers, 0.01));
        answers.push(("the birdhouse", true));
        assert!(is_leaky(&single("bird"), &answers, 0.01), "words of their own are not what it wants");
        assert!(is_leaky(&single("鸟"), &[("小鸟飞", false), ("鸟窝", false)], 0.01));
    }

    fn single(word: &str) -> Rule {
        Rule {
            all: vec![word.into()],
            ordered: None,
            candidates: Vec::new(),
            exact: true,
            error_bound: 0.0,
            messages: 1,
        }
    }
}
