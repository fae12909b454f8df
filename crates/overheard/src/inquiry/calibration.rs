//! Before a search for words: what a filtered message is known by, and how often that errs.
//!
//! Harmless messages say how many are lost anyway. What is asked about is sent too, in random order between them: the
//! share of a blocked text that arrives is the filter's leak, and in rooms, where it arrives and something else is sent
//! then, the search goes by that and not by arrivals.
//! Harmless messages are those of [`wording`]: of the same length and script. Made ones hold none of its words; those cut
//! from a file hold none of its messages, but may hold a word of a list or of the text.
//! Promises: rates are those of Jeffreys' prior, not 0 because nothing happened in a few messages; what a search goes by
//! follows from the book alone.
//! To extend: another sign of a filter is a variant of [`Sense`].

use super::comparison::Comparison;
use super::design::{self, Size};
use super::hunt::{Question, filler};
use super::verdict;
use super::wording;
use crate::exit::Result;
use crate::pipeline::{Cut, rate};
use overheard_model::{Act, Arm, Fate, Outcome, Signal, Uploads};
use overheard_probe::trial::Book;

/// Share of messages that are lost anyway, where it was neither measured nor given.
pub const LOSS: f64 = 0.02;
/// Share of filtered messages that pass all the same, likewise: a search that takes it for less than it is says wrong
/// words, or misses some.
pub const LEAK: f64 = 0.05;
/// A text of which a larger share arrives is not taken for a filtered one.
const MOST_LEAK: f64 = 0.45;
/// Share of uploads that are taken to be missed where it cannot be measured, since not every message of the list was
/// filtered.
const MISSED: f64 = 0.05;

/// By what a message is taken for filtered.
#[derive(Clone, Debug, PartialEq)]
pub enum Sense {
    Delivery,
    Upload(Cut),
}

/// What a search goes by.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// Of the comparison, if there was one.
    pub judged: Option<Uploads>,
    pub sense: Sense,
    pub loss: f64,
    pub leak: f64,
    /// Whether the loss was measured.
    pub measured: bool,
}

/// What was given on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    pub loss: Option<f64>,
    pub leak: Option<f64>,
}

/// The messages of a calibration: harmless ones where their loss is to be measured, what is asked where that shows
/// something. Where traffic is watched, both, since they are compared.
pub fn comparison(
    question: &Question,
    benign: Option<&[String]>,
    trials: usize,
    watched: bool,
    longest: usize,
    given: Given,
    seed: u64,
) -> Result<Comparison> {
    let asked = messages(question, longest);
    let harmless = watched || given.loss.is_none();
    // Of a list not every word need be filtered: without traffic it shows nothing.
    let shows = watched || given.leak.is_none() && matches!(question, Question::Text(_));
    let blocked = shows && asked.len() <= trials;
    let mut order = design::order(Size { trials, sham: 0 }, &[], seed);
    order.retain(|slot| !asked.is_empty() && if slot.arm == Arm::Benign { harmless } else { blocked });
    // What is not sent need not be found.
    let wanted = if order.is_empty() { 0 } else { trials };
    Ok(Comparison { pairs: wording::pairs(&asked, benign, wanted, seed, &[])?, order })
}

/// All that is asked about, in as few messages as the platform takes.
fn messages(question: &Question, longest: usize) -> Vec<String> {
    let words = match question {
        Question::Text(text) => return vec![text.clone()],
        Question::Words(words) => words,
    };
    let mut messages: Vec<(usize, String)> = Vec::new();
    let filler = filler(words.iter().map(String::as_str));
    let between = filler.chars().count();
    for word in words {
        let length = word.chars().count();
        match messages.last_mut().filter(|(so_far, _)| so_far + between + length <= longest) {
            Some((so_far, message)) => {
                *so_far += between + length;
                *message += &filler;
                *message += word;
            }
            None if length <= longest => messages.push((length, word.clone())),
            None => {}
        }
    }
    messages.into_iter().map(|(_, message)| message).collect()
}

/// What the acts so far say.
pub fn conclude(book: &Book, question: &Question, watched: bool, given: Given, seed: u64) -> Calibrated {
    let acts = verdict::counted(book, watched);
    let judged = verdict::judge(book, &acts, 1, seed);
    if let Some(Uploads { outcome: Outcome::Copied, uploads, .. }) = &judged
        && let Some(upload) = uploads.first()
    {
        let cut = Cut::between(&verdict::trials(book, &acts), upload);
        let leak = match question {
            Question::Text(_) => cut.false_negative,
            Question::Words(_) => MISSED,
        };
        let (loss, sense) = (cut.false_positive, Sense::Upload(cut));
        return Calibrated { judged, sense, loss, leak, measured: true };
    }
    let share =
        |arm, arrived: bool| verdict::share(book, &acts, arm, |fate| (fate == Fate::Delivered) == arrived);
    let of = |(some, all): (u64, u64)| rate(some as usize, all as usize);
    let (lost, through) = (share(Arm::Benign, false), share(Arm::Trigger, true));
    let text = matches!(question, Question::Text(_)) && through.1 > 0;
    let leak = Some(of(through)).filter(|leak| text && *leak <= MOST_LEAK);
    Calibrated {
        judged,
        sense: Sense::Delivery,
        loss: given.loss.unwrap_or(if lost.1 > 0 { of(lost) } else { LOSS }),
        leak: given.leak.or(leak).unwrap_or(LEAK),
        measured: given.loss.is_none() && lost.1 > 0,
    }
}

impl Sense {
    /// Whether the message of an act was filtered; nothing where that is not known. A filter that only copies lets
    /// messages arrive: one that did not says nothing of it.
    pub fn is_filtered(&self, book: &Book, act: &Act) -> Option<bool> {
        let fate = book.delivery(act)?.fate?;
        match self {
            Self::Delivery => Some(fate != Fate::Delivered),
            Self::Upload(cut) => {
                let known = fate == Fate::Delivered && book.is_watched(act);
                known.then(|| cut.is_filtered(&act.traffic))
            }
        }
    }

    pub fn signal(&self) -> Signal {
        match self {
            Self::Delivery => Signal::Delivery,
            Self::Upload(cut) => Signal::Upload { endpoint: cut.endpoint.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Question {
        Question::Words(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn a_list_goes_into_few_messages_and_long_words_into_none() {
        let asked = messages(&words(&["lamp", "moss", "a very long candidate", "stone"]), 12);
        assert_eq!(asked, ["lamp q moss", "stone"]);
    }

    #[test]
    fn arms_are_compared_only_where_all_of_it_can_be_sent_and_watched() {
        let arms = |question: &Question, watched, given: Given| {
            let comparison = comparison(question, None, 3, watched, 9, given, 1).unwrap();
            let of = |arm| comparison.order.iter().filter(|slot| slot.arm == arm).count();
            (of(Arm::Trigger), of(Arm::Benign))
        };
        let text = Question::Text("some text".into());
        let unknown = Given { loss: None, leak: None };
        let (loss, both) = (Given { loss: Some(0.1), ..unknown }, Given { loss: Some(0.1), leak: Some(0.0) });
        assert_eq!((arms(&text, true, both), arms(&text, false, unknown)), ((3, 3), (3, 3)));
        assert_eq!((arms(&text, false, loss), arms(&text, false, both)), ((3, 0), (0, 0)));
        let long = words(&["aaaaaaa", "bbbbbbb", "ccccccc", "ddddddd"]);
        let list = words(&["a"]);
        assert_eq!((arms(&long, true, unknown), arms(&list, true, unknown)), ((0, 3), (3, 3)));
        assert_eq!(arms(&list, false, unknown), (0, 3));
        let none = comparison(&text, None, 0, true, 9, unknown, 1).unwrap();
        assert_eq!(none.messages(), 0);
    }
}
