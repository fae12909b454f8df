//! What a design must keep to before anything is run.
//!
//! Promises: the first fault found, with the place in the file where it stands, what is wrong and what to do.

use super::{Activity, BuildDesign, Design, Step, VantageDesign};
use std::collections::BTreeSet;

/// A step on the way to a place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Key(&'static str),
    At(usize),
}

/// What is wrong with a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub place: Vec<Part>,
    pub what: String,
    pub hint: String,
}

/// Blocks and controls beyond which nobody means it.
const MOST_REPEATS: u32 = 10_000;

/// Names that the study gives to runs of its own.
const TAKEN: [&str; 2] = ["idle", "twin"];

impl Design {
    /// Refuses what cannot be run.
    pub fn check(&self) -> Result<(), Fault> {
        self.check_numbers()?;
        names("build", self.builds.iter().map(|build| build.name.as_str()))?;
        names("activity", self.activities.iter().map(|activity| activity.name.as_str()))?;
        names("vantage", self.vantages.iter().map(|vantage| vantage.name.as_str()))?;
        if let Some(name) = &self.reference
            && !self.builds.iter().any(|build| build.name == *name)
        {
            let known: Vec<&str> = self.builds.iter().map(|build| build.name.as_str()).collect();
            return fault(
                &[Part::Key("reference")],
                format!("there is no build {name:?}"),
                format!("the builds are: {}", known.join(", ")),
            );
        }
        self.builds.iter().enumerate().try_for_each(|(at, build)| build.check(at))?;
        self.vantages.iter().enumerate().try_for_each(|(at, vantage)| vantage.check(at))?;
        self.activities.iter().enumerate().try_for_each(|(at, activity)| activity.check(at, &self.builds))
    }

    fn check_numbers(&self) -> Result<(), Fault> {
        let hint = |text: &str| text.to_owned();
        if self.repeats == 0 || self.repeats > MOST_REPEATS {
            let what = format!("{} repeats: expected 1 to {MOST_REPEATS}", self.repeats);
            let hint = "`overheard plan` says how many runs a difference needs";
            return fault(&[Part::Key("repeats")], what, hint.into());
        }
        if self.limits.run.0.is_zero() {
            let place = [Part::Key("limits"), Part::Key("run")];
            return fault(&place, "a run that may last no time".into(), hint("write run = \"5 min\""));
        }
        if self.builds.len() < 2 {
            return fault(
                &[Part::Key("build")],
                "a study needs at least two builds".into(),
                hint("add a [[build]]; to look at one app alone: overheard watch"),
            );
        }
        let mut concerns = BTreeSet::new();
        match self.concerns.iter().position(|concern| !concerns.insert(concern)) {
            Some(at) => fault(
                &[Part::Key("concerns"), Part::At(at)],
                format!("{} is named twice", self.concerns[at]),
                hint("each concern is one test: name it once"),
            ),
            None => Ok(()),
        }
    }
}

impl BuildDesign {
    fn check(&self, at: usize) -> Result<(), Fault> {
        if self.command.first().is_some_and(|program| !program.is_empty()) {
            return Ok(());
        }
        let place = [Part::Key("build"), Part::At(at), Part::Key("command")];
        let what = format!("build {:?} has no command", self.name);
        fault(&place, what, "write command = [\"program\", \"argument\"]".into())
    }
}

impl VantageDesign {
    fn check(&self, at: usize) -> Result<(), Fault> {
        let Some(proxy) = &self.proxy else { return Ok(()) };
        let rest = proxy.strip_prefix("socks5://").or_else(|| proxy.strip_prefix("http://"));
        let port = rest.and_then(|rest| rest.rsplit_once(':')).and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_some_and(|port| port > 0) {
            return self.check_dns(at);
        }
        let place = [Part::Key("vantage"), Part::At(at), Part::Key("proxy")];
        // A log-in may stand in it: it is not repeated.
        let what = format!("vantage {:?}: this is no proxy", self.name);
        fault(&place, what, "write socks5://HOST:PORT or http://HOST:PORT".into())
    }

    fn check_dns(&self, at: usize) -> Result<(), Fault> {
        if self.dns.is_some() {
            return Ok(());
        }
        let what = format!("vantage {:?} has a proxy and no name server", self.name);
        let hint = "write dns = \"ADDRESS\" of one that is reached through the proxy: this machine's own would hear \
                    of every name";
        fault(&[Part::Key("vantage"), Part::At(at)], what, hint.into())
    }
}

impl Activity {
    fn check(&self, at: usize, builds: &[BuildDesign]) -> Result<(), Fault> {
        let place = |step: usize| [Part::Key("activity"), Part::At(at), Part::Key("steps"), Part::At(step)];
        if self.steps.first() != Some(&Step::Start) {
            let place = [Part::Key("activity"), Part::At(at), Part::Key("steps")];
            let what = format!("activity {:?} does not begin with \"start\"", self.name);
            return fault(&place, what, "write steps = [\"start\", …, \"stop\"]".into());
        }
        for (number, step) in self.steps.iter().enumerate().skip(1) {
            if *step == Step::Start {
                let what = "an app is started once in a run".into();
                return fault(&place(number), what, "write another [[activity]] for another start".into());
            }
            let ends = matches!(step, Step::Stop | Step::WaitEnd(_));
            if ends && number + 1 < self.steps.len() {
                let what = format!("steps after {:?} have no app to act on", step.name());
                return fault(&place(number), what, "move it to the end, or leave it out".into());
            }
            if let Step::Run { command, .. } = step
                && command.is_empty()
            {
                let hint = "write { run = { command = [\"program\"], within = \"10 s\" } }";
                return fault(&place(number), "there is no command to run".into(), hint.into());
            }
            if let Some(build) = builds.iter().find(|build| !step.suits(build.driver)) {
                let what = format!("build {:?} cannot {:?} behind its driver", build.name, step.name());
                let hint = "\"send\" and \"receive\" need driver = \"json-lines\"; \"type\" and \"wait-for\" need another";
                return fault(&place(number), what, hint.into());
            }
        }
        Ok(())
    }
}

/// Names are unique, and fit into a file's name.
fn names<'a>(kind: &'static str, names: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    let mut known = BTreeSet::new();
    for (at, name) in names.enumerate() {
        let place = [Part::Key(kind), Part::At(at), Part::Key("name")];
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 40 || name.starts_with('.') || !name.chars().all(plain) {
            let hint = "1 to 40 letters, digits, dots, dashes and underscores; no dot in front";
            return fault(&place, format!("{name:?} cannot be the name of a {kind}"), hint.into());
        }
        if kind == "build" && TAKEN.contains(&name) {
            let hint = "the study names its own control runs so: choose another name";
            return fault(&place, format!("a build cannot be called {name:?}"), hint.into());
        }
        if !known.insert(name) {
            let what = format!("a {kind} is called {name:?} already");
            return fault(&place, what, "give each a name of its own".into());
        }
    }
    match known.is_empty() {
        true => fault(&[Part::Key(kind)], format!("there is no {kind}"), format!("add a [[{kind}]]")),
        false => Ok(()),
    }
}

fn fault(place: &[Part], what: String, hint: String) -> Result<(), Fault> {
    Err(Fault { place: place.to_vec(), what, hint })
}
