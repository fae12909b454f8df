//! What the builds call themselves: the first line that their version commands print.
//!
//! Promises: the commands run on stages of their own, before the first run, so that nothing of them is in a capture.

use super::stage::{Launch, Launched, Setting, Stages};
use crate::driver::{self, Client};
use overheard_model::design::{BuildDesign, DriverName};
use std::collections::BTreeMap;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// How long a version command may take.
const WITHIN: Duration = Duration::from_secs(20);
const LONGEST: usize = 200;

/// By build, for those that have a version command.
pub fn versions(
    stages: &mut dyn Stages,
    setting: &Setting,
    builds: &[BuildDesign],
) -> io::Result<BTreeMap<String, String>> {
    let mut versions = BTreeMap::new();
    for build in builds.iter().filter(|build| !build.version.is_empty()) {
        versions.insert(build.name.clone(), version(stages, setting, build)?);
    }
    Ok(versions)
}

fn version(stages: &mut dyn Stages, setting: &Setting, build: &BuildDesign) -> io::Result<String> {
    let mut stage = stages.open(setting)?;
    let driver = driver::named(DriverName::Plain);
    let launch =
        Launch { command: &build.version, environment: &build.environment, streams: driver.streams() };
    let Launched { mut process, ends } = stage.launch(launch)?;
    let mut client = Client::new(driver, ends)?;
    client.close_input();
    let until = Instant::now() + WITHIN;
    while process.ended()?.is_none() && Instant::now() < until {
        thread::sleep(driver::TICK);
    }
    stage.close()?;
    let output = client.last_words(WITHIN);
    let line = output.lines().find(|line| !line.trim().is_empty()).unwrap_or("(it printed nothing)");
    Ok(line.trim().chars().take(LONGEST).collect())
}
