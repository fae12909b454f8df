//! The design of a live study, as `study.toml` states it: what is run, how often, from where, and what is feared.
//!
//! Promises: fixed before the data; unknown fields are refused; [`Design::check`] refuses what cannot be run and
//! names the place. Reading the file is the probe's business.
//! To extend: a field here with its comment, a line in `overheard init`'s template, a rule in `check.rs`.

mod check;
mod quantity;
mod step;

pub use check::{Fault, Part};
pub use quantity::{Bytes, Lasting};
pub use step::{Activity, Step};

use crate::{Concern, Vantage};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

/// A whole `study.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Design {
    /// Seed of every random choice: the order of the runs, and the analysis.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Blocks: each holds every combination of build, activity and vantage once. The ceiling of a study that
    /// stops when it is settled.
    pub repeats: u32,
    /// The build that the others are held against; the first, unless named.
    pub reference: Option<String>,
    #[serde(default)]
    pub concerns: Vec<Concern>,
    /// MaxMind-format databases to ask as well, relative to the file's folder.
    #[serde(default)]
    pub places: Vec<PathBuf>,
    #[serde(default)]
    pub home: Home,
    /// Ways out of the room beside the network, each named in the report.
    #[serde(default)]
    pub doors: Vec<Doorway>,
    #[serde(default)]
    pub controls: Controls,
    #[serde(default)]
    pub limits: Limits,
    #[serde(rename = "build")]
    pub builds: Vec<BuildDesign>,
    #[serde(rename = "activity", default = "default_activities")]
    pub activities: Vec<Activity>,
    #[serde(rename = "vantage", default = "default_vantages")]
    pub vantages: Vec<VantageDesign>,
    /// Present where the study is to be made in an emulated internet, which `overheard world` reads.
    #[serde(skip_serializing)]
    pub world: Option<IgnoredAny>,
}

/// One variant of the app, and how it is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BuildDesign {
    pub name: String,
    /// Program and arguments; no shell stands between.
    pub command: Vec<String>,
    /// Files that make this build what it is: their SHA-256 is recorded before the first run.
    #[serde(default)]
    pub files: Vec<PathBuf>,
    /// Command whose first line of output is recorded as the version.
    #[serde(default)]
    pub version: Vec<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    #[serde(default)]
    pub driver: DriverName,
}

/// What connects a study's steps to the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriverName {
    /// Pipes on standard input, output and error.
    #[default]
    Plain,
    /// A pseudo-terminal.
    Terminal,
    /// The driver of JSON lines: messages are sent and their fate is told.
    JsonLines,
}

/// Where runs are made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VantageDesign {
    pub name: String,
    /// `socks5://HOST:PORT` or `http://HOST:PORT`; direct where absent.
    pub proxy: Option<String>,
    /// The name server that is asked; the machine's own where absent. Behind a proxy it is asked through the proxy,
    /// and must be named: the machine's own would hear of every name.
    #[serde(default)]
    pub dns: Option<IpAddr>,
    /// The country, or `LAT,LON`, where the traffic comes out: bounds places by round-trip time.
    #[serde(default, with = "place")]
    pub place: Option<Vantage>,
}

/// The app's home folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", from = "String", into = "String")]
pub enum Home {
    /// Empty for each run.
    #[default]
    Fresh,
    /// The caller's own.
    Keep,
    /// A copy of this folder for each run.
    Copy(PathBuf),
}

/// A way out of a room that is not the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doorway {
    X11,
    Wayland,
    PulseAudio,
    PipeWire,
}

impl Doorway {
    /// As the plan names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X11 => "x11",
            Self::Wayland => "wayland",
            Self::PulseAudio => "pulseaudio",
            Self::PipeWire => "pipewire",
        }
    }
}

/// Runs that guard against being fooled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Controls {
    /// Blocks, from the first on, that hold a run of the room without an app at each vantage.
    pub idle: u32,
    /// Each block runs the reference twice, the second time under the name of a build of its own.
    pub twin: bool,
}

impl Default for Controls {
    fn default() -> Self {
        Self { idle: 1, twin: true }
    }
}

/// Where a run, and a study, ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// A run that lasts longer fails.
    pub run: Lasting,
    /// A run whose capture grows beyond this fails.
    pub bytes: Bytes,
    /// A study with more failed runs stops.
    pub failures: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { run: Lasting::of_seconds(300), bytes: Bytes(1 << 30), failures: 10 }
    }
}

fn default_seed() -> u64 {
    2012
}

fn default_activities() -> Vec<Activity> {
    let steps = vec![Step::Start, Step::Wait(Lasting::of_seconds(30)), Step::Stop];
    vec![Activity { name: "open".into(), steps }]
}

fn default_vantages() -> Vec<VantageDesign> {
    vec![VantageDesign { name: "direct".into(), proxy: None, dns: None, place: None }]
}

impl From<String> for Home {
    fn from(text: String) -> Self {
        match text.as_str() {
            "fresh" => Self::Fresh,
            "keep" => Self::Keep,
            _ => Self::Copy(text.into()),
        }
    }
}

impl From<Home> for String {
    fn from(home: Home) -> Self {
        match home {
            Home::Fresh => "fresh".into(),
            Home::Keep => "keep".into(),
            Home::Copy(folder) => folder.to_string_lossy().into_owned(),
        }
    }
}

/// A vantage's place as the command line takes it: `LU`, or `49.61,6.13`.
mod place {
    use crate::Vantage;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(place: &Option<Vantage>, to: S) -> Result<S::Ok, S::Error> {
        place.as_ref().map(Vantage::to_string).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vantage>, D::Error> {
        String::deserialize(from)?.parse().map(Some).map_err(D::Error::custom)
    }
}

impl Design {
    /// Index of the reference among the builds.
    pub fn reference(&self) -> usize {
        let named = self.reference.as_deref();
        self.builds.iter().position(|build| Some(build.name.as_str()) == named).unwrap_or(0)
    }
}
