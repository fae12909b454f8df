//! What a rule stands on: for each part of the claim, the messages that speak for it, whatever led to them.
//!
//! The claim "exactly these words" is a conjunction: the words alone are blocked; without the first or the last
//! piece of any word they are not; no word is two. A message that keeps the words and is lost, or keeps all but that
//! piece and arrives, is evidence by its likelihood ratio; no expectation of how rules look enters.
//!
//! A message in which a word of the claim is a part of a longer one says nothing of the claim to a filter of whole words,
//! and is no evidence.
//!
//! Promises: `error_bound` is the sum over the parts (Boole), each from even odds.

use super::channel::Noise;
use super::message::{Message, ORDERED, Sent};
use crate::bits::Bits;
use std::collections::BTreeSet;
use std::ops::Range;

/// The lengths of words this long are found in leaps, which may have landed in a neighbour.
const LEAPT: usize = 4;
/// Log of the odds, from even ones, at which a word is taken for two: side by side they are rare.
const TWO: f64 = 9.0;
/// Log of the odds against a word of one piece: among all places, leaks point at some.
const ONE_PIECE: f64 = 6.0;

/// A part of the claim, and the message that would test it.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub message: Message,
    /// The step of the search, and its threshold, that the answer is about.
    pub lesson: Option<(usize, usize)>,
    /// Log likelihood ratio of what was sent, for this part against its contrary.
    evidence: f64,
}

impl Check {
    fn error(&self) -> f64 {
        1.0 / (1.0 + self.evidence.exp())
    }
}

/// A word that was found, and the step of the search that found its end; its length was the next step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub pieces: Range<usize>,
    pub step: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Proof {
    /// The words, the leftmost first.
    pub words: Vec<Range<usize>>,
    /// That the words alone are blocked, and that pieces of them are needed.
    checks: Vec<Check>,
    /// That a word is not two: which one, and the first piece of the second.
    whole: Vec<(usize, usize, Check)>,
    /// That the words are blocked in the reverse order too.
    any_order: Option<Check>,
}

impl Proof {
    /// `words`: the rightmost first. `alone`: the message that keeps nothing else. `joined`: pieces that are in one word with
    /// the piece before.
    pub fn of(words: &[Word], alone: Message, sent: &[Sent], joined: &Bits, noise: Noise) -> Self {
        let edges = alone.edges(joined);
        let sent: Vec<&Sent> = sent.iter().filter(|sent| sent.message.parts(&edges)).collect();
        let sent = &sent[..];
        let mut checks = vec![enough(&alone, 2 * words.len(), sent, noise)];
        let mut whole = Vec::new();
        for (at, Word { pieces: word, step }) in words.iter().enumerate() {
            let mut last = needed(word.end - 1, (*step, word.end - 1), &alone, sent, noise);
            if word.len() == 1 {
                last.evidence -= ONE_PIECE;
            }
            checks.push(last);
            if word.len() > 1 {
                let first = unbroken(word.start + 1, &alone, sent, noise);
                checks.push(Check { lesson: Some((step + 1, word.len() - 1)), ..first });
            }
            if word.len() >= LEAPT {
                let within = word.start + 2..word.end - 1;
                whole.extend(within.map(|before| (at, before, unbroken(before, &alone, sent, noise))));
            }
        }
        let any_order = (words.len() > 1).then(|| {
            let message = Message { reversed: true, ..alone.clone() };
            let evidence = alike(&message, sent, noise) + ((1.0 - ORDERED) / ORDERED).ln();
            Check { message, lesson: None, evidence }
        });
        let words = words.iter().rev().map(|word| word.pieces.clone()).collect();
        Self { words, checks, whole, any_order }
    }

    /// A word that is two, and the first piece of the second.
    pub fn two(&self) -> Option<(usize, usize)> {
        let found = self.whole.iter().find(|(.., check)| check.evidence < -TWO);
        found.map(|(word, before, _)| (*word, *before))
    }

    /// The part that is least proven, while the whole is not proven to the target.
    pub fn next(&self, target: f64) -> Option<Check> {
        let order = self.any_order.as_ref();
        if self.error_bound() > target {
            let least = self.parts().min_by(|a, b| a.evidence.total_cmp(&b.evidence));
            // Blocked in reverse order, they are blocked, and the order is tested by the way.
            let alone = |least: &&Check| least.lesson == self.checks[0].lesson;
            let by_the_way = order.filter(|order| least.as_ref().is_some_and(alone) && untested(order));
            return least.map(|least| Check {
                message: by_the_way.map_or(&least.message, |order| &order.message).clone(),
                ..least.clone()
            });
        }
        order.filter(|order| order.error().min(1.0 - order.error()) > target).cloned()
    }

    fn parts(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().chain(self.whole.iter().map(|(.., check)| check))
    }

    pub fn error_bound(&self) -> f64 {
        self.parts().map(Check::error).sum::<f64>().min(1.0)
    }

    /// Whether the words must come in the order of the text, as far as the reverse order shows.
    pub fn ordered(&self) -> Option<bool> {
        self.any_order.as_ref().map(|any_order| any_order.error() > 0.5)
    }
}

fn untested(any_order: &Check) -> bool {
    any_order.evidence == ((1.0 - ORDERED) / ORDERED).ln()
}

fn enough(alone: &Message, step: usize, sent: &[&Sent], noise: Noise) -> Check {
    let same = sent.iter().filter(|sent| sent.message.kept == alone.kept && sent.within(&alone.breaks));
    let evidence = same.map(|sent| {
        let of = |blocked| sent.message.likelihood(sent.answer, blocked, noise);
        (of(true) / of(false)).ln()
    });
    Check { message: alone.clone(), lesson: Some((step, 0)), evidence: evidence.sum() }
}

/// That the words are not blocked without this piece.
fn needed(piece: usize, lesson: (usize, usize), alone: &Message, sent: &[&Sent], noise: Noise) -> Check {
    let mut message = alone.clone();
    message.kept.remove(piece);
    let counts = |sent: &&&Sent| {
        let Message { kept, reversed, .. } = &sent.message;
        !reversed && !kept.contains(piece) && message.kept.within(kept) && sent.within(&alone.breaks)
    };
    let evidence = sent.iter().filter(counts).map(|sent| -noise.evidence(sent.answer)).sum();
    Check { message, lesson: Some(lesson), evidence }
}

/// That a filler before this piece lets the words pass: they need it and the one before it side by side.
fn unbroken(before: usize, alone: &Message, sent: &[&Sent], noise: Noise) -> Check {
    let mut message = alone.clone();
    message.breaks.insert(before);
    let counts = |sent: &&&Sent| {
        let Message { kept, breaks, reversed } = &sent.message;
        !reversed && alone.kept.within(kept) && breaks.contains(&before) && breaks.is_subset(&message.breaks)
    };
    let evidence = sent.iter().filter(counts).map(|sent| -noise.evidence(sent.answer)).sum();
    Check { message, lesson: None, evidence }
}

fn alike(message: &Message, sent: &[&Sent], noise: Noise) -> f64 {
    sent.iter().filter(|sent| sent.message == *message).map(|sent| noise.evidence(sent.answer)).sum()
}

impl Sent {
    /// Whether it was broken nowhere else than here.
    fn within(&self, breaks: &BTreeSet<usize>) -> bool {
        self.message.breaks.is_subset(breaks)
    }
}
