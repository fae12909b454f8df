//! The answer in plain sentences: the headline, then what it rests on.
//!
//! Promises: the headline says of both outcomes which is known; what it rests on follows with its numbers.

use super::answer::{
    Known, copied, dropped, is_hinted, is_hinted_copied, is_otherwise, is_too_few, outcome, searched,
};
use super::endpoints::{factors, shown};
use super::{grounds, rules};
use crate::figures::{counted, listed};
use overheard_model::{Inquiry, Outcome, Signal, Strays, Uploads};
use std::collections::{BTreeMap, BTreeSet};

/// The answer in plain sentences, the shortest first.
pub(super) fn of(inquiry: &Inquiry) -> Vec<String> {
    let mut sentences = vec![headline(inquiry)];
    if let Some(found) = &inquiry.found {
        sentences.extend(rules::sentences(inquiry, found));
    }
    if let Some(judged) = &inquiry.judged {
        sentences.extend(grounds::deliveries(inquiry, judged));
        if inquiry.watched {
            sentences.extend(grounds::traffic(inquiry, judged));
        }
        sentences.extend(grounds::looked_at(judged));
    }
    sentences.extend(grounds::readable(inquiry));
    sentences.extend(inquiry.searched.and_then(grounds::searchable));
    sentences
}

pub(super) fn headline(inquiry: &Inquiry) -> String {
    let copied = match copied(inquiry) {
        Known::No => "It was not seen to be copied.",
        _ if inquiry.watched => "Whether it is also copied these trials cannot tell.",
        _ => "Whether it is also copied is not known: what the client sends was not watched.",
    };
    match outcome(inquiry) {
        Some(Outcome::Both) => format!("Both: {}, and {}.", what_is_dropped(inquiry), elsewhere(inquiry)),
        Some(Outcome::Dropped) => format!("Dropped: {}. {copied}", what_is_dropped(inquiry)),
        Some(Outcome::Copied) if dropped(inquiry) == Known::No => {
            format!("Copied: it arrives as if nothing had happened, and {}.", elsewhere(inquiry))
        }
        Some(Outcome::Copied) => {
            format!("Copied: {}. Whether it is also dropped is not known.", elsewhere(inquiry))
        }
        Some(Outcome::Neither) if inquiry.watched => {
            let every = inquiry.judged.as_ref().and_then(|judged| judged.after_every_message.as_ref());
            match every.is_some_and(|followed| followed.len() > 1) {
                false => "Neither: it was not seen to be dropped, nor to be copied.".into(),
                true => "Neither for its words: it was not seen to be dropped, nor to be copied otherwise than a harmless \
                         message; but every message may be copied."
                    .into(),
            }
        }
        Some(Outcome::Neither) => {
            "It was not seen to be dropped. Whether it is copied is not known: what the client sends was not watched."
                .into()
        }
        None if is_otherwise(inquiry) => late_or_altered(inquiry.strays),
        None if inquiry.asks_more.is_some() && dropped(inquiry) == Known::No => {
            "No answer: it was not seen to be dropped, but after it the client asks for names more often, and why these trials \
             cannot tell."
                .into()
        }
        None if !hints(inquiry).is_empty() => format!(
            "No answer: {}, which may be chance and may be a filter: more trials tell.",
            listed(&hints(inquiry))
        ),
        None if is_too_few(inquiry) => "No answer: with so few trials nothing could have been seen.".into(),
        None => "No answer: it came to no end.".into(),
    }
}

/// `it does not arrive`, or whose messages do not, whatever they say.
fn what_is_dropped(inquiry: &Inquiry) -> String {
    let drops = inquiry.judged.iter().flat_map(|judged| &judged.drops).filter(|test| test.dropped);
    let (by_level, by_words): (Vec<_>, Vec<_>) = drops.partition(|test| !test.factors.is_empty());
    let is_searched = inquiry.signal == Signal::Delivery && searched(inquiry) == Known::Yes;
    if is_searched || !by_words.is_empty() || by_level.is_empty() {
        return "it does not arrive".into();
    }
    let named: Vec<String> = by_level.iter().map(|test| factors(&test.factors)).collect();
    format!("whatever is sent with {} does not arrive", listed(&named))
}

/// What is true of what did not arrive as it was sent.
fn late_or_altered(Strays { late, unknown, .. }: Strays) -> String {
    let late = (late > 0).then(|| format!("late: {} came after the window", counted(late, "message")));
    let altered = (unknown > 0).then(|| {
        format!(
            "altered: {} arrived that nobody sent here, or they are somebody else's",
            counted(unknown, "message")
        )
    });
    let how: Vec<String> = altered.into_iter().chain(late).collect();
    format!("No answer: it does not arrive as it was sent, but may arrive {}.", how.join("; or "))
}

/// What was neither proven nor is likely by chance.
fn hints(inquiry: &Inquiry) -> Vec<String> {
    let Some(judged) = &inquiry.judged else { return Vec::new() };
    let lost = (is_hinted(judged) && dropped(inquiry) == Known::Unknown).then(|| hinted(judged));
    let sent = (is_hinted_copied(judged) && copied(inquiry) == Known::Unknown && inquiry.watched)
        .then(|| hinted_copied(judged));
    lost.into_iter().chain(sent).collect()
}

/// Where more was sent than otherwise.
fn hinted_copied(judged: &Uploads) -> String {
    let Some(upload) = judged.hints.first() else {
        return "the client sent more after triggers than after harmless messages".into();
    };
    let place = shown(&upload.endpoint);
    match upload.factors.is_empty() {
        true => format!("the client sent more to {place} after triggers than after harmless messages"),
        false => {
            let cause = factors(&upload.factors);
            format!("the client sent more to {place} after messages with {cause} than without a message")
        }
    }
}

/// The likeliest of what was not proven.
fn hinted(judged: &Uploads) -> String {
    let least = judged.drops.iter().min_by(|one, other| one.p.total_cmp(&other.p));
    match least.filter(|test| !test.factors.is_empty()) {
        None => "fewer triggers arrived than harmless messages".into(),
        Some(test) => format!("fewer messages arrived with {} than with others", factors(&test.factors)),
    }
}

/// What the client does beside sending the message: `the client also sends something to log.example:443, with user=carol`.
fn elsewhere(inquiry: &Inquiry) -> String {
    let uploads = || inquiry.judged.iter().flat_map(|judged| &judged.uploads);
    let read: BTreeSet<&str> = inquiry.copies.iter().map(|copy| copy.endpoint.as_str()).collect();
    let mut places = read.clone();
    places.extend(uploads().map(|upload| upload.endpoint.as_str()));
    if let Signal::Upload { endpoint } = &inquiry.signal {
        places.insert(endpoint);
    }
    let what = if places == read { "its text also goes to" } else { "the client also sends something to" };
    let mut named: Vec<String> = places.iter().take(NAMED).map(|place| shown(place).into_owned()).collect();
    let more = places.len().saturating_sub(NAMED);
    named.extend((more > 0).then(|| format!("{more} more")));
    let causes: BTreeSet<&BTreeMap<String, String>> = uploads().map(|upload| &upload.factors).collect();
    let cause = match causes.first() {
        Some(cause) if causes.len() == 1 && !cause.is_empty() => format!(", with {}", factors(cause)),
        _ => String::new(),
    };
    format!("{what} {}{cause}", listed(&named))
}

/// Places named in the answer; all are below it.
const NAMED: usize = 3;
