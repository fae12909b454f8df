//! Does anything arrive at all any more? An account that was banned, or a receiver that died, looks like a filter that
//! stops everything.
//!
//! Promises: after [`LONG`] messages in a row that did not arrive, a neutral one is sent; if that and its repetitions
//! are lost as well, the search ends, and what was concluded since the last arrival is taken back.

use super::channel::Answer;

/// Losses in a row after which a neutral message is sent: halving makes as many once in a million searches.
const LONG: u64 = 20;
/// Neutral messages that must be lost.
const NEUTRAL: u64 = 3;

#[derive(Clone, Debug, Default)]
pub(crate) struct Silence {
    lost_in_a_row: u64,
    /// Rules that had been found when a message last arrived.
    certain: usize,
}

impl Silence {
    /// The neutral message: no rule is this letter.
    pub const NEUTRAL_TEXT: &str = "ƣ";

    pub fn hear(&mut self, answer: Answer, rules: usize) {
        match answer {
            Answer::Lost => self.lost_in_a_row += 1,
            Answer::Delivered => (self.lost_in_a_row, self.certain) = (0, rules),
        }
    }

    pub fn wants_a_neutral_message(&self) -> bool {
        (LONG..LONG + NEUTRAL).contains(&self.lost_in_a_row)
    }

    /// How many rules may still be believed, if nothing arrives any more.
    pub fn is_complete(&self) -> Option<usize> {
        (self.lost_in_a_row >= LONG + NEUTRAL).then_some(self.certain)
    }
}
