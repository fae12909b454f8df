//! A search for a filter's words, of a text or of a list, and what it would cost.
//!
//! Promises: pure; the same question and answers lead to the same messages, so answers that were kept are given again
//! and nothing is sent twice for them.

use crate::exit::{Failure, Result};
use overheard_analyze::keywords::{Answer, ListSearch, Refusal, Search};
pub use overheard_analyze::keywords::{Limit, Next, Noise, Options, Others, filler};
use overheard_model::Found;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Filters that a rehearsal imagines.
const REHEARSALS: u64 = 15;
/// Messages after which a rehearsal is not gone on with.
pub const LONGEST_REHEARSAL: u64 = 2_000;

/// What is asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// Which words of this blocked text do it?
    Text(String),
    /// Which of these words, alone or in pairs?
    Words(Vec<String>),
}

/// A search that is under way.
#[derive(Debug)]
pub enum Hunt {
    Text(Box<Search>),
    Words(Box<ListSearch>),
}

impl Hunt {
    pub fn new(question: &Question, options: &Options, seed: u64) -> Result<Self> {
        match question {
            Question::Words(words) => {
                Ok(Self::Words(Box::new(ListSearch::new(words.iter().cloned(), options.clone(), seed))))
            }
            Question::Text(text) => match Search::new(text, options.clone()) {
                Ok(search) => Ok(Self::Text(Box::new(search))),
                Err(Refusal::Empty) => Err(Failure::new("--text: the file holds no text, or nothing but blanks")
                    .hint("give a file with the text that was blocked")),
                Err(Refusal::Single) => Err(Failure::new(
                    "--text: the file holds one character, of which there is no part to find",
                )
                .hint("if it is blocked, that character is the rule; `overheard uploads --trigger` says whether it is")),
                Err(Refusal::TooLong(_)) => {
                    Err(Failure::new("--text: the text is longer than --longest takes")
                        .hint("give a part of it that is blocked by itself"))
                }
            },
        }
    }

    /// The next message, or the answer.
    pub fn ask(&mut self) -> Next {
        match self {
            Self::Text(search) => search.ask(),
            Self::Words(search) => search.ask(),
        }
    }

    /// Whether the message asked for last was filtered.
    pub fn answer(&mut self, filtered: bool) {
        self.hear(if filtered { Answer::Lost } else { Answer::Delivered });
    }

    /// What is known so far, of a search that is broken off here.
    pub fn so_far(&self) -> Found {
        match self {
            Self::Text(search) => search.so_far(),
            Self::Words(search) => search.so_far(),
        }
    }

    fn hear(&mut self, answer: Answer) {
        match self {
            Self::Text(search) => search.answer(answer),
            Self::Words(search) => search.answer(answer),
        }
    }
}

/// Messages that the search takes against imagined filters: the median and the most.
pub fn rehearse(question: &Question, options: &Options, loss: f64, seed: u64) -> Result<(u64, u64)> {
    let mut taken = Vec::new();
    for round in 0..REHEARSALS {
        let mut random = ChaCha8Rng::seed_from_u64(seed.wrapping_add(round));
        let rules = imagined(question, &mut random);
        let blocks =
            |text: &str| rules.iter().any(|rule| rule.iter().all(|word| text.contains(word.as_str())));
        let mut hunt = Hunt::new(question, options, seed)?;
        let mut messages = 0;
        while let Next::Ask { text } = hunt.ask() {
            messages += 1;
            if messages >= LONGEST_REHEARSAL {
                break;
            }
            let lost = blocks(&text) || random.random_bool(loss);
            hunt.hear(if lost { Answer::Lost } else { Answer::Delivered });
        }
        taken.push(messages);
    }
    taken.sort_unstable();
    Ok((taken[taken.len() / 2], taken[taken.len() - 1]))
}

/// Of a text four words of two characters that are needed together, of a list three words that trigger alone.
fn imagined(question: &Question, random: &mut ChaCha8Rng) -> Vec<Vec<String>> {
    match question {
        Question::Words(words) => words.sample(random, 3).map(|word| vec![word.trim().to_owned()]).collect(),
        Question::Text(text) => {
            let characters: Vec<char> = text.chars().collect();
            let pairs: Vec<String> = characters.windows(2).map(|pair| pair.iter().collect()).collect();
            vec![pairs.sample(random, 4).cloned().collect()]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_costs_what_searches_cost() {
        let text: String = (0..150).map(|at| char::from_u32(0x4e00 + at * 7).unwrap()).collect();
        let options = Options { most_messages: u64::MAX, ..Options::default() };
        let (median, most) = rehearse(&Question::Text(text), &options, 0.0, 1).unwrap();
        assert!((15..=60).contains(&median) && most < 200, "{median}, {most}");
    }

    #[test]
    fn what_cannot_be_searched_is_refused() {
        assert!(Hunt::new(&Question::Text(String::new()), &Options::default(), 1).is_err());
    }
}
