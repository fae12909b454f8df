//! Rules of a filter as reports state them: the words, where they were found, and the bound on the chance of error.
//!
//! Promises: no bound is claimed where what it rests on is broken, and the reason stands in its place; a candidate of which
//! no part was tried is not called the rule; what was not asked about is said. Words are quoted: no two look alike.

use super::answer::come_otherwise;
use super::endpoints::shown;
use crate::figures::{count, counted, listed, percent};
use crate::foreign::quoted;
use overheard_model::{Candidates, Found, Inquiry, Others, Rule, SearchWarning, Signal};
use std::collections::BTreeSet;

/// Rules and words named in a sentence; all are in the tables.
const NAMED: usize = 3;

/// Rounded up: a bound stays one.
pub(super) fn at_most(chance: f64) -> String {
    percent((chance * 1e3).ceil().max(1.0) / 1e3)
}

/// What was found, what it does not rest on, what was not asked, and what became of the other candidates.
pub(super) fn sentences(inquiry: &Inquiry, found: &Found) -> Vec<String> {
    let mut sentences = vec![named(inquiry, found)];
    if inquiry.strays.late > 0 && !found.rules.is_empty() {
        sentences.push("Begin anew in another --trials-folder with a longer --window.".into());
    }
    sentences.extend(not_asked(found).map(str::to_owned));
    if let Some(others) = &found.candidates {
        sentences.push(candidates(found, others));
        sentences.extend(in_company(found, others));
        sentences.extend(cleared_wrongly(inquiry, others));
    }
    sentences
}

fn named(inquiry: &Inquiry, found: &Found) -> String {
    let what = match &inquiry.signal {
        Signal::Delivery if come_otherwise(inquiry) => {
            "keeps a message from arriving in time, and as it was sent".to_owned()
        }
        Signal::Delivery => "keeps a message from arriving".to_owned(),
        Signal::Upload { endpoint } => format!("makes the client send something to {}", shown(endpoint)),
    };
    let why_none = no_bound(inquiry);
    let bounded = |rule: &Rule| match (&why_none, rule.exact) {
        (Some(why), _) => format!("{} (no bound: {why})", words(rule)),
        (None, true) => {
            format!("{} (inexact with a chance of at most {})", words(rule), at_most(rule.error_bound))
        }
        (None, false) => {
            format!("{} (wrong with a chance of at most {})", words(rule), at_most(rule.error_bound))
        }
    };
    let rules = first(found.rules.iter().map(bounded));
    match found.rules.len() {
        0 => format!("No rule was found that {what}."),
        1 => format!("One rule was found that {what}: {}.", rules.concat()),
        many => format!("{many} rules were found, each of which {what}: {}.", rules.join("; ")),
    }
}

/// The first few, and how many more there are.
fn first(all: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = all.len().saturating_sub(NAMED);
    all.take(NAMED).chain((more > 0).then(|| format!("{more} more"))).collect()
}

/// Why no bound holds, if none does.
pub(super) fn no_bound(inquiry: &Inquiry) -> Option<String> {
    let found = inquiry.found.as_ref()?;
    let warned = |warning| found.warnings.contains(&warning);
    match inquiry.strays.late {
        0 => {}
        late => return Some(format!("{} arrived after the window", counted(late, "message"))),
    }
    if come_otherwise(inquiry) {
        let altered = counted(inquiry.strays.unknown, "message");
        return Some(format!("{altered} arrived that nobody sent here, perhaps altered"));
    }
    if warned(SearchWarning::Leaky) {
        return Some("more passed that should have been filtered than was taken into account".into());
    }
    // Of a list a word is convicted by messages that hold nothing else.
    let mixed = found.candidates.is_none() && warned(SearchWarning::NotMonotone);
    mixed.then(|| "some words switch the filter off".into())
}

/// `“茶” + “书”, in any order`, `“bird”, which “blackbird” holds`, or `“blackbird” or a part of it`.
pub(super) fn words(rule: &Rule) -> String {
    let words: Vec<String> = rule.all.iter().map(|word| said(word)).collect();
    let order = match rule.ordered {
        Some(true) if rule.all.len() > 1 => ", in this order",
        Some(false) if rule.all.len() > 1 => ", in any order",
        _ => "",
    };
    let holders: Vec<&String> =
        rule.candidates.iter().filter(|candidate| !rule.all.contains(candidate)).collect();
    let held = match holders.len() {
        0 => String::new(),
        number => {
            let verb = if number == 1 { "holds" } else { "hold" };
            format!(", which {} {verb}", listed(&first(holders.into_iter().map(|holder| said(holder)))))
        }
    };
    let part = if rule.exact { "" } else { " or a part of it" };
    words.join(" + ") + order + &held + part
}

fn said(word: &str) -> String {
    format!("“{}”", quoted(word))
}

/// What other rules there may be that nobody looked for.
fn not_asked(found: &Found) -> Option<&'static str> {
    match (found.others, &found.candidates) {
        (Others::All, _) => None,
        (_, Some(_)) => Some("Words that another one hides were not looked for (--others all does)."),
        (_, None) if found.rules.is_empty() => None,
        (Others::Ignored, None) => {
            Some("Whether the text holds other rules was not asked (--others all does).")
        }
        (Others::Apart, None) => {
            Some("Other rules that share a word with what was found were not looked for (--others all does).")
        }
    }
}

/// What became of the candidates that are in no rule.
fn candidates(found: &Found, others: &Candidates) -> String {
    let ruled: BTreeSet<&String> = found.rules.iter().flat_map(|rule| &rule.candidates).collect();
    let (cleared, open) = (others.cleared.len(), others.open.len());
    let pairs = match (others.pairs_open, cleared) {
        (true, 2..) => " Cleared is each by itself: not all pairs of them were sent together.",
        _ => "",
    };
    format!(
        "Of {} {} in a rule, {} cleared, and {} open.{pairs}",
        counted((ruled.len() + cleared + open) as u64, "candidate"),
        are(ruled.len()),
        are(cleared),
        are(open),
    )
}

/// What cannot be seen of words that were sent beside others.
fn in_company(found: &Found, others: &Candidates) -> Option<String> {
    let cleared = others.cleared.len() as u64;
    let alone = match others.cleared_alone {
        alone if alone >= cleared => return None,
        0 => "none".to_owned(),
        alone => count(alone),
    };
    // Each was sent without each other one then.
    let separated = found.others == Others::All && !others.pairs_open;
    let hiding = if separated { "several others together switch off" } else { "others switch off" };
    Some(format!(
        "Of the cleared {alone} {} sent in a message of its own, the rest beside others only: a word that {hiding}, or that \
         is filtered only where it stands alone, is not seen so.",
        if others.cleared_alone > 1 { "were" } else { "was" }
    ))
}

/// What clearing rests on: each test of words ends once it is this unlikely that one of them triggers.
fn cleared_wrongly(inquiry: &Inquiry, others: &Candidates) -> Option<String> {
    if others.cleared.is_empty() {
        return None;
    }
    if let Some(why) = no_bound(inquiry) {
        return Some(format!(
            "No bound holds on the chance that one of the cleared triggers all the same: {why}."
        ));
    }
    let leak = at_most(inquiry.leak);
    let assumed = match inquiry.signal {
        Signal::Delivery => format!("the filter lets at most {leak} of what it should stop pass"),
        Signal::Upload { .. } => format!("at most {leak} of the uploads are missed"),
    };
    // Wald 1945, Ann. Math. Stat. 16, 117: a test that ends at odds of (1 - target) to target.
    let wrong = at_most(inquiry.target / (1.0 - inquiry.target));
    Some(format!(
        "A test of words clears one that triggers with a chance of at most {wrong}, provided that {assumed}, as was assumed."
    ))
}

fn are(number: usize) -> String {
    format!("{} {}", count(number as u64), if number == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(all: &[&str], candidates: &[&str], exact: bool) -> Rule {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Rule {
            all: own(all),
            ordered: None,
            candidates: own(candidates),
            exact,
            error_bound: 0.004,
            messages: 9,
        }
    }

    #[test]
    fn a_candidate_is_told_from_the_part_that_does_it() {
        let bird = rule(&["bird"], &["blackbird", "bird", "birdcage"], true);
        assert_eq!(words(&bird), "“bird”, which “blackbird” and “birdcage” hold");
        assert_eq!(words(&rule(&["bird"], &["bird"], true)), "“bird”");
        assert_eq!(words(&rule(&["blackbird"], &["blackbird"], false)), "“blackbird” or a part of it");
        let many = rule(&["a"], &["ab", "ac", "ad", "ae", "af"], true);
        assert_eq!(words(&many), "“a”, which “ab”, “ac”, “ad” and 2 more hold");
    }

    #[test]
    fn a_joiner_is_shown() {
        let joined = "\u{645}\u{6cc}\u{200c}\u{62e}";
        assert_eq!(words(&rule(&[joined], &[], true)), "“\u{645}\u{6cc}\\u{200c}\u{62e}”");
    }

    #[test]
    fn what_clearing_rests_on_is_said() {
        let of = |cleared_alone, warnings: &[SearchWarning]| {
            let cleared = vec!["tea".into(), "ice".into(), "oak".into()];
            let candidates = Candidates { cleared, cleared_alone, ..Candidates::default() };
            let found = Found {
                candidates: Some(candidates),
                others: Others::All,
                warnings: warnings.to_vec(),
                ..Found::default()
            };
            let inquiry =
                Inquiry { found: Some(found.clone()), leak: 0.05, target: 0.005, ..Inquiry::default() };
            sentences(&inquiry, &found).join(" ")
        };
        let in_company = of(0, &[]);
        assert!(in_company.contains("Of the cleared none was sent in a message of its own"), "{in_company}");
        assert!(in_company.contains("at most 0.6\u{a0}%, provided that the filter lets at most 5\u{a0}%"));
        assert!(of(2, &[]).contains("Of the cleared 2 were sent") && !of(3, &[]).contains("of its own"));
        let leaky = of(3, &[SearchWarning::Leaky]);
        assert!(leaky.contains("No bound holds") && !leaky.contains("provided that"), "{leaky}");
    }

    #[test]
    fn what_was_not_asked_is_said() {
        let of = |others, candidates: Option<Candidates>| {
            not_asked(&Found { rules: vec![rule(&["a"], &[], true)], others, candidates, ..Found::default() })
        };
        assert!(of(Others::Ignored, None).is_some_and(|said| said.contains("was not asked")));
        assert!(of(Others::Apart, None).is_some_and(|said| said.contains("share a word")));
        assert!(of(Others::Apart, Some(Candidates::default())).is_some_and(|said| said.contains("hides")));
        assert_eq!(of(Others::All, None), None);
    }
}
