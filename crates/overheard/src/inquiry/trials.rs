//! One act after another between two clients: booked, done when it is time, and watched for as long as was asked.
//!
//! Promises: an act is booked before it is done; what became of it is booked as soon as it is known, and so is lost by no
//! end of this program; clients are started when the first act wants them, and again where another act wants others.
//! To extend: what else follows from an act is a field of the book's entry.

use super::clients::{ClientArgs, filled};
use super::design;
use crate::exit::Failure;
use crate::pipeline::Door;
use overheard_model::{Arm, Fate, Timestamp};
use overheard_probe::clock::now;
use overheard_probe::execute::{Bare, Rooms, Setting};
use overheard_probe::trial::{Book, BookFault, Broken, Intent, Line, Message, Order};
use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The capture's name in a room's folder.
const CAPTURE: &str = "capture.pcapng";

/// Levels of factors: `user` → `carol`.
pub type Levels = BTreeMap<String, String>;

/// An act that is wanted next.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Absent in a search.
    pub arm: Option<Arm>,
    /// Absent where nothing is to be sent.
    pub text: Option<&'a str>,
    pub levels: &'a Levels,
    /// Whether to wait for what the client sends within the lag window.
    pub attend: bool,
}

/// All acts of one call.
#[derive(Debug)]
pub struct Trials<'a> {
    clients: &'a ClientArgs,
    pub book: Book,
    folder: &'a Path,
    /// Whether clients have rooms, whose doors are watched.
    pub watched: bool,
    /// Whether the hour of the day is noted as a factor.
    pub hours: bool,
    interrupted: &'a AtomicBool,
    open: Option<Open>,
    /// When the act before ended.
    last: Option<Instant>,
}

/// Clients that are ready.
#[derive(Debug)]
struct Open {
    levels: Levels,
    line: Line,
    door: Option<Door>,
    /// Whether nothing was done with them yet.
    fresh: bool,
}

impl<'a> Trials<'a> {
    /// Nothing is started yet.
    pub fn new(
        clients: &'a ClientArgs,
        book: Book,
        folder: &'a Path,
        watched: bool,
        interrupted: &'a AtomicBool,
    ) -> Self {
        Self { clients, book, folder, watched, hours: false, interrupted, open: None, last: None }
    }

    /// Does an act. What became of its message, if it sent one; the error says why there is no answer.
    pub fn make(&mut self, wanted: &Wanted) -> Result<Option<Fate>, String> {
        self.open_for(wanted.levels)?;
        self.pause(wanted)?;
        let Some(Open { line, door, fresh, .. }) = &mut self.open else { return Err("no clients".into()) };
        *fresh = false;
        let (at, begun) = (now(), Instant::now());
        let mut factors = wanted.levels.clone();
        factors.extend(self.hours.then(|| (design::TIME.to_owned(), hour(at))));
        let account = line.sender().to_owned();
        let message = wanted.text.map(|text| (account.as_str(), text));
        let booked = self.book.book(&Intent { arm: wanted.arm, factors, message }, at).map_err(told)?;
        if let Some(door) = door {
            door.begin(at, self.clients.lag_s());
        }
        let mut fate = None;
        if let (Some(text), Some(number)) = (wanted.text, booked.delivery) {
            let to = self.clients.to.as_deref().map(|to| filled(to, wanted.levels));
            let to = to.unwrap_or_else(|| line.receiver().to_owned());
            let window = Duration::from_secs_f64(self.clients.window);
            let harmless = wanted.arm == Some(Arm::Benign);
            let message = Message { number, to: &to, text, harmless };
            let outcome = line.act(message, window).map_err(told)?;
            fate = Some(outcome.fate);
            self.book.answer(number, outcome).map_err(told)?;
        }
        let door = door.clone();
        if let Some(door) = door {
            if wanted.attend {
                self.pass_until(begun + Duration::from_secs_f64(self.clients.lag))?;
            }
            let seconds = begun.elapsed().as_secs_f64().ceil() as usize;
            self.book.watch(booked.act, door.end(seconds)).map_err(told)?;
        }
        self.last = Some(Instant::now());
        Ok(fate)
    }

    /// Ends the clients. What was answered is kept already: one that does not end well changes nothing of it.
    pub fn close(mut self) -> Book {
        self.close_line();
        self.book
    }

    fn close_line(&mut self) {
        if let Some(open) = self.open.take() {
            let _ = open.line.close();
        }
    }

    fn open_for(&mut self, levels: &Levels) -> Result<(), String> {
        if self.open.as_ref().is_some_and(|open| open.levels == *levels) {
            return Ok(());
        }
        self.close_line();
        let (door, line) = self.start(levels)?;
        self.open = Some(Open { levels: levels.clone(), line, door, fresh: true });
        Ok(())
    }

    fn start(&self, levels: &Levels) -> Result<(Option<Door>, Line), String> {
        let shell = |command: &str| ["sh".to_owned(), "-c".to_owned(), filled(command, levels)];
        let (sender, receiver) = (shell(&self.clients.sender), shell(&self.clients.receiver));
        let vantage = self.clients.vantage().map_err(|failure| failure.to_string())?;
        let home = self.clients.home();
        let base = Path::new(".");
        let setting = |folder, build| Setting {
            folder,
            base,
            build,
            run: "trials",
            vantage: &vantage,
            home: &home,
            doors: self.clients.doors(),
        };
        if !self.watched {
            let sender = Order { stages: &mut Bare, setting: setting(base, "sender"), command: &sender };
            let receiver =
                Order { stages: &mut Bare, setting: setting(base, "receiver"), command: &receiver };
            return Ok((None, Line::open(sender, receiver, self.interrupted).map_err(told)?));
        }
        let captures = new_folder(&self.folder.join("captures"))
            .map_err(|error| format!("{}: {error}", self.folder.display()))?;
        let [of_sender, of_receiver] = ["sender", "receiver"].map(|role| captures.join(role));
        let capture = of_sender.join(CAPTURE);
        let door = Door::new(&capture.strip_prefix(self.folder).unwrap_or(&capture).to_string_lossy());
        let read = self.clients.readable();
        let mut rooms = Rooms { read: read.clone(), listener: Some(door.listener()) };
        let mut other_rooms = Rooms { read, listener: None };
        let sender = Order { stages: &mut rooms, setting: setting(&of_sender, "sender"), command: &sender };
        let receiver = Order {
            stages: &mut other_rooms,
            setting: setting(&of_receiver, "receiver"),
            command: &receiver,
        };
        let line: Result<Line, Broken> = Line::open(sender, receiver, self.interrupted);
        Ok((Some(door), line.map_err(told)?))
    }

    /// The time before an act: drawn, and after what is watched long enough that one act's traffic is not the next one's.
    fn pause(&self, wanted: &Wanted) -> Result<(), String> {
        let spent = self.book.deliveries().len() as u64;
        if wanted.text.is_some() && spent >= self.clients.budget {
            return Ok(());
        }
        let fresh = self.open.as_ref().is_some_and(|open| open.fresh);
        let mut pause = Duration::ZERO;
        if self.last.is_some() {
            pause += self.clients.pace.before(self.book.acts().len() as u64 + 1, self.clients.seed);
        }
        if self.watched && (wanted.attend || fresh) {
            pause += Duration::from_secs_f64(self.clients.washout);
        }
        self.pass_until(Instant::now() + pause)
    }

    fn pass_until(&self, until: Instant) -> Result<(), String> {
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err("it was interrupted".into());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}

/// Why clients that did nothing yet could not be started.
pub fn unopened(why: &str) -> Failure {
    Failure::new(why)
        .hint("start the command by itself: it must print {\"event\":\"ready\",\"account\":\"…\"}")
}

/// Why a book is not opened.
pub fn refused(fault: BookFault) -> Failure {
    Failure::new(fault.to_string()).hint(fault.hint())
}

fn told(error: impl ToString) -> String {
    error.to_string()
}

/// The hour of the day, as a level.
fn hour(at: Timestamp) -> String {
    format!("{} h UTC", at.to_string().chars().skip(11).take(2).collect::<String>())
}

/// A folder for the two rooms of one call, numbered after those that are there.
fn new_folder(captures: &Path) -> io::Result<PathBuf> {
    let private = |path: &Path, parents: bool| DirBuilder::new().recursive(parents).mode(0o700).create(path);
    private(captures, true)?;
    for number in 1_u32.. {
        let folder = captures.join(format!("{number:04}"));
        match private(&folder, false) {
            Ok(()) => {
                private(&folder.join("sender"), false)?;
                private(&folder.join("receiver"), false)?;
                return Ok(folder);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_is_that_of_utc() {
        assert_eq!(hour(Timestamp::from_parts(1_352_000_000, 0)), "03 h UTC");
    }

    #[test]
    fn every_call_has_folders_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let captures = folder.path().join("captures");
        let [one, other] = [(); 2].map(|()| new_folder(&captures).unwrap());
        assert_eq!((one, other), (captures.join("0001"), captures.join("0002")));
        assert!(captures.join("0002/receiver").is_dir());
    }
}
