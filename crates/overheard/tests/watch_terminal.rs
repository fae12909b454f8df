//! `overheard watch` on a terminal: whatever ends it, the terminal is left as it was.

mod program;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::{Pid, read, write};
use program::command;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

const LEAVES_THE_ALTERNATE_SCREEN: &str = "\u{1b}[?1049l";
const SHOWS_THE_CURSOR: &str = "\u{1b}[?25h";

/// Nothing here takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program on a terminal of its own.
struct Watched {
    ours: OwnedFd,
    theirs: OwnedFd,
    before: Termios,
    child: Child,
    shown: String,
}

impl Watched {
    fn start(more: &[&str]) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master: ours, slave: theirs } = openpty(&size, None).expect("a terminal");
        let before = tcgetattr(&theirs).expect("its settings");
        let end = || theirs.try_clone().expect("a descriptor");
        let args = ["watch", "--from", "corpus/messenger/co-branded/run1.pcapng"];
        let mut command = command(&[&args, more].concat());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the program starts");
        let mut watched = Self { ours, theirs, before, child, shown: String::new() };
        watched.until("kite.example");
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

    fn until(&mut self, text: &str) {
        let began = Instant::now();
        while !self.shown.contains(text) {
            assert!(began.elapsed() < PATIENCE, "no {text} in {:?}", self.shown);
            self.look();
        }
    }

    fn press(&self, keys: &[u8]) {
        assert_eq!(write(&self.ours, keys), Ok(keys.len()));
    }

    /// Waits for its end; the terminal is as it was before.
    fn ends(mut self) -> (ExitStatus, String) {
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

#[test]
fn q_leaves_the_report_on_the_terminal() {
    let mut watched = Watched::start(&[]);
    watched.press(b"?");
    watched.until("Ctrl-C");
    watched.press(b"q");
    let (status, after) = watched.ends();
    assert_eq!(status.code(), Some(0));
    assert!(after.contains("packets"), "{after:?}");
}

#[test]
fn control_c_is_a_key_that_quits() {
    let watched = Watched::start(&[]);
    watched.press(b"\x03");
    assert_eq!(watched.ends().0.code(), Some(0));
}

#[test]
fn a_signal_quits_too() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let watched = Watched::start(&[]);
        kill(Pid::from_raw(watched.child.id() as i32), signal).expect("it is there");
        assert_eq!(watched.ends().0.code(), Some(0), "{signal}");
    }
}

#[test]
fn it_stays_when_the_capture_has_ended_and_goes_when_the_time_is_over() {
    let (status, after) = Watched::start(&["--speed", "max", "--seconds", "2"]).ends();
    assert_eq!(status.code(), Some(0));
    assert!(after.contains("the capture ended after 243 packets"), "{after:?}");
}
