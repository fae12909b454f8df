//! The answer: dropped, copied, both, neither, or none.
//!
//! Promises: what was not looked at, or could not have been seen with so few trials, is said to be unknown. A search
//! and a comparison of arms may both be there: what either of them shows is shown.

use super::trial::arrived;
use overheard_model::{Arm, Delivery, Fate, HINT, Inquiry, Outcome, SearchWarning, Signal, Uploads};
use serde::Serialize;

/// What became known of one of the two outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
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

pub(super) fn dropped(inquiry: &Inquiry) -> Known {
    let compared = inquiry.judged.as_ref().map_or(Known::Unknown, |judged| match judged.outcome {
        Outcome::Dropped | Outcome::Both => Known::Yes,
        _ if is_hinted(judged) => Known::Unknown,
        // As many trials as any difference needs, whichever of the two it is.
        _ if arrived(inquiry, Arm::Trigger).1 > 0 && enough(judged) => Known::No,
        _ => Known::Unknown,
    });
    let searched = match inquiry.signal {
        Signal::Delivery if searched(inquiry) == Known::Yes && come_otherwise(inquiry) => Known::Unknown,
        Signal::Delivery => searched(inquiry),
        Signal::Upload { .. } => Known::Unknown,
    };
    compared.or(searched)
}

/// Whether half of what was lost, or more, may have come late or altered.
pub(super) fn come_otherwise(inquiry: &Inquiry) -> bool {
    let lost = |delivery: &&Delivery| matches!(delivery.fate, Some(Fate::Lost | Fate::Refused));
    let lost = inquiry.deliveries.iter().filter(lost).count() as u64;
    lost > 0 && 2 * otherwise(inquiry) >= lost
}

/// Messages that came late or altered.
pub(super) fn otherwise(inquiry: &Inquiry) -> u64 {
    inquiry.strays.late + inquiry.strays.unknown
}

/// Whether what did not arrive would be called dropped, or be a hint, if nothing had come late or altered.
pub(super) fn is_otherwise(inquiry: &Inquiry) -> bool {
    let hinted = otherwise(inquiry) > 0 && inquiry.judged.as_ref().is_some_and(is_hinted);
    dropped(inquiry) == Known::Unknown && (hinted || come_otherwise(inquiry))
}

/// Whether more triggers than harmless messages were lost, too few for proof and too many to say that none was dropped.
pub(super) fn is_hinted(judged: &Uploads) -> bool {
    judged.dropped_p() <= HINT
}

/// The same of what the client sends then.
pub(super) fn is_hinted_copied(judged: &Uploads) -> bool {
    judged.copied_p <= HINT
}

pub(super) fn copied(inquiry: &Inquiry) -> Known {
    if !inquiry.watched {
        return Known::Unknown;
    }
    let compared = inquiry.judged.as_ref().map_or(Known::Unknown, |judged| match judged.outcome {
        Outcome::Copied | Outcome::Both => Known::Yes,
        _ if is_hinted_copied(judged) => Known::Unknown,
        // Names can carry a text, or lead to whoever is sent it.
        _ if enough(judged) && inquiry.asks_more.is_none() => Known::No,
        _ => Known::Unknown,
    });
    let read = if inquiry.copies.is_empty() { Known::Unknown } else { Known::Yes };
    let searched = if inquiry.signal == Signal::Delivery { Known::Unknown } else { searched(inquiry) };
    compared.or(read).or(searched)
}

/// Whether a message is filtered by the signal that the search went by.
pub(super) fn searched(inquiry: &Inquiry) -> Known {
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
