//! Where an app lives during a run, as the steps see it.
//!
//! To extend: a room with a gateway and a recorder implements [`Stages`] and [`Stage`]; nothing else knows which.

use crate::driver::{Ends, Streams};
use crate::ledger::Carriage;
use overheard_model::design::{Doorway, Home, VantageDesign};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// What a stage shall be like.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// Where the capture goes.
    pub folder: &'a Path,
    /// The plan's folder: relative paths go from here, and programs are started in it.
    pub base: &'a Path,
    /// Names of the build, or of what stands in its place, and of the run.
    pub build: &'a str,
    pub run: &'a str,
    pub vantage: &'a VantageDesign,
    pub home: &'a Home,
    pub doors: &'a [Doorway],
}

/// A program to be started on a stage.
#[derive(Debug)]
pub struct Launch<'a> {
    /// Never empty.
    pub command: &'a [String],
    pub environment: &'a BTreeMap<String, String>,
    pub streams: Streams,
}

/// A program that was started, and our ends of its streams.
#[derive(Debug)]
pub struct Launched {
    pub process: Box<dyn Process>,
    pub ends: Ends,
}

/// Opens stages, one a run.
pub trait Stages {
    fn open(&mut self, setting: &Setting) -> io::Result<Box<dyn Stage>>;
}

/// One stage.
pub trait Stage {
    /// Starts a program. It must not get the signals that the terminal sends to us.
    fn launch(&mut self, launch: Launch) -> io::Result<Launched>;

    /// Bytes of capture so far.
    fn recorded(&self) -> u64;

    /// What an app that has ended left running, by the name that the kernel has for it; nothing where that is not known.
    fn left(&self) -> io::Result<BTreeMap<String, u64>> {
        Ok(BTreeMap::new())
    }

    /// Ends everything that was started here, daemons too, and closes the capture.
    fn close(self: Box<Self>) -> io::Result<Closed>;
}

/// What a stage left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// In the setting's folder; absent where nothing is recorded.
    pub capture: Option<PathBuf>,
    /// Packets that crossed and are not in it.
    pub lost: u64,
    /// What the vantage's proxy did, if it has one.
    pub proxy: Option<Carriage>,
    /// Ways out beside the network that stood open and that the plan does not ask for, in words.
    pub doors: BTreeSet<String>,
}

impl Closed {
    /// Why the run is no observation, if it is none: an app without a network contacts nobody.
    pub fn flaw(&self) -> Option<String> {
        match (self.lost, &self.proxy) {
            (0, Some(proxy)) if proxy.carried == 0 && proxy.all() > 0 => Some(format!(
                "the vantage's proxy carried none of {} connections: {}",
                proxy.all(),
                proxy.reasons()
            )),
            (0, _) => None,
            (lost, _) => Some(format!("{lost} packets were not recorded")),
        }
    }
}

/// A program that was started.
pub trait Process: fmt::Debug {
    /// How it ended, once it has.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>>;

    /// Asks it to end (SIGTERM).
    fn ask_to_end(&mut self) -> io::Result<()>;

    /// Ends it (SIGKILL). What it started ends with the stage at the latest.
    fn kill(&mut self) -> io::Result<()>;
}
