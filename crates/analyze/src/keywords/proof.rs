//! What a rule stands on: for each part of the claim, the messages that speak for it, whatever led to them.
//!
//! The claim "exactly these pieces" is a conjunction: the words alone are blocked, and without the first or the last
//! piece of any word they are not. A message that keeps a part of the words and is lost, or keeps all but that
//! piece and arrives, is evidence by its likelihood ratio; no expectation of how rules look enters.
//!
//! Promises: `error_bound` is the sum over the parts (Boole), each from even odds.

use super::channel::{Answer, Noise};
use super::quest::{Arrangement, Message, Sent};
use crate::bits::Bits;
use std::ops::Range;

/// Words this long may be two that stand side by side: whether they hold together is asked.
const MAY_BE_TWO: usize = 4;
/// Chance that a rule wants its words in one order, before that was tested.
const ORDERED: f64 = 0.1;
/// Log of the odds at which a word is taken for two.
const TWO: f64 = 4.6;

/// A part of the claim, and the message that would test it.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub message: Message,
    /// The step of the search, and the threshold, that the answer is about.
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
    /// All pieces of the words.
    pub kept: Bits,
    checks: Vec<Check>,
    /// Chance that the words are wanted in one order.
    order: Option<Check>,
}

impl Proof {
    /// `words`: the rightmost first.
    pub fn of(words: &[Word], pieces: usize, sent: &[Sent], noise: Noise) -> Self {
        let kept = Bits::of(pieces, words.iter().flat_map(|word| word.pieces.clone()));
        let arranged = |arrangement| Message { kept: kept.clone(), arrangement };
        let mut checks = vec![enough(arranged(Arrangement::AsInText), 2 * words.len(), sent, noise)];
        let mut parts = Vec::new();
        for Word { pieces: word, step } in words {
            let ends = [(word.start, (step + 1, word.len() - 1)), (word.end - 1, (*step, word.end - 1))];
            for (piece, lesson) in ends.into_iter().skip(usize::from(word.len() == 1)) {
                checks.push(needed(piece, Some(lesson), &kept, sent, noise));
            }
            if word.len() < MAY_BE_TWO {
                parts.push(word.clone());
                continue;
            }
            let middle = word.start + word.len() / 2;
            let message = arranged(Arrangement::Split(middle));
            let evidence = alike(&message, sent, noise);
            if evidence > TWO {
                checks.extend([middle, middle - 1].map(|piece| needed(piece, None, &kept, sent, noise)));
                parts.extend([middle..word.end, word.start..middle]);
                continue;
            }
            checks.push(Check { message, lesson: None, evidence: -evidence });
            parts.push(word.clone());
        }
        let order = (parts.len() > 1).then(|| {
            let message = arranged(Arrangement::Reversed);
            let evidence = alike(&message, sent, noise) + ((1.0 - ORDERED) / ORDERED).ln();
            Check { message, lesson: None, evidence }
        });
        parts.reverse();
        Self { words: parts, kept, checks, order }
    }

    /// The part that is least proven, while the whole is not proven to the target.
    pub fn next(&self, target: f64) -> Option<Check> {
        if self.error_bound() > target {
            return self.checks.iter().min_by(|a, b| a.evidence.total_cmp(&b.evidence)).cloned();
        }
        let open = |check: &&Check| check.error().min(1.0 - check.error()) > target;
        self.order.as_ref().filter(open).cloned()
    }

    pub fn error_bound(&self) -> f64 {
        self.checks.iter().map(Check::error).sum::<f64>().min(1.0)
    }

    /// Whether the words must come in the order of the text, as far as the reverse order shows.
    pub fn ordered(&self) -> Option<bool> {
        self.order.as_ref().map(|order| order.error() > 0.5)
    }
}

fn enough(message: Message, step: usize, sent: &[Sent], noise: Noise) -> Check {
    // What arrived in reverse order says nothing of this order.
    let counts = |sent: &&Sent| match sent.message.arrangement {
        Arrangement::AsInText => sent.message.kept.within(&message.kept),
        Arrangement::Reversed => sent.message.kept == message.kept && sent.answer == Answer::Lost,
        Arrangement::Split(_) => false,
    };
    let evidence = sent.iter().filter(counts).map(|sent| noise.evidence(sent.answer)).sum();
    Check { message, lesson: Some((step, 0)), evidence }
}

/// That the words are not blocked without this piece.
fn needed(piece: usize, lesson: Option<(usize, usize)>, words: &Bits, sent: &[Sent], noise: Noise) -> Check {
    let mut kept = words.clone();
    kept.remove(piece);
    let counts = |sent: &&Sent| {
        let Message { kept: all, arrangement } = &sent.message;
        *arrangement == Arrangement::AsInText && !all.contains(piece) && kept.within(all)
    };
    let evidence = sent.iter().filter(counts).map(|sent| -noise.evidence(sent.answer)).sum();
    Check { message: Message { kept, arrangement: Arrangement::AsInText }, lesson, evidence }
}

fn alike(message: &Message, sent: &[Sent], noise: Noise) -> f64 {
    sent.iter().filter(|sent| sent.message == *message).map(|sent| noise.evidence(sent.answer)).sum()
}
