//! A comparison of arms: its texts and the order of its acts, done one after the other until all of them count.
//!
//! For: `overheard uploads`, and the calibration before a search for words.
//! Promises: the next act is the first of the order that does not count yet, so that a comparison goes on where the book
//! ends; it stops where nothing arrives any more.

use super::copies::Texts;
use super::design::Slot;
use super::trials::{Trials, Wanted};
use super::verdict::{self, SILENT};
use super::wording::Pair;
use crate::progress::Progress;
use overheard_model::Arm;
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

    /// Does what is missing. Why it ended before its end, if it did.
    pub fn conduct(&self, trials: &mut Trials) -> Option<String> {
        let progress = Progress::lines();
        loop {
            let done = verdict::counted(&trials.book, trials.watched).len();
            let slot = self.order.get(done)?;
            let wanted =
                Wanted { arm: Some(slot.arm), text: self.text(slot), levels: &slot.levels, attend: true };
            if let Err(why) = trials.make(&wanted) {
                return Some(why);
            }
            if verdict::is_silent(&trials.book) {
                return Some(format!(
                    "the last {SILENT} harmless messages did not arrive, nor anything between them: an account may be \
                     banned; what was sent since something last arrived is not judged"
                ));
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
