//! The room of accounts: drivers that come with us, each of which logs in to one account, sends and hears.
//!
//! For: `overheard driver`, of which [`crate::driver`] starts one per account. [`speak()`] is the JSON-lines side, written
//! once for all.
//! Promises: a name is given once the login stands; a message is `sent` once the service has it; what cannot be sent
//! whole is refused and never cut; a connection that is lost ends the driver, and is never made anew behind its user's
//! back. Passwords and texts are never logged. Whatever ends the driver ends what it started.
//! To extend: a file with a type that implements [`Service`], and a line in the list of `overheard driver`.

pub(crate) mod fault;
mod irc;
mod receipts;
mod speak;
mod terminal;
mod web;
mod wire;
mod xmpp;

pub use fault::Fault;
pub use irc::Irc;
pub use speak::speak;
pub use terminal::{Pattern, Terminal};
pub use web::{Page, Web};
pub use wire::{Roots, Wire};
pub use xmpp::{Security, Xmpp};

use crate::driver::Event;
use std::fmt;
use std::future::Future;

/// Where an account is, and how to log in to it.
pub trait Service {
    type Account: Account;

    /// Returns once the login stands. What was started ends with the future that is dropped.
    fn log_in(self) -> impl Future<Output = Result<Self::Account, Fault>>;
}

/// An account that is logged in to.
pub trait Account {
    /// The name by which others send to it.
    fn name(&self) -> &str;

    /// Sends a text.
    fn send(&mut self, id: &str, to: &str, text: &str) -> impl Future<Output = Result<Sending, Fault>>;

    /// What happens next. Nothing is lost where the future is dropped before it is done.
    fn hear(&mut self) -> impl Future<Output = Result<Event, Fault>>;

    /// Takes leave.
    fn log_out(self) -> impl Future<Output = ()>;
}

/// What became of a text that shall be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sending {
    /// The service has it.
    Sent,
    /// The service will say, and [`Account::hear`] tells.
    Awaited,
    /// It was not sent, for this reason.
    Refused(String),
}

/// A secret, which nobody prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}
