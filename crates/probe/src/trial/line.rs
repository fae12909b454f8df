//! Two clients, and a message from one to the other.
//!
//! A message is known by its text: the receiver's client sees nothing else of ours. Whatever arrived before the
//! message was sent is not its answer, so that a late copy of the same text is taken for it only where it arrives within
//! its window; the time between messages should be longer than messages are late.
//!
//! Promises: a message is lost only where the sender's client said that it was sent, or refused, and the window passed;
//! every other silence is the client's fault and ends the trials, and so does at once an error that says of the account
//! that it is banned. Of a reason that is given the text of the message is no part.

use super::complaint;
use crate::account::fault;
use crate::driver::{Client, Event, Request, Stalled, named};
use crate::execute::{Launch, Launched, Process, Setting, Stage, Stages};
use overheard_model::design::DriverName;
use overheard_model::{Fate, Strays};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a client may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// How often the sender's client is heard while the receiver's is waited for.
const TURN: Duration = Duration::from_millis(20);
/// How long the end of a client that ended is waited for, for its last words.
const FAREWELL: Duration = Duration::from_secs(1);
/// Characters of a client's reason that are told.
const REASON: usize = 200;

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Sender,
    Receiver,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sender => "sender",
            Self::Receiver => "receiver",
        })
    }
}

/// A client to be started, and where.
pub struct Order<'a> {
    pub stages: &'a mut dyn Stages,
    pub setting: Setting<'a>,
    /// Program and arguments of a driver of JSON lines.
    pub command: &'a [String],
}

/// A message that is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Under which it was booked.
    pub number: u64,
    pub to: &'a str,
    pub text: &'a str,
    /// Whether no filter acts on it, so that an error about it is the account's.
    pub harmless: bool,
}

/// What became of a message, and what else was heard since the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub fate: Fate,
    /// Why it was refused, as the sender's client says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Absent where it did not arrive.
    pub after_ms: Option<u64>,
    pub strays: Strays,
}

/// Why the trials cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("the {role}'s stage: {error}")]
    Stage { role: Role, error: io::Error },
    #[error("the {role}'s client ended{}", quoted(last))]
    Ended { role: Role, last: String },
    #[error("the {role}'s client was not ready within {} s", READY.as_secs())]
    NotReady { role: Role },
    #[error("the sender's client said nothing of a message within {} s", window.as_secs_f64())]
    Silent { window: Duration },
    #[error("the {role}'s client reported an error of its own{}", said_of_it(said))]
    Trouble { role: Role, said: String },
    #[error("the sender's account is refused{}", said_of_it(said))]
    Banned { said: String },
    #[error("the {role}'s client takes no requests: {error}")]
    Deaf { role: Role, error: io::Error },
    #[error("interrupted")]
    Interrupted,
}

fn quoted(last: &str) -> String {
    // Our own drivers give a hint after what went wrong.
    let mut lines = last.lines().rev().filter(|line| !line.trim().is_empty());
    let last = lines.find(|line| !line.starts_with("hint: ")).unwrap_or_default();
    if last.is_empty() { String::new() } else { format!("; its last words: {last}") }
}

/// The first words of what a client says, fit for one line.
fn said_of_it(said: &str) -> String {
    let words = shortened(said);
    if words.is_empty() { words } else { format!(": {words}") }
}

fn shortened(said: &str) -> String {
    fault::line(said).chars().take(REASON).collect()
}

impl fmt::Debug for Order<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").field("setting", &self.setting).finish_non_exhaustive()
    }
}

struct End {
    role: Role,
    client: Client,
    account: String,
    _process: Box<dyn Process>,
    /// Dropped last: it ends whatever was started on it.
    stage: Box<dyn Stage>,
}

/// Two clients that are ready.
pub struct Line {
    sender: End,
    receiver: End,
    /// Texts sent so far, and how often each is still to arrive.
    awaited: HashMap<String, u64>,
    /// What the sender's client knows those messages by.
    asked: HashSet<String>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("from", &self.sender.account)
            .field("to", &self.receiver.account)
            .finish()
    }
}

impl Line {
    /// Starts both clients and waits until they are ready: the receiver's first, so that nothing is missed.
    pub fn open(sender: Order, receiver: Order, interrupted: &AtomicBool) -> Result<Self, Broken> {
        let receiver = End::open(Role::Receiver, receiver, interrupted)?;
        let sender = End::open(Role::Sender, sender, interrupted)?;
        let (awaited, asked) = (HashMap::new(), HashSet::new());
        Ok(Self { sender, receiver, awaited, asked })
    }

    /// The account that sends.
    pub fn sender(&self) -> &str {
        &self.sender.account
    }

    /// The account that is sent to.
    pub fn receiver(&self) -> &str {
        &self.receiver.account
    }

    /// Sends a message that was booked, and waits for its arrival.
    pub fn act(&mut self, message: Message, window: Duration) -> Result<Outcome, Broken> {
        let Message { number, to, text, harmless } = message;
        let mut strays = self.catch_up()?;
        let (id, begun) = (format!("m{number}"), Instant::now());
        let until = begun + window;
        let request = Request::Send { id: id.as_str(), to, text };
        let asked = self.sender.client.ask(&request, until);
        asked.map_err(|error| self.sender.deaf(error))?;
        let text = seen(text);
        let mut wait = Wait { id: &id, text: &text, sent: false, refused: None };
        *self.awaited.entry(text.clone()).or_default() += 1;
        self.asked.insert(id.clone());
        loop {
            let arrived = match self.receiver.event(until.min(Instant::now() + TURN))? {
                Some(Event::Received { text: arrived, .. }) => {
                    let arrived = seen(&arrived);
                    if arrived != text {
                        self.stray(&arrived, &mut strays);
                    }
                    arrived == text
                }
                _ => false,
            };
            while let Some(event) = self.sender.event(Instant::now())? {
                wait.hear(&event);
                strays.misplaced += self.misplaced(&event);
            }
            if arrived {
                self.awaited.entry(text).and_modify(|left| *left = left.saturating_sub(1));
                let after_ms = u64::try_from(begun.elapsed().as_millis()).ok();
                return Ok(Outcome { fate: Fate::Delivered, reason: None, after_ms, strays });
            }
            if let Some(said) = wait.refused.take_if(|said| complaint::is_of_account(said, harmless)) {
                return Err(Broken::Banned { said });
            }
            if Instant::now() >= until {
                let fate = wait.lost(window)?;
                return Ok(Outcome { fate, reason: wait.refused, after_ms: None, strays });
            }
        }
    }

    /// Ends both clients and closes their stages; says of each what of its capture is missing.
    pub fn close(self) -> Result<[u64; 2], Broken> {
        Ok([self.sender.close()?, self.receiver.close()?])
    }

    /// Hears what came since the last message.
    fn catch_up(&mut self) -> Result<Strays, Broken> {
        let mut strays = Strays::default();
        while let Some(event) = self.receiver.event(Instant::now())? {
            if let Event::Received { text, .. } = event {
                self.stray(&seen(&text), &mut strays);
            }
        }
        while let Some(event) = self.sender.event(Instant::now())? {
            strays.misplaced += self.misplaced(&event);
        }
        Ok(strays)
    }

    /// One where the sender's client speaks of what it was not asked for. A late word of an earlier message is in its place.
    fn misplaced(&self, event: &Event) -> u64 {
        match event {
            Event::Sent { id } | Event::Error { id: Some(id), .. } => u64::from(!self.asked.contains(id)),
            Event::Error { id: None, .. } | Event::Ready { .. } | Event::Received { .. } => 0,
        }
    }

    fn stray(&mut self, text: &str, strays: &mut Strays) {
        match self.awaited.get_mut(text) {
            Some(0) => strays.repeated += 1,
            Some(left) => {
                *left -= 1;
                strays.late += 1;
            }
            None => strays.unknown += 1,
        }
    }
}

/// What the sender's client said of a message.
struct Wait<'a> {
    id: &'a str,
    text: &'a str,
    sent: bool,
    /// Why.
    refused: Option<String>,
}

impl Wait<'_> {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Sent { id } if id == self.id => self.sent = true,
            Event::Error { id: Some(id), message } if id == self.id => {
                self.refused = Some(shortened(&seen(message).replace(self.text, "…")));
            }
            _ => {}
        }
    }

    fn lost(&self, window: Duration) -> Result<Fate, Broken> {
        match (self.refused.is_some(), self.sent) {
            (true, _) => Ok(Fate::Refused),
            (false, true) => Ok(Fate::Lost),
            (false, false) => Err(Broken::Silent { window }),
        }
    }
}

/// A text as it is compared: clients trim and wrap.
fn seen(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl End {
    fn open(role: Role, order: Order, interrupted: &AtomicBool) -> Result<Self, Broken> {
        let of_stage = |error| Broken::Stage { role, error };
        let driver = named(DriverName::JsonLines);
        let mut stage = order.stages.open(&order.setting).map_err(of_stage)?;
        let environment = BTreeMap::new();
        let launch = Launch { command: order.command, environment: &environment, streams: driver.streams() };
        let Launched { process, ends } = stage.launch(launch).map_err(of_stage)?;
        let client = Client::new(driver, ends).map_err(of_stage)?;
        let mut end = Self { role, client, account: String::new(), _process: process, stage };
        let until = Instant::now() + READY;
        let mut goes_on = || !interrupted.load(Ordering::Relaxed);
        loop {
            match end.client.event(until, &mut goes_on) {
                Ok(Event::Ready { account }) => {
                    end.account = account;
                    return Ok(end);
                }
                Ok(Event::Error { id: None, message }) => {
                    return Err(Broken::Trouble { role, said: message });
                }
                Ok(_) => {}
                Err(Stalled::Ended) => return Err(end.ended()),
                Err(Stalled::Silent) => return Err(Broken::NotReady { role }),
                Err(Stalled::Stopped) => return Err(Broken::Interrupted),
            }
        }
    }

    /// The next event; none where there is none until then.
    fn event(&mut self, until: Instant) -> Result<Option<Event>, Broken> {
        match self.client.event(until, &mut || true) {
            Ok(Event::Error { id: None, message }) => Err(Broken::Trouble { role: self.role, said: message }),
            Ok(event) => Ok(Some(event)),
            Err(Stalled::Ended) => Err(self.ended()),
            Err(Stalled::Silent | Stalled::Stopped) => Ok(None),
        }
    }

    fn ended(&self) -> Broken {
        Broken::Ended { role: self.role, last: self.client.last_words(FAREWELL) }
    }

    fn deaf(&self, error: io::Error) -> Broken {
        match error.kind() {
            io::ErrorKind::BrokenPipe => self.ended(),
            _ => Broken::Deaf { role: self.role, error },
        }
    }

    fn close(mut self) -> Result<u64, Broken> {
        // A client that has ended already needs no goodbye.
        let _ = self.client.ask(&Request::Quit, Instant::now() + FAREWELL);
        self.client.close_input();
        let closed = self.stage.close().map_err(|error| Broken::Stage { role: self.role, error })?;
        Ok(closed.lost)
    }
}
