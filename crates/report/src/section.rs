//! What a report says in sentences, whatever format prints them.
//!
//! Promises: nothing here is laid out or escaped; text and HTML do that, each for what shows it.

use overheard_model::Verdict;

/// One sentence, and what the evidence does to its claim where it makes one.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) verdict: Option<Verdict>,
    pub(crate) text: String,
}

/// A heading with its statements.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) statements: Vec<Statement>,
}
