//! The search for one rule: from the end of the text to its beginning, word by word.
//!
//! In what is left of the text, the shortest blocked beginning (with the words already found kept behind it) ends
//! where the next word to the left ends. Then single pieces are left out, to see where that word begins. When what
//! was found is blocked without any beginning, the rule is complete. Each step is a [`Threshold`]; the steps stand
//! on each other, and one that turns out to stand on a mistake is given up and weighs on the one below. What it learned
//! beside that is kept, for where it was none.
//!
//! Promises: every message keeps a part of what is believed to be blocked, so that each answer can only narrow it.

use super::channel::{Answer, Noise};
use super::message::{Message, Sent};
use super::proof::{Proof, Word};
use super::shape::{Shape, generating};
use super::text::Text;
use super::threshold::Threshold;
use crate::bits::Bits;
use std::collections::HashMap;
use std::ops::Range;

/// A step is built upon when its answer has this chance: mistakes are cheaper to undo than to exclude.
const BUILT_UPON: f64 = 0.9;
/// The words found are sent in reverse order as soon as they are this likely to be all.
const LIKELY_ALL: f64 = 0.8;
/// A step that has this chance to stand on a mistake is given up.
const GIVEN_UP: f64 = 0.5;

#[derive(Clone, Debug)]
enum Target {
    /// Where does the next word to the left end? 0: there is none.
    End,
    /// How long is the word that ends here?
    Length { end: usize },
}

#[derive(Clone, Debug)]
struct Step {
    target: Target,
    belief: Threshold,
    /// What the steps above rest on.
    accepted: Option<usize>,
}

/// What a step rests on: the thresholds of those below, and where words were shown to be two.
type Ground = (Vec<usize>, Vec<usize>);

/// Whether anything is blocked beside the rule: asked by the way, with a filler in one of its words and the whole text around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    NotAsked,
    Asked,
    Clear,
    /// Lost: by noise or by another rule.
    Open,
}

/// Where the search stands.
#[derive(Debug)]
pub(crate) enum Stand {
    Ask(Message),
    Found(Proof),
    /// Nothing of this text is blocked.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Quest {
    noise: Noise,
    target: f64,
    /// Pieces in which the rule is looked for.
    universe: Bits,
    /// Pieces that are in one word with the piece before.
    joined: Bits,
    /// For each boundary, the share of places to its left.
    share: Vec<f64>,
    /// Expected length of a word that ends at a boundary, where a lexicon knows one.
    known_lengths: Vec<Vec<usize>>,
    trust: f64,
    shape: Shape,
    steps: Vec<Step>,
    /// Weights of steps that were given up, by what they rested on.
    given_up: HashMap<Ground, Vec<f64>>,
    /// Pieces before which a word was shown to be two.
    breaks: Vec<usize>,
    /// The step, and its threshold, that learn from the answer to come.
    lesson: Option<(usize, usize)>,
    sent: Vec<Sent>,
    rest: Rest,
}

impl Quest {
    /// `known` are places where words of a lexicon stand, `clean` is the chance that nothing is blocked here.
    pub fn new(
        universe: Bits,
        text: &Text,
        known: &[Range<usize>],
        clean: f64,
        noise: Noise,
        target: f64,
    ) -> Self {
        let (pieces, joined) = (text.len(), text.joined());
        let trust = if known.is_empty() { 0.0 } else { 0.5 };
        let mut known_lengths = vec![Vec::new(); pieces + 1];
        for place in known.iter().filter(|place| (*place).clone().all(|piece| universe.contains(piece))) {
            known_lengths[place.end].push(place.len());
        }
        let (all, listed) =
            (universe.count().max(1) as f64, known_lengths.iter().flatten().count().max(1) as f64);
        let mut left = 0.0;
        let share = (0..=pieces).map(|end| {
            let kept = end > 0 && universe.contains(end - 1);
            left += f64::from(kept) * (1.0 - trust) / all + trust * known_lengths[end].len() as f64 / listed;
            left
        });
        let share = share.collect();
        let shape = Shape::default();
        let mut quest = Self {
            noise,
            target,
            universe,
            joined,
            share,
            known_lengths,
            trust,
            shape,
            steps: Vec::new(),
            given_up: HashMap::new(),
            breaks: Vec::new(),
            lesson: None,
            sent: Vec::new(),
            // A leak could clear what is not.
            rest: if noise.leaks() { Rest::Open } else { Rest::NotAsked },
        };
        quest.steps.push(quest.step_to_end(clean));
        quest
    }

    /// The words found so far, the rightmost first.
    fn found(&self) -> Vec<Word> {
        let steps = self.steps.iter().enumerate().skip(1);
        let words = steps.filter_map(|(at, step)| match step.target {
            Target::Length { end } => {
                step.accepted.map(|length| Word { pieces: end - length..end, step: at - 1 })
            }
            Target::End => None,
        });
        words.collect()
    }

    fn words(&self) -> Vec<Range<usize>> {
        self.found().into_iter().map(|word| word.pieces).collect()
    }

    fn pieces(&self) -> usize {
        self.share.len() - 1
    }

    fn step_to_end(&self, mistaken: f64) -> Step {
        let words = self.words();
        let bound = words.last().map_or(self.pieces(), |word| word.start);
        let most = self.share[bound].max(f64::MIN_POSITIVE);
        let mut remaining =
            self.shape.remaining(words.len(), most / self.share[self.pieces()].max(f64::MIN_POSITIVE));
        if self.breaks.contains(&bound) {
            // The other half of a word that is two.
            remaining[0] = 0.0;
        }
        let below: Vec<f64> =
            self.share[..=bound].iter().map(|share| generating(&remaining, share / most)).collect();
        let mass = std::iter::once(below[0]).chain(below.windows(2).map(|pair| pair[1] - pair[0])).collect();
        Step { target: Target::End, belief: Threshold::new(mass, mistaken), accepted: None }
    }

    fn step_to_length(&self, end: usize, mistaken: f64) -> Step {
        let whole = |piece: &usize| self.universe.contains(*piece) && !self.breaks.contains(&(piece + 1));
        let most = usize::from(end > 0) + (0..end.saturating_sub(1)).rev().take_while(whole).count();
        let listed = &self.known_lengths[end];
        let expected = (1.0 - self.trust) / self.universe.count().max(1) as f64;
        let all_listed = self.known_lengths.iter().flatten().count().max(1) as f64;
        let weight = |length: usize| {
            let hits = listed.iter().filter(|listed| **listed == length).count() as f64;
            Shape::length(length) * expected + self.trust * hits / all_listed
        };
        let mass = std::iter::once(0.0).chain((1..=most).map(weight)).collect();
        Step { target: Target::Length { end }, belief: Threshold::new(mass, mistaken), accepted: None }
    }

    /// The message that asks a step whether its threshold is at most `at`.
    fn message(&self, step: usize, at: usize) -> Message {
        let (end, cut) = match self.steps[step].target {
            Target::End => (at, None),
            Target::Length { end } => (end, Some(end - at)),
        };
        let words: Vec<_> = self.words().into_iter().filter(|word| word.start >= end).collect();
        let mut kept = Bits::of(self.pieces(), (0..end).filter(|piece| self.universe.contains(*piece)));
        words.iter().cloned().flatten().for_each(|piece| kept.insert(piece));
        // A word that was cut short must not become whole again by what stands before it.
        let starts = words.iter().map(|word| word.start).chain(self.breaks.iter().copied()).chain(cut);
        let breaks = starts.filter(|at| *at > 0 && kept.contains(at - 1) && kept.contains(*at)).collect();
        Message { kept, breaks, reversed: false }
    }

    /// What to do next. The answer to the message asked for must be given to [`Self::learn`].
    pub fn stand(&mut self) -> Stand {
        self.settle();
        let top = self.steps.len() - 1;
        let step = &self.steps[top];
        if top == 0 && step.belief.none() > 1.0 - self.target {
            return Stand::Nothing;
        }
        if step.accepted.is_none() {
            let at = step.belief.question(self.noise);
            return self.ask_step(top, at);
        }
        let words = self.found();
        let proof = Proof::of(&words, self.message(top, 0), &self.sent, &self.joined, self.noise);
        if let Some((word, before)) = proof.two() {
            self.break_word(words[word].step, before);
            return self.stand();
        }
        let Some(check) = proof.next(self.target) else { return Stand::Found(proof) };
        self.lesson = check.lesson;
        let within_a_word = matches!(check.lesson, Some((step, _)) if matches!(self.steps[step].target, Target::Length { .. }));
        if self.rest == Rest::NotAsked && within_a_word {
            (self.rest, self.lesson) = (Rest::Asked, None);
            let kept = self.universe.clone();
            return Stand::Ask(Message { kept, ..check.message });
        }
        Stand::Ask(check.message)
    }

    /// What was taken for one word is two: its length is asked again.
    fn break_word(&mut self, step: usize, before: usize) {
        self.breaks.push(before);
        self.steps.truncate(step + 1);
        let end = self.steps[step].accepted.unwrap_or(before + 1);
        self.steps.push(self.step_to_length(end, self.steps[step].belief.doubt(end)));
    }

    fn ask_step(&mut self, step: usize, at: usize) -> Stand {
        let mut message = self.message(step, at);
        self.lesson = Some((step, at));
        let complete = at == 0 && self.steps[step].belief.chance(0) > LIKELY_ALL && self.words().len() > 1;
        let reversed = Message { reversed: true, ..message.clone() };
        if complete && !self.sent.iter().any(|sent| sent.message == reversed) {
            message = reversed;
        }
        Stand::Ask(message)
    }

    pub fn learn(&mut self, message: Message, answer: Answer) {
        if self.rest == Rest::Asked {
            self.rest = if answer == Answer::Delivered { Rest::Clear } else { Rest::Open };
            if self.rest == Rest::Open {
                // Lost, it says nothing of this word.
                return;
            }
        }
        let weight = |blocked| message.likelihood(answer, blocked, self.noise);
        let weights = (weight(true), weight(false));
        self.sent.push(Sent { message, answer });
        let Some((step, at)) = self.lesson else { return };
        self.steps[step].belief.learn(at, weights.0, weights.1);
        let likeliest = self.steps[step].belief.likeliest();
        if self.steps[step].accepted.is_some_and(|accepted| likeliest.0 != accepted || likeliest.1 < GIVEN_UP)
        {
            self.give_up(step + 1);
            self.steps[step].accepted = None;
        }
    }

    /// Gives up steps that stand on a mistake, and builds on those that are sure enough.
    fn settle(&mut self) {
        loop {
            let top = self.steps.len() - 1;
            let belief = &self.steps[top].belief;
            if top > 0 && belief.none() > GIVEN_UP {
                let support = belief.support();
                self.give_up(top);
                let below = &mut self.steps[top - 1];
                if let Some(accepted) = below.accepted.take() {
                    below.belief.weigh(accepted, support);
                }
                continue;
            }
            let (likeliest, chance) = belief.likeliest();
            if self.steps[top].accepted.is_some() || chance < BUILT_UPON {
                return;
            }
            let mistaken = belief.doubt(likeliest);
            self.steps[top].accepted = Some(likeliest);
            let mut next = match self.steps[top].target {
                Target::End if likeliest == 0 => return,
                Target::End => self.step_to_length(likeliest, mistaken),
                Target::Length { .. } => self.step_to_end(mistaken),
            };
            if let Some(weights) = self.given_up.get(&self.ground(top + 1)) {
                // What it taught of mistakes has weighed on the steps below.
                next.belief = Threshold::new(weights.clone(), mistaken);
            }
            self.steps.push(next);
        }
    }

    /// Drops the steps from this one on.
    fn give_up(&mut self, from: usize) {
        for step in from..self.steps.len() {
            self.given_up.insert(self.ground(step), self.steps[step].belief.weights().to_vec());
        }
        self.steps.truncate(from);
    }

    fn ground(&self, step: usize) -> Ground {
        let below = self.steps[..step].iter().filter_map(|step| step.accepted);
        (below.collect(), self.breaks.clone())
    }

    /// Whether a message with all of the text but these words arrived.
    pub fn is_clear_beside(&self, words: &[Range<usize>]) -> bool {
        let mut arrived = self.sent.iter().filter(|sent| sent.answer == Answer::Delivered);
        self.rest == Rest::Clear
            && arrived.any(|sent| sent.message.kept == self.universe && !sent.message.holds(words))
    }

    pub fn universe(&self) -> &Bits {
        &self.universe
    }

    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }
}
