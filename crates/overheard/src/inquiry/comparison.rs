//! A comparison of arms: its texts and the order of its acts, done one after the other until all of them count.
//!
//! For: `overheard uploads`, and the calibration before a search for words.
//! Promises: the next act is the first of the order that no act counts for yet, so that a comparison goes on where the book
//! ends; it stops where nothing arrives any more.

use super::copies::Texts;
use super::design::{self, Slot};
use super::trials::{Levels, Trials, Wanted};
use super::verdict::{self, SILENT};
use super::wording::Pair;
use crate::progress::Progress;
use overheard_model::{Act, Arm};
use overheard_probe::digest;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug)]
pub struct Comparison {
    pub pairs: Vec<Pair>,
    pub order: Vec<Slot>,
}

impl Comparison {
    /// First this one, then the other.
    pub fn then(mut self, other: Self) -> Self {
        let known = self.pairs.len();
        self.order.extend(other.order.into_iter().map(|slot| Slot { pair: slot.pair + known, ..slot }));
        self.pairs.extend(other.pairs);
        self
    }

    /// Messages that it takes where each is answered.
    pub fn messages(&self) -> usize {
        self.order.iter().filter(|slot| slot.arm != Arm::Sham).count()
    }

    /// Its texts by their SHA-256.
    pub fn texts(&self) -> Texts {
        let all = self.pairs.iter().flat_map(|pair| [&pair.trigger, &pair.benign]);
        all.map(|text| (digest::of_bytes(text.as_bytes()), text.clone())).collect()
    }

    /// Which of the triggers each of its texts is, from 1, or is the likeness of; by SHA-256.
    pub fn numbers(&self, triggers: &[String]) -> BTreeMap<String, u64> {
        let numbered = triggers.iter().zip(1..);
        let numbers: HashMap<&str, u64> = numbered.map(|(text, number)| (text.as_str(), number)).collect();
        let of_pair = |pair: &Pair| {
            let number = numbers.get(pair.trigger.as_str()).copied();
            [&pair.trigger, &pair.benign].map(|text| Some((digest::of_bytes(text.as_bytes()), number?)))
        };
        self.pairs.iter().flat_map(of_pair).flatten().collect()
    }

    /// What is left of the order where these acts count, whichever of its like each was.
    pub fn missing(&self, counted: &[&Act]) -> Vec<&Slot> {
        let mut done: HashMap<(Arm, Levels), usize> = HashMap::new();
        for act in counted {
            let like = act.arm.map(|arm| (arm, design::levels_of(act)));
            like.into_iter().for_each(|like| *done.entry(like).or_default() += 1);
        }
        let is_missing = |slot: &&Slot| match done.get_mut(&(slot.arm, slot.levels.clone())) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        };
        self.order.iter().filter(is_missing).collect()
    }

    /// Does what is missing. Why it ended before its end, if it did.
    pub fn conduct(&self, trials: &mut Trials) -> Option<String> {
        let progress = Progress::lines();
        loop {
            let missing = self.missing(&verdict::counted(&trials.book, trials.watched));
            let slot = missing.first()?;
            let done = self.order.len() - missing.len();
            let wanted =
                Wanted { arm: Some(slot.arm), text: self.text(slot), levels: &slot.levels, attend: true };
            if let Err(why) = trials.make(&wanted) {
                return Some(why);
            }
            if let Some(levels) = verdict::silent_levels(&trials.book) {
                return Some(silence(&levels));
            }
            if done.is_multiple_of(10) {
                progress.say(&format!("{} of {} acts", done + 1, self.order.len()));
            }
        }
    }

    fn text(&self, slot: &Slot) -> Option<&str> {
        let pair = self.pairs.get(slot.pair)?;
        match slot.arm {
            Arm::Trigger => Some(&pair.trigger),
            Arm::Benign => Some(&pair.benign),
            Arm::Sham => None,
        }
    }
}

/// Why trials end where nothing arrives any more.
fn silence(levels: &Levels) -> String {
    let with: Vec<String> = levels.iter().map(|(name, level)| format!("{name}={level}")).collect();
    let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(", ")) };
    format!(
        "the last {SILENT} harmless messages{with} did not arrive, nor anything between them: an account may be banned; \
         what was sent since something last arrived is not judged"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::Timestamp;
    use std::collections::BTreeMap;

    fn levels(user: &str) -> Levels {
        [("user".to_owned(), user.to_owned())].into()
    }

    #[test]
    fn what_is_missing_is_what_no_act_counts_for() {
        let slot = |at: usize| {
            let user = if at % 4 < 2 { "alice" } else { "carol" };
            Slot { arm: [Arm::Trigger, Arm::Benign][at % 2], levels: levels(user), pair: at }
        };
        let comparison = Comparison { pairs: Vec::new(), order: (0..12).map(slot).collect() };
        let act = |at: usize| {
            let mut factors = slot(at).levels;
            factors.insert("time".into(), "03 h UTC".into());
            let arm = Some(slot(at).arm);
            let (number, at, delivery) = (at as u64, Timestamp(0), None);
            Act { number, at, arm, delivery, factors, packets: None, traffic: BTreeMap::new() }
        };
        // Of carol's nothing counts but the first.
        let acts: Vec<Act> = [0, 1, 2, 4, 5, 8].map(act).into();
        let missing = comparison.missing(&acts.iter().collect::<Vec<_>>());
        assert_eq!(missing.iter().map(|slot| slot.pair).collect::<Vec<_>>(), [3, 6, 7, 9, 10, 11]);
        assert_eq!(comparison.missing(&[]).len(), 12);
    }
}
