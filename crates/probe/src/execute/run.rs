//! One run, from an empty stage to a closed capture.

use super::stage::{Closed, Setting, Stages};
use super::steps::{Actor, Broken};
use crate::ledger::{Carriage, Outcome};
use overheard_model::design::{Activity, BuildDesign, Limits};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is played.
#[derive(Clone, Copy, Debug)]
pub enum Script<'a> {
    App {
        build: &'a BuildDesign,
        activity: &'a Activity,
    },
    /// No app: what the room itself contacts in this time.
    Idle(Duration),
}

/// A run that came to an end of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Performed {
    pub outcome: Outcome,
    /// The last of what the app printed.
    pub output: String,
    pub capture: Option<PathBuf>,
    /// What the app left running when it had ended by itself, by name.
    pub left: BTreeMap<String, u64>,
    /// What the vantage's proxy did, if it has one.
    pub proxy: Option<Carriage>,
    /// Ways out beside the network that stood open and that the plan does not ask for, in words.
    pub doors: BTreeSet<String>,
}

/// Makes one run; none where it was interrupted.
pub fn perform(
    stages: &mut dyn Stages,
    setting: &Setting,
    script: Script,
    limits: &Limits,
    interrupted: &AtomicBool,
) -> Option<Performed> {
    let mut stage = match stages.open(setting) {
        Ok(stage) => stage,
        Err(error) => return Some(failed(format!("the room did not open: {error}"))),
    };
    let until = Instant::now() + limits.run.0;
    let mut actor = Actor::new(stage.as_mut(), until, limits.bytes.0, interrupted);
    let played = match script {
        Script::App { build, activity } => actor.play(build, &activity.steps),
        Script::Idle(time) => match actor.wait(time) {
            // It has lasted as long as any run may, which is all that it was for.
            Err(Broken::TooLong) => Ok(()),
            waited => waited,
        },
    };
    let played = played.map_err(|broken| broken.reason(limits));
    let unknown = |error| format!("what the app left running is not known: {error}");
    let left = played.and_then(|()| actor.left().map_err(unknown));
    let remains = actor.leave();
    let closed = stage.close();
    if interrupted.load(Ordering::Relaxed) {
        return None;
    }
    let outcome = |reason: Option<String>| reason.map_or(Outcome::Done, |reason| Outcome::Failed { reason });
    let (left, broken) = match left {
        Ok(left) => (left, None),
        Err(reason) => (BTreeMap::new(), Some(reason)),
    };
    let (reason, Closed { capture, proxy, doors, .. }) = match closed {
        Ok(closed) => (broken.or_else(|| closed.flaw()), closed),
        Err(error) => {
            (broken.or_else(|| Some(format!("the room did not close: {error}"))), Closed::default())
        }
    };
    Some(Performed { outcome: outcome(reason), output: remains.output(), capture, left, proxy, doors })
}

fn failed(reason: String) -> Performed {
    Performed {
        outcome: Outcome::Failed { reason },
        output: String::new(),
        capture: None,
        left: BTreeMap::new(),
        proxy: None,
        doors: BTreeSet::new(),
    }
}

impl Broken {
    fn reason(self, limits: &Limits) -> String {
        match self {
            Self::TooLong => format!("it took longer than {}: limits.run", limits.run),
            Self::TooMuch => format!("it recorded more than {} bytes: limits.bytes", limits.bytes.0),
            Self::Stopped => "it was stopped".into(),
            Self::At { step, name, what } => format!("step {step} ({name}): {what}"),
        }
    }
}
