//! The book of trials: what was done and spent, by whom, and what became of it, one line each, on disk before anything else.
//!
//! ```text
//! words.trials/messages.jsonl
//!   {"entry":"opened","format":2,"question":"…"}
//!   {"entry":"acted","number":1,"at":"…","arm":"trigger","factors":{…},
//!    "sent":{"number":1,"account":"alice","text_sha256":"…"}}
//!   {"entry":"answered","number":1,"fate":"delivered","after_ms":120,"strays":{…}}
//!   {"entry":"crossed","number":1,"packets":{…},"traffic":{…}}
//! ```
//!
//! Acts and messages are numbered apart, since an act may send nothing: `acted` and `crossed` have the number of an act,
//! `sent` and `answered` that of a message.
//!
//! Promises: a message is booked, and the booking has reached the disk, before it is sent; the budget is never exceeded;
//! a line that was cut by a crash is taken off; one call at a time. A message whose answer is missing stays spent.
//! To extend: a fact of an act is a field of its entry; the format's number goes up where old lines change.

use super::line::Outcome;
use super::spending::Spending;
use crate::digest;
use crate::lock;
use nix::fcntl::Flock;
use overheard_model::{Act, Arm, Delivery, PacketRange, Strays, Timestamp, Traffic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Its name in the folder.
const FILE: &str = "messages.jsonl";
/// Version of the entries.
const FORMAT: u32 = 2;

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

/// An act that is to be booked.
#[derive(Clone, Debug, Default)]
pub struct Intent<'a> {
    /// Absent in a search.
    pub arm: Option<Arm>,
    /// Levels of the factors of the design.
    pub factors: BTreeMap<String, String>,
    /// Account and text; absent where nothing is sent.
    pub message: Option<(&'a str, &'a str)>,
}

/// The numbers that an act was booked under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booked {
    pub act: u64,
    /// Absent where nothing is sent.
    pub delivery: Option<u64>,
}

/// What crossed the sender's door after an act.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Crossed {
    /// Absent where nothing crossed.
    pub packets: Option<PacketRange>,
    /// By endpoint.
    pub traffic: BTreeMap<String, Traffic>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
enum Entry {
    Opened(Opening),
    Acted {
        number: u64,
        at: Timestamp,
        arm: Option<Arm>,
        factors: BTreeMap<String, String>,
        sent: Option<Sent>,
    },
    Answered {
        number: u64,
        #[serde(flatten)]
        outcome: Outcome,
    },
    Crossed {
        number: u64,
        #[serde(flatten)]
        crossed: Crossed,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct Sent {
    number: u64,
    account: String,
    text_sha256: String,
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
    #[error("{}: {account} has spent the {budget} messages that --budget allows", path.display())]
    SpentElsewhere { path: PathBuf, account: String, budget: u64 },
}

impl BookFault {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check that the folder exists, is writable and has room",
            Self::Busy { .. } => "wait for it to end, or give another folder with --trials-folder",
            Self::Damaged { .. } => "restore that file, or begin anew in another folder with --trials-folder",
            Self::AnotherQuestion { .. } => {
                "ask with the same drivers, texts and options, or begin anew in another folder with --trials-folder; \
                 `uploads` goes on to twice the --trials, or four times"
            }
            Self::Spent { .. } | Self::SpentElsewhere { .. } => {
                "the same command with a larger --budget goes on from here"
            }
        }
    }
}

/// An open book; closed when dropped.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    file: Flock<File>,
    budget: u64,
    /// Where what is spent is booked too, by account.
    spending: Option<Spending>,
    acts: Vec<Act>,
    /// Act by act, whether what crossed after it is known.
    watched: Vec<bool>,
    deliveries: Vec<Delivery>,
    strays: Strays,
}

impl Book {
    /// Opens the book in this folder, or begins one.
    pub fn open(folder: &Path, opening: &Opening, budget: u64) -> Result<Self, BookFault> {
        Ok(Self::open_any(folder, std::slice::from_ref(opening), budget)?.0)
    }

    /// Opens the book in this folder, which was begun with one of these, or begins one with the first. Which it was.
    pub fn open_any(folder: &Path, openings: &[Opening], budget: u64) -> Result<(Self, usize), BookFault> {
        let path = folder.join(FILE);
        let failed = |error| BookFault::Io { path: path.clone(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).mode(0o600).open(&path).map_err(failed)?;
        let file = lock::exclusive(file).map_err(failed)?;
        let file = file.ok_or_else(|| BookFault::Busy { path: path.clone() })?;
        let (acts, watched, deliveries) = (Vec::new(), Vec::new(), Vec::new());
        let (spending, strays) = (None, Strays::default());
        let mut book = Self { path, file, budget, spending, acts, watched, deliveries, strays };
        let mut text = Vec::new();
        book.file.read_to_end(&mut text).map_err(|error| book.failed(error))?;
        let opening = book.read(&text, openings)?;
        Ok((book, opening))
    }

    /// The same, of a book that is there already.
    pub fn open_known(
        folder: &Path,
        openings: &[Opening],
        budget: u64,
    ) -> Result<Option<(Self, usize)>, BookFault> {
        folder.join(FILE).exists().then(|| Self::open_any(folder, openings, budget)).transpose()
    }

    /// From now on the budget holds for each account in this ledger too.
    pub fn sharing(self, spending: Option<Spending>) -> Self {
        Self { spending, ..self }
    }

    /// Every act, in the order of acting.
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// Every message that was spent, in the order of sending.
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// The message of an act, if it sent one.
    pub fn delivery(&self, act: &Act) -> Option<&Delivery> {
        self.deliveries.get(index(act.delivery?)?)
    }

    /// Whether what crossed after an act is known.
    pub fn is_watched(&self, act: &Act) -> bool {
        index(act.number).and_then(|at| self.watched.get(at)).is_some_and(|watched| *watched)
    }

    pub fn strays(&self) -> Strays {
        self.strays
    }

    /// Books an act, which may be done after this.
    pub fn book(&mut self, intent: &Intent, now: Timestamp) -> Result<Booked, BookFault> {
        let (act, next) = (self.acts.len() as u64 + 1, self.deliveries.len() as u64 + 1);
        if intent.message.is_some() && next > self.budget {
            return Err(BookFault::Spent { budget: self.budget });
        }
        if let (Some(spending), Some((account, _))) = (&self.spending, intent.message) {
            spending.book(account, self.budget, now)?;
        }
        let sent = intent.message.map(|(account, text)| Sent {
            number: next,
            account: account.to_owned(),
            text_sha256: digest::of_bytes(text.as_bytes()),
        });
        let delivery = sent.as_ref().map(|sent| sent.number);
        let (arm, factors) = (intent.arm, intent.factors.clone());
        self.write(Entry::Acted { number: act, at: now, arm, factors, sent })?;
        Ok(Booked { act, delivery })
    }

    /// Writes down what became of a message that was booked.
    pub fn answer(&mut self, delivery: u64, outcome: Outcome) -> Result<(), BookFault> {
        self.write(Entry::Answered { number: delivery, outcome })
    }

    /// Writes down what crossed after an act that was booked.
    pub fn watch(&mut self, act: u64, crossed: Crossed) -> Result<(), BookFault> {
        self.write(Entry::Crossed { number: act, crossed })
    }

    fn write(&mut self, entry: Entry) -> Result<(), BookFault> {
        let mut line = serde_json::to_vec(&entry).map_err(|error| self.failed(error.into()))?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(|error| self.failed(error))?;
        self.take(entry);
        Ok(())
    }

    /// Which opening it begins with.
    fn read(&mut self, text: &[u8], openings: &[Opening]) -> Result<usize, BookFault> {
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end = whole as u64;
        let cut = self.file.set_len(end).and_then(|()| self.file.seek(SeekFrom::Start(end)));
        cut.map_err(|error| self.failed(error))?;
        let lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut opening = 0;
        for (at, line) in lines.enumerate() {
            let damaged = || BookFault::Damaged { path: self.path.clone(), line: at + 1 };
            let entry: Entry = serde_json::from_slice(line).map_err(|_| damaged())?;
            match (&entry, at) {
                (Entry::Opened(began), 0) => {
                    let known = openings.iter().position(|opening| opening == began);
                    opening = known.ok_or_else(|| BookFault::AnotherQuestion { path: self.path.clone() })?;
                }
                (Entry::Acted { number, sent, .. }, 1..)
                    if *number == self.acts.len() as u64 + 1
                        && sent
                            .as_ref()
                            .is_none_or(|sent| sent.number == self.deliveries.len() as u64 + 1) => {}
                (Entry::Answered { number, .. }, 1..)
                    if (1..=self.deliveries.len() as u64).contains(number) => {}
                (Entry::Crossed { number, .. }, 1..) if (1..=self.acts.len() as u64).contains(number) => {}
                _ => return Err(damaged()),
            }
            self.take(entry);
        }
        if let Some(first) = openings.first().filter(|_| whole == 0) {
            self.write(Entry::Opened(first.clone()))?;
        }
        Ok(opening)
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Opened(_) => {}
            Entry::Acted { number, at, arm, factors, sent } => {
                let (delivery, packets) = (sent.as_ref().map(|sent| sent.number), None);
                let traffic = BTreeMap::new();
                self.acts.push(Act { number, at, arm, delivery, factors, packets, traffic });
                self.watched.push(false);
                self.deliveries.extend(sent.map(|Sent { number, account, text_sha256 }| Delivery {
                    number,
                    account,
                    text_sha256,
                    sent: at,
                    fate: None,
                    reason: None,
                    after_ms: None,
                }));
            }
            Entry::Answered { number, outcome } => {
                self.strays.add(outcome.strays);
                if let Some(delivery) = index(number).and_then(|at| self.deliveries.get_mut(at)) {
                    (delivery.fate, delivery.after_ms) = (Some(outcome.fate), outcome.after_ms);
                    delivery.reason = outcome.reason;
                }
            }
            Entry::Crossed { number, crossed } => {
                let Some(at) = index(number) else { return };
                if let (Some(act), Some(watched)) = (self.acts.get_mut(at), self.watched.get_mut(at)) {
                    (act.packets, act.traffic, *watched) = (crossed.packets, crossed.traffic, true);
                }
            }
        }
    }

    fn failed(&self, error: io::Error) -> BookFault {
        BookFault::Io { path: self.path.clone(), error }
    }
}

/// Where what has this number, from 1, stands.
fn index(number: u64) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::Fate;

    const LOST: Outcome = Outcome {
        fate: Fate::Lost,
        reason: None,
        after_ms: None,
        strays: Strays { late: 1, repeated: 0, unknown: 0, misplaced: 0 },
    };

    fn message(text: &str) -> Intent<'_> {
        Intent { arm: Some(Arm::Benign), message: Some(("alice", text)), ..Intent::default() }
    }

    fn now() -> Timestamp {
        Timestamp::from_parts(1_700_000_000, 0)
    }

    #[test]
    fn what_was_spent_and_answered_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let opening = Opening::of("a question");
        let mut book = Book::open(folder.path(), &opening, 2).unwrap();
        assert!(matches!(Book::open(folder.path(), &opening, 2), Err(BookFault::Busy { .. })));
        assert_eq!(book.book(&message("secret words"), now()).unwrap(), Booked { act: 1, delivery: Some(1) });
        book.answer(1, LOST).unwrap();
        let sham = Intent { arm: Some(Arm::Sham), ..Intent::default() };
        assert_eq!(book.book(&sham, now()).unwrap(), Booked { act: 2, delivery: None });
        assert_eq!(book.book(&message("more"), now()).unwrap(), Booked { act: 3, delivery: Some(2) });
        assert!(matches!(book.book(&message("even more"), now()), Err(BookFault::Spent { budget: 2 })));
        assert!(book.book(&sham, now()).is_ok(), "what sends nothing costs nothing");
        let traffic = Traffic { flows: vec![1, 0], bytes_out: vec![300, 0] };
        let packets = Some(PacketRange { capture: "1/capture.pcapng".into(), first: 3, last: 9 });
        book.watch(2, Crossed { packets, traffic: [("a:443".to_owned(), traffic)].into() }).unwrap();
        let (spent, acts) = (book.deliveries().to_vec(), book.acts().to_vec());
        drop(book);
        let book = Book::open(folder.path(), &opening, 2).unwrap();
        assert_eq!((book.deliveries(), book.acts()), (&spent[..], &acts[..]));
        assert_eq!(acts[1].traffic["a:443"].bytes_out, [300, 0]);
        assert!(book.is_watched(&acts[1]) && !book.is_watched(&acts[0]));
        assert_eq!(book.delivery(&acts[2]).map(|delivery| delivery.number), Some(2));
        assert_eq!((spent[0].fate, spent[1].fate), (Some(Fate::Lost), None));
        assert_eq!(book.strays().late, 1);
        let kept = std::fs::read_to_string(folder.path().join("messages.jsonl")).unwrap();
        assert!(!kept.contains("secret"), "no text is kept: {kept}");
    }

    /// What one account spent for another question counts, and a refused message is in no book.
    #[test]
    fn a_shared_ledger_bounds_each_account_over_all_books() {
        let folder = tempfile::tempdir().unwrap();
        let spending = Spending::new(&folder.path().join("ledger.jsonl"));
        let book = |name: &str| {
            let book = Book::open(&folder.path().join(name), &Opening::of(name), 3).unwrap();
            book.sharing(Some(spending.clone()))
        };
        let (mut one, mut other) = (book("one"), book("other"));
        for text in ["a", "b"] {
            one.book(&message(text), now()).unwrap();
        }
        other.book(&message("c"), now()).unwrap();
        let refused = other.book(&message("d"), now()).unwrap_err();
        assert!(matches!(refused, BookFault::SpentElsewhere { budget: 3, .. }), "{refused}");
        assert_eq!((one.deliveries().len(), other.deliveries().len()), (2, 1));
        let carol = Intent { message: Some(("carol", "e")), ..Intent::default() };
        assert!(other.book(&carol, now()).is_ok());
    }

    #[test]
    fn a_line_that_was_cut_is_taken_off_and_one_that_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let opening = Opening::of("a question");
        let path = folder.path().join("messages.jsonl");
        Book::open(folder.path(), &opening, 9).unwrap().book(&message("a"), now()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"entry\":\"answ"].concat()).unwrap();
        let mut book = Book::open(folder.path(), &opening, 9).unwrap();
        book.answer(1, LOST).unwrap();
        drop(book);
        assert_eq!(Book::open(folder.path(), &opening, 9).unwrap().deliveries()[0].fate, Some(Fate::Lost));
        let other = Opening::of("another");
        assert!(matches!(Book::open(folder.path(), &other, 9), Err(BookFault::AnotherQuestion { .. })));
        assert_eq!(Book::open_any(folder.path(), &[other, opening.clone()], 9).unwrap().1, 1);
        assert!(Book::open_known(&folder.path().join("none"), &[], 9).unwrap().is_none());
        assert!(!folder.path().join("none").exists());
        std::fs::write(&path, [&whole[..], b"garbage\n"].concat()).unwrap();
        assert!(matches!(Book::open(folder.path(), &opening, 9), Err(BookFault::Damaged { line: 3, .. })));
    }
}
