//! A live study on the path: each run becomes observations as it comes, and all of them the question.
//!
//! For: `overheard run`. Promises: runs of the reference under its second name, and of the room without an app, are
//! never counted as runs of a build: they are controls, and what they show is told as a warning.

use super::{Lens, read};
use crate::exit::{Failure, Result};
use crate::input;
use crate::progress::Progress;
use overheard_analyze::settled::{self, Look, Placed, Standing, Stopped};
use overheard_model::{Build, Bundle, Concern, Reading, Registration, Relation, Run, Study, Warning};
use overheard_probe::ledger::{FileHash, Outcome, Record};
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
    /// Runs that were taken, and those among them that failed: what was run, and why it failed.
    taken: usize,
    failed: Vec<(&'a str, String)>,
    /// Of each arm whose app ended and left programs running: its runs that did, and those programs' names.
    left: BTreeMap<&'a str, (usize, BTreeSet<String>)>,
}

impl<'a> LiveStudy<'a> {
    pub fn new(plan: &'a Plan, feared: &'a [Concern], lens: &'a Lens) -> Self {
        let (runs, placed, twins, idle) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (vantages, failed, left) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self { plan, feared, lens, runs, placed, twins, idle, vantages, taken: 0, failed, left }
    }

    /// Takes a run that was made, with its capture in this folder. One that failed counts for nothing
    /// but the warning that says so.
    pub fn take(&mut self, record: &Record, folder: &Path, progress: &Progress) -> Result<()> {
        self.taken += 1;
        if let Outcome::Failed { reason } = &record.outcome {
            self.failed.push((record.slot.cell.arm.name(&self.plan.design), reason.clone()));
            return Ok(());
        }
        if !record.left.is_empty() {
            let (runs, names) = self.left.entry(record.slot.cell.arm.name(&self.plan.design)).or_default();
            *runs += 1;
            names.extend(record.left.iter().map(|(name, processes)| format!("{name} ({processes})")));
        }
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
        let Some(reading) = reading? else { return Ok(()) };
        let (build, among) = match record.slot.cell.arm {
            Arm::Build(build) => (build, &mut self.runs),
            Arm::Twin => (1, &mut self.twins),
            Arm::Idle => (0, &mut self.idle),
        };
        self.vantages.insert(record.name.clone(), record.slot.cell.vantage);
        among.push(Run { build, name: record.name.clone(), began: Some(record.began), reading });
        if let Arm::Build(_) = record.slot.cell.arm {
            let cell = record.slot.cell;
            let stratum = cell.activity + self.plan.design.activities.len() * cell.vantage;
            self.placed.push(Placed { block: record.slot.block, stratum: stratum as u32 });
        }
        Ok(())
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
        let mut comparison = match stopped {
            Some((look, ceiling)) => {
                let stopped = Stopped { placed: &self.placed, look, ceiling };
                settled::compare_stopped(&study, &self.runs, &stopped)
            }
            None => overheard_analyze::compare(&study, &self.runs),
        };
        comparison.warnings.extend(self.failed_runs());
        comparison.warnings.extend(self.left_running());
        comparison.warnings.extend(self.twin_alarms(&study));
        comparison.warnings.extend(self.idle_contacts());
        Bundle { study, runs: self.runs, comparison }
    }

    /// Each run is judged by what light allows from its own vantage.
    fn place(&mut self) {
        let runs = self.runs.iter_mut().chain(&mut self.twins).chain(&mut self.idle);
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

    /// The reference against itself, through the very tests that the builds go through.
    fn twin_alarms(&self, study: &Study) -> Option<Warning> {
        if self.twins.is_empty() {
            return None;
        }
        let reference = self.runs.iter().filter(|run| run.build == study.reference);
        let reference = reference.map(|run| Run { build: 0, ..run.clone() });
        let runs: Vec<Run> = reference.chain(self.twins.iter().cloned()).collect();
        let name = study.builds.get(study.reference)?.name.clone();
        let builds = vec![Build { name: name.clone() }, Build { name: "twin".into() }];
        let pair = Study { builds, reference: 0, concerns: Vec::new(), registration: None, ..study.clone() };
        let comparison = overheard_analyze::compare(&pair, &runs);
        let relations =
            comparison.keys.iter().flat_map(|key| key.relations.values().map(move |it| (key, it)));
        let alarms =
            relations.filter(|(_, it)| !matches!(it.relation, Relation::Shared | Relation::Unproven));
        let alarms: Vec<String> = alarms.map(|(key, it)| format!("{} ({})", key.key, it.relation)).collect();
        let shown = match alarms.is_empty() {
            true => "no key of the two differs, as it should be".into(),
            false => format!(
                "these keys differ though the program is the same, so doubt every difference: {}",
                alarms.join(", ")
            ),
        };
        let times = self.twins.len();
        let text = format!("{name} was run again in each block under another name, {times} times: {shown}");
        Some(Warning { kind: "twin".into(), text })
    }

    /// Which runs failed and why, and which builds are left without any.
    fn failed_runs(&self) -> Option<Warning> {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        self.failed.iter().for_each(|(arm, reason)| reasons.entry(arm).or_default().push(reason));
        let told = reasons.into_iter().map(|(arm, mut reasons)| {
            let times = reasons.len();
            reasons.sort_unstable();
            reasons.dedup();
            format!("{arm} {times} ({})", reasons.join(", "))
        });
        let told: Vec<String> = told.collect();
        let builds = self.plan.design.builds.iter().enumerate();
        let without = builds.filter(|(at, _)| self.runs.iter().all(|run| run.build != *at));
        let without: Vec<&str> = without.map(|(_, build)| build.name.as_str()).collect();
        let left = match without.is_empty() {
            true => String::new(),
            false => format!("; no run is left of {}", without.join(", ")),
        };
        (!told.is_empty()).then(|| Warning {
            kind: "failed-runs".into(),
            text: format!(
                "{} of {} runs failed and do not count: {}; failures are not at random{left}",
                self.failed.len(),
                self.taken,
                told.join("; ")
            ),
        })
    }

    /// Apps that ended, as launchers do, and left the work to others, which the room's end cut short.
    fn left_running(&self) -> Option<Warning> {
        let told = self.left.iter().map(|(arm, (runs, names))| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("{arm} in {runs} runs ({})", names.join(", "))
        });
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| Warning {
            kind: "left-running".into(),
            text: format!(
                "the app had ended and programs of it were still running when the room was closed: {}; whom they would \
                 have contacted is not known, so give them time (wait) or let the app stay (start it in the foreground)",
                told.join("; ")
            ),
        })
    }

    /// What the room contacts without an app.
    fn idle_contacts(&self) -> Option<Warning> {
        let endpoints = self.idle.iter().flat_map(|run| &run.reading.endpoints);
        let met: BTreeSet<String> =
            endpoints.filter(|it| !it.place.local).map(|it| it.address.to_string()).collect();
        (!met.is_empty()).then(|| Warning {
            kind: "idle-contacts".into(),
            text: format!(
                "without an app the room itself contacted {}: what builds have to do with it is not theirs alone",
                met.into_iter().collect::<Vec<_>>().join(", ")
            ),
        })
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
