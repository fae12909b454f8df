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

pub use listener::Ear;

use overheard_model::design::DriverName;
use std::os::fd::OwnedFd;

/// What an app's standard streams are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    Pipes,
    /// A terminal, which is the controlling one of the app's session.
    Terminal {
        rows: u16,
        columns: u16,
    },
}

/// Our ends of an app's streams, from whoever launched it.
#[derive(Debug)]
pub enum Ends {
    Pipes { stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd },
    Terminal(OwnedFd),
}

/// A way to connect to an app.
pub trait Driver: Sync {
    fn name(&self) -> DriverName;

    fn streams(&self) -> Streams {
        Streams::Pipes
    }

    /// How what the app prints is understood. Its errors are text.
    fn ear(&self) -> Ear {
        Ear::text()
    }
}

/// All drivers.
pub const DRIVERS: &[&dyn Driver] = &[&plain::Plain, &terminal::Terminal, &json_lines::JsonLines];

/// The driver of this name.
pub fn named(name: DriverName) -> &'static dyn Driver {
    let driver = DRIVERS.iter().find(|driver| driver.name() == name);
    *driver.unwrap_or(&DRIVERS[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_driver() {
        for name in [DriverName::Plain, DriverName::Terminal, DriverName::JsonLines] {
            assert_eq!(named(name).name(), name);
        }
    }
}
