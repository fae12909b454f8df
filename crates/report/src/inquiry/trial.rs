//! Trials as reports list them: every act with its message, and messages that belong to no act.
//!
//! Promises: nothing that was spent is missing; acts first, in the order of acting.

use overheard_model::{Act, Arm, Delivery, Fate, Inquiry, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// Arms in the order in which they are shown; without one: a message of a search.
pub(super) const LANES: [Option<Arm>; 4] = [Some(Arm::Trigger), Some(Arm::Benign), Some(Arm::Sham), None];

pub(super) fn lane(arm: Option<Arm>) -> &'static str {
    match arm {
        Some(Arm::Trigger) => "trigger",
        Some(Arm::Benign) => "benign",
        Some(Arm::Sham) => "sham",
        None => "message",
    }
}

/// What became of a message, as people read it.
pub(super) fn fate(delivery: &Delivery) -> &'static str {
    match delivery.fate {
        Some(Fate::Delivered) => "delivered",
        Some(Fate::Lost) => "lost",
        Some(Fate::Refused) => "refused",
        None => "unknown",
    }
}

/// An act, a message, or both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial<'a> {
    pub act: Option<&'a Act>,
    pub delivery: Option<&'a Delivery>,
}

impl<'a> Trial<'a> {
    /// Of the act; of the message, where there is no act.
    pub fn number(&self) -> u64 {
        self.act.map(|act| act.number).or(self.delivery.map(|delivery| delivery.number)).unwrap_or_default()
    }

    pub fn at(&self) -> Option<Timestamp> {
        self.act.map(|act| act.at).or(self.delivery.map(|delivery| delivery.sent))
    }

    pub fn arm(&self) -> Option<Arm> {
        self.act.and_then(|act| act.arm)
    }

    /// Whether the judgement rests on it, or a search.
    pub fn is_judged(&self, inquiry: &Inquiry) -> bool {
        self.act.is_none_or(|act| !inquiry.unjudged.contains(&act.number))
    }

    pub fn fate(&self) -> &'static str {
        self.delivery.map_or("nothing sent", fate)
    }
}

pub(super) fn all(inquiry: &Inquiry) -> Vec<Trial<'_>> {
    let deliveries = inquiry.deliveries.iter().map(|delivery| (delivery.number, delivery));
    let mut others: BTreeMap<u64, &Delivery> = deliveries.collect();
    let acts = inquiry.acts.iter();
    let acts =
        acts.map(|act| Trial { act: Some(act), delivery: act.delivery.and_then(|it| others.remove(&it)) });
    let mut trials: Vec<Trial> = acts.collect();
    trials.extend(others.into_values().map(|delivery| Trial { act: None, delivery: Some(delivery) }));
    trials
}

/// The acts that the judgement rests on, or a search.
pub(super) fn judged(inquiry: &Inquiry) -> impl Iterator<Item = &Act> {
    inquiry.acts.iter().filter(|act| !inquiry.unjudged.contains(&act.number))
}

/// Messages of an arm that arrived, of those that are judged.
pub(super) fn arrived(inquiry: &Inquiry, arm: Arm) -> (u64, u64) {
    arrived_of(inquiry, |trial| trial.arm() == Some(arm))
}

/// Messages with these levels that arrived, likewise.
pub(super) fn arrived_with(inquiry: &Inquiry, levels: &BTreeMap<String, String>) -> (u64, u64) {
    let has = |act: &Act| levels.iter().all(|(name, level)| act.factors.get(name) == Some(level));
    arrived_of(inquiry, |trial| trial.act.is_some_and(has))
}

fn arrived_of(inquiry: &Inquiry, counts: impl Fn(&Trial) -> bool) -> (u64, u64) {
    let counted = all(inquiry).into_iter().filter(|trial| counts(trial) && trial.is_judged(inquiry));
    let fates: Vec<Fate> = counted.filter_map(|trial| trial.delivery?.fate).collect();
    let arrived = fates.iter().filter(|fate| **fate == Fate::Delivered).count();
    (arrived as u64, fates.len() as u64)
}

/// How often a text of the triggers arrived, and the harmless one in its likeness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct ByText {
    /// Which text it is, from 1.
    pub text: u64,
    pub arrived: u64,
    pub of: u64,
    pub harmless_arrived: u64,
    pub harmless_of: u64,
}

impl ByText {
    pub fn lost(&self) -> u64 {
        self.of - self.arrived
    }
}

/// Text by text, those of which the largest share was lost first.
pub(super) fn by_text(inquiry: &Inquiry) -> Vec<ByText> {
    let mut texts: BTreeMap<u64, ByText> = BTreeMap::new();
    for trial in all(inquiry).iter().filter(|trial| trial.is_judged(inquiry)) {
        let Some((fate, text_sha256)) = trial.delivery.and_then(|it| Some((it.fate?, &it.text_sha256)))
        else {
            continue;
        };
        let Some(number) = inquiry.texts.get(text_sha256) else { continue };
        let counts = texts.entry(*number).or_insert(ByText { text: *number, ..ByText::default() });
        let arrived = u64::from(fate == Fate::Delivered);
        match trial.arm() {
            Some(Arm::Trigger) => (counts.arrived, counts.of) = (counts.arrived + arrived, counts.of + 1),
            Some(Arm::Benign) => {
                counts.harmless_arrived += arrived;
                counts.harmless_of += 1;
            }
            Some(Arm::Sham) | None => {}
        }
    }
    let mut texts: Vec<ByText> = texts.into_values().collect();
    // By cross-multiplication.
    texts.sort_by_key(|text| text.text);
    texts.sort_by(|one, other| (other.lost() * one.of).cmp(&(one.lost() * other.of)));
    texts
}

/// Messages spent by each account.
pub(super) fn accounts(inquiry: &Inquiry) -> BTreeMap<&str, u64> {
    let mut accounts = BTreeMap::new();
    for delivery in &inquiry.deliveries {
        *accounts.entry(delivery.account.as_str()).or_default() += 1;
    }
    accounts
}
