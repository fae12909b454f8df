//! What a certificate states of one confined execution.
//!
//! Promises: plain values; holds no argument, no login and no text of a message. The program's arguments are there as
//! their hash alone: who knows them can check them.

use super::Class;
use overheard_model::{Country, Process, Timestamp, Transport};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Raised by the first change after a release: fields are closed (`deny_unknown_fields`), so a field that is added is
/// another format as much as one that changes its meaning. Until the first release it stays 1.
pub const FORMAT: u32 = 1;

/// 64 hexadecimal digits, in small letters.
pub type Sha256 = String;

/// One execution of an app that was held to a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`FORMAT`]
    pub format: u32,
    /// Version of this program.
    pub overheard: String,
    /// Release of the kernel that made the room.
    pub kernel: String,
    pub began: Timestamp,
    pub ended: Timestamp,
    pub ran: Program,
    pub proxy: Proxy,
    /// The room's test of itself, before the app was started.
    pub planted: Vec<Planted>,
    /// An abstract Unix socket was opened outside of the room, and could not be reached from its network.
    pub abstract_sockets_cut: bool,
    /// What the app tried beside the proxy. All of it was stopped.
    pub attempted: Vec<Attempted>,
    /// Packets to places beyond those that are listed.
    pub unlisted_attempts: u64,
    /// Packets that the room's own device dropped before they crossed: nothing of them left, nobody saw where to.
    pub unseen: u64,
    /// Whom the app reached.
    pub passed: Vec<Passed>,
    /// What the app left running when it had ended, or was ended: it went with the room, and what it would have done
    /// later nobody saw.
    pub left: Vec<Left>,
    /// Doors that are not the network and stood open. They prove nothing about their use.
    pub doors: Vec<Doorway>,
    pub capture: Kept,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// What is no UTF-8 in it is replaced, as in every path here.
    pub path: String,
    pub sha256: Sha256,
    /// Of the arguments, each followed by a zero byte.
    pub arguments_sha256: Sha256,
}

/// What the app was held to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Its address as a URL, without a login.
    pub url: String,
    /// Where the app finds it in its room: all of these lead to it.
    pub at: Vec<SocketAddr>,
    /// Flows to it that it refused or did not answer.
    pub unanswered: u64,
}

/// A leak that was planted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    pub class: Class,
    pub transport: Transport,
    pub to: SocketAddr,
    /// It was sent, and nothing came back.
    pub stopped: bool,
    /// The gateway recorded and denied it.
    pub seen: bool,
}

/// Where the app tried to get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempted {
    pub class: Class,
    pub transport: Transport,
    pub address: IpAddr,
    /// Zero where the transport has none.
    pub port: u16,
    /// Where it would have got, as far as that is known.
    pub country: Option<Country>,
    pub packets: u64,
    /// By whom, as far as that is known: the first process of each program.
    pub processes: Vec<Process>,
}

/// Whom the app reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    pub transport: Transport,
    pub to: SocketAddr,
    pub flows: u64,
}

/// Programs of one name that were still running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// What the kernel calls them.
    pub name: String,
    pub processes: u64,
}

/// A way out of the room that is not the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doorway {
    /// What it is, such as `socket`, `dbus`, `folder`, `inherited`; `appeared` for what came, and may have gone, while
    /// the app ran, where no layer of the room's own lies over the machine's files; `unwatched` where that is not known.
    pub kind: String,
    /// As the app sees it.
    pub path: String,
}

/// The recording of all that crossed, planted leaks included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    pub sha256: Sha256,
    pub bytes: u64,
    pub packets: u64,
    /// Packets that could not be kept.
    pub lost: u64,
}

/// Why a statement certifies nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The room was not tested for this class.
    NotPlanted(Class),
    /// A planted leak got an answer, or could not be sent.
    NotStopped(Class),
    /// A planted leak left no trace at the gateway.
    NotSeen(Class),
    /// An abstract Unix socket outside of the room was reached.
    AbstractSockets,
    /// The app reached somebody else than the proxy.
    Passed(Transport, SocketAddr),
    /// The capture has gaps.
    Lost(u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPlanted(class) => write!(f, "{class}: no leak was planted"),
            Self::NotStopped(class) => write!(f, "{class}: the planted leak was not stopped, or not sent"),
            Self::NotSeen(class) => write!(f, "{class}: the planted leak was not seen"),
            Self::AbstractSockets => f.write_str("an abstract socket outside of the room was reached"),
            Self::Passed(transport, to) => write!(f, "{transport} to {to} got through"),
            Self::Lost(packets) => write!(f, "{packets} packets are missing in the capture"),
        }
    }
}

impl Statement {
    /// Everything that forbids to certify it; nothing where the app was held.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> =
            Class::ALL.into_iter().filter_map(|class| self.untested(class)).collect();
        faults.extend((!self.abstract_sockets_cut).then_some(Fault::AbstractSockets));
        let others = self
            .passed
            .iter()
            .filter(|passed| passed.transport != Transport::Tcp || !self.proxy.at.contains(&passed.to));
        faults.extend(others.map(|passed| Fault::Passed(passed.transport, passed.to)));
        if self.capture.lost > 0 {
            faults.push(Fault::Lost(self.capture.lost));
        }
        faults
    }

    fn untested(&self, class: Class) -> Option<Fault> {
        let of_class = || self.planted.iter().filter(|planted| planted.class == class);
        if of_class().next().is_none() {
            Some(Fault::NotPlanted(class))
        } else if !of_class().all(|planted| planted.stopped) {
            Some(Fault::NotStopped(class))
        } else if !of_class().all(|planted| planted.seen) {
            Some(Fault::NotSeen(class))
        } else {
            None
        }
    }
}
