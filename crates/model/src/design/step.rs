//! What is done in a run, step by step.
//!
//! To extend: a variant here, an arm in `probe::execute`, and a rule in `check.rs` where only some drivers can.

use super::{DriverName, Lasting};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Steps that every build goes through alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Activity {
    pub name: String,
    pub steps: Vec<Step>,
}

impl Activity {
    /// How long a run of the room without an app lasts in its place, if the limit on runs allows: its waits together, or
    /// 10 s where that is less.
    pub fn idle_time(&self) -> Lasting {
        let waits =
            self.steps.iter().map(|step| if let Step::Wait(time) = step { time.0 } else { Duration::ZERO });
        Lasting(waits.sum::<Duration>().max(Duration::from_secs(10)))
    }
}

/// One step. A run in which a step fails has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Starts the build's command; a driver of JSON lines must then say that it is ready.
    Start,
    /// Lets time pass.
    Wait(Lasting),
    /// Waits until the app has printed this text, after the one waited for before. A terminal prints what is typed.
    WaitFor { text: String, within: Lasting },
    /// Types this text; `\n` is the Enter key.
    Type(String),
    /// Runs a program in the same room, and waits for it to end without an error.
    Run { command: Vec<String>, within: Lasting },
    /// Sends a message through a driver of JSON lines, and waits for it to be sent.
    Send { to: String, text: String, within: Lasting },
    /// Waits until a driver of JSON lines has received a message, after the one waited for before: from this sender, and
    /// with this text in it, where they are given.
    Receive {
        #[serde(default)]
        from: Option<String>,
        #[serde(default)]
        text: Option<String>,
        within: Lasting,
    },
    /// Waits until the app has ended by itself, without an error.
    WaitEnd(Lasting),
    /// Ends the app: asked first, killed where it does not go.
    Stop,
}

impl Step {
    /// Its name in `study.toml`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Wait(_) => "wait",
            Self::WaitFor { .. } => "wait-for",
            Self::Type(_) => "type",
            Self::Run { .. } => "run",
            Self::Send { .. } => "send",
            Self::Receive { .. } => "receive",
            Self::WaitEnd(_) => "wait-end",
            Self::Stop => "stop",
        }
    }

    /// Whether an app behind this driver can be made to do it.
    pub fn suits(&self, driver: DriverName) -> bool {
        match self {
            Self::Type(_) | Self::WaitFor { .. } => driver != DriverName::JsonLines,
            Self::Send { .. } | Self::Receive { .. } => driver == DriverName::JsonLines,
            _ => true,
        }
    }
}
