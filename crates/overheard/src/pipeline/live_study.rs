//! A live study on the path: each run becomes observations as it comes, and all of them the question.
//!
//! For: `overheard run`. Promises: runs of the reference under its second name, and of the room without an app, are
//! never counted as runs of a build: they are controls, and what they show is told as a warning. Runs that failed count
//! for nothing; what they contacted all the same is told beside what the others did.

use super::{Contact, Lens, closest, read};
use crate::exit::{Failure, Result};
use crate::input;
use crate::output::counted;
use crate::progress::Progress;
use overheard_analyze::settled::{self, Look, Placed, Standing, Stopped};
use overheard_model::{
    Build, Bundle, Cell, Comparison, Concern, Endpoint, FromVantage, Level, Reading, Registration, Relation,
    Run, Study, Warning,
};
use overheard_probe::ledger::{Carriage, FileHash, Outcome, Record};
use overheard_probe::schedule::{Arm, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

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
        let (runs, placed, twins, idle) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (vantages, failed, left, hampered) = (BTreeMap::new(), Vec::new(), BTreeMap::new(), Vec::new());
        let (taken, doors) = (0, BTreeMap::new());
        Self { plan, feared, lens, runs, placed, twins, idle, vantages, taken, failed, left, hampered, doors }
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
            Arm::Twin => 1,
            Arm::Idle => 0,
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
        let mut comparison = match stopped {
            Some((look, ceiling)) => {
                let stopped = Stopped { placed: &self.placed, look, ceiling };
                settled::compare_stopped(&study, &self.runs, &stopped)
            }
            None => overheard_analyze::compare(&study, &self.runs),
        };
        for test in &mut comparison.concerns {
            test.failed = self.failed_contacts(&test.build, &test.concern);
        }
        comparison.vantages = self.each_vantage(&comparison);
        comparison.warnings.extend(self.failed_runs());
        comparison.warnings.extend(self.left_running());
        comparison.warnings.extend(self.other_doors());
        comparison.warnings.extend(self.contacted_in_failed_runs_alone());
        comparison.warnings.extend(self.proxy_failures());
        comparison.warnings.extend(self.twin_alarms(&study));
        comparison.warnings.extend(self.idle_contacts());
        Bundle { study, runs: self.runs, comparison }
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
        for Failed { arm, reason, .. } in &self.failed {
            reasons.entry(arm.name(&self.plan.design)).or_default().push(reason);
        }
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
            format!("{arm} in {} ({})", counted(*runs as u64, "run"), names.join(", "))
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

    /// What goes out there is in no capture, so that an absence says less than it seems to.
    fn other_doors(&self) -> Option<Warning> {
        let told = self.doors.iter().map(|(door, runs)| format!("{door} ({})", counted(*runs, "run")));
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| Warning {
            kind: "other-doors".into(),
            text: format!(
                "rooms had ways out beside the network that the plan does not ask for, and what went there is not \
                 recorded: {}",
                told.join("; ")
            ),
        })
    }

    /// Who contacted each country, and what was feared, from each vantage; nothing where there is only one.
    fn each_vantage(&self, comparison: &Comparison) -> Vec<FromVantage> {
        if self.plan.design.vantages.len() < 2 {
            return Vec::new();
        }
        let countries = comparison.keys.iter().filter(|key| key.level == Level::Country);
        let from_countries = countries.flat_map(|key| {
            let is_there =
                |it: &Endpoint| Level::Country.keys_of(it).into_iter().any(|country| *country == *key.key);
            self.by_vantage(&key.key, move |run| run.reading.endpoints.iter().any(is_there))
        });
        let others = self.feared.iter().filter(|concern| !matches!(concern, Concern::Country(_)));
        let from_others =
            others.flat_map(|concern| self.by_vantage(&concern.to_string(), |run| contacted(run, concern)));
        from_countries.chain(from_others).collect()
    }

    /// The runs that met something, vantage by vantage.
    fn by_vantage(&self, key: &str, met: impl Fn(&Run) -> bool) -> Vec<FromVantage> {
        let design = &self.plan.design;
        let cell = |build: usize, vantage: usize| {
            let made = |run: &&Run| run.build == build && self.vantages.get(&run.name) == Some(&vantage);
            let own: Vec<&Run> = self.runs.iter().filter(made).collect();
            Cell { present: own.iter().filter(|run| met(run)).count() as u64, runs: own.len() as u64 }
        };
        let from = design.vantages.iter().enumerate().map(|(at, vantage)| FromVantage {
            key: key.to_owned(),
            vantage: vantage.name.clone(),
            cells: design
                .builds
                .iter()
                .zip(0..)
                .map(|(build, of)| (build.name.clone(), cell(of, at)))
                .collect(),
        });
        from.collect()
    }

    /// Runs of a build that failed and left something to read.
    fn failed_of(&self, build: usize) -> impl Iterator<Item = &Run> {
        let own = self.failed.iter().filter(move |failed| failed.arm == Arm::Build(build));
        own.filter_map(|failed| failed.run.as_ref())
    }

    /// Failed runs of a build that contacted a concern.
    fn failed_contacts(&self, build: &str, concern: &Concern) -> u64 {
        let Some(build) = self.plan.design.builds.iter().position(|it| it.name == build) else { return 0 };
        self.failed_of(build).filter(|run| contacted(run, concern)).count() as u64
    }

    /// Countries that a build contacted in runs that failed and in none that counts: whoever doubts looks there first.
    fn contacted_in_failed_runs_alone(&self) -> Option<Warning> {
        let countries = |run: &Run| -> BTreeSet<Arc<str>> {
            run.reading.endpoints.iter().flat_map(|endpoint| Level::Country.keys_of(endpoint)).collect()
        };
        let told = self.plan.design.builds.iter().enumerate().filter_map(|(at, build)| {
            let own = self.runs.iter().filter(|run| run.build == at);
            let counted: BTreeSet<Arc<str>> = own.flat_map(countries).collect();
            let mut alone: BTreeMap<Arc<str>, usize> = BTreeMap::new();
            for country in self.failed_of(at).flat_map(countries).filter(|it| !counted.contains(it)) {
                *alone.entry(country).or_default() += 1;
            }
            let each: Vec<String> =
                alone.iter().map(|(country, times)| format!("{country} in {times}")).collect();
            (!each.is_empty()).then(|| format!("{} {}", build.name, each.join(", ")))
        });
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| Warning {
            kind: "failed-contacts".into(),
            text: format!("contacted in runs that failed, and in none that counts: {}", told.join("; ")),
        })
    }

    /// Connections that proxies did not carry in runs that count, since they carried others.
    fn proxy_failures(&self) -> impl Iterator<Item = Warning> {
        self.plan.design.vantages.iter().enumerate().filter_map(|(at, vantage)| {
            let own: Vec<&Carriage> =
                self.hampered.iter().filter(|(vantage, _)| *vantage == at).map(|(_, proxy)| proxy).collect();
            let mut sum = Carriage::default();
            own.iter().for_each(|proxy| sum.add(proxy));
            let text = format!(
                "the proxy of vantage {} did not carry {} of {} connections in {} that count: {}; what was to be done by \
                 these is missing there",
                vantage.name,
                sum.all() - sum.carried,
                sum.all(),
                counted(own.len() as u64, "run"),
                sum.reasons(),
            );
            (!own.is_empty()).then(|| Warning { kind: "proxy-failures".into(), text })
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

/// Whether a run contacted a concern for certain.
fn contacted(run: &Run, concern: &Concern) -> bool {
    closest(&run.reading.endpoints, std::slice::from_ref(concern)) == Contact::Certain
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
