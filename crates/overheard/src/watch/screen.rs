//! The view on a terminal.
//!
//! Promises: the terminal is left as it was: when somebody quits, interrupts or ends the program, when it fails,
//! and when it panics. Keys are answered within some 50 ms, however much is heard; a look takes a fifth of the
//! time at most, so that with very many flows there are fewer of them.

use super::leave::Leave;
use super::listener::Listener;
use super::view::{Next, State, draw};
use crate::pipeline::Lens;
use overheard_model::Concern;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// Time between two looks at what was heard, or more where a look takes long.
const LOOK: Duration = Duration::from_millis(500);

/// Time between two looks at the keyboard.
const BEAT: Duration = Duration::from_millis(50);

/// Shows what is heard until somebody quits, or it is to be left.
pub fn show(
    listener: &mut Listener,
    lens: &Lens,
    concerns: &[Concern],
    mut state: State,
    leave: Leave<'_>,
) -> io::Result<()> {
    let mut screen = Screen::enter()?;
    let mut due = Some(Instant::now());
    let mut changed = true;
    loop {
        let beat = Instant::now();
        if leave.is_due() {
            return Ok(());
        }
        if due.is_some_and(|due| beat >= due) {
            // Behind the end there is nothing to look for.
            let last = listener.ended().is_some();
            look(listener, lens, concerns, &mut state);
            due = (!last).then(|| Instant::now() + LOOK.max(beat.elapsed() * 4));
            changed = true;
        }
        if changed {
            screen.0.draw(|frame| draw(frame, &state))?;
            changed = false;
        }
        listen(listener, beat + BEAT);
        if listener.failed() {
            // Its panic has given the terminal back already.
            return Ok(());
        }
        while event::poll(Duration::ZERO)? {
            if let Event::Key(key) = event::read()?
                && state.press(key) == Next::Quit
            {
                return Ok(());
            }
            tell(listener, &mut state);
            changed = true;
        }
    }
}

fn look(listener: &mut Listener, lens: &Lens, concerns: &[Concern], state: &mut State) {
    state.see(listener.sight(lens, concerns));
    tell(listener, state);
}

/// Tells the flows of the endpoint that is open.
fn tell(listener: &mut Listener, state: &mut State) {
    if let Some(flows) = state.opened().map(|endpoint| listener.flows(endpoint)) {
        state.tell(flows);
    }
}

/// Takes what comes until then.
fn listen(listener: &mut Listener, until: Instant) {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        if let Some(heard) = listener.next(left) {
            listener.take(heard);
        }
        if listener.failed() {
            return;
        }
    }
}

/// The terminal while it is ours: raw, on its alternate screen.
struct Screen(DefaultTerminal);

impl Screen {
    /// From here on a panic gives the terminal back before it says anything.
    fn enter() -> io::Result<Self> {
        ratatui::try_init().map(Self)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A panic has given it back before its message, which must stay.
        if !thread::panicking() {
            ratatui::restore();
        }
    }
}
