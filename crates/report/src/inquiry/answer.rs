//! The answer: dropped, copied, both, neither, or none; and the sentences that say what it rests on.
//!
//! Promises: what was not looked at, or could not have been seen with so few trials, is said to be unknown. A search
//! and a comparison of arms may both be there: what either of them shows is shown.

use super::endpoints::shown;
use super::rules;
use super::trial::{arrived, arrived_with};
use crate::figures::{bytes, count, counted, listed, percent, probability_of};
use overheard_model::{
    Act, Arm, Detectable, Inquiry, Outcome, SearchWarning, Searched, Signal, UploadStatistic, Uploads,
};
use serde::Serialize;
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

/// The answer to all that was judged; nothing where none can be given. Where traffic was not watched, it is the answer of
/// deliveries alone: see [`standing`].
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

/// Which of the two outcomes holds; absent where it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Standing {
    pub dropped: Option<bool>,
    pub copied: Option<bool>,
}

pub(super) fn standing(inquiry: &Inquiry) -> Standing {
    let known = |known| match known {
        Known::Yes => Some(true),
        Known::No => Some(false),
        Known::Unknown => None,
    };
    Standing { dropped: known(dropped(inquiry)), copied: known(copied(inquiry)) }
}

/// The answer in one word, without what was not judged: "neither" is about both.
pub(super) fn word(inquiry: &Inquiry) -> Option<Outcome> {
    outcome(inquiry).filter(|outcome| *outcome != Outcome::Neither || copied(inquiry) == Known::No)
}

fn dropped(inquiry: &Inquiry) -> Known {
    let compared = inquiry.judged.as_ref().map_or(Known::Unknown, |judged| match judged.outcome {
        Outcome::Dropped | Outcome::Both => Known::Yes,
        _ if is_hinted(judged) => Known::Unknown,
        // As many trials as any difference needs, whichever of the two it is.
        _ if arrived(inquiry, Arm::Trigger).1 > 0 && enough(judged) => Known::No,
        _ => Known::Unknown,
    });
    let searched = if inquiry.signal == Signal::Delivery { searched(inquiry) } else { Known::Unknown };
    compared.or(searched)
}

/// Whether more triggers than harmless messages were lost, too few for proof and too many to say that none was dropped.
fn is_hinted(judged: &Uploads) -> bool {
    judged.dropped_p() <= HINT
}

/// The customary level: proof asks for far less.
const HINT: f64 = 0.05;

fn copied(inquiry: &Inquiry) -> Known {
    if !inquiry.watched {
        return Known::Unknown;
    }
    let compared = inquiry.judged.as_ref().map_or(Known::Unknown, |judged| match judged.outcome {
        Outcome::Copied | Outcome::Both => Known::Yes,
        // Names can carry a text, or lead to whoever is sent it.
        _ if enough(judged) && inquiry.asks_more.is_none() => Known::No,
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
    if let Some(found) = &inquiry.found {
        sentences.extend(rules::sentences(inquiry, found));
    }
    if let Some(judged) = &inquiry.judged {
        sentences.extend(deliveries(inquiry, judged));
        if inquiry.watched {
            sentences.extend(traffic(inquiry, judged));
        }
        sentences.extend(looked_at(judged));
    }
    sentences.extend(readable(inquiry));
    sentences.extend(inquiry.searched.and_then(searchable));
    sentences
}

fn headline(inquiry: &Inquiry) -> String {
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
            "Neither: it was not dropped, and not seen to be copied.".into()
        }
        Some(Outcome::Neither) => {
            "Nothing was dropped. Whether it is copied is not known: what the client sends was not watched."
                .into()
        }
        None if inquiry.asks_more.is_some() && dropped(inquiry) == Known::No => {
            "No answer: it was not dropped, but after it the client asks for names more often, and why these trials \
             cannot tell."
                .into()
        }
        None if inquiry.judged.as_ref().is_some_and(is_hinted) && dropped(inquiry) == Known::Unknown => {
            format!(
                "No answer: {}, which may be chance and may be a filter: more trials tell.",
                inquiry.judged.as_ref().map(hinted).unwrap_or_default()
            )
        }
        None if is_too_few(inquiry) => "No answer: with so few trials nothing could have been seen.".into(),
        None => "No answer: it came to no end.".into(),
    }
}

/// `it does not arrive`, or whose messages do not, whatever they say.
fn what_is_dropped(inquiry: &Inquiry) -> String {
    let drops = inquiry.judged.iter().flat_map(|judged| &judged.drops).filter(|test| test.dropped);
    let (by_level, by_words): (Vec<_>, Vec<_>) = drops.partition(|test| !test.factors.is_empty());
    let searched = inquiry.signal == Signal::Delivery && self::searched(inquiry) == Known::Yes;
    if searched || !by_words.is_empty() || by_level.is_empty() {
        return "it does not arrive".into();
    }
    let named: Vec<String> = by_level.iter().map(|test| levels(&test.factors)).collect();
    format!("whatever is sent with {} does not arrive", listed(&named))
}

/// The likeliest of what was not proven.
fn hinted(judged: &Uploads) -> String {
    let least = judged.drops.iter().min_by(|one, other| one.p.total_cmp(&other.p));
    match least.filter(|test| !test.factors.is_empty()) {
        None => "fewer triggers arrived than harmless messages".into(),
        Some(test) => format!("fewer messages arrived with {} than with others", levels(&test.factors)),
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
        Some(cause) if causes.len() == 1 && !cause.is_empty() => format!(", with {}", levels(cause)),
        _ => String::new(),
    };
    format!("{what} {}{cause}", listed(&named))
}

/// Places named in the answer; all are below it.
const NAMED: usize = 3;

/// `16 of 20 triggers`.
fn share_of(some: u64, all: u64, noun: &str) -> String {
    format!("{} of {}", count(some), counted(all, noun))
}

fn deliveries(inquiry: &Inquiry, judged: &Uploads) -> Vec<String> {
    let (arrived, of) = self::arrived(inquiry, Arm::Trigger);
    let (benign_arrived, benign_of) = self::arrived(inquiry, Arm::Benign);
    let by_words = judged.drops.iter().filter(|test| test.factors.is_empty() && of > 0).map(|test| {
        format!(
            "Arrived: {} and {} ({}).",
            share_of(arrived, of, "trigger"),
            share_of(benign_arrived, benign_of, "benign message"),
            probability_of('p', test.p)
        )
    });
    let stretches = |lost, all| format!("{} of {} stretches of acts", count(lost), count(all));
    let by_level = judged.drops.iter().filter(|test| !test.factors.is_empty() && test.p <= HINT).map(|test| {
        let never = match arrived_with(inquiry, &test.factors) {
            (0, 1..) => " None of them ever did: an account that was banned before looks the same.",
            _ => "",
        };
        format!(
            "Less than half of the messages arrived in {} with {}, whatever they say, and in {} with others ({}).{never}",
            stretches(test.lost, test.of),
            levels(&test.factors),
            stretches(test.others_lost, test.others_of),
            probability_of('p', test.p)
        )
    });
    let late = inquiry.strays.late;
    let late = (late > 0).then(|| {
        let text = "arrived after the window, which counts as lost: what is dropped may only be slow.";
        format!("{} {text}", counted(late, "message"))
    });
    by_words.chain(late).chain(by_level).collect()
}

fn traffic(inquiry: &Inquiry, judged: &Uploads) -> Vec<String> {
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
        let figures = how_often(inquiry, judged, cause);
        if cause.is_empty() {
            return format!(
                "After a trigger the client sends more to {places} than after a benign message{figures} ({p})."
            );
        }
        let cause = levels(cause);
        format!(
            "Whatever is said with {cause}, the client also sends to {places}, and not with others{figures} ({p})."
        )
    };
    causes.into_iter().map(sentence).collect()
}

/// `: after 20 of 20 triggers and 0 of 20 benign messages`, where one endpoint is sent nothing at other times.
fn how_often(inquiry: &Inquiry, judged: &Uploads, cause: &BTreeMap<String, String>) -> String {
    let mut uploads = judged.uploads.iter().filter(|upload| upload.factors == *cause);
    let (Some(upload), None) = (uploads.next(), uploads.next()) else { return String::new() };
    if upload.statistic != UploadStatistic::Contacted {
        return String::new();
    }
    let followed = |act: &&&Act| {
        let traffic = act.traffic.get(&upload.endpoint);
        traffic.is_some_and(|sent| sent.bytes_out.iter().take(upload.window_s).any(|bytes| *bytes > 0))
    };
    let of = |is: &dyn Fn(&Act) -> bool, noun: &str| {
        let acts: Vec<&Act> = inquiry.acts.iter().filter(|act| act.delivery.is_some() && is(act)).collect();
        share_of(acts.iter().filter(followed).count() as u64, acts.len() as u64, noun)
    };
    let has = |act: &Act| cause.iter().all(|(name, level)| act.factors.get(name) == Some(level));
    let figures = match cause.is_empty() {
        true => [
            of(&|act| act.arm == Some(Arm::Trigger), "trigger"),
            of(&|act| act.arm == Some(Arm::Benign), "benign message"),
        ],
        false => [
            of(&|act| act.arm.is_some() && has(act), "message") + " with it",
            of(&|act| act.arm.is_some() && !has(act), "message") + " without",
        ],
    };
    format!(": after {}", figures.join(" and "))
}

/// What it costs to have looked before.
fn looked_at(judged: &Uploads) -> Option<String> {
    let before = judged.looks.saturating_sub(1);
    (before > 0).then(|| {
        format!(
            "The trials were doubled {} after they had been looked at: each look is allowed half the error of the one before, \
             so every p is multiplied by {}.",
            if before == 1 { "once".to_owned() } else { format!("{before} times") },
            count(1 << before.min(63))
        )
    })
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
        "An upload of {} to an endpoint that is sent nothing else would have been seen (planted in these trials, it was in \
         {} of the tries)",
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

/// How much of what went out may hold a copy that nobody could have read here, and why.
fn searchable(searched: Searched) -> Option<String> {
    let Searched { sent, sealed, left_out } = searched;
    let part = |some: u64, why: &str| {
        (some > 0).then(|| format!("{} ({}) {why}", bytes(some), percent(some as f64 / sent.max(1) as f64)))
    };
    let closed = part(sealed, "are encrypted, and no key was logged that opens them");
    let not: Vec<String> = closed
        .into_iter()
        .chain(part(left_out, "are more than is searched of one stream or capture"))
        .collect();
    let (all, open) = (bytes(sent), bytes(sent.saturating_sub(sealed + left_out)));
    (sent > 0).then(|| match &not[..] {
        [] => format!("All of the {all} that the client sent were searched for the text."),
        not => format!(
            "Of the {all} that the client sent, {open} could be searched for the text; {}.",
            not.join("; ")
        ),
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
    use overheard_model::{Delivery, DropTest, Fate, Found, Others, ReadableCopy, Rule, Strays, Timestamp};

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
            searched: None,
            asks_more: None,
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
            candidates: Vec::new(),
            exact: true,
            error_bound: 0.003,
            messages: 31,
        };
        let found = Found {
            rules: vec![rule; rules],
            messages: 1,
            warnings: warnings.to_vec(),
            others: Others::All,
            candidates: None,
        };
        Inquiry { found: Some(found), watched: false, ..inquiry() }
    }

    fn compared(outcome: Outcome, seen: Option<u64>) -> Inquiry {
        let detectable = vec![Detectable { endpoint: None, bytes: seen, power: 0.9 }];
        let judged = Uploads {
            outcome,
            drops: Vec::new(),
            copied_p: 0.4,
            looks: 1,
            uploads: Vec::new(),
            detectable,
            effects: Vec::new(),
        };
        Inquiry { judged: Some(judged), ..inquiry() }
    }

    /// Of the words, where there is no level.
    fn test(level: &str, p: f64) -> DropTest {
        let factors = (!level.is_empty()).then(|| ("user".to_owned(), level.to_owned()));
        let (factors, dropped) = (factors.into_iter().collect(), p <= 0.0025);
        DropTest { factors, lost: 9, of: 10, others_lost: 0, others_of: 11, p, dropped }
    }

    #[test]
    fn a_level_that_is_dropped_is_named_with_the_test_that_says_so() {
        let mut dropped = compared(Outcome::Dropped, Some(300));
        let judge = |inquiry: &mut Inquiry, drops: Vec<DropTest>| {
            inquiry.judged.iter_mut().for_each(|judged| judged.drops.clone_from(&drops));
            sentences(inquiry).join(" ")
        };
        let said = judge(&mut dropped, vec![test("", 1.0), test("alice", 1.0), test("carol", 0.0002)]);
        assert!(said.starts_with("Dropped: whatever is sent with user=carol does not arrive."), "{said}");
        let stretches = "arrived in 9 of 10 stretches of acts with user=carol, whatever they say, and in 0 of 11 stretches \
                         of acts with others (p=0.0002)";
        assert!(said.contains(stretches) && !said.contains("user=alice"), "{said}");
        let words = judge(&mut dropped, vec![test("", 0.0001), test("carol", 0.0002)]);
        assert!(words.starts_with("Dropped: it does not arrive."), "{words}");
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
    fn fewer_arrivals_than_chance_likes_are_not_called_none() {
        let act = Act {
            number: 1,
            at: Timestamp(0),
            arm: Some(Arm::Trigger),
            delivery: Some(1),
            factors: BTreeMap::new(),
            packets: None,
            traffic: BTreeMap::new(),
        };
        let delivery = Delivery {
            number: 1,
            account: "alice".into(),
            text_sha256: String::new(),
            sent: Timestamp(0),
            fate: Some(Fate::Delivered),
            reason: None,
            after_ms: Some(9),
        };
        let lost = |p, level: &str| {
            let mut inquiry = compared(Outcome::Neither, Some(300));
            (inquiry.acts, inquiry.deliveries) = (vec![act.clone()], vec![delivery.clone()]);
            inquiry.judged.iter_mut().for_each(|judged| judged.drops = vec![test(level, p)]);
            inquiry
        };
        assert_eq!(outcome(&lost(0.2, "")), Some(Outcome::Neither));
        let by_level = headline(&lost(0.01, "carol"));
        assert!(by_level.contains("fewer messages arrived with user=carol"), "{by_level}");
        let hinted = lost(0.01, "");
        assert_eq!((outcome(&hinted), standing(&hinted).dropped), (None, None));
        assert!(headline(&hinted).contains("may be a filter"), "{}", headline(&hinted));
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
