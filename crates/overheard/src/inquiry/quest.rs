//! A search on its way: what it asks for is sent, or answered from the book, by what it goes by.
//!
//! Promises: answers that were kept are given again, so that nothing is sent twice for them; where answers fail to come,
//! the search is stopped and what is known so far is kept. A search that ended because nothing arrived any more goes on
//! from what arrived last, as if what was sent since had never been answered.

use super::calibration::Sense;
use super::copies::Texts;
use super::hunt::{Hunt, Next};
use super::trials::{Levels, Trials, Wanted};
use super::verdict::SILENT;
use crate::exit::{Failure, Result};
use crate::progress::Progress;
use overheard_model::{Found, SearchWarning};
use overheard_probe::digest;
use overheard_probe::trial::Book;
use std::collections::BTreeSet;
use std::path::Path;

/// A search, by what it goes by.
#[derive(Debug)]
pub struct Quest<'a> {
    pub hunt: Hunt,
    pub sense: &'a Sense,
    /// Gains every text that was asked for.
    pub texts: &'a mut Texts,
    /// Acts of which nothing could be heard: an account may have been banned.
    pub unheard: BTreeSet<u64>,
}

impl<'a> Quest<'a> {
    /// The search that the book holds, with the answer if what was kept is all that it needs.
    pub fn resumed(
        begin: impl Fn() -> Result<Hunt>,
        sense: &'a Sense,
        texts: &'a mut Texts,
        (book, folder): (&Book, &Path),
    ) -> Result<(Self, Option<Found>)> {
        let mut quest = Self { hunt: begin()?, sense, texts, unheard: BTreeSet::new() };
        loop {
            let (found, lost) = quest.replay(book, folder)?;
            let silent = |found: &Found| found.warnings.contains(&SearchWarning::Silent);
            if lost.is_empty() || !found.as_ref().is_some_and(silent) {
                return Ok((quest, found));
            }
            quest.unheard.extend(lost);
            quest.hunt = begin()?;
        }
    }

    /// Gives the search the answers that were kept. The answer, if they are all that it needs, and the acts since
    /// something last arrived.
    fn replay(&mut self, book: &Book, folder: &Path) -> Result<(Option<Found>, Vec<u64>)> {
        let mut lost = Vec::new();
        for act in book.acts().iter().filter(|act| act.arm.is_none()) {
            let Some(delivery) = book.delivery(act).filter(|_| !self.unheard.contains(&act.number)) else {
                continue;
            };
            let asked = match self.wants() {
                Next::Done(found) => return Ok((Some(found), lost)),
                Next::Ask { text } => text,
            };
            if digest::of_bytes(asked.as_bytes()) != delivery.text_sha256 {
                return Err(Failure::new(format!(
                    "{}: message {} is not the one that this search asks for",
                    folder.display(),
                    delivery.number
                ))
                .hint("the messages were sent by another version: begin anew in another folder with --trials-folder"));
            }
            // Without an answer it says nothing: its text is asked for again.
            let Some(filtered) = self.sense.is_filtered(book, act) else { continue };
            self.hunt.answer(filtered);
            if filtered { lost.push(act.number) } else { lost.clear() }
        }
        let found = match self.wants() {
            Next::Done(found) => Some(found),
            Next::Ask { .. } => None,
        };
        Ok((found, lost))
    }

    /// Sends what the search asks for until there is an answer, or a reason to stop.
    pub fn ask(&mut self, trials: &mut Trials) -> (Found, Option<String>) {
        let (progress, levels) = (Progress::lines(), Levels::new());
        let attend = matches!(self.sense, Sense::Upload(_));
        let mut unanswered = 0;
        loop {
            let text = match self.wants() {
                Next::Done(found) => return (found, None),
                Next::Ask { text } => text,
            };
            let wanted = Wanted { arm: None, text: Some(&text), levels: &levels, attend };
            if let Err(why) = trials.make(&wanted) {
                return (self.hunt.so_far(), Some(why));
            }
            let book = &trials.book;
            match book.acts().last().and_then(|act| self.sense.is_filtered(book, act)) {
                Some(filtered) => {
                    self.hunt.answer(filtered);
                    unanswered = 0;
                }
                None => unanswered += 1,
            }
            if unanswered == SILENT {
                let why = format!("the last {SILENT} messages did not arrive: an account may be banned");
                return (self.hunt.so_far(), Some(why));
            }
            let spent = book.deliveries().len();
            if spent.is_multiple_of(10) {
                progress.say(&format!("{spent} messages spent"));
            }
        }
    }

    fn wants(&mut self) -> Next {
        let next = self.hunt.ask();
        if let Next::Ask { text } = &next {
            self.texts.insert(digest::of_bytes(text.as_bytes()), text.clone());
        }
        next
    }
}
