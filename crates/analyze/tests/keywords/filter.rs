//! A simulated filter on a noisy way, and a search driven against it.

use overheard_analyze::keywords::{Answer, ListSearch, Next, Options, Search};
use overheard_model::Found;
use rand::{Rng, RngExt};

/// Blocks a text that holds all words of any rule, unless it holds a word that switches it off.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub rules: Vec<Vec<String>>,
    pub ordered: bool,
    /// Words count only where no letter or digit is beside them.
    pub whole_words: bool,
    /// Words that let any text pass.
    pub extenuating: Vec<String>,
    /// Looks past all but these letters, where it does.
    pub sees: Option<fn(char) -> bool>,
    pub loss: f64,
    pub leak: f64,
}

impl Filter {
    pub fn blocks(&self, text: &str) -> bool {
        let seen = self.sees.map(|sees| text.chars().filter(|letter| sees(*letter)).collect::<String>());
        let text = seen.as_deref().unwrap_or(text);
        let holds = |word: &String| match self.whole_words {
            false => text.contains(word.as_str()),
            true => is_whole(word, text),
        };
        !self.extenuating.iter().any(holds)
            && self.rules.iter().any(|rule| match self.ordered {
                false => rule.iter().all(holds),
                true => {
                    rule.iter().try_fold(text, |rest, word| Some(rest.split_once(word.as_str())?.1)).is_some()
                }
            })
    }

    pub fn answer(&self, text: &str, random: &mut impl Rng) -> Answer {
        let arrives = match self.blocks(text) {
            true => random.random_bool(self.leak),
            false => !random.random_bool(self.loss),
        };
        if arrives { Answer::Delivered } else { Answer::Lost }
    }
}

/// Whether a text holds the word with no letter or digit beside it.
fn is_whole(word: &str, text: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let beside = [text[..at].chars().next_back(), text[at + word.len()..].chars().next()];
        !beside.into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// Searches a text until the search is done.
pub fn search(text: &str, options: Options, filter: &Filter, random: &mut impl Rng) -> Found {
    let mut search = Search::new(text, options).expect("a text that can be searched");
    loop {
        match search.ask() {
            Next::Ask { text } => search.answer(filter.answer(&text, random)),
            Next::Done(found) => return found,
        }
    }
}

/// Searches a list until the search is done.
pub fn search_list(mut search: ListSearch, filter: &Filter, random: &mut impl Rng) -> Found {
    loop {
        match search.ask() {
            Next::Ask { text } => search.answer(filter.answer(&text, random)),
            Next::Done(found) => return found,
        }
    }
}
