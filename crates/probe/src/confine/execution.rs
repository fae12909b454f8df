//! One execution of an app that is held to its proxy.
//!
//! ```text
//! open the room ─▶ open the gateway ─▶ plant ─▶ run the app ─▶ name other doors ─▶ close the room ─▶ stop
//!                                                   └─ looks out for other doors ─┘
//! ```
//!
//! Promises: the app is not started where a planted leak was not stopped and seen. Whatever ends this ends the room,
//! and what was recorded stays.

use super::plant::{Harvest, Sown, abstract_socket, judge};
use super::statement::Planted;
use crate::clock::now;
use crate::door::GATEWAY_V4;
use crate::gateway::{Attempt, Counts, Dns, Options, Policy, Upstream, Way};
use crate::record::{self, Recorded, Section};
use crate::room::{self, Command, Room, Spec};
use crate::tapped::{self, Error, Tapped};
use nix::sys::signal::Signal;
use overheard_model::{Process, Timestamp};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Steps in which the gateway is given time to judge what was planted, and how long each takes.
const STEPS: u32 = 40;
const STEP: Duration = Duration::from_millis(25);

/// How long an app that is interrupted has to end by itself.
const FAREWELL: Duration = Duration::from_secs(3);

/// What is to be run, and how.
#[derive(Debug)]
pub struct Order<'a> {
    pub spec: &'a Spec,
    pub command: &'a Command,
    /// All that the app may reach: the [`ways`] to its proxy.
    pub ways: Vec<Way>,
    /// A new file.
    pub capture: &'a Path,
    /// Where the app logs its TLS secrets, as it sees it, if they are to be kept in the capture.
    pub key_log: Option<&'a Path>,
    pub section: Section<'a>,
    /// Set from elsewhere when the app is to be ended: what was recorded is told all the same.
    pub interrupted: &'a AtomicBool,
    /// Hears what takes its time, as it begins.
    pub begins: fn(Phase),
    /// The program that plants leaks in the room whose first process has this PID, with the name of an abstract
    /// socket outside, and writes what became of them to its standard output, as JSON of [`Harvest`]:
    /// [`super::plant::enter`], then [`super::plant::plant`].
    pub planter: fn(u32, &str) -> std::process::Command,
}

/// What takes some seconds, in which the app does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Leaks are planted, and what becomes of them is waited for.
    Test,
    /// The app has ended: all that its room shows is looked through for doors that are not the network.
    Search,
}

/// What happened.
#[derive(Debug)]
pub struct Execution {
    pub began: Timestamp,
    pub ended: Timestamp,
    pub planted: Vec<Planted>,
    /// Whether an abstract socket outside of the room was out of reach.
    pub abstract_sockets_cut: bool,
    /// What the app tried, with the number of packets.
    pub attempts: BTreeMap<Attempt, u64>,
    /// Packets to further places.
    pub unlisted: u64,
    /// Packets that the room's own device dropped before they crossed.
    pub unseen: u64,
    pub doors: Vec<room::Way>,
    pub recorded: Recorded,
    /// How the app ended; `None` where the room's test of itself failed and it was not started.
    pub status: Option<ExitStatus>,
    /// Processes by their name that still ran when it had ended, and went with the room.
    pub left: BTreeMap<String, u64>,
}

impl Execution {
    /// Who made an attempt: the first process of each program that did, as far as the kernel knew.
    pub fn attempted_by(&self, attempt: &Attempt) -> Vec<Process> {
        let to = SocketAddr::new(attempt.address, attempt.port);
        let flows = self
            .recorded
            .attributed
            .iter()
            .filter(|flow| flow.ends.transport.number() == attempt.protocol && flow.ends.dst == to);
        let mut found: Vec<Process> = Vec::new();
        for process in flows.filter_map(|flow| flow.process.as_ref()) {
            if !found.iter().any(|known| (&known.name, &known.exe) == (&process.name, &process.exe)) {
                found.push(process.clone());
            }
        }
        found
    }
}

/// Runs an app to its end.
///
/// # Errors
/// The room or the gateway cannot be opened, the app cannot be started, or the gateway ended by itself.
pub fn execute(order: &Order) -> Result<Execution, Error> {
    let began = now();
    let capture = record::create(order.capture).map_err(Error::of(&order.capture.display().to_string()))?;
    let opened = Tapped::open(tapped::Order {
        spec: order.spec,
        options: Options {
            upstream: Upstream::Direct,
            dns: Dns::None,
            policy: Policy::Only(order.ways.clone()),
        },
        capture,
        section: order.section,
        key_log: order.key_log,
        listener: None,
    });
    let tapped = opened.inspect_err(|_| {
        // Nothing was recorded; where it stays it harms nobody.
        let _ = std::fs::remove_file(order.capture);
    })?;
    (order.begins)(Phase::Test);
    let (planted, abstract_sockets_cut) = tested(order, &tapped)?;
    let before = tapped.counts();
    let tight = abstract_sockets_cut && planted.iter().all(|leak| leak.stopped && leak.seen);
    let Stay { status, left, doors } = if tight { stay(order, tapped.room())? } else { Stay::default() };
    let unseen = unseen(tapped.room()).map_err(Error::of("the room's network device"))?;
    let (after, recorded) = tapped.close()?;
    let attempts = since(&before.attempts, &after.attempts);
    let denied = total(&after) - total(&before);
    let unlisted = denied.saturating_sub(attempts.values().sum());
    let ended = now();
    Ok(Execution {
        began,
        ended,
        planted,
        abstract_sockets_cut,
        attempts,
        unlisted,
        unseen,
        doors,
        recorded,
        status,
        left,
    })
}

/// Where the app finds the proxy: at the gateway, and where it stands unless that is this machine's own loopback,
/// which is another in the room.
pub fn places(proxy: SocketAddr) -> Vec<SocketAddr> {
    let mut at = vec![SocketAddr::new(GATEWAY_V4.into(), proxy.port())];
    at.extend((!proxy.ip().is_loopback()).then_some(proxy));
    at
}

/// What must be allowed to an app that is held to this proxy, and nothing else.
pub fn ways(proxy: SocketAddr) -> Vec<Way> {
    places(proxy).into_iter().map(|at| Way { at, to: proxy }).collect()
}

/// Plants, and waits until the gateway has judged everything; also whether an abstract socket out here was out of reach.
fn tested(order: &Order, tapped: &Tapped) -> Result<(Vec<Planted>, bool), Error> {
    let what = "the room cannot be tested";
    let name = format!("overheard-outside-of-{}", tapped.room().pid());
    let outside =
        abstract_socket(&name).and_then(|at| UnixListener::bind_addr(&at)).map_err(Error::of(what))?;
    let output = (order.planter)(tapped.room().pid(), &name).output().map_err(Error::of(what))?;
    drop(outside);
    let harvest: Harvest = serde_json::from_slice(&output.stdout).map_err(|_| Error::Failed {
        what: what.into(),
        error: io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    })?;
    let mut planted = Vec::new();
    for _ in 0..STEPS {
        let counts = tapped.counts();
        planted = judge(&harvest.sown, |leak| counts.attempts.contains_key(&attempt(leak)));
        if planted.iter().all(|leak| leak.seen) {
            break;
        }
        std::thread::sleep(STEP);
    }
    Ok((planted, !harvest.reached_outside))
}

fn attempt(leak: &Sown) -> Attempt {
    Attempt {
        class: leak.class,
        protocol: leak.transport.number(),
        address: leak.to.ip(),
        port: leak.to.port(),
    }
}

/// What the app did in its room beside the network.
#[derive(Default)]
struct Stay {
    status: Option<ExitStatus>,
    left: BTreeMap<String, u64>,
    doors: Vec<room::Way>,
}

fn stay(order: &Order, room: &Room) -> Result<Stay, Error> {
    let lookout = room.look_out();
    let status = Some(run(order, room)?);
    let left = room.left().map_err(Error::of("the room's processes"))?;
    (order.begins)(Phase::Search);
    Ok(Stay { status, left, doors: room.looked_out(lookout) })
}

/// Runs the app until it ends or is interrupted: then it is asked to end, and soon ended.
fn run(order: &Order, room: &Room) -> Result<ExitStatus, Error> {
    let run = || {
        let child = room.spawn(order.command)?;
        while !order.interrupted.load(Ordering::Relaxed) {
            if let Some(status) = child.wait(Some(STEP))? {
                return Ok(status);
            }
        }
        child.signal(Signal::SIGTERM)?;
        if let Some(status) = child.wait(Some(FAREWELL))? {
            return Ok(status);
        }
        child.kill()?;
        child.wait(Some(FAREWELL))?.ok_or_else(|| io::ErrorKind::TimedOut.into())
    };
    run().map_err(Error::of("the app"))
}

/// What the room's device dropped because the app sent faster than the gateway took it. To be asked while the room is.
fn unseen(room: &Room) -> io::Result<u64> {
    let devices = std::fs::read_to_string(format!("/proc/{}/net/dev", room.pid()))?;
    dropped(&devices).ok_or_else(|| io::Error::other("the kernel does not say what it dropped"))
}

/// Of `/proc/PID/net/dev` (proc_pid_net(5)): eight figures of what came follow the name, then packets and bytes that
/// were sent, errors, and what was dropped.
fn dropped(devices: &str) -> Option<u64> {
    let figures = devices.lines().find_map(|line| line.trim_start().strip_prefix("eth0:"))?;
    figures.split_whitespace().nth(11)?.parse().ok()
}

/// What was counted in between.
fn since(before: &BTreeMap<Attempt, u64>, after: &BTreeMap<Attempt, u64>) -> BTreeMap<Attempt, u64> {
    let more = |(attempt, packets): (&Attempt, &u64)| {
        let earlier = before.get(attempt).copied().unwrap_or_default();
        (*packets > earlier).then_some((*attempt, packets - earlier))
    };
    after.iter().filter_map(more).collect()
}

fn total(counts: &Counts) -> u64 {
    counts.denied.values().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confine::Class;

    #[test]
    fn a_proxy_on_this_machines_loopback_is_found_at_the_gateway_alone() {
        let gateway: SocketAddr = "10.219.0.1:1080".parse().unwrap();
        assert_eq!(places("127.0.0.1:1080".parse().unwrap()), [gateway]);
        let far: SocketAddr = "198.18.0.1:1080".parse().unwrap();
        assert_eq!(places(far), [gateway, far]);
    }

    #[test]
    fn what_the_device_dropped_is_read_and_not_what_others_did() {
        let devices = "Inter-|   Receive  |  Transmit\n face |bytes packets\n    \
            lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n  \
            eth0:   21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36\n";
        assert_eq!(dropped(devices), Some(32));
        assert_eq!(dropped("  eth0: 1 2 3"), None);
    }

    #[test]
    fn what_was_planted_is_not_laid_to_the_app() {
        let to = |port| Attempt { class: Class::Dns, protocol: 17, address: [198, 18, 0, 1].into(), port };
        let before = BTreeMap::from([(to(53), 1), (to(9), 2)]);
        let after = BTreeMap::from([(to(53), 1), (to(9), 5), (to(10), 4)]);
        assert_eq!(since(&before, &after), BTreeMap::from([(to(9), 3), (to(10), 4)]));
    }
}
