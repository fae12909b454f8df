//! What is seen at one moment: endpoints as rows.
//!
//! Promises: signs say what colours say, so that neither colour nor its perception is needed.

use crate::pipeline::Contact;
use overheard_model::{Endpoint, Problem, Process, Timestamp, Transport, Visibility};
use overheard_report::cell;
use std::net::IpAddr;
use std::sync::Arc;

/// What makes two rows the same endpoint.
pub type Id = (IpAddr, u16, Transport);

/// All that is to be seen at one moment.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    pub rows: Vec<Row>,
    pub packets: u64,
    pub problems: Vec<Problem>,
    /// Packets that came too fast to be shown.
    pub missed: u64,
    pub began: Option<Timestamp>,
    pub now: Option<Timestamp>,
    /// What the app wrote, and what its source had to say.
    pub lines: Vec<String>,
    /// Why nothing more will come.
    pub ended: Option<String>,
}

/// One endpoint.
#[derive(Clone, Debug)]
pub struct Row {
    pub endpoint: Endpoint,
    /// Whether anything went on to it: without that it was tried, and is no contact.
    pub carried: bool,
    /// To the concern that it comes closest to.
    pub contact: Contact,
    /// Of one name one.
    pub processes: Vec<Arc<Process>>,
    /// Bytes both ways in each of the last seconds, the latest last.
    pub trend: Vec<u64>,
}

/// How much a row matters, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It stays on the local network.
    Local,
    Plain,
    /// Tried, but nothing was carried there.
    Tried,
    /// Whoever holds the wire can read it.
    Readable,
    /// It may be of concern: its place is unknown, or disputed.
    Suspect,
    Concern,
}

impl Severity {
    pub fn sign(self) -> &'static str {
        match self {
            Self::Local | Self::Plain => "",
            Self::Tried => "○",
            Self::Readable => "!",
            Self::Suspect => "?",
            Self::Concern => "●",
        }
    }
}

impl Row {
    pub fn id(&self) -> Id {
        (self.endpoint.address, self.endpoint.port, self.endpoint.transport)
    }

    pub fn is_concern(&self) -> bool {
        self.carried && self.contact == Contact::Certain
    }

    pub fn severity(&self) -> Severity {
        match self.contact {
            _ if !self.carried => Severity::Tried,
            Contact::Certain => Severity::Concern,
            Contact::Possible | Contact::Unplaced => Severity::Suspect,
            Contact::None if self.endpoint.place.local => Severity::Local,
            Contact::None if self.endpoint.visibility == Visibility::Readable => Severity::Readable,
            Contact::None => Severity::Plain,
        }
    }

    pub fn sign(&self) -> &'static str {
        self.severity().sign()
    }

    /// Bytes both ways.
    pub fn volume(&self) -> u64 {
        self.endpoint.bytes_out.saturating_add(self.endpoint.bytes_in)
    }

    pub fn place(&self) -> String {
        self.endpoint.place.label().unwrap_or_else(|| "?".into())
    }

    /// Whether it can be read on the wire, if it came there.
    pub fn wire(&self) -> String {
        if self.carried { self.endpoint.visibility.to_string() } else { "tried, not carried".into() }
    }

    pub fn protocol(&self) -> String {
        self.endpoint.protocols.to_string()
    }

    pub fn process(&self) -> String {
        self.processes.iter().map(|process| &*process.name).collect::<Vec<_>>().join(", ")
    }

    /// Whether a text, in lower case, occurs in anything that is shown of it.
    pub fn has(&self, text: &str) -> bool {
        let names = self.endpoint.names.iter().map(|name| name.name.to_string());
        let shown = [
            cell::country(&self.place()),
            cell::socket(&self.endpoint),
            cell::network(&self.endpoint),
            self.protocol(),
            self.wire(),
            self.process(),
        ];
        names.chain(shown).any(|shown| shown.to_lowercase().contains(text))
    }
}
