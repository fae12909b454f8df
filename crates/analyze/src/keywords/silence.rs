//! Does anything arrive at all any more? An account that was banned, or a receiver that died, looks like a filter that
//! stops everything.
//!
//! Promises: after [`LONG`] messages in a row that did not arrive, and where nothing has arrived since a rule was found, a
//! neutral one is sent; if that and its repetitions are lost as well, the search ends, and what was concluded since the last arrival is taken back.

use super::channel::Answer;

/// Losses in a row after which a neutral message is sent: halving makes as many once in a million searches.
const LONG: u64 = 20;
/// Neutral messages that must be lost.
const NEUTRAL: u64 = 3;

#[derive(Clone, Debug, Default)]
pub(crate) struct Silence {
    lost_in_a_row: u64,
    neutral_lost: u64,
    /// Rules that had been found when a message last arrived.
    certain: usize,
}

impl Silence {
    /// The neutral message: no rule is this letter.
    pub const NEUTRAL_TEXT: &str = "ƣ";

    pub fn hear(&mut self, answer: Answer, neutral: bool, rules: usize) {
        match answer {
            Answer::Lost => {
                self.lost_in_a_row += 1;
                self.neutral_lost += u64::from(neutral);
            }
            Answer::Delivered => *self = Self { certain: rules, ..Self::default() },
        }
    }

    /// Also at the end, where nothing has arrived since the last rule was found.
    pub fn wants_a_neutral_message(&self, rules: usize, at_end: bool) -> bool {
        let unvouched = at_end && self.lost_in_a_row > 0 && self.certain < rules;
        self.neutral_lost < NEUTRAL && (self.lost_in_a_row >= LONG || self.neutral_lost > 0 || unvouched)
    }

    /// How many rules may still be believed, if nothing arrives any more.
    pub fn is_complete(&self) -> Option<usize> {
        (self.neutral_lost >= NEUTRAL).then_some(self.certain)
    }
}
