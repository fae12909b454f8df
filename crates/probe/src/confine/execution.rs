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
use crate::gateway::{Attempt, Counts, Dns, Options, Policy, Running, Upstream, Way};
use crate::record::{Attribution, Recorded, Recording, Section, Sources};
use crate::room::{self, Command, Room, Spec};
use overheard_model::Timestamp;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
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

/// Why there was no execution.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Room(#[from] room::Error),
    #[error("{what}: {error}")]
    Failed { what: String, error: io::Error },
}

/// Runs an app to its end.
///
/// # Errors
/// The room or the gateway cannot be opened, the app cannot be started, or the gateway ended by itself.
pub fn execute(order: &Order) -> Result<Execution, Error> {
    let began = now();
    let (room, mut door) = Room::open(order.spec)?;
    let attribution = Attribution::new(door.diagnosis.take(), room.root().join("proc"), 1);
    let recording = Arc::new(Mutex::new(recording(order, &room, attribution)?));
    let at = places(order.proxy);
    let ways = at.iter().map(|at| Way { at: *at, to: order.proxy }).collect();
    let options = Options { upstream: Upstream::Direct, dns: Dns::None, policy: Policy::Only(ways) };
    let gateway = Running::start(door, options, Box::new(Arc::clone(&recording)))
        .map_err(failed("the gateway cannot be opened"))?;

    let planted = tested(order, &room, &gateway)?;
    let before = gateway.counts();
    let tight = planted.iter().all(|leak| leak.stopped && leak.seen);
    let status = if tight { Some(run(order.command, &room)?) } else { None };
    let doors = if tight { room.other_doors() } else { Vec::new() };
    // The key log goes with the room.
    recording.lock().unwrap_or_else(PoisonError::into_inner).flush();
    room.close().map_err(failed("the room cannot be closed"))?;
    let after = gateway.stop().map_err(failed("the gateway ended"))?;
    let attempts = since(&before.attempts, &after.attempts);
    let denied = total(&after) - total(&before);
    let unlisted = denied.saturating_sub(attempts.values().sum());
    Ok(Execution {
        began,
        ended: now(),
        at,
        planted,
        attempts,
        unlisted,
        doors,
        recorded: finished(recording)?,
        status,
    })
}

fn recording(order: &Order, room: &Room, attribution: Attribution) -> Result<Recording, Error> {
    let inside = |path: &Path| room.root().join(path.strip_prefix("/").unwrap_or(path));
    let sources = Sources { key_log: order.key_log.map(inside), attribution: Some(attribution) };
    Recording::create(order.capture, &order.section, sources)
        .map_err(failed(&order.capture.display().to_string()))
}

/// Where the app finds the proxy: at the gateway, and where it stands unless that is this machine's own loopback,
/// which is another in the room.
fn places(proxy: SocketAddr) -> Vec<SocketAddr> {
    let mut at = vec![SocketAddr::new(GATEWAY_V4.into(), proxy.port())];
    at.extend((!proxy.ip().is_loopback()).then_some(proxy));
    at
}

/// Plants, and waits until the gateway has judged everything.
fn tested(order: &Order, room: &Room, gateway: &Running) -> Result<Vec<Planted>, Error> {
    let what = "the room cannot be tested";
    let output = (order.planter)(room.pid()).output().map_err(failed(what))?;
    let sown: Vec<Sown> = serde_json::from_slice(&output.stdout).map_err(|_| Error::Failed {
        what: what.into(),
        error: io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    })?;
    let mut planted = Vec::new();
    for _ in 0..STEPS {
        let counts = gateway.counts();
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
    let ended = room.spawn(command).and_then(|child| child.wait(None)).map_err(failed("the app"))?;
    ended.ok_or_else(|| failed("the app")(io::ErrorKind::TimedOut.into()))
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

/// The gateway has dropped its handle by then.
fn finished(recording: Arc<Mutex<Recording>>) -> Result<Recorded, Error> {
    let held = || failed("the recording")(io::Error::other("the gateway still holds it"));
    let recording = Arc::into_inner(recording).ok_or_else(held)?;
    Ok(recording.into_inner().unwrap_or_else(PoisonError::into_inner).finish())
}

fn failed(what: &str) -> impl Fn(io::Error) -> Error + use<'_> {
    move |error| Error::Failed { what: what.into(), error }
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
