//! The ledger that inquiries may share: what each account has spent in all of them, one line a message.
//!
//! ```text
//! {"at":"…","account":"alice"}
//! ```
//!
//! For: a budget that holds for an account, whatever is asked and wherever it is booked.
//! Promises: a line has reached the disk before its message is sent; calls at the same time count each other's; a line that
//! was cut by a crash is taken off. A book says what became of a message; this one only that it was spent.

use super::book::BookFault;
use crate::lock;
use overheard_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where it lies.
#[derive(Clone, Debug)]
pub struct Spending(PathBuf);

#[derive(Debug, Serialize, Deserialize)]
struct Spent {
    at: Timestamp,
    account: String,
}

impl Spending {
    /// Nothing is read yet.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Messages by account; none where there is no file yet.
    pub fn accounts(&self) -> Result<BTreeMap<String, u64>, BookFault> {
        match File::open(&self.0) {
            Ok(mut file) => self.read(&mut file).map(|(accounts, _)| accounts),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Books one message, unless the account has spent its budget.
    pub(super) fn book(&self, account: &str, budget: u64, at: Timestamp) -> Result<(), BookFault> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&self.0);
        let file = file.and_then(lock::exclusive).map_err(|error| self.failed(error))?;
        let mut file = file.ok_or_else(|| BookFault::Busy { path: self.0.clone() })?;
        let (accounts, end) = self.read(&mut file)?;
        if accounts.get(account).is_some_and(|spent| *spent >= budget) {
            let (path, account) = (self.0.clone(), account.to_owned());
            return Err(BookFault::SpentElsewhere { path, account, budget });
        }
        let mut line = serde_json::to_vec(&Spent { at, account: account.to_owned() })
            .map_err(|error| self.failed(error.into()))?;
        line.push(b'\n');
        let cut = file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end)));
        let written = cut.and_then(|_| file.write_all(&line)).and_then(|()| file.sync_data());
        written.map_err(|error| self.failed(error))
    }

    /// Messages by account, and where the last whole line ends.
    fn read(&self, file: &mut File) -> Result<(BTreeMap<String, u64>, u64), BookFault> {
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|error| self.failed(error))?;
        let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut accounts = BTreeMap::new();
        let lines = text[..end].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for (at, line) in lines.enumerate() {
            let damaged = |_| BookFault::Damaged { path: self.0.clone(), line: at + 1 };
            let spent: Spent = serde_json::from_slice(line).map_err(damaged)?;
            *accounts.entry(spent.account).or_default() += 1;
        }
        Ok((accounts, end as u64))
    }

    fn failed(&self, error: io::Error) -> BookFault {
        BookFault::Io { path: self.0.clone(), error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn now() -> Timestamp {
        Timestamp::from_parts(1_700_000_000, 0)
    }

    #[test]
    fn each_account_has_a_budget_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let spending = Spending::new(&folder.path().join("ledger.jsonl"));
        assert!(spending.accounts().unwrap().is_empty() && !folder.path().join("ledger.jsonl").exists());
        for account in ["alice", "carol", "alice"] {
            spending.book(account, 2, now()).unwrap();
        }
        let refused = spending.book("alice", 2, now()).unwrap_err();
        assert!(refused.to_string().contains("alice has spent the 2 messages"), "{refused}");
        spending.book("alice", 3, now()).unwrap();
        assert_eq!(spending.accounts().unwrap(), [("alice".to_owned(), 3), ("carol".to_owned(), 1)].into());
    }

    #[test]
    fn calls_at_the_same_time_count_each_others_messages() {
        let folder = tempfile::tempdir().unwrap();
        let spending = Spending::new(&folder.path().join("ledger.jsonl"));
        let booked = || (0..20).filter(|_| spending.book("alice", 25, now()).is_ok()).count();
        let all = thread::scope(|scope| {
            let calls = [(); 2].map(|()| scope.spawn(booked));
            calls.map(|call| call.join().unwrap()).iter().sum::<usize>()
        });
        assert_eq!((all, spending.accounts().unwrap()["alice"]), (25, 25));
    }

    #[test]
    fn a_line_that_was_cut_is_taken_off_and_one_that_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let spending = Spending::new(&path);
        spending.book("alice", 9, now()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"at\":\"2"].concat()).unwrap();
        spending.book("alice", 9, now()).unwrap();
        assert_eq!(spending.accounts().unwrap()["alice"], 2);
        std::fs::write(&path, [&whole[..], b"alice 7\n"].concat()).unwrap();
        assert!(matches!(spending.book("alice", 9, now()), Err(BookFault::Damaged { line: 2, .. })));
    }
}
