//! What a search for a filter's words found, as text and as JSON: the answer first, then what it rests on.
//!
//! Promises: as all of this crate; the JSON document is `overheard-keywords/1`, described by its schema in `docs/schema`.
//! To extend: a warning is a line in [`warnings`].

use crate::json::document;
use crate::safe;
use overheard_model::{Delivery, Fate, Inquiry, Outcome, Rule, SearchWarning, Strays, Warning};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// `overheard-keywords/1`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    /// Absent where it could not be said.
    outcome: Option<Outcome>,
    rules: &'a [Rule],
    messages: u64,
    ledger: Spent<'a>,
    /// Absent: the traffic was not looked at.
    uploads: Option<()>,
    trials: &'a [Delivery],
    strays: Strays,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct Spent<'a> {
    budget: u64,
    accounts: BTreeMap<&'a str, u64>,
}

/// What delivery alone says; nothing where the search came to no end.
pub fn outcome(inquiry: &Inquiry) -> Option<Outcome> {
    let found = inquiry.found.as_ref()?;
    let not_blocked = found.warnings.contains(&SearchWarning::NotBlocked);
    let unsure = [SearchWarning::Unsettled, SearchWarning::Silent, SearchWarning::NotMonotone];
    let whole = !found.warnings.iter().any(|warning| unsure.contains(warning));
    match (found.rules.is_empty(), not_blocked || whole) {
        (false, _) => Some(Outcome::Dropped),
        (true, true) => Some(Outcome::Neither),
        (true, false) => None,
    }
}

/// As `--format json` writes it.
pub fn json(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    let ledger = Spent { budget: inquiry.budget, accounts: accounts(inquiry) };
    let found = Document {
        schema: "overheard-keywords/1",
        outcome: outcome(inquiry),
        rules: rules(inquiry),
        messages: inquiry.deliveries.len() as u64,
        ledger,
        uploads: None,
        trials: &inquiry.deliveries,
        strays: inquiry.strays,
        warnings: warnings(inquiry),
    };
    document(&found, out)
}

/// As `--format text` writes it.
pub fn text(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    let rules = rules(inquiry);
    match (outcome(inquiry), rules.len()) {
        (Some(Outcome::Neither), _) => {
            writeln!(out, "Nothing was dropped: no word was found that keeps a message from arriving.")?
        }
        (Some(_), 1) => writeln!(out, "Dropped: one rule keeps messages from arriving.")?,
        (Some(_), count) => writeln!(out, "Dropped: {count} rules keep messages from arriving.")?,
        (None, _) => writeln!(out, "No answer: the search came to no end.")?,
    }
    writeln!(out)?;
    for rule in rules {
        let words: Vec<String> = rule.all.iter().map(|word| format!("“{}”", safe(word))).collect();
        let order = match rule.ordered {
            Some(true) => ", in this order",
            Some(false) => ", in any order",
            None => "",
        };
        writeln!(
            out,
            "  {}{}\n    inexact with a chance of at most {}; {} messages",
            words.join(" + "),
            if rule.all.len() > 1 { order } else { "" },
            bound(rule.error_bound),
            rule.messages
        )?;
    }
    if !rules.is_empty() {
        writeln!(out)?;
    }
    let spent = inquiry.deliveries.len();
    writeln!(out, "Spent: {spent} of {} messages.", inquiry.budget)?;
    for (account, messages) in accounts(inquiry) {
        writeln!(out, "  {}: {messages}", safe(account))?;
    }
    let of = |fate| inquiry.deliveries.iter().filter(|delivery| delivery.fate == fate).count();
    writeln!(
        out,
        "  {} delivered, {} lost, {} refused, {} without an answer",
        of(Some(Fate::Delivered)),
        of(Some(Fate::Lost)),
        of(Some(Fate::Refused)),
        of(None)
    )?;
    writeln!(
        out,
        "Assumed: {} of messages are lost that the filter lets pass, {} arrive that it should stop; lost is what did not arrive within {} s.\n",
        share(inquiry.loss),
        share(inquiry.leak),
        inquiry.window_s
    )?;
    for warning in warnings(inquiry) {
        writeln!(out, "Warning ({}): {}", warning.kind, safe(&warning.text))?;
    }
    Ok(())
}

fn rules(inquiry: &Inquiry) -> &[Rule] {
    inquiry.found.as_ref().map_or(&[], |found| &found.rules)
}

fn accounts(inquiry: &Inquiry) -> BTreeMap<&str, u64> {
    let mut accounts = BTreeMap::new();
    for delivery in &inquiry.deliveries {
        *accounts.entry(delivery.account.as_str()).or_default() += 1;
    }
    accounts
}

fn share(rate: f64) -> String {
    format!("{} %", (rate * 1e4).round() / 100.0)
}

fn bound(chance: f64) -> String {
    if chance < 1e-4 { "0.01 %".into() } else { format!("{} %", (chance * 1e4).ceil() / 100.0) }
}

/// What makes the answer less than complete.
fn warnings(inquiry: &Inquiry) -> Vec<Warning> {
    let mut all: Vec<Warning> = Vec::new();
    let mut warn = |kind: &str, text: String| all.push(Warning { kind: kind.into(), text });
    if let Some(why) = &inquiry.broken_off {
        warn(
            "broken-off",
            format!("{why}; what was measured is kept, and the same command goes on from here"),
        );
    }
    for warning in inquiry.found.iter().flat_map(|found| &found.warnings) {
        let (kind, text) = search_warning(*warning);
        warn(kind, text.into());
    }
    warn(
        "delivery-alone",
        "only deliveries were judged: a message that arrived may have been copied away all the same".into(),
    );
    let Strays { late, repeated, unknown, misplaced } = inquiry.strays;
    if late > 0 {
        warn(
            "late",
            format!(
                "{late} messages arrived after their window and count as lost: ask again with a longer --window"
            ),
        );
    }
    if repeated > 0 {
        warn("repeated", format!("{repeated} messages arrived more than once"));
    }
    if unknown > 0 {
        warn(
            "unknown",
            format!(
                "{unknown} messages arrived that nobody sent here: altered on the way, or somebody else's"
            ),
        );
    }
    if misplaced > 0 {
        warn(
            "misplaced",
            format!("the sender's client spoke {misplaced} times of messages that it was not asked for"),
        );
    }
    let refused = inquiry.deliveries.iter().filter(|delivery| delivery.fate == Some(Fate::Refused)).count();
    if refused > 0 {
        warn("refused", format!("{refused} messages were refused with an error and count as lost"));
    }
    let open = inquiry.deliveries.iter().filter(|delivery| delivery.fate.is_none()).count();
    if open > 0 {
        warn(
            "unanswered",
            format!(
                "of {open} messages it is not known whether they arrived: they are spent, and were asked again"
            ),
        );
    }
    all
}

fn search_warning(warning: SearchWarning) -> (&'static str, &'static str) {
    match warning {
        SearchWarning::NotBlocked => ("not-blocked", "the text as a whole arrives: there is nothing to find"),
        SearchWarning::NotMonotone => (
            "not-monotone",
            "a message with more of the text arrived where one with less did not: some words switch the filter off, or it acts on more than the text",
        ),
        SearchWarning::Unsettled => ("unsettled", "the search ended before the answer was certain enough"),
        SearchWarning::Silent => (
            "silent",
            "from some message on nothing arrived, not even a neutral one: an account may be banned. What was concluded since then was taken back",
        ),
        SearchWarning::TooLong => {
            ("too-long", "candidates were left out that are longer than a message may be")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::{Found, Signal, Timestamp};

    fn inquiry(rules: Vec<Rule>, warnings: Vec<SearchWarning>) -> Inquiry {
        let delivery = Delivery {
            number: 1,
            account: "alice\u{1b}".into(),
            text_sha256: "00".into(),
            sent: Timestamp::from_parts(0, 0),
            fate: Some(Fate::Lost),
            after_ms: None,
        };
        Inquiry {
            found: Some(Found { rules, messages: 1, warnings }),
            judged: None,
            signal: Signal::Delivery,
            watched: false,
            measured: false,
            lag_s: 0.0,
            acts: Vec::new(),
            copies: Vec::new(),
            broken_off: None,
            budget: 5,
            target: 0.005,
            loss: 0.02,
            leak: 0.0,
            window_s: 20.0,
            deliveries: vec![delivery],
            strays: Strays::default(),
        }
    }

    fn rule() -> Rule {
        Rule { all: vec!["茶".into(), "书".into()], ordered: Some(false), error_bound: 0.003, messages: 31 }
    }

    #[test]
    fn the_answer_says_no_more_than_is_known() {
        assert_eq!(outcome(&inquiry(vec![rule()], vec![SearchWarning::Unsettled])), Some(Outcome::Dropped));
        assert_eq!(outcome(&inquiry(vec![], vec![SearchWarning::NotBlocked])), Some(Outcome::Neither));
        assert_eq!(outcome(&inquiry(vec![], vec![])), Some(Outcome::Neither));
        assert_eq!(outcome(&inquiry(vec![], vec![SearchWarning::Silent])), None);
        assert_eq!(outcome(&inquiry(vec![], vec![SearchWarning::Unsettled])), None);
        assert_eq!(outcome(&inquiry(vec![], vec![SearchWarning::NotMonotone])), None);
    }

    #[test]
    fn the_text_names_the_words_their_bound_and_the_account() {
        let mut out = Vec::new();
        text(&inquiry(vec![rule()], vec![]), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for part in ["“茶” + “书”, in any order", "0.3 %", "Spent: 1 of 5", "alice", "delivery-alone"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
