//! An account behind a text-mode client, which is driven as a person would: by its keys and its screen.
//!
//! Promises: a text is typed as it is, or refused where a terminal would take a part of it for a key; what stood on the
//! screen at the login is history and is not told. A message counts as sent once it was typed: the client does not say.
//! The client ends with the driver: asked to, hung up on, or killed.

mod pattern;
mod screen;

pub use pattern::Pattern;

use super::{Account, Fault, Sending, Service};
use crate::driver::{Ends, Event, Streams};
use crate::execute::{Bare, Launch, Process, Stage};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use pattern::Said;
use screen::Screen;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep, sleep_until};

/// A screen is looked at once it has been still for so long, or has moved for so long.
const STILL: Duration = Duration::from_millis(60);
const MOVING: Duration = Duration::from_millis(500);
/// How long a client may take to end after it was told to.
const ENDING: Duration = Duration::from_secs(3);
/// How often it is asked whether it has ended.
const TICK: Duration = Duration::from_millis(30);

/// A client to be driven.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Program and arguments; never empty.
    pub command: Vec<String>,
    /// The name of the account that the client logs in to. What it says itself is not told.
    pub account: String,
    /// On the screen once the login stands.
    pub ready: String,
    /// What is typed then, before any message.
    pub begin: String,
    /// What is typed for a message: `{to}` and `{text}` in it, and an end of line for Enter.
    pub send: String,
    pub received: Pattern,
    /// A line by which the client says that the last message was refused.
    pub refused: Option<Pattern>,
    /// What is typed at the end.
    pub quit: String,
    pub rows: u16,
    pub columns: u16,
}

impl Service for Terminal {
    type Account = Driven;

    async fn log_in(self) -> Result<Driven, Fault> {
        let mut driven = Driven::start(self)?;
        while !driven.screen.shows(&driven.client.ready) {
            driven.draw().await?;
        }
        let begin = driven.client.begin.clone();
        driven.type_keys(&begin).await.map_err(|error| Fault::Lost(error.to_string()))?;
        driven.screen.arrived();
        driven.refusals.arrived();
        Ok(driven)
    }
}

/// A client that is driven.
pub struct Driven {
    client: Terminal,
    terminal: AsyncFd<File>,
    screen: Screen,
    /// The same screen, looked at for refusals.
    refusals: Screen,
    /// When the screen moved first and last since it was looked at.
    moved: Option<(Instant, Instant)>,
    last: Option<String>,
    told: VecDeque<Event>,
    process: Box<dyn Process>,
    /// Dropped last: it ends the client.
    _stage: Box<dyn Stage>,
}

impl fmt::Debug for Driven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driven").field("command", &self.client.command).finish_non_exhaustive()
    }
}

impl Account for Driven {
    fn name(&self) -> &str {
        &self.client.account
    }

    async fn send(&mut self, id: &str, to: &str, text: &str) -> Result<Sending, Fault> {
        if [to, text].iter().any(|typed| typed.is_empty() || typed.contains(char::is_control)) {
            return Ok(Sending::Refused(
                "a terminal takes neither line ends nor other control characters".into(),
            ));
        }
        // Whoever is written to may be called {text}.
        let typed = self.client.send.split("{to}").map(|part| part.replace("{text}", text));
        let typed = typed.collect::<Vec<_>>().join(to);
        self.last = Some(id.to_owned());
        match self.type_keys(&typed).await {
            Ok(()) => Ok(Sending::Sent),
            Err(error) => Err(self.ended(&error).await),
        }
    }

    async fn hear(&mut self) -> Result<Event, Fault> {
        loop {
            if let Some(event) = self.told.pop_front() {
                return Ok(event);
            }
            match self.moved {
                None => self.draw().await?,
                Some((first, last)) => tokio::select! {
                    biased;
                    () = sleep_until((last + STILL).min(first + MOVING)) => self.look(),
                    drawn = self.draw() => drawn?,
                },
            }
        }
    }

    async fn log_out(mut self) {
        let quit = self.client.quit.clone();
        if self.type_keys(&quit).await.is_err() {
            return;
        }
        // What it still prints must be taken, or it may hang.
        while self.draw().await.is_ok() {}
    }
}

impl Driven {
    fn start(client: Terminal) -> Result<Self, Fault> {
        let unfit = |error: io::Error| Fault::Unfit(format!("{}: {error}", client.command.join(" ")));
        let mut stage = Bare::stage(Path::new("."));
        let environment = BTreeMap::from([("TERM".to_owned(), "xterm-256color".to_owned())]);
        let streams = Streams::Terminal { rows: client.rows, columns: client.columns };
        let launch = Launch { command: &client.command, environment: &environment, streams };
        let launched = stage.launch(launch).map_err(unfit)?;
        let Ends::Terminal(terminal) = launched.ends else {
            return Err(unfit(ErrorKind::NotConnected.into()));
        };
        let terminal = File::from(terminal);
        fcntl(&terminal, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|error| unfit(error.into()))?;
        // SAFETY: the file owns its descriptor, and nothing closes or replaces it before both are dropped.
        let terminal = unsafe { AsyncFd::register(terminal) }.map_err(|error| unfit(error.into()))?;
        // Without a pattern of refusals nothing is one.
        let refusal = client.refused.clone().unwrap_or_else(|| client.received.clone());
        Ok(Self {
            terminal,
            screen: Screen::new(client.rows, client.columns, client.received.clone()),
            refusals: Screen::new(client.rows, client.columns, refusal),
            client,
            moved: None,
            last: None,
            told: VecDeque::new(),
            process: launched.process,
            _stage: stage,
        })
    }

    /// Waits until the client draws something.
    async fn draw(&mut self) -> Result<(), Fault> {
        let mut bytes = [0; 1 << 14];
        let read =
            self.terminal.async_io(tokio::io::Interest::READABLE, |mut file| file.read(&mut bytes)).await;
        let count = match read {
            Ok(0) => return Err(self.ended(&ErrorKind::UnexpectedEof.into()).await),
            Ok(count) => count,
            Err(error) => return Err(self.ended(&error).await),
        };
        self.screen.draw(&bytes[..count]);
        if self.client.refused.is_some() {
            self.refusals.draw(&bytes[..count]);
        }
        let now = Instant::now();
        self.moved = Some((self.moved.map_or(now, |(first, _)| first), now));
        Ok(())
    }

    fn look(&mut self) {
        self.moved = None;
        for Said { from, text } in self.screen.arrived() {
            if from != self.client.account {
                self.told.push_back(Event::Received { from, text });
            }
        }
        if self.client.refused.is_some() && !self.refusals.arrived().is_empty() {
            let message = "the client says that it was refused".into();
            self.told.push_back(Event::Error { id: self.last.take(), message });
        }
    }

    async fn type_keys(&self, text: &str) -> io::Result<()> {
        // Enter sends a carriage return.
        let text = text.replace('\n', "\r");
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let write = |mut file: &File| file.write(rest);
            let count = self.terminal.async_io(tokio::io::Interest::WRITABLE, |file| write(file)).await?;
            rest = &rest[count..];
        }
        Ok(())
    }

    /// The terminal has ended; the client does so just before or after.
    async fn ended(&mut self, error: &io::Error) -> Fault {
        let until = Instant::now() + ENDING;
        while Instant::now() < until {
            if let Ok(Some(status)) = self.process.ended() {
                return Fault::Lost(format!("the client ended ({status})"));
            }
            sleep(TICK).await;
        }
        Fault::Lost(format!("the client left its terminal: {error}"))
    }
}
