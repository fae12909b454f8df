//! Our end of an app: type, ask, wait.
//!
//! Promises: every wait ends at its deadline, when the app's output ends, or when we are asked to stop.

use super::json_lines::{Event, Request};
use super::listener::{Listener, State};
use super::{Driver, Ear, Ends};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How often a wait looks up to see whether it shall go on.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// Why a wait came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stalled {
    /// Silent past the limit.
    Silent,
    /// The output has ended.
    Ended,
    /// The one who waits was asked to stop.
    Stopped,
}

/// An app that was connected to.
#[derive(Debug)]
pub struct Client {
    input: Option<File>,
    listener: Listener,
    /// Text before this place was waited for already.
    heard_to: usize,
}

impl Client {
    /// Connects to an app that was launched with the streams that its driver wants.
    pub fn new(driver: &dyn Driver, ends: Ends) -> io::Result<Self> {
        let (input, outputs) = match ends {
            Ends::Pipes { stdin, stdout, stderr } => {
                (File::from(stdin), vec![(stdout.into(), driver.ear()), (stderr.into(), Ear::text())])
            }
            Ends::Terminal(terminal) => {
                let terminal = File::from(terminal);
                (terminal.try_clone()?, vec![(terminal, driver.ear())])
            }
        };
        // An app that does not read must not stop us in a write.
        fcntl(&input, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self { input: Some(input), listener: Listener::new(outputs)?, heard_to: 0 })
    }

    /// Types text.
    pub fn type_text(&mut self, text: &str, until: Instant) -> io::Result<()> {
        let input = self.input.as_mut().ok_or(ErrorKind::BrokenPipe)?;
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match input.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait_to_write(input, until)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Asks a driver of JSON lines.
    pub fn ask(&mut self, request: &Request<&str>, until: Instant) -> io::Result<()> {
        self.type_text(&(serde_json::to_string(request)? + "\n"), until)
    }

    /// Nothing more will be typed.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits for a text that was printed after the one waited for before. `goes_on` is asked now and then.
    pub fn wait_for(
        &mut self,
        text: &str,
        until: Instant,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), Stalled> {
        let from = self.heard_to;
        self.heard_to = self.wait(until, goes_on, |state| state.tail.find(text, from))?;
        Ok(())
    }

    /// The next event of a driver of JSON lines.
    pub fn event(&mut self, until: Instant, goes_on: &mut dyn FnMut() -> bool) -> Result<Event, Stalled> {
        self.wait(until, goes_on, |state| state.events.pop_front())
    }

    /// The last of what the app printed. What it printed just before it ended may still be on its way: its end is waited
    /// for, within a limit, since a process that it left behind may hold its output open.
    pub fn last_words(&self, within: Duration) -> String {
        let ended = self.wait(Instant::now() + within, &mut || true, |state| state.ended.then_some(()));
        let cut = if ended == Err(Stalled::Silent) { "(its output goes on)\n" } else { "" };
        self.listener.heard.lock().tail.text().to_owned() + cut
    }

    fn wait<T>(
        &self,
        until: Instant,
        goes_on: &mut dyn FnMut() -> bool,
        mut find: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<T, Stalled> {
        let heard = &self.listener.heard;
        loop {
            let mut state = heard.lock();
            if let Some(found) = find(&mut state) {
                return Ok(found);
            }
            if state.ended {
                return Err(Stalled::Ended);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Stalled::Silent);
            }
            // Woken or not, what matters is looked at again; the lock is not held while asking.
            drop(heard.more().wait_timeout(state, left.min(TICK)));
            if !goes_on() {
                return Err(Stalled::Stopped);
            }
        }
    }
}

fn wait_to_write(input: &File, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now());
    let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
    let mut polled = [PollFd::new(input.as_fd(), PollFlags::POLLOUT)];
    match poll(&mut polled, timeout) {
        Ok(0) => Err(ErrorKind::TimedOut.into()),
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
