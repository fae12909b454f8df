//! The book of messages: what was spent, by whom, and what became of it, one line each, on disk before anything else.
//!
//! ```text
//! words.trials/messages.jsonl
//!   {"entry":"opened","format":1,"question":"…"}
//!   {"entry":"booked","number":1,"account":"alice","text_sha256":"…","at":"…"}
//!   {"entry":"answered","number":1,"fate":"delivered","after_ms":120,"strays":{…}}
//! ```
//!
//! Promises: a message is booked, and the booking has reached the disk, before it is sent; the budget is never exceeded;
//! a line that was cut by a crash is taken off; one call at a time. A message whose answer is missing stays spent.
//! To extend: a fact of a message is a field of its entry; the format's number goes up where old lines change.

use super::line::Outcome;
use crate::digest;
use nix::fcntl::{Flock, FlockArg};
use overheard_model::{Delivery, Strays, Timestamp};
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Version of the entries.
const FORMAT: u32 = 1;

/// What the messages are sent for: all that decides which one is sent next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    format: u32,
    /// SHA-256 of the question with its options.
    question: String,
}

impl Opening {
    /// `question` is everything that the next message depends on, written out in any fixed way.
    pub fn of(question: &str) -> Self {
        Self { format: FORMAT, question: digest::of_bytes(question.as_bytes()) }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
enum Entry {
    Opened(Opening),
    Booked {
        number: u64,
        account: String,
        text_sha256: String,
        at: Timestamp,
    },
    Answered {
        number: u64,
        #[serde(flatten)]
        outcome: Outcome,
    },
}

/// Why a book cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BookFault {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: another call is at it", path.display())]
    Busy { path: PathBuf },
    #[error("{}, line {line}: no entry of a book of messages", path.display())]
    Damaged { path: PathBuf, line: usize },
    #[error("{}: its messages were sent for another question, or with other options", path.display())]
    AnotherQuestion { path: PathBuf },
    #[error("the budget of {budget} messages is spent")]
    Spent { budget: u64 },
}

impl BookFault {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check that the folder exists, is writable and has room",
            Self::Busy { .. } => "wait for it to end, or give another folder with --trials",
            Self::Damaged { .. } => "restore that file, or begin anew in another folder with --trials",
            Self::AnotherQuestion { .. } => {
                "ask with the same text, words and options, or begin anew in another folder with --trials"
            }
            Self::Spent { .. } => "the same command with a larger --budget goes on from here",
        }
    }
}

/// An open book; closed when dropped.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    file: Flock<File>,
    budget: u64,
    deliveries: Vec<Delivery>,
    strays: Strays,
}

impl Book {
    /// Opens the book in this folder, or begins one.
    pub fn open(folder: &Path, opening: &Opening, budget: u64) -> Result<Self, BookFault> {
        let path = folder.join("messages.jsonl");
        let failed = |error| BookFault::Io { path: path.clone(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).mode(0o600).open(&path).map_err(failed)?;
        let file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
            nix::errno::Errno::EWOULDBLOCK => BookFault::Busy { path: path.clone() },
            other => failed(other.into()),
        })?;
        let mut book = Self { path, file, budget, deliveries: Vec::new(), strays: Strays::default() };
        let mut text = Vec::new();
        book.file.read_to_end(&mut text).map_err(|error| book.failed(error))?;
        book.read(&text, opening)?;
        Ok(book)
    }

    /// Every message that was spent, in the order of sending.
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    pub fn strays(&self) -> Strays {
        self.strays
    }

    /// Books a message, which may be sent after this.
    pub fn book(&mut self, account: &str, text: &str, now: Timestamp) -> Result<u64, BookFault> {
        let number = self.deliveries.len() as u64 + 1;
        if number > self.budget {
            return Err(BookFault::Spent { budget: self.budget });
        }
        let (account, text_sha256) = (account.to_owned(), digest::of_bytes(text.as_bytes()));
        self.write(Entry::Booked { number, account, text_sha256, at: now })?;
        Ok(number)
    }

    /// Writes down what became of a message that was booked.
    pub fn answer(&mut self, number: u64, outcome: Outcome) -> Result<(), BookFault> {
        self.write(Entry::Answered { number, outcome })
    }

    fn write(&mut self, entry: Entry) -> Result<(), BookFault> {
        let mut line = serde_json::to_vec(&entry).map_err(|error| self.failed(error.into()))?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(|error| self.failed(error))?;
        self.take(entry);
        Ok(())
    }

    fn read(&mut self, text: &[u8], opening: &Opening) -> Result<(), BookFault> {
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end = whole as u64;
        let cut = self.file.set_len(end).and_then(|()| self.file.seek(SeekFrom::Start(end)));
        cut.map_err(|error| self.failed(error))?;
        let lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for (at, line) in lines.enumerate() {
            let damaged = || BookFault::Damaged { path: self.path.clone(), line: at + 1 };
            let entry: Entry = serde_json::from_slice(line).map_err(|_| damaged())?;
            match (&entry, at) {
                (Entry::Opened(began), 0) if began == opening => {}
                (Entry::Opened(_), 0) => return Err(BookFault::AnotherQuestion { path: self.path.clone() }),
                (Entry::Booked { number, .. }, 1..) if *number == self.deliveries.len() as u64 + 1 => {}
                (Entry::Answered { number, .. }, 1..)
                    if (1..=self.deliveries.len() as u64).contains(number) => {}
                _ => return Err(damaged()),
            }
            self.take(entry);
        }
        if whole == 0 { self.write(Entry::Opened(opening.clone())) } else { Ok(()) }
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Opened(_) => {}
            Entry::Booked { number, account, text_sha256, at } => {
                let (fate, after_ms) = (None, None);
                self.deliveries.push(Delivery { number, account, text_sha256, sent: at, fate, after_ms });
            }
            Entry::Answered { number, outcome } => {
                self.strays.add(outcome.strays);
                let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
                if let Some(delivery) = at.and_then(|at| self.deliveries.get_mut(at)) {
                    (delivery.fate, delivery.after_ms) = (Some(outcome.fate), outcome.after_ms);
                }
            }
        }
    }

    fn failed(&self, error: io::Error) -> BookFault {
        BookFault::Io { path: self.path.clone(), error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::Fate;

    const LOST: Outcome = Outcome {
        fate: Fate::Lost,
        after_ms: None,
        strays: Strays { late: 1, repeated: 0, unknown: 0, misplaced: 0 },
    };

    fn now() -> Timestamp {
        Timestamp::from_parts(1_700_000_000, 0)
    }

    #[test]
    fn what_was_spent_and_answered_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let opening = Opening::of("a question");
        let mut book = Book::open(folder.path(), &opening, 2).unwrap();
        assert!(matches!(Book::open(folder.path(), &opening, 2), Err(BookFault::Busy { .. })));
        assert_eq!(book.book("alice", "secret words", now()).unwrap(), 1);
        book.answer(1, LOST).unwrap();
        assert_eq!(book.book("alice", "more", now()).unwrap(), 2);
        assert!(matches!(book.book("alice", "even more", now()), Err(BookFault::Spent { budget: 2 })));
        let spent = book.deliveries().to_vec();
        drop(book);
        let book = Book::open(folder.path(), &opening, 2).unwrap();
        assert_eq!(book.deliveries(), spent);
        assert_eq!((spent[0].fate, spent[1].fate), (Some(Fate::Lost), None));
        assert_eq!(book.strays().late, 1);
        let kept = std::fs::read_to_string(folder.path().join("messages.jsonl")).unwrap();
        assert!(!kept.contains("secret"), "no text is kept: {kept}");
    }

    #[test]
    fn a_line_that_was_cut_is_taken_off_and_one_that_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let opening = Opening::of("a question");
        let path = folder.path().join("messages.jsonl");
        Book::open(folder.path(), &opening, 9).unwrap().book("alice", "a", now()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"entry\":\"answ"].concat()).unwrap();
        let mut book = Book::open(folder.path(), &opening, 9).unwrap();
        book.answer(1, LOST).unwrap();
        drop(book);
        assert_eq!(Book::open(folder.path(), &opening, 9).unwrap().deliveries()[0].fate, Some(Fate::Lost));
        let other = Opening::of("another");
        assert!(matches!(Book::open(folder.path(), &other, 9), Err(BookFault::AnotherQuestion { .. })));
        std::fs::write(&path, [&whole[..], b"garbage\n"].concat()).unwrap();
        assert!(matches!(Book::open(folder.path(), &opening, 9), Err(BookFault::Damaged { line: 3, .. })));
    }
}
