//! What a search would spend: a rehearsal against imagined filters, without what was spent already.
//!
//! Promises: sends nothing and books nothing.

use super::{Asked, KeywordsArgs};
use crate::exit::{Exit, Result};
use crate::inquiry::calibration::{LEAK, LOSS};
use crate::inquiry::clients::ClientArgs;
use crate::inquiry::hunt::{Hunt, LONGEST_REHEARSAL, Noise, rehearse};
use crate::inquiry::quest::Quest;
use crate::inquiry::verdict;
use crate::output::print;
use overheard_probe::trial::Book;
use std::path::Path;

/// What earlier calls did.
#[derive(Default)]
struct Before {
    /// Acts of the comparison that count.
    compared: u64,
    /// Messages of the search.
    asked: u64,
    /// All messages.
    spent: u64,
    /// The search has its answer.
    answered: bool,
}

impl KeywordsArgs {
    /// Says what would be spent; `kept` is the book of earlier calls, with its folder.
    pub(super) fn rehearse(
        &self,
        asked: &Asked,
        watched: bool,
        kept: Option<(&Book, &Path)>,
    ) -> Result<Exit> {
        let ClientArgs { seed, pace, budget, .. } = &self.clients;
        let (loss, leak) = (self.loss.unwrap_or(LOSS), self.leak.unwrap_or(LEAK));
        let options = self.options(asked.lexicon.clone(), Noise::new(loss, leak));
        let (median, most) = rehearse(&asked.question, &options, loss, *seed)?;
        let first = asked.calibration.messages() as u64;
        let before = kept.map(|kept| self.before(asked, watched, kept)).transpose()?.unwrap_or_default();
        let left = match before.answered {
            true => 0,
            false => first.saturating_sub(before.compared) + median.saturating_sub(before.asked),
        };
        let allowed = budget.saturating_sub(before.spent);
        let sent = left.min(allowed);
        let hours = sent as f64 * (pace.mean_s() + 1.0) / 3600.0;
        let spent_before = self.clients.spent_before()?;
        let takes = match median {
            LONGEST_REHEARSAL.. => format!("more than {LONGEST_REHEARSAL} messages as a rule"),
            _ => format!("{median} messages as a rule, {} at most", at_most(most)),
        };
        print(|out| {
            writeln!(
                out,
                "Against imagined filters the search takes {takes}, and {first} before it.\n{}{spent_before}\
                 The sender's account would send {sent} of the {allowed} that --budget allows, in some {hours:.1} hours, \
                 and never more than {allowed}.\n\
                 Nothing was sent.",
                before.told(),
            )
        })?;
        Ok(Exit::Clear)
    }

    fn before(&self, asked: &Asked, watched: bool, (book, folder): (&Book, &Path)) -> Result<Before> {
        Ok(Before {
            compared: verdict::counted(book, watched).len() as u64,
            asked: book.acts().iter().filter(|act| act.arm.is_none()).count() as u64,
            spent: book.deliveries().len() as u64,
            answered: self.is_answered(asked, watched, (book, folder))?,
        })
    }

    /// Whether the book holds all that the search asks for.
    fn is_answered(&self, asked: &Asked, watched: bool, (book, folder): (&Book, &Path)) -> Result<bool> {
        let calibrated = self.calibrated(asked, book, watched);
        let options = self.options(asked.lexicon.clone(), Noise::new(calibrated.loss, calibrated.leak));
        let begin = || Hunt::new(&asked.question, &options, self.clients.seed);
        let mut texts = asked.calibration.texts();
        let (_, answered) = Quest::resumed(begin, &calibrated.sense, &mut texts, (book, folder))?;
        Ok(answered.is_some())
    }
}

impl Before {
    fn told(&self) -> String {
        let Self { asked, spent, .. } = self;
        match (spent, self.answered) {
            (0, _) => String::new(),
            (_, false) => format!("{spent} were spent in earlier calls, {asked} of them by the search.\n"),
            (_, true) => format!("{spent} were spent in earlier calls, and the search has its answer.\n"),
        }
    }
}

/// A rehearsal that was broken off took more than it had.
fn at_most(messages: u64) -> String {
    if messages < LONGEST_REHEARSAL { messages.to_string() } else { format!("more than {LONGEST_REHEARSAL}") }
}
