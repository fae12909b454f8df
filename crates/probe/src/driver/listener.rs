//! Hearing an app: one thread that reads all its outputs, until they end or we hang up.
//!
//! Promises: what is kept is bounded; the thread ends when the [`Listener`] is dropped, although a process that the app
//! forked still holds its output open.

use super::json_lines::{Event, Lines};
use super::screen::Screen;
use super::tail::Tail;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Events kept until they are asked for; more than these are dropped, and noted.
const MOST_EVENTS: usize = 100_000;

/// How one output is understood.
#[derive(Debug)]
pub struct Ear(Hearing);

#[derive(Debug)]
enum Hearing {
    /// Bytes of a character that was cut are kept for the next read.
    Text(Vec<u8>),
    Screen(Screen, Vec<u8>),
    Lines(Lines),
}

/// What was heard so far.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) tail: Tail,
    pub(super) events: VecDeque<Event>,
    /// Nothing more will come.
    pub(super) ended: bool,
}

/// What was heard, shared between the thread and whoever waits.
#[derive(Debug, Default)]
pub(super) struct Heard {
    state: Mutex<State>,
    more: Condvar,
}

impl Heard {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn more(&self) -> &Condvar {
        &self.more
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.more.notify_all();
    }
}

/// The thread that listens; dropped, it hangs up.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) heard: Arc<Heard>,
    hang_up: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    pub(super) fn new(outputs: Vec<(File, Ear)>) -> io::Result<Self> {
        let (hung_up, hang_up) = io::pipe()?;
        let heard = Arc::new(Heard::default());
        let shared = Arc::clone(&heard);
        let listen = move || {
            listen(outputs, &hung_up, &shared);
            shared.tell(|state| state.ended = true);
        };
        let thread = thread::Builder::new().name("listener".into()).spawn(listen)?;
        Ok(Self { heard, hang_up: Some(hang_up), thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.hang_up = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads until every output has ended, or the other end of `hung_up` is closed.
fn listen(mut outputs: Vec<(File, Ear)>, hung_up: &PipeReader, heard: &Heard) {
    let mut buffer = vec![0; 1 << 16];
    while !outputs.is_empty() {
        let ready = match ready(&outputs, hung_up) {
            Ok(Some(ready)) => ready,
            Ok(None) | Err(_) => return,
        };
        let mut at = 0;
        outputs.retain_mut(|(output, ear)| {
            at += 1;
            !ready[at - 1] || read(output, ear, &mut buffer, heard)
        });
    }
}

/// Which outputs have something to read; none where we hung up.
fn ready(outputs: &[(File, Ear)], hung_up: &PipeReader) -> nix::Result<Option<Vec<bool>>> {
    let all = outputs.iter().map(|(output, _)| output.as_fd()).chain([hung_up.as_fd()]);
    let mut polled: Vec<PollFd> = all.map(|end| PollFd::new(end, PollFlags::POLLIN)).collect();
    match poll(&mut polled, PollTimeout::NONE) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(Some(vec![false; outputs.len()])),
        Err(error) => return Err(error),
    }
    let mut ready: Vec<bool> = polled.iter().map(|end| end.any().unwrap_or(true)).collect();
    Ok((ready.pop() == Some(false)).then_some(ready))
}

/// Whether the output goes on. A terminal that nobody holds any more says EIO instead of an end.
fn read(output: &mut File, ear: &mut Ear, buffer: &mut [u8], heard: &Heard) -> bool {
    match output.read(buffer) {
        // The end that we write to a terminal with is set to return at once, and so this one is.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => true,
        Ok(0) | Err(_) => {
            heard.tell(|state| ear.end(state));
            false
        }
        Ok(count) => {
            heard.tell(|state| ear.hear(&buffer[..count], state));
            true
        }
    }
}

impl Ear {
    pub(super) fn text() -> Self {
        Self(Hearing::Text(Vec::new()))
    }

    pub(super) fn screen() -> Self {
        Self(Hearing::Screen(Screen::default(), Vec::new()))
    }

    pub(super) fn lines() -> Self {
        Self(Hearing::Lines(Lines::default()))
    }

    fn hear(&mut self, bytes: &[u8], state: &mut State) {
        match &mut self.0 {
            Hearing::Text(cut) => state.tail.push(&whole(cut, bytes)),
            Hearing::Screen(screen, cut) => state.tail.push(&whole(cut, &screen.text(bytes))),
            Hearing::Lines(lines) => lines.hear(bytes, &mut |event, note| {
                if let Some(note) = note {
                    state.tail.push(&note);
                }
                match event {
                    Some(event) if state.events.len() < MOST_EVENTS => state.events.push_back(event),
                    Some(_) => state.tail.push("(an event too many was dropped)\n"),
                    None => {}
                }
            }),
        }
    }

    fn end(&mut self, state: &mut State) {
        if let Hearing::Lines(_) = self.0 {
            // A last line without its end is a line.
            self.hear(b"\n", state);
        }
    }
}

/// Text of the bytes, but for a character at the end that is not whole yet, which waits in `cut`.
fn whole(cut: &mut Vec<u8>, bytes: &[u8]) -> String {
    cut.extend_from_slice(bytes);
    let end = match std::str::from_utf8(cut) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => cut.len() - trailing(cut),
    };
    let text = String::from_utf8_lossy(&cut[..end]).into_owned();
    cut.drain(..end);
    text
}

/// Bytes at the end that begin a character and do not end it, where faults come before them.
fn trailing(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    let begins = std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none());
    if begins && bytes.ends_with(last) { last.len() } else { 0 }
}
