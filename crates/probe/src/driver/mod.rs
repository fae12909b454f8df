//! The room of drivers: how an app is made to act, and how what it says is heard.
//!
//! For: the steps of a run, and trials between two accounts. A driver decides what the app's standard input, output
//! and error are; the [`Client`] at our end is the same for all.
//! Promises: no wait is without a limit; output is kept up to a bound; garbage is counted and never fatal; the text
//! of messages is never put into what is kept.
//! To extend: a file with a type that implements [`Driver`], a variant of `model::design::DriverName`, and a line in
//! [`DRIVERS`].

mod client;
mod json_lines;
mod listener;
mod plain;
mod screen;
mod tail;
mod terminal;

pub(crate) use client::TICK;
pub use client::{Client, Stalled};
pub use json_lines::{Event, Request};

use listener::Ear;
use overheard_model::design::DriverName;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

/// What an app is given as its standard streams.
#[derive(Debug)]
pub struct Wires {
    pub stdin: OwnedFd,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
    /// The three are a terminal: whoever launches the app makes it the controlling one of a session of its own.
    pub terminal: bool,
}

/// Our ends of an app's wires.
#[derive(Debug)]
pub struct Ends {
    input: File,
    outputs: Vec<(File, Ear)>,
}

/// A way to connect to an app.
pub trait Driver: Sync {
    fn name(&self) -> DriverName;
    fn connect(&self) -> io::Result<(Wires, Ends)>;
}

/// All drivers.
pub const DRIVERS: &[&dyn Driver] = &[&plain::Plain, &terminal::Terminal, &json_lines::JsonLines];

/// Connects to an app that is about to be launched with these wires.
pub fn connect(name: DriverName) -> io::Result<(Wires, Client)> {
    let driver = DRIVERS.iter().find(|driver| driver.name() == name);
    let driver = driver.ok_or_else(|| io::Error::other("this program has no such driver"))?;
    let (wires, ends) = driver.connect()?;
    Ok((wires, Client::new(ends)?))
}

/// A pipe for each standard stream; `ears` are those for output and for errors.
fn pipes(ears: [Ear; 2]) -> io::Result<(Wires, Ends)> {
    let (stdin, input) = io::pipe()?;
    let (output, stdout) = io::pipe()?;
    let (errors, stderr) = io::pipe()?;
    let wires = Wires { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into(), terminal: false };
    let [first, second] = ears;
    let file = |end: OwnedFd| File::from(end);
    let outputs = vec![(file(output.into()), first), (file(errors.into()), second)];
    Ok((wires, Ends { input: file(input.into()), outputs }))
}
