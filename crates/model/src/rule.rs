//! Rules of a filter: which words, together, keep a message from arriving.
//!
//! Promises: a rule is claimed with the bound on the chance that it is not exact.

use serde::{Deserialize, Serialize};

/// The smallest combination of substrings that a filter was shown to act on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// All of them are needed; in the order of the text in which they were found.
    pub all: Vec<String>,
    /// Whether they must come in this order; absent where it was not tested.
    pub ordered: Option<bool>,
    /// Of a list: candidates that trigger by themselves and hold it; of a pair, its words that are candidates.
    pub candidates: Vec<String>,
    /// Whether each of its characters was shown to be needed. If not, it is a candidate as it was listed, and a part of
    /// it may be all that the filter acts on.
    pub exact: bool,
    /// Chance at most that a character of it is needless, or that something is missing; where it is not exact, that it
    /// does not trigger.
    pub error_bound: f64,
    /// Messages spent on it.
    pub messages: u64,
}

/// Which further rules are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Others {
    /// None: the search of a text ends with the first rule, that of a list asks about single words.
    #[serde(rename = "none")]
    Ignored,
    /// Those that share no word with the rules found: mostly no message more, where there are none. Of a list also pairs.
    #[default]
    Apart,
    /// All, also those that share words: one message for each word of a rule, where there are none. Of a list also those
    /// that another word switches off.
    All,
}

/// What makes the answer of a search less than complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchWarning {
    /// The text as a whole arrives: there is nothing to find.
    NotBlocked,
    /// A message with more of the text arrived where one with less of it did not: some words switch the
    /// filter off, or it acts on more than the text.
    NotMonotone,
    /// The messages were used up before the answer was certain enough.
    Unsettled,
    /// From some message on nothing arrived, not even a neutral one: an account may be banned. What was concluded
    /// since then was taken back.
    Silent,
    /// More messages that held a rule arrived than the search took into account: words may be missing or wrong.
    Leaky,
    /// More messages were lost that held no rule than the search took into account: its bounds are too low.
    Lossy,
    /// Candidates were left out that are longer than a message may be.
    TooLong,
    /// Words of a rule stand side by side in the text, and in no other order: the filter may look past what was put
    /// between them, so that they are one word.
    SideBySide,
    /// A word of a rule holds a character with marks, or one of several code points, which was never taken apart: the
    /// filter may act on a part of it.
    WholeCharacters,
}

/// What a search has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub rules: Vec<Rule>,
    /// Messages that were asked for.
    pub messages: u64,
    pub warnings: Vec<SearchWarning>,
    /// What was asked of further rules.
    pub others: Others,
    /// Of a list; absent where a text was searched.
    pub candidates: Option<Candidates>,
}

/// What is known of the candidates of a list that are in no rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidates {
    /// Messages that held them arrived, as many as it took.
    pub cleared: Vec<String>,
    /// How many of these were sent in a message that held nothing else.
    pub cleared_alone: u64,
    /// Nothing is known of them yet, or no longer.
    pub open: Vec<String>,
    /// Whether some of the cleared have not been sent together: in pairs they may be blocked all the same.
    pub pairs_open: bool,
    /// They are longer than a message may be: nothing was asked of them.
    pub left_out: Vec<String>,
}

impl Found {
    /// The same, of a search that was broken off.
    pub fn unsettled(&self) -> Self {
        let mut found = self.clone();
        if !found.warnings.contains(&SearchWarning::Unsettled) {
            found.warnings.push(SearchWarning::Unsettled);
        }
        found
    }
}
