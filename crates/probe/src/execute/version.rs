//! What the builds call themselves: the first line that their version commands print.
//!
//! Promises: the commands run on stages of their own, before the first run, so that nothing of them is in a capture.

use super::stage::{Launch, Launched, Setting, Stages};
use crate::driver::{self, Client};
use overheard_model::design::{BuildDesign, DriverName};
use std::collections::BTreeMap;
use std::fs;
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
        // Each stage leaves a capture of its own.
        let folder = setting.folder.join(&build.name);
        fs::create_dir(&folder)?;
        let setting = Setting { folder: &folder, build: &build.name, ..*setting };
        versions.insert(build.name.clone(), version(stages, &setting, build)?);
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

#[cfg(test)]
mod tests {
    use super::super::{Bare, Stage};
    use super::*;
    use overheard_model::design::{Home, VantageDesign};

    /// Stages that begin a capture, as rooms do.
    struct Recorded;

    impl Stages for Recorded {
        fn open(&mut self, setting: &Setting) -> io::Result<Box<dyn Stage>> {
            fs::File::create_new(setting.folder.join("capture.pcapng"))?;
            Bare.open(setting)
        }
    }

    #[test]
    fn each_build_is_asked_on_a_stage_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let vantage = VantageDesign { name: "direct".into(), proxy: None, dns: None, place: None };
        let setting = Setting {
            folder: folder.path(),
            base: folder.path(),
            build: "every build",
            run: "versions",
            vantage: &vantage,
            home: &Home::Fresh,
            doors: &[],
        };
        let plan = ["one", "two"].map(|name| {
            format!(
                "[[build]]\nname = \"{name}\"\ncommand = [\"true\"]\nversion = [\"echo\", \"{name} 1.0\"]\n"
            )
        });
        let plan = crate::schedule::read(&format!("repeats = 1\n{}", plan.concat())).unwrap();
        let versions = versions(&mut Recorded, &setting, &plan.design.builds).unwrap();
        assert_eq!((versions["one"].as_str(), versions["two"].as_str()), ("one 1.0", "two 1.0"));
    }
}
