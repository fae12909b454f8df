//! The answer: dropped, copied, both, neither, or none; and the sentences that say what it rests on.
//!
//! Promises: what was not looked at, or could not have been seen with so few trials, is said to be unknown. A search
//! and a comparison of arms may both be there: what either of them shows is shown.

use super::endpoints::shown;
use super::trial::arrived;
use crate::figures::{bytes, counted, listed, percent, probability_of};
use overheard_model::{Arm, Detectable, Found, Inquiry, Outcome, Rule, SearchWarning, Signal, Uploads};
use std::collections::{BTreeMap, BTreeSet};

/// What became known of one of the two outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Yes,
    No,
    /// Nobody looked, too little was done, or it came to no end.
    Unknown,
}

impl Known {
    /// What either of two sources shows.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, Self::Unknown) => Self::Unknown,
        }
    }
}

/// The answer; nothing where none can be given. Where traffic was not watched, it is the answer of deliveries alone.
pub fn outcome(inquiry: &Inquiry) -> Option<Outcome> {
    match (dropped(inquiry), copied(inquiry)) {
        (Known::Yes, Known::Yes) => Some(Outcome::Both),
        (Known::Yes, _) => Some(Outcome::Dropped),
        (_, Known::Yes) => Some(Outcome::Copied),
        (Known::No, Known::No) => Some(Outcome::Neither),
        (Known::No, Known::Unknown) if !inquiry.watched => Some(Outcome::Neither),
        _ => None,
    }
}

fn dropped(inquiry: &Inquiry) -> Known {
    let compared = inquiry.judged.as_ref().map_or(Known::Unknown, |judged| match judged.outcome {
        Outcome::Dropped | Outcome::Both => Known::Yes,
        // As many trials as any difference needs, whichever of the two it is.
        _ if arrived(inquiry, Arm::Trigger).1 > 0 && enough(judged) => Known::No,
        _ => Known::Unknown,
    });
    let searched = if inquiry.signal == Signal::Delivery { searched(inquiry) } else { Known::Unknown };
    compared.or(searched)
}

fn copied(inquiry: &Inquiry) -> Known {
    if !inquiry.watched {
        return Known::Unknown;
    }
    let compared = inquiry.judged.as_ref().map_or(Known::Unknown, |judged| match judged.outcome {
        Outcome::Copied | Outcome::Both => Known::Yes,
        _ if enough(judged) => Known::No,
        _ => Known::Unknown,
    });
    let read = if inquiry.copies.is_empty() { Known::Unknown } else { Known::Yes };
    let searched = if inquiry.signal == Signal::Delivery { Known::Unknown } else { searched(inquiry) };
    compared.or(read).or(searched)
}

/// Whether a message is filtered by the signal that the search went by.
fn searched(inquiry: &Inquiry) -> Known {
    let Some(found) = &inquiry.found else { return Known::Unknown };
    let unsure = [SearchWarning::Unsettled, SearchWarning::Silent, SearchWarning::NotMonotone];
    let not_blocked = found.warnings.contains(&SearchWarning::NotBlocked);
    let whole = !found.warnings.iter().any(|warning| unsure.contains(warning));
    match (found.rules.is_empty(), not_blocked || whole) {
        (false, _) => Known::Yes,
        (true, true) => Known::No,
        (true, false) => Known::Unknown,
    }
}

/// Whether there were trials enough for any upload at all to be seen.
fn enough(judged: &Uploads) -> bool {
    judged.detectable.is_empty() || judged.detectable.iter().any(|size| size.bytes.is_some())
}

pub(super) fn is_too_few(inquiry: &Inquiry) -> bool {
    inquiry.judged.as_ref().is_some_and(|judged| !enough(judged))
}

/// The answer in plain sentences, the shortest first.
pub(super) fn sentences(inquiry: &Inquiry) -> Vec<String> {
    let mut sentences = vec![headline(inquiry)];
    sentences.extend(inquiry.found.as_ref().map(|found| rules(found, &inquiry.signal)));
    if let Some(judged) = &inquiry.judged {
        sentences.extend(deliveries(inquiry, judged));
        if inquiry.watched {
            sentences.extend(traffic(judged));
        }
    }
    sentences.extend(readable(inquiry));
    sentences
}

fn headline(inquiry: &Inquiry) -> String {
    let copied = match copied(inquiry) {
        Known::No => "It was not seen to be copied.",
        _ if inquiry.watched => "Whether it is also copied these trials cannot tell.",
        _ => "Whether it is also copied is not known: what the client sends was not watched.",
    };
    match outcome(inquiry) {
        Some(Outcome::Both) => "Both: it is dropped, and copied.".into(),
        Some(Outcome::Dropped) => format!("Dropped: it does not arrive. {copied}"),
        Some(Outcome::Copied) if dropped(inquiry) == Known::No => {
            "Copied: it arrives as if nothing had happened, and goes elsewhere too.".into()
        }
        Some(Outcome::Copied) => {
            "Copied: it goes elsewhere too. Whether it is also dropped is not known.".into()
        }
        Some(Outcome::Neither) if inquiry.watched => {
            "Neither: it was not dropped, and not seen to be copied.".into()
        }
        Some(Outcome::Neither) => {
            "Nothing was dropped. Whether it is copied is not known: what the client sends was not watched."
                .into()
        }
        None if is_too_few(inquiry) => "No answer: with so few trials nothing could have been seen.".into(),
        None => "No answer: it came to no end.".into(),
    }
}

/// Rules named in the answer; all are below it.
const NAMED: usize = 3;

fn rules(found: &Found, signal: &Signal) -> String {
    let what = match signal {
        Signal::Delivery => "keeps a message from arriving".to_owned(),
        Signal::Upload { endpoint } => format!("makes the client send something to {}", shown(endpoint)),
    };
    let mut named: Vec<String> = found.rules.iter().take(NAMED).map(words).collect();
    if let Some(more) = found.rules.len().checked_sub(NAMED).filter(|more| *more > 0) {
        named.push(format!("{more} more"));
    }
    match found.rules.len() {
        0 => format!("No rule was found that {what}."),
        1 => format!("One rule was found that {what}: {}.", named.concat()),
        many => format!("{many} rules were found, each of which {what}: {}.", named.join("; ")),
    }
}

/// `“茶” + “书”, in any order`.
pub(super) fn words(rule: &Rule) -> String {
    let words: Vec<String> = rule.all.iter().map(|word| format!("“{word}”")).collect();
    let order = match rule.ordered {
        Some(true) if rule.all.len() > 1 => ", in this order",
        Some(false) if rule.all.len() > 1 => ", in any order",
        _ => "",
    };
    words.join(" + ") + order
}

fn deliveries(inquiry: &Inquiry, judged: &Uploads) -> Option<String> {
    let (arrived, of) = self::arrived(inquiry, Arm::Trigger);
    let (benign_arrived, benign_of) = self::arrived(inquiry, Arm::Benign);
    (of > 0).then(|| {
        format!(
            "Of {} {arrived} arrived, of {} {benign_arrived} ({}).",
            counted(of, "trigger"),
            counted(benign_of, "benign message"),
            probability_of('p', judged.dropped_p)
        )
    })
}

fn traffic(judged: &Uploads) -> Vec<String> {
    let p = probability_of('p', judged.copied_p);
    if judged.uploads.is_empty() {
        let none = format!(
            "What the client sends after a trigger is not shown to differ from what it sends otherwise ({p})."
        );
        return [none].into_iter().chain(detectable(&judged.detectable)).collect();
    }
    let causes: BTreeSet<&BTreeMap<String, String>> = judged.uploads.iter().map(|it| &it.factors).collect();
    let sentence = |cause: &BTreeMap<String, String>| {
        let with = judged.uploads.iter().filter(|upload| upload.factors == *cause);
        let places: Vec<String> = with.map(|upload| shown(&upload.endpoint).into_owned()).collect();
        let places = listed(&places);
        if cause.is_empty() {
            return format!(
                "After a trigger the client sends more to {places} than after a benign message ({p})."
            );
        }
        let cause = levels(cause);
        format!(
            "Whatever is said with {cause}, the client also sends to {places}, and not with others ({p})."
        )
    };
    causes.into_iter().map(sentence).collect()
}

/// Levels of factors, as commands name them.
pub(super) fn levels(factors: &BTreeMap<String, String>) -> String {
    let all: Vec<String> = factors.iter().map(|(name, level)| format!("{name}={level}")).collect();
    shown(&all.join(", ")).into_owned()
}

/// What would have been seen: elsewhere, and at the busiest.
fn detectable(sizes: &[Detectable]) -> Option<String> {
    let (elsewhere, busy): (Vec<_>, Vec<_>) = sizes.iter().partition(|size| size.endpoint.is_none());
    let elsewhere = elsewhere.first()?;
    let Some(size) = elsewhere.bytes else {
        return Some(
            "No upload of any size that was tried would have been seen: more trials are needed.".into(),
        );
    };
    let first = format!(
        "An upload of {} to an endpoint that is sent nothing else would have been seen with a chance of {}",
        bytes(size),
        percent(elsewhere.power)
    );
    let largest = busy.iter().map(|size| size.bytes).reduce(|a, b| Some(a?.max(b?)));
    Some(match largest {
        None => first + ".",
        Some(Some(size)) => format!("{first}; to one that is busy anyway, one of {} or less.", bytes(size)),
        Some(None) => format!("{first}; to some that are busy anyway, none of any size that was tried."),
    })
}

fn readable(inquiry: &Inquiry) -> Option<String> {
    let places: BTreeSet<&str> = inquiry.copies.iter().map(|copy| copy.endpoint.as_str()).collect();
    let acts: BTreeSet<u64> = inquiry.copies.iter().map(|copy| copy.act).collect();
    let places: Vec<String> = places.into_iter().map(|place| shown(place).into_owned()).collect();
    (!places.is_empty()).then(|| {
        format!(
            "The text of {}, or a part of it, can be read in what went to {}.",
            counted(acts.len() as u64, "trial"),
            listed(&places)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::{ReadableCopy, Strays};

    fn inquiry() -> Inquiry {
        Inquiry {
            found: None,
            judged: None,
            signal: Signal::Delivery,
            watched: true,
            measured: false,
            lag_s: 60.0,
            acts: Vec::new(),
            copies: Vec::new(),
            broken_off: None,
            budget: 5,
            target: 0.005,
            loss: 0.02,
            leak: 0.0,
            window_s: 20.0,
            deliveries: Vec::new(),
            strays: Strays::default(),
        }
    }

    fn search(rules: usize, warnings: &[SearchWarning]) -> Inquiry {
        let rule = Rule {
            all: vec!["茶".into(), "书".into()],
            ordered: Some(false),
            error_bound: 0.003,
            messages: 31,
        };
        let found = Found { rules: vec![rule; rules], messages: 1, warnings: warnings.to_vec() };
        Inquiry { found: Some(found), watched: false, ..inquiry() }
    }

    fn compared(outcome: Outcome, seen: Option<u64>) -> Inquiry {
        let detectable = vec![Detectable { endpoint: None, bytes: seen, power: 0.9 }];
        let judged = Uploads {
            outcome,
            dropped_p: 1.0,
            copied_p: 0.4,
            uploads: Vec::new(),
            detectable,
            effects: Vec::new(),
        };
        Inquiry { judged: Some(judged), ..inquiry() }
    }

    #[test]
    fn a_search_says_no_more_than_is_known() {
        let of = |rules, warnings: &[_]| outcome(&search(rules, warnings));
        assert_eq!(of(1, &[SearchWarning::Unsettled]), Some(Outcome::Dropped));
        assert_eq!(of(0, &[SearchWarning::NotBlocked]), Some(Outcome::Neither));
        assert_eq!(of(0, &[]), Some(Outcome::Neither));
        for unsure in [SearchWarning::Silent, SearchWarning::Unsettled, SearchWarning::NotMonotone] {
            assert_eq!(of(0, &[unsure]), None);
        }
    }

    #[test]
    fn a_search_by_uploads_finds_copies() {
        let signal = Signal::Upload { endpoint: "collector.example".into() };
        let found = Inquiry { signal, watched: true, ..search(1, &[]) };
        assert_eq!(outcome(&found), Some(Outcome::Copied));
        assert!(headline(&found).contains("also dropped is not known"));
    }

    #[test]
    fn nothing_is_said_of_copies_where_nobody_watched() {
        let unwatched = search(0, &[]);
        assert!(headline(&unwatched).contains("was not watched"), "{}", headline(&unwatched));
        let judged = Inquiry { watched: false, ..compared(Outcome::Copied, Some(100)) };
        assert_ne!(outcome(&judged), Some(Outcome::Copied));
    }

    #[test]
    fn too_few_trials_give_no_answer() {
        assert_eq!(outcome(&compared(Outcome::Neither, None)), None);
        assert!(sentences(&compared(Outcome::Neither, None)).concat().contains("more trials are needed"));
        assert_eq!(outcome(&compared(Outcome::Copied, None)), Some(Outcome::Copied));
    }

    #[test]
    fn a_copy_that_can_be_read_needs_no_statistics() {
        let copy = ReadableCopy {
            act: 3,
            endpoint: "collector.example".into(),
            flow: "f".into(),
            capture: "c".into(),
            packet: 9,
            encoding: "base64".into(),
            bytes: 30,
        };
        let read = Inquiry { copies: vec![copy], ..compared(Outcome::Neither, Some(100)) };
        assert_eq!(outcome(&read), Some(Outcome::Copied));
    }
}
