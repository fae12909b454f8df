//! Messages of a search, before they are written out, and what became of them.

use super::channel::{Answer, Noise};
use crate::bits::Bits;
use std::collections::BTreeSet;
use std::ops::Range;

/// Chance that a rule wants its words in one order, before that was tested.
pub(crate) const ORDERED: f64 = 0.1;

/// A message, before it is written out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub kept: Bits,
    /// A filler stands before these pieces, although nothing is left out there.
    pub breaks: BTreeSet<usize>,
    /// The parts come in reverse order.
    pub reversed: bool,
}

/// A message and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub message: Message,
    pub answer: Answer,
}

impl Message {
    /// Whether these words stand in it, unbroken and in order.
    pub fn holds(&self, words: &[Range<usize>]) -> bool {
        let broken = |word: &Range<usize>| self.breaks.range(word.start + 1..word.end).next().is_some();
        let kept = |word: &Range<usize>| word.clone().all(|piece| self.kept.contains(piece));
        !self.reversed && words.iter().all(|word| kept(word) && !broken(word))
    }

    /// Where what it keeps is cut out of a longer word.
    pub fn edges(&self, joined: &Bits) -> Vec<usize> {
        let cut = |at: &usize| self.kept.contains(at - 1) != self.kept.contains(*at);
        joined.members().filter(cut).collect()
    }

    /// Whether it cuts there too, or keeps nothing on one of the sides.
    pub fn parts(&self, edges: &[usize]) -> bool {
        let whole = |at: &usize| self.kept.contains(at - 1) && self.kept.contains(*at);
        edges.iter().all(|at| !whole(at) || self.breaks.contains(at))
    }

    /// Chance of the answer, given whether the filter blocks what the message keeps when it stands in order.
    pub fn likelihood(&self, answer: Answer, blocked: bool, noise: Noise) -> f64 {
        let plain = noise.likelihood(answer, blocked);
        match self.reversed {
            true => ORDERED * noise.likelihood(answer, false) + (1.0 - ORDERED) * plain,
            false => plain,
        }
    }
}
