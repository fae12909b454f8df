//! What is started in a room, and what it is started with.
//!
//! Promises: nothing of the caller's environment goes in unless it is named here or in the room's `Spec`.
//! To extend: a field here and its place in `enter`.

use super::process::Process;
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

/// A program to be started in a room.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// A path, or a name that is looked for in the room's `PATH`.
    pub program: OsString,
    pub args: Vec<OsString>,
    /// Over the room's own environment.
    pub env: Vec<(OsString, OsString)>,
    /// The home, unless given. A path within the room.
    pub cwd: Option<PathBuf>,
    pub streams: Streams,
}

impl Command {
    /// Whether the program is given by its path and not by a name to be looked for.
    pub(super) fn is_path(&self) -> bool {
        self.program.as_encoded_bytes().contains(&b'/')
    }
}

/// Where standard input, output and error of a program lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Streams {
    /// Nowhere.
    #[default]
    Nothing,
    /// To the three pipes of [`Child`].
    Pipes,
    /// Where ours lead. A terminal is then a door that is not the network.
    Ours,
    /// To a terminal of this size, whose other side is [`Child::terminal`].
    Terminal { rows: u16, columns: u16 },
}

/// A program that runs in a room. Dropping it ends nothing: the room does.
#[derive(Debug)]
pub struct Child {
    pub(super) process: Arc<Process>,
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<ChildStdout>,
    pub stderr: Option<ChildStderr>,
    pub terminal: Option<OwnedFd>,
}

impl Child {
    /// Its PID as seen from outside.
    pub fn pid(&self) -> u32 {
        self.process.pid.as_raw().unsigned_abs()
    }

    /// How it ended, within the limit; nothing if it still runs then. Without a limit this waits.
    pub fn wait(&self, limit: Option<Duration>) -> io::Result<Option<ExitStatus>> {
        self.process.wait(limit)
    }

    /// Asks it to do something: [`Signal::SIGTERM`], [`Signal::SIGINT`]. Fine if it has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        self.process.signal(signal)
    }

    /// Ends it at once, it alone: what it started lives on until the room ends.
    pub fn kill(&self) -> io::Result<()> {
        self.process.signal(Signal::SIGKILL)
    }
}
