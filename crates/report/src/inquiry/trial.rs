//! Trials as reports list them: every act with its message, and messages that belong to no act.
//!
//! Promises: nothing that was spent is missing; acts first, in the order of acting.

use overheard_model::{Act, Arm, Delivery, Fate, Inquiry, Timestamp};
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

/// Messages of an arm that arrived, of those of which it is known.
pub(super) fn arrived(inquiry: &Inquiry, arm: Arm) -> (u64, u64) {
    arrived_of(inquiry, |trial| trial.arm() == Some(arm))
}

/// Messages with these levels that arrived, likewise.
pub(super) fn arrived_with(inquiry: &Inquiry, levels: &BTreeMap<String, String>) -> (u64, u64) {
    let has = |act: &Act| levels.iter().all(|(name, level)| act.factors.get(name) == Some(level));
    arrived_of(inquiry, |trial| trial.act.is_some_and(has))
}

fn arrived_of(inquiry: &Inquiry, counts: impl Fn(&Trial) -> bool) -> (u64, u64) {
    let counted = all(inquiry).into_iter().filter(counts);
    let fates: Vec<Fate> = counted.filter_map(|trial| trial.delivery?.fate).collect();
    let arrived = fates.iter().filter(|fate| **fate == Fate::Delivered).count();
    (arrived as u64, fates.len() as u64)
}

/// Messages spent by each account.
pub(super) fn accounts(inquiry: &Inquiry) -> BTreeMap<&str, u64> {
    let mut accounts = BTreeMap::new();
    for delivery in &inquiry.deliveries {
        *accounts.entry(delivery.account.as_str()).or_default() += 1;
    }
    accounts
}
