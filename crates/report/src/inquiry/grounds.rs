//! What the answer rests on: what arrived, what the client sent then, and what could have been seen.
//!
//! Promises: every sentence has its counts; nothing is said not to differ without the size that would have been seen.

use super::answer::is_hinted_copied;
use super::endpoints::{factors, shown};
use super::trial::{self, ByText, arrived, arrived_with, by_text};
use crate::figures::{bytes, count, counted, listed, percent, probability_of};
use overheard_model::{
    Act, Arm, Detectable, HINT, Inquiry, Searched, Strays, Upload, UploadStatistic, Uploads,
};
use std::collections::{BTreeMap, BTreeSet};

/// `16 of 20 triggers`.
fn share_of(some: u64, all: u64, noun: &str) -> String {
    format!("{} of {}", count(some), counted(all, noun))
}

pub(super) fn deliveries(inquiry: &Inquiry, judged: &Uploads) -> Vec<String> {
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
            factors(&test.factors),
            stretches(test.others_lost, test.others_of),
            probability_of('p', test.p)
        )
    });
    let Strays { late, unknown, .. } = inquiry.strays;
    let late = (late > 0).then(|| {
        let text = "arrived after the window, which counts as lost: what is dropped may only be slow.";
        format!("{} {text}", counted(late, "message"))
    });
    let altered = (unknown > 0).then(|| {
        let text = "arrived that nobody sent here, altered on the way or somebody else's: what is dropped may only be altered.";
        format!("{} {text}", counted(unknown, "message"))
    });
    let by_words = by_words.chain(texts_lost(inquiry)).chain(ruled_out(inquiry, judged));
    by_words.chain(late).chain(altered).chain(by_level).collect()
}

/// What may have been dropped for its words all the same; nothing where some of it came late or altered.
fn ruled_out(inquiry: &Inquiry, judged: &Uploads) -> Option<String> {
    let Strays { late, unknown, .. } = inquiry.strays;
    let of_words = judged.drops.iter().find(|test| test.factors.is_empty() && !test.dropped)?;
    (late + unknown == 0 && of_words.at_most < 1.0).then(|| {
        let share = percent((100.0 * of_words.at_most).ceil() / 100.0);
        format!(
            "Dropping more than {share} of such messages is ruled out at 95\u{a0}%; dropping fewer is not."
        )
    })
}

/// Which texts were lost, where not all were alike.
fn texts_lost(inquiry: &Inquiry) -> Option<String> {
    let texts = by_text(inquiry);
    let mut lost: Vec<&ByText> = texts.iter().filter(|text| text.lost() > 0).collect();
    let more = lost.len().saturating_sub(NAMED);
    let all_alike = lost.len() == texts.len() && texts.iter().all(|text| text.arrived == 0);
    lost.truncate(NAMED);
    let mut named: Vec<String> = lost
        .iter()
        .map(|text| {
            let harmless = text.harmless_of - text.harmless_arrived;
            format!(
                "text {} in {} of {} (its harmless likeness in {harmless} of {})",
                text.text,
                text.lost(),
                text.of,
                text.harmless_of
            )
        })
        .collect();
    named.extend((more > 0).then(|| format!("{more} more")));
    (texts.len() > 1 && !lost.is_empty() && !all_alike)
        .then(|| format!("Of the triggers these did not arrive: {}.", listed(&named)))
}

/// Texts named in a sentence; all are in the table.
const NAMED: usize = 3;

pub(super) fn traffic(inquiry: &Inquiry, judged: &Uploads) -> Vec<String> {
    let p = probability_of('p', judged.copied_p);
    if judged.uploads.is_empty() {
        let none = match is_hinted_copied(judged) {
            true => sent_more(inquiry, &judged.hints, &p),
            false => vec![format!(
                "What the client sends after a trigger is not shown to differ from what it sends otherwise ({p})."
            )],
        };
        let found = none.into_iter().chain(detectable(&judged.detectable));
        return found.chain([every_message(judged)]).collect();
    }
    sent_more(inquiry, &judged.uploads, &p)
}

/// What is known of a copy of every message, which does the same after triggers as after harmless ones.
fn every_message(judged: &Uploads) -> String {
    let not = "Whether every message is copied, harmless ones too, is not judged";
    let Some(followed) = &judged.after_every_message else {
        return format!("{not}: too few acts sent nothing (--sham).");
    };
    let places: Vec<String> = followed.iter().map(|it| shown(&it.endpoint).into_owned()).collect();
    match &places[..] {
        [] => {
            format!("{not}: no endpoint is shown to be sent more after a harmless message than after none.")
        }
        [own] => format!(
            "{not}: only {own} is shown to be sent more after a harmless message than after none, and a copy there cannot \
             be told from the message itself."
        ),
        _ => format!(
            "Every message may be copied, harmless ones too: after them, and not after none, more is sent to {}.",
            listed(&places)
        ),
    }
}

/// Where more is sent, after what.
fn sent_more(inquiry: &Inquiry, uploads: &[Upload], p: &str) -> Vec<String> {
    let causes: BTreeSet<&BTreeMap<String, String>> = uploads.iter().map(|it| &it.factors).collect();
    let sentence = |cause: &BTreeMap<String, String>| {
        let with = uploads.iter().filter(|upload| upload.factors == *cause);
        let places: Vec<String> = with.map(|upload| shown(&upload.endpoint).into_owned()).collect();
        let places = listed(&places);
        let figures = how_often(inquiry, uploads, cause);
        if cause.is_empty() {
            return format!(
                "After a trigger the client sends more to {places} than after a benign message{figures} ({p})."
            );
        }
        let cause = factors(cause);
        format!(
            "Whatever is said with {cause}, the client also sends to {places}, and not with others{figures} ({p})."
        )
    };
    causes.into_iter().map(sentence).collect()
}

/// `: after 20 of 20 triggers and 0 of 20 benign messages`, where one endpoint is sent nothing at other times.
fn how_often(inquiry: &Inquiry, uploads: &[Upload], cause: &BTreeMap<String, String>) -> String {
    let mut uploads = uploads.iter().filter(|upload| upload.factors == *cause);
    let (Some(upload), None) = (uploads.next(), uploads.next()) else { return String::new() };
    if upload.statistic != UploadStatistic::Contacted {
        return String::new();
    }
    let followed = |act: &&&Act| {
        let traffic = act.traffic.get(&upload.endpoint);
        traffic.is_some_and(|sent| sent.bytes_out.iter().take(upload.window_s).any(|bytes| *bytes > 0))
    };
    let of = |is: &dyn Fn(&Act) -> bool, noun: &str| {
        let acts: Vec<&Act> =
            trial::judged(inquiry).filter(|act| act.delivery.is_some() && is(act)).collect();
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
pub(super) fn looked_at(judged: &Uploads) -> Option<String> {
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

/// What would have been seen: elsewhere, and at the busiest.
fn detectable(sizes: &[Detectable]) -> Option<String> {
    let (elsewhere, busy): (Vec<_>, Vec<_>) = sizes.iter().partition(|size| size.endpoint.is_none());
    let elsewhere = elsewhere.first()?;
    let Some(size) = elsewhere.bytes else {
        return Some(
            "No upload of any size that was tried would have been seen: more trials are needed.".into(),
        );
    };
    let fewer = elsewhere.triggers.filter(|triggers| *triggers > 1).map_or(String::new(), |triggers| {
        format!(
            ", and one after {} or more too; after fewer it may have been missed",
            counted(triggers, "trigger")
        )
    });
    let first = format!(
        "An upload of {} after every trigger, to an endpoint that is sent nothing else, would have been seen (planted in \
         these trials, it was in {} of the tries){fewer}",
        bytes(size),
        percent(elsewhere.power)
    );
    let largest = busy.iter().map(|size| size.bytes).reduce(|a, b| Some(a?.max(b?)));
    Some(match largest {
        None => first + ".",
        Some(Some(size)) => format!(
            "{first}. To one that is busy anyway, one of {} or less after every trigger would have been seen.",
            bytes(size)
        ),
        Some(None) => format!(
            "{first}. To some that are busy anyway, none of any size that was tried would have been seen."
        ),
    })
}

/// How much of what went out may hold a copy that nobody could have read here, and why.
pub(super) fn searchable(searched: Searched) -> Option<String> {
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

pub(super) fn readable(inquiry: &Inquiry) -> Option<String> {
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
