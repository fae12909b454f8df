//! A live study on the path: each run becomes observations as it comes, and all of them the question.
//!
//! For: `overheard run`. Promises: runs of the reference under its second name, and of the room without an app, are
//! never counted as runs of a build: they are controls, and what they show is told as a warning. Runs that failed count
//! for nothing; what they contacted all the same is told beside what the others did.
//! To extend: what a reader must know of how runs went is a warning in [`warnings`].

mod warnings;

use super::{Lens, read};
use crate::exit::{Failure, Result};
use crate::input;
use crate::progress::Progress;
use overheard_analyze::settled::{self, Look, Placed, Standing, Stopped};
use overheard_analyze::{Conduct, Origins};
use overheard_model::{Build, Bundle, Concern, Reading, Registration, Run, Study};
use overheard_probe::ledger::{Carriage, FileHash, Outcome, Record};
use overheard_probe::schedule::{Arm, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A live study as far as it has come.
#[derive(Debug)]
pub struct LiveStudy<'a> {
    pub plan: &'a Plan,
    /// Feared before the first run: one that the plan gained later is no concern.
    feared: &'a [Concern],
    pub lens: &'a Lens,
    /// Of the builds, each where it stood in the design.
    runs: Vec<Run>,
    placed: Vec<Placed>,
    /// Of the reference under its second name, and of the room without an app.
    twins: Vec<Run>,
    idle: Vec<Run>,
    /// Where each run was made, by its name: a vantage of the design.
    vantages: BTreeMap<String, usize>,
    /// Runs that were taken, and those among them that failed.
    taken: usize,
    failed: Vec<Failed>,
    /// Of each arm whose app ended and left programs running: its runs that did, and those programs' names.
    left: BTreeMap<&'a str, (usize, BTreeSet<String>)>,
    /// What proxies did for the runs that count, each with its vantage, where they did not carry all.
    hampered: Vec<(usize, Carriage)>,
    /// Ways out beside the network that nobody asked for, with the number of runs in which they stood open.
    doors: BTreeMap<String, u64>,
}

/// A run that failed.
#[derive(Debug)]
struct Failed {
    arm: Arm,
    reason: String,
    /// What it left, if that can be read.
    run: Option<Run>,
}

impl<'a> LiveStudy<'a> {
    pub fn new(plan: &'a Plan, feared: &'a [Concern], lens: &'a Lens) -> Self {
        Self {
            plan,
            feared,
            lens,
            runs: Vec::new(),
            placed: Vec::new(),
            twins: Vec::new(),
            idle: Vec::new(),
            vantages: BTreeMap::new(),
            taken: 0,
            failed: Vec::new(),
            left: BTreeMap::new(),
            hampered: Vec::new(),
            doors: BTreeMap::new(),
        }
    }

    /// Takes a run that was made, with its capture in this folder.
    pub fn take(&mut self, record: &Record, folder: &Path, progress: &Progress) -> Result<()> {
        self.taken += 1;
        record.doors.iter().for_each(|door| *self.doors.entry(door.clone()).or_default() += 1);
        self.vantages.insert(record.name.clone(), record.slot.cell.vantage);
        let arm = record.slot.cell.arm;
        if let Outcome::Failed { reason } = &record.outcome {
            let run = self.run(record, folder, progress).ok().flatten();
            self.failed.push(Failed { arm, reason: reason.clone(), run });
            return Ok(());
        }
        if !record.left.is_empty() {
            let (runs, names) = self.left.entry(arm.name(&self.plan.design)).or_default();
            *runs += 1;
            names.extend(record.left.iter().map(|(name, processes)| format!("{name} ({processes})")));
        }
        let Some(run) = self.run(record, folder, progress)? else { return Ok(()) };
        let hampered = record.proxy.clone().filter(|proxy| !proxy.failed.is_empty());
        self.hampered.extend(hampered.map(|proxy| (record.slot.cell.vantage, proxy)));
        match arm {
            Arm::Build(_) => {
                let cell = record.slot.cell;
                let stratum = cell.activity + self.plan.design.activities.len() * cell.vantage;
                self.placed.push(Placed { block: record.slot.block, stratum: stratum as u32 });
                self.runs.push(run);
            }
            Arm::Twin => self.twins.push(run),
            Arm::Idle => self.idle.push(run),
        }
        Ok(())
    }

    /// What a run left, if its capture holds anything.
    fn run(&self, record: &Record, folder: &Path, progress: &Progress) -> Result<Option<Run>> {
        let capture = record.capture.as_ref().ok_or_else(|| {
            Failure::new(format!("{}: the run left no capture", folder.display()))
                .hint("overheard run --retry-failed makes failed runs again; this one was not seen to fail")
        })?;
        let path = folder.join(&capture.path);
        if !path.is_file() {
            return Err(
                Failure::new(format!("{}: the run's capture is gone", path.display())).hint(again(folder))
            );
        }
        let input = input::inputs(&path.to_string_lossy())?.remove(0);
        let reading = read(&input, self.lens, progress);
        must_be_as_recorded(capture, &path, &reading).map_err(|failure| failure.hint(again(folder)))?;
        let build = match record.slot.cell.arm {
            Arm::Build(build) => build,
            // Controls are kept apart, and whoever compares them says with what.
            Arm::Twin | Arm::Idle => 0,
        };
        let (name, began) = (record.name.clone(), Some(record.began));
        Ok(reading?.map(|reading| Run { build, name, began, reading }))
    }

    /// How each concern stands.
    pub fn standings(&mut self) -> Vec<Standing> {
        self.place();
        settled::standings(&self.study(None), &self.runs, &self.placed)
    }

    /// The question, asked of all runs; `stopped` is the look at which a study ended that could stop early.
    pub fn conclude(mut self, registration: Registration, stopped: Option<(Look, u32)>) -> Bundle {
        self.place();
        let study = self.study(Some(registration));
        let mut comparison = overheard_analyze::compare_live(&study, &self.runs, &self.conduct(stopped));
        comparison.warnings.extend(self.warnings(&study));
        Bundle { study, runs: self.runs, comparison }
    }

    fn conduct(&self, stopped: Option<(Look, u32)>) -> Conduct<'_> {
        let design = &self.plan.design;
        let builds = 0..design.builds.len();
        let origins = Origins {
            vantages: design.vantages.iter().map(|vantage| vantage.name.as_str()).collect(),
            of_runs: self.runs.iter().map(|run| self.vantages[&run.name]).collect(),
        };
        Conduct {
            failed: builds.flat_map(|build| self.failed_of(build)).collect(),
            origins,
            stopped: stopped.map(|(look, ceiling)| Stopped { placed: &self.placed, look, ceiling }),
        }
    }

    /// Each run is judged by what light allows from its own vantage.
    fn place(&mut self) {
        let failed = self.failed.iter_mut().filter_map(|failed| failed.run.as_mut());
        let runs = self.runs.iter_mut().chain(&mut self.twins).chain(&mut self.idle).chain(failed);
        let vantages = &self.plan.design.vantages;
        let readings = runs.map(|run| {
            let vantage = self.vantages.get(&run.name).and_then(|at| vantages.get(*at));
            (&mut run.reading, vantage.and_then(|vantage| vantage.place.as_ref()))
        });
        self.lens.atlas.place_each(readings);
    }

    fn study(&self, registration: Option<Registration>) -> Study {
        let design = &self.plan.design;
        Study {
            builds: design.builds.iter().map(|build| Build { name: build.name.clone() }).collect(),
            reference: design.reference(),
            concerns: self.feared.to_vec(),
            vantage: self.lens.vantage.clone(),
            seed: design.seed,
            places: self.lens.atlas.sources(),
            registration,
        }
    }

    /// Runs of a build that failed and left something to read.
    fn failed_of(&self, build: usize) -> impl Iterator<Item = &Run> {
        let own = self.failed.iter().filter(move |failed| failed.arm == Arm::Build(build));
        own.filter_map(|failed| failed.run.as_ref())
    }
}

/// A capture counts only as the run left it.
fn must_be_as_recorded(recorded: &FileHash, path: &Path, reading: &Result<Option<Reading>>) -> Result<()> {
    let read = match reading {
        Ok(Some(reading)) => reading.capture.sha256.clone().map(|sha256| (sha256, reading.capture.bytes)),
        // What is no capture any more was not hashed to its end.
        _ => FileHash::of(path).ok().map(|file| (file.sha256, file.bytes)),
    };
    match read {
        Some((sha256, bytes)) if sha256 != recorded.sha256 => Err(Failure::new(format!(
            "{}: the capture changed since the run: SHA-256 {sha256} ({bytes} bytes), and run.json keeps {} ({} bytes)",
            path.display(),
            recorded.sha256,
            recorded.bytes
        ))),
        _ => Ok(()),
    }
}

fn again(folder: &Path) -> String {
    format!("restore the file, or move {} away and the same command makes that run again", folder.display())
}
