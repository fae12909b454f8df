//! Whether a filter lets more through than its search took into account.
//!
//! Messages of a search that held all words of a rule that was found should have been filtered. How many of them passed is
//! compared with the leak that the answer's bounds rest on. A rule that lacks a word shows in the same way.
//! Promises: without such messages nothing is concluded; said wrongly at most once in a hundred searches and rules.

use super::calibration::Sense;
use super::copies::Texts;
use crate::pipeline::at_least;
use overheard_model::{Found, Rule, SearchWarning};
use overheard_probe::trial::Book;

/// Chance at most that so many passed, if the leak was taken right.
const SURPRISE: f64 = 0.01;

/// Adds the warning where it belongs.
pub fn note(found: &mut Found, book: &Book, sense: &Sense, texts: &Texts, leak: f64) {
    let answers: Vec<(&str, bool)> = book
        .acts()
        .iter()
        .filter(|act| act.arm.is_none())
        .filter_map(|act| {
            let text = texts.get(&book.delivery(act)?.text_sha256)?;
            Some((text.as_str(), sense.is_filtered(book, act)?))
        })
        .collect();
    if found.rules.iter().any(|rule| is_leaky(rule, &answers, leak)) {
        found.warnings.push(SearchWarning::Leaky);
    }
}

fn is_leaky(rule: &Rule, answers: &[(&str, bool)], leak: f64) -> bool {
    let held = answers.iter().filter(|(text, _)| holds(rule, text));
    let (passed, all) =
        held.fold((0, 0), |(passed, all), (_, filtered)| (passed + u64::from(!filtered), all + 1));
    passed > 0 && at_least(passed, all, leak) < SURPRISE
}

/// Whether the rule acts on a text; in one order, unless any is known to do.
fn holds(rule: &Rule, text: &str) -> bool {
    match rule.ordered {
        Some(false) => rule.all.iter().all(|word| text.contains(word.as_str())),
        _ => rule.all.iter().try_fold(text, |rest, word| Some(rest.split_once(word.as_str())?.1)).is_some(),
    }
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
}
