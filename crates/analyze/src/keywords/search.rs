//! From one blocked text to the rules that block it: the state machine that clients, simulators and tests drive.
//!
//! Promises: no I/O and no clock; the same text and answers lead to the same messages, so that an interrupted search
//! goes on by giving it its answers again. A rule is found whatever its neighbours, and whether there are others
//! is asked by the way. What does not add up is a warning beside the answer.

use super::channel::{Answer, Noise};
use super::message::{Message, Sent};
use super::proof::Proof;
use super::quest::{Quest, Stand};
use super::silence::Silence;
use super::text::{Limit, Text, runs};
use crate::bits::Bits;
use overheard_model::{Found, Others, Rule, SearchWarning};
use std::collections::VecDeque;
use std::ops::Range;

/// Chance that a text holds a second rule, before that was asked.
const ANOTHER: f64 = 0.1;
/// Chance that the text arrives after all, although it is said to be blocked.
const NOT_BLOCKED: f64 = 0.01;
/// What arrived against a rule this unlikely, had the filter only leaked, is a contradiction.
const CONTRADICTION: f64 = 1e-3;

/// How a search is made.
#[derive(Clone, Debug)]
pub struct Options {
    pub noise: Noise,
    /// Chance of error allowed for each rule.
    pub target: f64,
    pub others: Others,
    /// Words known from elsewhere. They save messages where they are right and cost some where they are not.
    pub lexicon: Vec<String>,
    pub limit: Option<Limit>,
    /// Of a list: a word that triggers is searched like a text for the part of it that does.
    pub parts: bool,
    /// Messages after which the search ends unsettled.
    pub most_messages: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            noise: Noise::NONE,
            target: 0.005,
            others: Others::Apart,
            lexicon: Vec::new(),
            limit: None,
            parts: true,
            most_messages: 1000,
        }
    }
}

/// What a search wants next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Send this text, then call [`Search::answer`].
    Ask {
        text: String,
    },
    Done(Found),
}

/// Why a text cannot be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing but blanks.
    Empty,
    /// One character beside blanks: if it is blocked, that is the rule.
    Single,
    /// Longer than the platform takes; with room for a filler, 5 bytes.
    TooLong(Limit),
}

/// A search of one text.
#[derive(Debug)]
pub struct Search {
    text: Text,
    options: Options,
    /// Texts with words of known rules left out, still to be searched.
    ahead: VecDeque<Bits>,
    quest: Option<Quest>,
    pending: Option<Message>,
    silence: Silence,
    /// The neutral message was asked for.
    neutral: bool,
    sent: Vec<Sent>,
    found: Found,
    /// Where the words of each rule stand.
    proven: Vec<Vec<Range<usize>>>,
    /// Texts in which nothing is blocked, nor in any part of them.
    clear: Vec<Bits>,
}

impl Search {
    pub fn new(text: &str, options: Options) -> Result<Self, Refusal> {
        let text = Text::new(text);
        match text.solid() {
            0 => return Err(Refusal::Empty),
            1 => return Err(Refusal::Single),
            _ => {}
        }
        if let Some(limit) = options.limit.filter(|limit| !text.fits(*limit)) {
            return Err(Refusal::TooLong(limit));
        }
        Ok(Self::of(text, options))
    }

    /// A search of a message that was taken as it is: what is longer by a filler may be too long.
    pub(super) fn of_message(message: &str, options: Options) -> Option<Self> {
        let text = Text::new(message);
        (text.solid() > 1).then(|| Self::of(text, options))
    }

    fn of(text: Text, options: Options) -> Self {
        let ahead = VecDeque::from([Bits::of(text.len(), 0..text.len())]);
        let found = Found { others: options.others, ..Found::default() };
        let (proven, clear) = (Vec::new(), Vec::new());
        Self {
            text,
            options,
            ahead,
            quest: None,
            pending: None,
            silence: Silence::default(),
            neutral: false,
            sent: Vec::new(),
            found,
            proven,
            clear,
        }
    }

    /// The next message, or the answer. Calling it again without an answer repeats it.
    pub fn ask(&mut self) -> Next {
        if self.neutral || self.silence.wants_a_neutral_message(self.found.rules.len(), false) {
            return self.ask_neutral();
        }
        if let Some(certain) = self.silence.is_complete() {
            self.found.rules.truncate(certain);
            self.warn(SearchWarning::Silent);
            return Next::Done(self.found.clone());
        }
        if let Some(message) = &self.pending {
            return Next::Ask { text: self.write(message) };
        }
        if self.found.messages >= self.options.most_messages {
            self.warn(SearchWarning::Unsettled);
            return Next::Done(self.found.clone());
        }
        loop {
            let Some(mut quest) = self.quest.take().or_else(|| self.depart()) else {
                if self.silence.wants_a_neutral_message(self.found.rules.len(), true) {
                    return self.ask_neutral();
                }
                self.contradictions();
                return Next::Done(self.found.clone());
            };
            match quest.stand() {
                Stand::Ask(message) => {
                    let text = self.write(&message);
                    self.pending = Some(message);
                    self.quest = Some(quest);
                    return Next::Ask { text };
                }
                Stand::Found(proof) => self.conclude(&quest, &proof),
                Stand::Nothing if self.found.rules.is_empty() => self.warn(SearchWarning::NotBlocked),
                Stand::Nothing => self.clear.push(quest.universe().clone()),
            }
        }
    }

    /// What is known so far, of a search that is broken off here.
    pub fn so_far(&self) -> Found {
        self.found.unsettled()
    }

    /// What became of the message asked for last; ignored if none was.
    pub fn answer(&mut self, answer: Answer) {
        let neutral = std::mem::take(&mut self.neutral);
        if neutral || self.pending.is_some() {
            self.found.messages += 1;
            self.silence.hear(answer, neutral, self.found.rules.len());
        }
        if neutral {
            return;
        }
        let (Some(message), Some(quest)) = (self.pending.take(), self.quest.as_mut()) else { return };
        self.sent.push(Sent { message: message.clone(), answer });
        quest.learn(message, answer);
    }

    /// What was found so far.
    pub fn found(&self) -> &Found {
        &self.found
    }

    fn ask_neutral(&mut self) -> Next {
        self.neutral = true;
        Next::Ask { text: Silence::NEUTRAL_TEXT.to_owned() }
    }

    fn depart(&mut self) -> Option<Quest> {
        let universe = self.next_universe()?;
        let first = self.found.rules.is_empty();
        let clean = if first { NOT_BLOCKED } else { 1.0 - ANOTHER };
        let lexicon = self.options.lexicon.iter().filter(|word| !word.is_empty());
        let known: Vec<_> = lexicon.flat_map(|word| self.text.places_of(word)).collect();
        Some(Quest::new(universe, &self.text, &known, clean, self.options.noise, self.options.target))
    }

    /// The next text to be searched: none that a known rule blocks, which would be found again, and none that is a part of
    /// a clear one (the hitting-set tree of Reiter 1987, *Artificial Intelligence* 32, 57).
    fn next_universe(&mut self) -> Option<Bits> {
        loop {
            let universe = self.ahead.pop_front()?;
            if self.clear.iter().any(|clear| universe.within(clear)) {
                continue;
            }
            let held = |word: &String| {
                let mut places = self.text.places_of(word).into_iter();
                places.any(|place| place.into_iter().all(|piece| universe.contains(piece)))
            };
            let known = self.found.rules.iter().find(|rule| rule.all.iter().all(held));
            let Some(known) = known.map(|rule| rule.all.clone()) else { return Some(universe) };
            self.leave_out(&universe, known.into_iter().map(|word| vec![word]).collect());
        }
    }

    fn conclude(&mut self, quest: &Quest, proof: &Proof) {
        let words = proof.words.iter().map(|word| self.text.slice(word.clone()).to_owned());
        let rule = Rule {
            all: words.collect(),
            ordered: proof.ordered(),
            candidates: Vec::new(),
            exact: true,
            error_bound: proof.error_bound(),
            messages: quest.sent().len() as u64,
        };
        self.warn_of_what_is_not_told_apart(&proof.words, rule.ordered);
        self.proven.push(proof.words.clone());
        let left_out: Vec<Vec<String>> = match self.options.others {
            Others::Ignored => Vec::new(),
            Others::Apart if quest.is_clear_beside(&proof.words) => Vec::new(),
            Others::Apart => vec![rule.all.clone()],
            Others::All => rule.all.iter().map(|word| vec![word.clone()]).collect(),
        };
        self.leave_out(quest.universe(), left_out);
        if self.found.rules.iter().all(|known| known.all != rule.all) {
            self.found.rules.push(rule);
        }
    }

    fn warn_of_what_is_not_told_apart(&mut self, words: &[Range<usize>], ordered: Option<bool>) {
        let meet = |pair: &[Range<usize>]| self.text.slice(pair[0].end..pair[1].start).trim().is_empty();
        let mut in_order = words.to_vec();
        in_order.sort_unstable_by_key(|word| word.start);
        if ordered != Some(false) && in_order.windows(2).any(meet) {
            self.warn(SearchWarning::SideBySide);
        }
        if words.iter().any(|word| self.text.is_composed(word.clone())) {
            self.warn(SearchWarning::WholeCharacters);
        }
    }

    fn leave_out(&mut self, universe: &Bits, left_out: Vec<Vec<String>>) {
        for words in left_out {
            let universe = self.without(universe, &words);
            if universe.count() > 0 && !self.ahead.contains(&universe) {
                self.ahead.push_back(universe);
            }
        }
    }

    /// All occurrences of the words left out, since each could stand for the one found.
    fn without(&self, universe: &Bits, words: &[String]) -> Bits {
        let mut left = universe.clone();
        let places = words.iter().flat_map(|word| self.text.places_of(word));
        places.flatten().for_each(|piece| left.remove(piece));
        left
    }

    /// Messages that held all words of a proven rule and arrived, more than leaks explain.
    fn contradictions(&mut self) {
        let leak = self.options.noise.likelihood(Answer::Delivered, true);
        let contradicted = self.proven.iter().any(|rule| {
            let held = self.sent.iter().filter(|sent| sent.message.holds(rule));
            let (all, arrived) = held.fold((0_u64, 0_u64), |(all, arrived), sent| {
                (all + 1, arrived + u64::from(sent.answer == Answer::Delivered))
            });
            arrived > 0 && at_least(arrived, all, leak) < CONTRADICTION
        });
        if contradicted || self.options.noise.is_none() && self.contradicts_itself() {
            self.warn(SearchWarning::NotMonotone);
        }
    }

    /// Whether a message arrived that held all of one that was lost.
    fn contradicts_itself(&self) -> bool {
        let answered =
            |answer| self.sent.iter().filter(move |sent| sent.answer == answer && !sent.message.reversed);
        answered(Answer::Lost).any(|lost| {
            answered(Answer::Delivered).any(|arrived| {
                lost.message.kept.within(&arrived.message.kept)
                    && arrived.message.breaks.is_subset(&lost.message.breaks)
            })
        })
    }

    fn warn(&mut self, warning: SearchWarning) {
        if !self.found.warnings.contains(&warning) {
            self.found.warnings.push(warning);
        }
    }

    fn write(&self, message: &Message) -> String {
        let mut parts = runs(&message.kept);
        for &at in &message.breaks {
            if let Some(found) = parts.iter().position(|part| part.contains(&at)) {
                let part = parts[found].clone();
                let halves = [part.start..at, at..part.end];
                parts.splice(found..=found, halves.into_iter().filter(|half| !half.is_empty()));
            }
        }
        if message.reversed {
            parts.reverse();
        }
        self.text.join(&parts, self.options.limit)
    }
}

/// Chance of at least k of n, k from 1, each with chance p.
pub fn at_least(k: u64, n: u64, p: f64) -> f64 {
    use statrs::distribution::{Binomial, DiscreteCDF};
    Binomial::new(p, n).map_or(1.0, |binomial| binomial.sf(k.saturating_sub(1)))
}
