//! The tour: one path, from captures to a verdict.
//!
//! ```text
//! Study ──▶ Artifact ──dissect──▶ Observation ──analyze──▶ Finding ──report──▶ page
//! ```
//!
//! Everything the program does is a walk along this path. Read the functions below from top to
//! bottom: [`read`] turns one artifact into observations, [`place`] says where they stand, [`runs`] does
//! both for every run of a study, and [`compare`] asks them the question; [`look`] does it while packets still
//! come. A subcommand chooses where the walk begins and which report ends it; no other file knows two stages.
//!
//! A live study walks the same path, with its artifacts made on the way: [`LiveStudy`] takes each run as it comes,
//! [`LiveStudy::standings`] says whether the study may stop, [`LiveStudy::conclude`] asks the question.

use crate::exit::{Failure, Result};
use crate::input::{self, Input};
use crate::progress::Progress;
pub use overheard_analyze::Contact;
pub use overheard_analyze::settled::Look;
use overheard_analyze::settled::{self, Placed, Standing, Stopped};
pub use overheard_dissect::live::Live;
use overheard_dissect::place::Atlas;
use overheard_model::{
    Build, Bundle, Concern, Country, Endpoint, Reading, Registration, Run, Study, Vantage, Warning,
};
use overheard_probe::ledger::Record;
use overheard_probe::schedule::{Arm, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

/// How artifacts are read and placed.
#[derive(Debug)]
pub struct Lens {
    pub options: overheard_dissect::Options,
    pub atlas: Atlas,
    pub vantage: Option<Vantage>,
}

/// What a comparison is asked for, fixed before any artifact is opened.
#[derive(Debug)]
pub struct Request {
    /// Builds in the order given, each with its artifacts.
    pub builds: Vec<(String, Vec<Input>)>,
    /// The build that the others are held against: the first, unless named.
    pub reference: Option<String>,
    pub concerns: Vec<Concern>,
    pub seed: u64,
}

/// One artifact becomes observations: flows, and the endpoints behind them. Nothing where a folder
/// brought a file that is no capture, such as a note.
pub fn read(input: &Input, lens: &Lens, progress: &Progress) -> Result<Option<Reading>> {
    let bytes = progress.watch(input.open()?);
    let reading = overheard_dissect::read(bytes, input.path(), &lens.options);
    if reading.capture.format != "unknown" {
        return Ok(Some(reading));
    }
    if input.is_meant() {
        return Err(input.no_capture(&reading.capture.problems));
    }
    progress.note(&format!("{}: no capture, left out", input.path()));
    Ok(None)
}

/// Where the endpoints stand: the same for an address in all readings that belong together.
pub fn place<'a>(readings: impl IntoIterator<Item = &'a mut Reading>, lens: &Lens) {
    lens.atlas.place(readings, lens.vantage.as_ref());
}

/// What packets that still come amount to so far: every endpoint, placed.
pub fn look(live: &mut Live, lens: &Lens) -> Reading {
    let mut reading = live.snapshot();
    place([&mut reading], lens);
    reading
}

/// How close endpoints come to what was feared.
pub fn closest<'a>(endpoints: impl IntoIterator<Item = &'a Endpoint>, concerns: &[Concern]) -> Contact {
    let contact =
        |endpoint| concerns.iter().map(move |concern| overheard_analyze::contact(concern, endpoint));
    endpoints.into_iter().flat_map(contact).max().unwrap_or_default()
}

/// In which country an address stands, where the databases agree.
pub fn country(address: IpAddr, lens: &Lens) -> Option<Country> {
    lens.atlas.locate(address).agreed()
}

/// Every artifact of a study becomes a run of its build.
pub fn runs(request: &Request, lens: &Lens, progress: &Progress) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for (build, (name, inputs)) in request.builds.iter().enumerate() {
        let before = runs.len();
        for input in inputs {
            progress.on(name, &input.path());
            runs.extend(read(input, lens, progress)?.map(|reading| run(build, reading)));
        }
        if runs.len() == before {
            return Err(Failure::new(format!("build {name}: none of its files is a capture"))
                .hint("give pcap or pcapng files, or a folder that holds some"));
        }
    }
    each_counts_once(request, &runs)?;
    place(runs.iter_mut().map(|run| &mut run.reading), lens);
    Ok(runs)
}

/// A table that somebody kept becomes runs, without captures behind them.
pub fn runs_of_table(input: &Input, lens: &Lens) -> Result<(Vec<String>, Vec<Run>)> {
    let table = overheard_dissect::read_table(&input.bytes()?, input.path()).map_err(|what| {
        Failure::new(what).hint("a table has a header line: build,run,address,port,name,country")
    })?;
    let mut builds: Vec<String> = Vec::new();
    let mut runs = Vec::new();
    for row in table {
        let known = builds.iter().position(|build| *build == row.build);
        let build = known.unwrap_or_else(|| {
            builds.push(row.build.clone());
            builds.len() - 1
        });
        runs.push(Run { build, name: row.run, began: None, reading: row.reading });
    }
    place(runs.iter_mut().map(|run| &mut run.reading), lens);
    Ok((builds, runs))
}

/// The question: how do the builds differ in whom they talk to?
pub fn compare(request: &Request, builds: Vec<String>, runs: Vec<Run>, lens: &Lens) -> Result<Bundle> {
    let study = Study {
        reference: reference(request.reference.as_deref(), &builds)?,
        builds: builds.into_iter().map(|name| Build { name }).collect(),
        concerns: request.concerns.clone(),
        vantage: lens.vantage.clone(),
        seed: request.seed,
        places: lens.atlas.sources(),
        registration: None,
    };
    let comparison = overheard_analyze::compare(&study, &runs);
    Ok(Bundle { study, runs, comparison })
}

/// Keeps a study, whole or not at all.
pub fn save(path: &Path, bundle: &Bundle) -> Result<()> {
    overheard_store::save(path, bundle).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display()))
            .hint("--save takes a new file, or a study to be replaced, in a folder that you may write to")
    })
}

/// Opens a kept study, ready for a report.
pub fn open(path: &Path) -> Result<Bundle> {
    overheard_store::open(path).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display()))
            .hint("make a study with `overheard compare … --save FILE.overheard`")
    })
}

/// A live study as far as it has come.
#[derive(Debug)]
pub struct LiveStudy<'a> {
    pub plan: &'a Plan,
    pub lens: &'a Lens,
    /// Of the builds, each where it stood in the design.
    runs: Vec<Run>,
    placed: Vec<Placed>,
    /// Of the reference under its second name, and of the room without an app.
    twins: Vec<Run>,
    idle: Vec<Run>,
}

impl<'a> LiveStudy<'a> {
    pub fn new(plan: &'a Plan, lens: &'a Lens) -> Self {
        let (runs, placed, twins, idle) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { plan, lens, runs, placed, twins, idle }
    }

    /// Takes a run that was made, with its capture in this folder. One that failed counts for nothing.
    pub fn take(&mut self, record: &Record, folder: &Path, progress: &Progress) -> Result<()> {
        if !record.is_done() {
            return Ok(());
        }
        let capture = record.capture.as_ref().ok_or_else(|| {
            Failure::new(format!("{}: the run left no capture", folder.display()))
                .hint("overheard run --retry-failed makes failed runs again; this one was not seen to fail")
        })?;
        let input = input::inputs(&folder.join(&capture.path).to_string_lossy())?.remove(0);
        let Some(reading) = read(&input, self.lens, progress)? else { return Ok(()) };
        let (build, among) = match record.slot.cell.arm {
            Arm::Build(build) => (build, &mut self.runs),
            Arm::Twin => (1, &mut self.twins),
            Arm::Idle => (0, &mut self.idle),
        };
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
        comparison.warnings.extend(self.twin_alarms(&study));
        comparison.warnings.extend(self.idle_contacts());
        Bundle { study, runs: self.runs, comparison }
    }

    fn place(&mut self) {
        let runs = self.runs.iter_mut().chain(&mut self.twins).chain(&mut self.idle);
        place(runs.map(|run| &mut run.reading), self.lens);
    }

    fn study(&self, registration: Option<Registration>) -> Study {
        let design = &self.plan.design;
        Study {
            builds: design.builds.iter().map(|build| Build { name: build.name.clone() }).collect(),
            reference: design.reference(),
            concerns: design.concerns.clone(),
            vantage: self.lens.vantage.clone(),
            seed: design.seed,
            places: self.lens.atlas.sources(),
            registration,
        }
    }

    /// The reference against itself, through the very tests that the builds go through.
    fn twin_alarms(&self, study: &Study) -> Option<Warning> {
        let reference = self.runs.iter().filter(|run| run.build == study.reference);
        let reference = reference.map(|run| Run { build: 0, ..run.clone() });
        let runs: Vec<Run> = reference.chain(self.twins.iter().cloned()).collect();
        let name = study.builds.get(study.reference)?.name.clone();
        let builds = vec![Build { name: name.clone() }, Build { name: "twin".into() }];
        let pair = Study { builds, reference: 0, concerns: Vec::new(), registration: None, ..study.clone() };
        (!self.twins.is_empty()).then(|| {
            let comparison = overheard_analyze::compare(&pair, &runs);
            let relations = comparison.keys.iter().flat_map(|key| key.relations.values().map(move |it| (key, it)));
            use overheard_model::Relation::{Shared, Unproven};
            let alarms = relations.filter(|(_, it)| !matches!(it.relation, Shared | Unproven));
            let alarms: Vec<String> = alarms.map(|(key, it)| format!("{} ({})", key.key, it.relation)).collect();
            let text = match alarms.is_empty() {
                true => format!(
                    "{name} was run again in each block under another name, {} times: no key of the two differs, as it should be",
                    self.twins.len()
                ),
                false => format!(
                    "{name} was run again in each block under another name, {} times, and these keys differ though the program is the same, so doubt every difference: {}",
                    self.twins.len(),
                    alarms.join(", ")
                ),
            };
            Warning { kind: "twin".into(), text }
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

/// The looks at which a study of at most this many blocks may stop.
pub fn looks(ceiling: u32) -> Vec<Look> {
    settled::looks(ceiling)
}

fn run(build: usize, reading: Reading) -> Run {
    Run { build, name: input::file_name(&reading.capture.path), began: reading.capture.first, reading }
}

fn reference(wanted: Option<&str>, builds: &[String]) -> Result<usize> {
    let Some(wanted) = wanted else { return Ok(0) };
    builds.iter().position(|build| build == wanted).ok_or_else(|| {
        Failure::new(format!("--reference {wanted}: there is no such build"))
            .hint(format!("the builds are: {}", builds.join(", ")))
    })
}

/// A run is the unit of replication: the same packets must not be counted as two, though one of the
/// files be compressed or in another format. Two runs in which nothing was sent are two runs.
fn each_counts_once(request: &Request, runs: &[Run]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for run in runs.iter().filter(|run| run.reading.capture.packets > 0) {
        let capture = &run.reading.capture;
        let bytes: u64 =
            run.reading.endpoints.iter().map(|endpoint| endpoint.bytes_out + endpoint.bytes_in).sum();
        let Some(first) = seen.insert((capture.packets, capture.first, capture.last, bytes), run) else {
            continue;
        };
        let place = |run: &Run| format!("{}={}", request.builds[run.build].0, run.reading.capture.path);
        return Err(Failure::new(format!("{} and {} hold the same packets", place(first), place(run)))
            .hint("a run counts once: leave one of the two files out"));
    }
    Ok(())
}
