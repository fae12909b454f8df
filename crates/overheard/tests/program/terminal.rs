//! The program on a terminal of its own, as a person would see and leave it.

use super::command;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::{read, write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

const LEAVES_THE_ALTERNATE_SCREEN: &str = "\u{1b}[?1049l";
const SHOWS_THE_CURSOR: &str = "\u{1b}[?25h";

/// Nothing here takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program on a terminal of its own.
pub struct Watched {
    ours: OwnedFd,
    theirs: OwnedFd,
    before: Termios,
    pub child: Child,
    shown: String,
}

impl Watched {
    /// Starts it with these arguments, and waits until it shows this.
    pub fn start(args: &[&str], shows: &str) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master: ours, slave: theirs } = openpty(&size, None).expect("a terminal");
        let before = tcgetattr(&theirs).expect("its settings");
        let end = || theirs.try_clone().expect("a descriptor");
        let mut command = command(args);
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the program starts");
        let mut watched = Self { ours, theirs, before, child, shown: String::new() };
        watched.until(shows);
        assert_ne!(tcgetattr(&watched.theirs).expect("settings"), watched.before, "it took the terminal");
        watched
    }

    /// Reads what is shown for a moment.
    fn look(&mut self) {
        let mut waits = [PollFd::new(self.ours.as_fd(), PollFlags::POLLIN)];
        if poll(&mut waits, PollTimeout::from(50_u8)) == Ok(1) {
            let mut bytes = [0; 4096];
            let count = read(&self.ours, &mut bytes).unwrap_or(0);
            self.shown += &String::from_utf8_lossy(&bytes[..count]);
        }
    }

    pub fn until(&mut self, text: &str) {
        let began = Instant::now();
        while !self.shown.contains(text) {
            assert!(began.elapsed() < PATIENCE, "no {text} in {:?}", self.shown);
            self.look();
        }
    }

    pub fn press(&self, keys: &[u8]) {
        assert_eq!(write(&self.ours, keys), Ok(keys.len()));
    }

    /// Waits for its end; the terminal is as it was before.
    pub fn ends(mut self) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            self.look();
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            if began.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it does not end: {:?}", self.shown);
            }
        };
        self.look();
        assert_eq!(tcgetattr(&self.theirs).expect("settings"), self.before);
        let left = self.shown.find(LEAVES_THE_ALTERNATE_SCREEN).expect("it left its screen");
        let after = self.shown[left..].to_owned();
        assert!(after.contains(SHOWS_THE_CURSOR), "{after:?}");
        (status, after)
    }
}
