//! The steps of a run, performed one after the other.

use super::stage::{Launch, Launched, Process, Stage};
use crate::driver::{self, Client, Event, Request, Stalled};
use overheard_model::design::{BuildDesign, DriverName, Lasting, Step};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a driver of JSON lines may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// How long an app may take to end after it was asked.
const GRACE: Duration = Duration::from_secs(10);
/// How long typing may take: an app that does not read is one that hangs.
const TYPING: Duration = Duration::from_secs(10);
/// How long an app whose output has ended may take to end itself, and the other way round.
const FAREWELL: Duration = Duration::from_secs(2);
const TICK: Duration = driver::TICK;
/// Messages that may wait to be waited for; older ones give way.
const WAITING: usize = 1000;

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    TooLong,
    TooMuch,
    Stopped,
    /// A step did, from 1.
    At {
        step: usize,
        name: &'static str,
        what: String,
    },
}

/// What a step came to: done, the whole run is over, or the step failed.
type Played<T = ()> = Result<T, Cut>;

#[derive(Debug)]
enum Cut {
    Run(Broken),
    Step(String),
}

/// Whoever performs the steps on a stage.
pub(super) struct Actor<'a> {
    stage: &'a mut dyn Stage,
    until: Instant,
    bytes: u64,
    interrupted: &'a AtomicBool,
    app: Option<App>,
    /// Of programs that were run beside the app.
    said: String,
    messages: u32,
    /// Messages that came and were not waited for yet.
    received: VecDeque<Message>,
}

/// A message that was received.
struct Message {
    from: String,
    text: String,
}

/// What remains of a run when its programs have ended.
pub(super) struct Remains {
    client: Option<Client>,
    said: String,
}

impl Remains {
    /// The last of what was printed.
    pub(super) fn output(&self) -> String {
        let app = self.client.as_ref().map(|client| client.last_words(FAREWELL));
        app.unwrap_or_default() + &self.said
    }
}

struct App {
    process: Box<dyn Process>,
    client: Client,
    driver: DriverName,
    ended: Option<ExitStatus>,
    /// Whether it was waited for until it ended by itself.
    awaited: bool,
}

impl<'a> Actor<'a> {
    pub(super) fn new(
        stage: &'a mut dyn Stage,
        until: Instant,
        bytes: u64,
        interrupted: &'a AtomicBool,
    ) -> Self {
        Self {
            stage,
            until,
            bytes,
            interrupted,
            app: None,
            said: String::new(),
            messages: 0,
            received: VecDeque::new(),
        }
    }

    pub(super) fn play(&mut self, build: &BuildDesign, steps: &[Step]) -> Result<(), Broken> {
        for (at, step) in steps.iter().enumerate() {
            self.step(build, step).map_err(|cut| match cut {
                Cut::Run(broken) => broken,
                Cut::Step(what) => Broken::At { step: at + 1, name: step.name(), what },
            })?;
        }
        Ok(())
    }

    /// Lets time pass without an app.
    pub(super) fn wait(&mut self, time: Duration) -> Result<(), Broken> {
        self.pass(time).map_err(|cut| match cut {
            Cut::Run(broken) => broken,
            Cut::Step(what) => Broken::At { step: 1, name: "wait", what },
        })
    }

    /// What is left to be heard once the stage is closed.
    pub(super) fn leave(self) -> Remains {
        Remains { client: self.app.map(|app| app.client), said: self.said }
    }

    /// What an app left running that was waited for until it ended, as launchers do: it ends with the stage.
    pub(super) fn left(&self) -> io::Result<BTreeMap<String, u64>> {
        let awaited = self.app.as_ref().is_some_and(|app| app.awaited);
        if awaited { self.stage.left() } else { Ok(BTreeMap::new()) }
    }

    fn step(&mut self, build: &BuildDesign, step: &Step) -> Played {
        match step {
            Step::Start => self.start(build),
            Step::Wait(time) => self.pass(time.0),
            Step::WaitFor { text, within } => self.wait_for(text, *within),
            Step::Type(text) => self.type_text(text),
            Step::Run { command, within } => self.run(build, command, *within),
            Step::Send { to, text, within } => self.send(to, text, *within),
            Step::Receive { from, text, within } => self.receive(from.as_deref(), text.as_deref(), *within),
            Step::WaitEnd(within) => self.wait_end(*within),
            Step::Stop => self.stop(),
        }
    }

    fn start(&mut self, build: &BuildDesign) -> Played {
        let (process, client) = self.launch(build, &build.command, build.driver)?;
        self.app = Some(App { process, client, driver: build.driver, ended: None, awaited: false });
        if build.driver != DriverName::JsonLines {
            return Ok(());
        }
        self.event_within(READY, "ready", |event| match event {
            Event::Ready { .. } => Some(Ok(())),
            Event::Error { id: None, .. } => Some(Err("the driver reported an error".into())),
            _ => None,
        })
    }

    /// Starts a program on the stage, and connects to it.
    fn launch(
        &mut self,
        build: &BuildDesign,
        command: &[String],
        driver: DriverName,
    ) -> Played<(Box<dyn Process>, Client)> {
        let driver = driver::named(driver);
        let launch = Launch { command, environment: &build.environment, streams: driver.streams() };
        let Launched { process, ends } = self.stage.launch(launch).map_err(|error| {
            Cut::Step(format!("{} did not start: {error}", command.first().map_or("", String::as_str)))
        })?;
        Ok((process, Client::new(driver, ends).map_err(step_failed)?))
    }

    /// Lets time pass. An app that ends without an error meanwhile has done its work.
    fn pass(&mut self, time: Duration) -> Played {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            thread::sleep(left.min(TICK));
            self.goes_on()?;
            if let Some(status) = self.ended()?.filter(|status| !status.success()) {
                return Err(Cut::Step(format!("the app ended: {status}")));
            }
        }
        Ok(())
    }

    fn wait_for(&mut self, text: &str, within: Lasting) -> Played {
        self.talk(within, |client, until, goes_on| client.wait_for(text, until, goes_on))?
            .map_err(|stalled| self.stalled(stalled, within, &format!("printed {text:?}")))
    }

    fn type_text(&mut self, text: &str) -> Played {
        // Enter is a carriage return to a terminal.
        let app = self.app.as_mut().ok_or_else(no_app)?;
        let text =
            if app.driver == DriverName::Terminal { text.replace('\n', "\r") } else { text.to_owned() };
        let until = self.until.min(Instant::now() + TYPING);
        app.client
            .type_text(&text, until)
            .map_err(|error| Cut::Step(format!("the app does not read: {error}")))
    }

    fn run(&mut self, build: &BuildDesign, command: &[String], within: Lasting) -> Played {
        let (mut process, mut client) = self.launch(build, command, DriverName::Plain)?;
        let program = command.first().map_or("", String::as_str);
        client.close_input();
        let until = Instant::now() + within.0;
        let status = loop {
            if let Some(status) = process.ended().map_err(step_failed)? {
                break Some(status);
            }
            if Instant::now() >= until {
                process.kill().map_err(step_failed)?;
                break None;
            }
            thread::sleep(TICK);
            self.goes_on()?;
        };
        self.said += &client.last_words(FAREWELL);
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(Cut::Step(format!("{program} ended: {status}"))),
            None => Err(Cut::Step(format!("{program} had not ended after {within}"))),
        }
    }

    fn send(&mut self, to: &str, text: &str, within: Lasting) -> Played {
        self.messages += 1;
        let id = format!("m{}", self.messages);
        let app = self.app.as_mut().ok_or_else(no_app)?;
        let until = self.until.min(Instant::now() + within.0);
        let request = Request::Send { id: id.as_str(), to, text };
        app.client
            .ask(&request, until)
            .map_err(|error| Cut::Step(format!("the driver does not read: {error}")))?;
        self.event_within(within.0, "sent", |event| match event {
            Event::Sent { id: sent } if *sent == id => Some(Ok(())),
            Event::Error { id: Some(failed), .. } if *failed == id => Some(Err("it was not sent".into())),
            Event::Error { id: None, .. } => Some(Err("the driver reported an error".into())),
            _ => None,
        })
    }

    /// One that came already may be the one.
    fn receive(&mut self, from: Option<&str>, text: Option<&str>, within: Lasting) -> Played {
        let is_it = |message: &Message| {
            from.is_none_or(|from| message.from == from)
                && text.is_none_or(|text| message.text.contains(text))
        };
        let until = Instant::now() + within.0;
        loop {
            if let Some(at) = self.received.iter().position(is_it) {
                self.received.drain(..=at);
                return Ok(());
            }
            let left = Lasting(until.saturating_duration_since(Instant::now()));
            match self.next_event(left)? {
                Ok(Event::Error { id: None, .. }) => {
                    return Err(Cut::Step("the driver reported an error".into()));
                }
                Ok(_) => {}
                Err(stalled) => return Err(self.stalled(stalled, within, "received such a message")),
            }
        }
    }

    fn wait_end(&mut self, within: Lasting) -> Played {
        let until = Instant::now() + within.0;
        loop {
            match self.ended()? {
                Some(status) if status.success() => break,
                Some(status) => return Err(Cut::Step(format!("the app ended: {status}"))),
                None if Instant::now() >= until => {
                    return Err(Cut::Step(format!("the app had not ended after {within}")));
                }
                None => thread::sleep(TICK),
            }
            self.goes_on()?;
        }
        self.app.as_mut().ok_or_else(no_app)?.awaited = true;
        Ok(())
    }

    /// Ends the app: asked first, killed where it does not go. That it had ended with an error before fails the run.
    fn stop(&mut self) -> Played {
        match self.ended()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(Cut::Step(format!("the app had ended: {status}"))),
            None => {}
        }
        let until = self.until.min(Instant::now() + GRACE);
        let app = self.app.as_mut().ok_or_else(no_app)?;
        if app.driver == DriverName::JsonLines {
            // One that does not read any more is ended all the same.
            let _ = app.client.ask(&Request::Quit, until);
        } else {
            app.process.ask_to_end().map_err(step_failed)?;
        }
        while self.ended()?.is_none() && Instant::now() < until {
            thread::sleep(TICK);
        }
        match self.app.as_mut() {
            Some(app) if app.ended.is_none() => app.process.kill().map_err(step_failed),
            _ => Ok(()),
        }
    }

    /// Waits for the event that decides; others are heard and passed over.
    fn event_within(
        &mut self,
        within: Duration,
        wanted: &str,
        decides: impl Fn(&Event) -> Option<Result<(), String>>,
    ) -> Played {
        let until = Instant::now() + within;
        loop {
            let left = Lasting(until.saturating_duration_since(Instant::now()));
            let event = self.next_event(left)?;
            let said = || format!("said {wanted:?}");
            let event = event.map_err(|stalled| self.stalled(stalled, Lasting(within), &said()))?;
            if let Some(decided) = decides(&event) {
                return decided.map_err(Cut::Step);
            }
        }
    }

    /// The next event; a message that was received is kept for whoever waits for it.
    fn next_event(&mut self, within: Lasting) -> Played<Result<Event, Stalled>> {
        let event = self.talk(within, |client, until, goes_on| client.event(until, goes_on))?;
        if let Ok(Event::Received { from, text }) = &event {
            self.received.push_back(Message { from: from.clone(), text: text.clone() });
            self.received.drain(..self.received.len().saturating_sub(WAITING));
        }
        Ok(event)
    }

    /// Waits with the client for at most `within`; looks meanwhile whether the run goes on and the app lives.
    fn talk<T>(
        &mut self,
        within: Lasting,
        wait: impl FnOnce(&mut Client, Instant, &mut dyn FnMut() -> bool) -> Result<T, Stalled>,
    ) -> Played<Result<T, Stalled>> {
        let until = self.until.min(Instant::now() + within.0);
        let (interrupted, stage, bytes) = (self.interrupted, &*self.stage, self.bytes);
        let app = self.app.as_mut().ok_or_else(no_app)?;
        let (process, ended) = (&mut app.process, &mut app.ended);
        let mut goes_on = || {
            // What it printed last is still on its way when it has just ended: one more look before giving up.
            let over = ended.is_some();
            *ended = ended.or_else(|| process.ended().ok().flatten());
            !over && !interrupted.load(Ordering::Relaxed) && stage.recorded() <= bytes
        };
        let waited = wait(&mut app.client, until, &mut goes_on);
        self.goes_on()?;
        Ok(waited)
    }

    fn stalled(&mut self, stalled: Stalled, within: Lasting, wanted: &str) -> Cut {
        // An app closes its output a moment before it has ended.
        let until = Instant::now() + FAREWELL;
        while stalled == Stalled::Ended && matches!(self.ended(), Ok(None)) && Instant::now() < until {
            thread::sleep(TICK);
        }
        let ended = self.app.as_ref().and_then(|app| app.ended);
        Cut::Step(match (stalled, ended) {
            (Stalled::Ended | Stalled::Stopped, Some(status)) => {
                format!("the app ended before it {wanted}: {status}")
            }
            (Stalled::Ended | Stalled::Stopped, None) => format!("the app's output ended before it {wanted}"),
            (Stalled::Silent, _) => format!("the app had not {wanted} after {within}"),
        })
    }

    /// How the app ended, once it has.
    fn ended(&mut self) -> Played<Option<ExitStatus>> {
        let Some(app) = self.app.as_mut() else { return Ok(None) };
        if app.ended.is_none() {
            app.ended = app.process.ended().map_err(step_failed)?;
        }
        Ok(app.ended)
    }

    /// Whether the run may go on.
    fn goes_on(&self) -> Played {
        let broken = match () {
            () if self.interrupted.load(Ordering::Relaxed) => Broken::Stopped,
            () if Instant::now() >= self.until => Broken::TooLong,
            () if self.stage.recorded() > self.bytes => Broken::TooMuch,
            () => return Ok(()),
        };
        Err(Cut::Run(broken))
    }
}

fn no_app() -> Cut {
    Cut::Step("no app was started".into())
}

fn step_failed(error: io::Error) -> Cut {
    Cut::Step(error.to_string())
}
