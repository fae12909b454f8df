//! One execution of an app that is held to its proxy.
//!
//! ```text
//! open the room ─▶ open the gateway ─▶ plant ─▶ run the app ─▶ look for other doors ─▶ close the room ─▶ stop
//! ```
//!
//! Promises: the app is not started where a planted leak was not stopped and seen. Whatever ends this ends the room,
//! and what was recorded stays.

use super::plant::{Sown, judge};
use super::statement::Planted;
use crate::door::GATEWAY_V4;
use crate::gateway::{Attempt, Counts, Dns, Options, Policy, Upstream, Way};
use crate::record::{self, Recorded, Section};
use crate::room::{self, Command, Room, Spec};
use crate::tapped::{self, Error, Tapped};
use overheard_model::Timestamp;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Steps in which the gateway is given time to judge what was planted, and how long each takes.
const STEPS: u32 = 40;
const STEP: Duration = Duration::from_millis(25);

/// What is to be run, and how.
#[derive(Debug)]
pub struct Order<'a> {
    pub spec: &'a Spec,
    pub command: &'a Command,
    /// Where the proxy stands, as this machine sees it.
    pub proxy: SocketAddr,
    /// A new file.
    pub capture: &'a Path,
    /// Where the app logs its TLS secrets, as it sees it, if they are to be kept in the capture.
    pub key_log: Option<&'a Path>,
    pub section: Section<'a>,
    /// The program that plants leaks in the room whose first process has this PID, and writes what became of them to
    /// its standard output, as JSON of [`Sown`]: [`super::plant::enter`], then [`super::plant::plant`].
    pub planter: fn(u32) -> std::process::Command,
}

/// What happened.
#[derive(Debug)]
pub struct Execution {
    pub began: Timestamp,
    pub ended: Timestamp,
    /// Where the app found the proxy.
    pub at: Vec<SocketAddr>,
    pub planted: Vec<Planted>,
    /// What the app tried, with the number of packets.
    pub attempts: BTreeMap<Attempt, u64>,
    /// Packets to further places.
    pub unlisted: u64,
    pub doors: Vec<room::Way>,
    pub recorded: Recorded,
    /// How the app ended; `None` where the room's test of itself failed and it was not started.
    pub status: Option<ExitStatus>,
}

/// Runs an app to its end.
///
/// # Errors
/// The room or the gateway cannot be opened, the app cannot be started, or the gateway ended by itself.
pub fn execute(order: &Order) -> Result<Execution, Error> {
    let began = now();
    let at = places(order.proxy);
    let ways = at.iter().map(|at| Way { at: *at, to: order.proxy }).collect();
    let tapped = Tapped::open(tapped::Order {
        spec: order.spec,
        options: Options { upstream: Upstream::Direct, dns: Dns::None, policy: Policy::Only(ways) },
        capture: record::create(order.capture).map_err(Error::of(&order.capture.display().to_string()))?,
        section: order.section,
        key_log: order.key_log,
        listener: None,
    })?;
    let planted = tested(order, &tapped)?;
    let before = tapped.counts();
    let tight = planted.iter().all(|leak| leak.stopped && leak.seen);
    let status = if tight { Some(run(order.command, tapped.room())?) } else { None };
    let doors = if tight { tapped.room().other_doors() } else { Vec::new() };
    let (after, recorded) = tapped.close()?;
    let attempts = since(&before.attempts, &after.attempts);
    let denied = total(&after) - total(&before);
    let unlisted = denied.saturating_sub(attempts.values().sum());
    Ok(Execution { began, ended: now(), at, planted, attempts, unlisted, doors, recorded, status })
}

/// Where the app finds the proxy: at the gateway, and where it stands unless that is this machine's own loopback,
/// which is another in the room.
fn places(proxy: SocketAddr) -> Vec<SocketAddr> {
    let mut at = vec![SocketAddr::new(GATEWAY_V4.into(), proxy.port())];
    at.extend((!proxy.ip().is_loopback()).then_some(proxy));
    at
}

/// Plants, and waits until the gateway has judged everything.
fn tested(order: &Order, tapped: &Tapped) -> Result<Vec<Planted>, Error> {
    let what = "the room cannot be tested";
    let output = (order.planter)(tapped.room().pid()).output().map_err(Error::of(what))?;
    let sown: Vec<Sown> = serde_json::from_slice(&output.stdout).map_err(|_| Error::Failed {
        what: what.into(),
        error: io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    })?;
    let mut planted = Vec::new();
    for _ in 0..STEPS {
        let counts = tapped.counts();
        planted = judge(&sown, |leak| counts.attempts.contains_key(&attempt(leak)));
        if planted.iter().all(|leak| leak.seen) {
            break;
        }
        std::thread::sleep(STEP);
    }
    Ok(planted)
}

fn attempt(leak: &Sown) -> Attempt {
    Attempt {
        class: leak.class,
        protocol: leak.transport.number(),
        address: leak.to.ip(),
        port: leak.to.port(),
    }
}

fn run(command: &Command, room: &Room) -> Result<ExitStatus, Error> {
    let ended = room.spawn(command).and_then(|child| child.wait(None)).map_err(Error::of("the app"))?;
    ended.ok_or_else(|| Error::of("the app")(io::ErrorKind::TimedOut.into()))
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

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
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
    fn what_was_planted_is_not_laid_to_the_app() {
        let to = |port| Attempt { class: Class::Dns, protocol: 17, address: [198, 18, 0, 1].into(), port };
        let before = BTreeMap::from([(to(53), 1), (to(9), 2)]);
        let after = BTreeMap::from([(to(53), 1), (to(9), 5), (to(10), 4)]);
        assert_eq!(since(&before, &after), BTreeMap::from([(to(9), 3), (to(10), 4)]));
    }
}
