//! What makes the answer less than complete.
//!
//! Promises: kinds are short and stable; nothing here is said where it does not hold.

use super::answer;
use super::endpoints::shown;
use super::trial::arrived;
use crate::figures::{counted, listed};
use overheard_model::{Arm, Fate, Inquiry, SearchWarning, Strays, Warning};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Reasons, and candidates, that are named.
const NAMED: usize = 3;
/// Characters of a candidate that is named because it is long.
const SHORT: usize = 24;

pub(super) fn all(inquiry: &Inquiry) -> Vec<Warning> {
    let searched = inquiry.found.iter().flat_map(|found| &found.warnings);
    let searched = searched.map(|warning| of_search(inquiry, *warning));
    let lines = broken_off(inquiry).into_iter().chain(searched);
    let lines = lines.chain(of_copies(inquiry)).chain(of_benign(inquiry)).chain(of_strays(inquiry.strays));
    lines.chain(of_fates(inquiry)).map(|(kind, text)| Warning { kind: kind.into(), text }).collect()
}

type Line = (&'static str, String);

fn broken_off(inquiry: &Inquiry) -> Option<Line> {
    let why = inquiry.broken_off.as_ref()?;
    Some(("broken-off", format!("{why}; what was measured is kept, and the same command goes on from here")))
}

fn of_search(inquiry: &Inquiry, warning: SearchWarning) -> Line {
    let (kind, text) = match warning {
        SearchWarning::NotBlocked => ("not-blocked", "the text as a whole passes: there is nothing to find"),
        SearchWarning::NotMonotone => (
            "not-monotone",
            "a message with more of the text passed where one with less did not: some words switch the filter off, or it acts on more than the text",
        ),
        SearchWarning::Unsettled => ("unsettled", "the search ended before the answer was certain enough"),
        SearchWarning::Silent => (
            "silent",
            "from some message on nothing arrived, not even a neutral one: an account may be banned, the platform may take no messages so long (--longest), or the harmless text may be filtered too (--benign gives another). What was concluded since then was taken back",
        ),
        SearchWarning::Leaky => (
            "leaky",
            "more messages that should have been filtered arrived than the search took into account: words may be missing or wrong. Begin anew in another --trials-folder with a larger --leak, such as 0.1",
        ),
        SearchWarning::Lossy => (
            "lossy",
            "more messages were lost that hold no rule than the search took into account: the loss has grown since it was measured, and rules may be wrong. Begin anew in another --trials-folder with a larger --loss, such as 0.2",
        ),
        SearchWarning::TooLong => {
            ("too-long", "candidates were left out that are longer than a message may be (--longest)")
        }
        SearchWarning::SideBySide => (
            "side-by-side",
            "words of a rule stand side by side in the text, and in no other order does it act: if the filter looks past what was put between them, they are one word, and the bound does not hold",
        ),
        SearchWarning::WholeCharacters => (
            "whole-characters",
            "a word of a rule holds characters of several code points (marks, skin tones, joined signs), which were not taken apart: the filter may act on a part of such a one",
        ),
    };
    let named = if warning == SearchWarning::TooLong { left_out(inquiry) } else { String::new() };
    (kind, text.to_owned() + &named)
}

/// `: “cocoa…”, “…” and 3 more`.
fn left_out(inquiry: &Inquiry) -> String {
    let others = inquiry.found.as_ref().and_then(|found| found.candidates.as_ref());
    let words = others.map_or(&[][..], |others| &others.left_out);
    let short = |word: &String| match word.char_indices().nth(SHORT) {
        Some((end, _)) => format!("“{}…”", &word[..end]),
        None => format!("“{word}”"),
    };
    let mut named: Vec<String> = words.iter().take(NAMED).map(short).collect();
    let more = words.len().saturating_sub(NAMED);
    named.extend((more > 0).then(|| format!("{more} more")));
    if named.is_empty() { String::new() } else { format!(": {}", listed(&named)) }
}

fn of_copies(inquiry: &Inquiry) -> Vec<Line> {
    let mut lines = Vec::new();
    if !inquiry.watched {
        let text = "deliveries alone were judged: whether messages are copied away is not known, also of those that arrived";
        lines.push(("delivery-alone", text.into()));
    }
    // What arrived has crossed; what a client drops by itself has not.
    let arrived = inquiry.deliveries.iter().filter(|it| it.fate == Some(Fate::Delivered));
    let arrived: BTreeSet<u64> = arrived.map(|delivery| delivery.number).collect();
    let unseen = inquiry.acts.iter().filter(|act| act.packets.is_none() && act.traffic.is_empty());
    let unseen = unseen.filter(|act| act.delivery.is_some_and(|it| arrived.contains(&it))).count() as u64;
    if inquiry.watched && unseen > 0 {
        lines.push((
            "nothing-recorded",
            format!(
                "of {} whose message arrived no packet was recorded: the recording may not have covered them",
                counted(unseen, "trial")
            ),
        ));
    }
    let followed = inquiry.judged.iter().filter(|_| inquiry.watched).flat_map(|it| &it.after_every_message);
    let followed: Vec<String> = followed.flatten().map(|it| shown(&it.endpoint).into_owned()).collect();
    if followed.len() > 1 {
        let other = if followed.len() == 2 { "the other may be a copy" } else { "the others may be copies" };
        lines.push((
            "after-every-message",
            format!(
                "after harmless messages too, and not where nothing was sent, the client sends more to {}: one of them is the \
                 way of the message itself; {other} of every message, which comparing triggers with harmless ones cannot show",
                listed(&followed)
            ),
        ));
    }
    let benign = |act: u64| inquiry.acts.iter().any(|it| it.number == act && it.arm == Some(Arm::Benign));
    if inquiry.copies.iter().any(|copy| benign(copy.act)) {
        let text = "benign messages can be read elsewhere too: what is copied may not depend on the words";
        lines.push(("every-message", text.into()));
    }
    lines
}

/// Losses that are no yardstick any more.
fn of_benign(inquiry: &Inquiry) -> Option<Line> {
    let (arrived, of) = arrived(inquiry, Arm::Benign);
    let lost = of - arrived;
    (lost * 4 > of).then(|| {
        (
            "benign-lost",
            format!("{lost} of {of} benign messages did not arrive: an account may be banned, or slow"),
        )
    })
}

fn of_strays(strays: Strays) -> impl Iterator<Item = Line> {
    let Strays { late, repeated, unknown, misplaced } = strays;
    let line = |number: u64, kind, noun: &str, text: &str| {
        (number > 0).then(|| (kind, format!("{} {text}", counted(number, noun))))
    };
    [
        line(
            late,
            "late",
            "message",
            "arrived after the window, which counts as lost: begin anew in another --trials-folder with a longer --window",
        ),
        line(repeated, "repeated", "message", "arrived more than once"),
        line(
            unknown,
            "unknown",
            "message",
            "arrived that nobody sent here: altered on the way, or somebody else's",
        ),
        line(
            misplaced,
            "misplaced",
            "event",
            "of the sender's client spoke of messages that it was not asked for",
        ),
    ]
    .into_iter()
    .flatten()
}

fn of_fates(inquiry: &Inquiry) -> impl Iterator<Item = Line> {
    let of = |fate| inquiry.deliveries.iter().filter(|delivery| delivery.fate == fate).count() as u64;
    let (refused, open) = (of(Some(Fate::Refused)), of(None));
    let searched = inquiry.found.is_some();
    let again = if searched { ", and are asked again by a search that goes on" } else { "" };
    [
        (refused > 0).then(|| {
            let text = format!("{} with an error, which counts as lost", was(refused, "refused"));
            ("refused", text + &reasons(inquiry))
        }),
        (open > 0).then(|| {
            let known = format!(
                "of {} it is not known whether they arrived: they are spent{again}",
                counted(open, "message")
            );
            ("unanswered", known)
        }),
        answer::is_too_few(inquiry).then(|| {
            (
                "too-few",
                "with so few trials no difference could have reached the error that is allowed".into(),
            )
        }),
    ]
    .into_iter()
    .flatten()
}

/// `: “401: No such nick” (3), …`, the most frequent first.
fn reasons(inquiry: &Inquiry) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let given = inquiry.deliveries.iter().filter_map(|delivery| delivery.reason.as_deref());
    given.filter(|reason| !reason.is_empty()).for_each(|reason| *counts.entry(reason).or_default() += 1);
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let named = counts.iter().take(NAMED).map(|(reason, count)| format!("“{reason}” ({count})"));
    let named: Vec<String> = named.collect();
    if named.is_empty() { String::new() } else { format!(": {}", listed(&named)) }
}

fn was(number: u64, what: &str) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb} {what}", counted(number, "message"))
}
