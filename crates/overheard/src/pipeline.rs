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
//! [`LiveStudy::standings`] says whether the study may stop, [`LiveStudy::conclude`] asks the question. Trials walk it
//! act by act: a [`Door`] says what crossed after each.

mod live_study;
mod trials;

use crate::exit::{Failure, Result};
use crate::input::{self, Input};
use crate::progress::Progress;
pub use live_study::LiveStudy;
pub use overheard_analyze::Contact;
pub use overheard_analyze::keywords::at_least;
pub use overheard_analyze::settled::Look;
pub use overheard_analyze::uploads::{Cut, judge_again, rate, spare};
pub use overheard_dissect::live::Live;
use overheard_dissect::place::Atlas;
use overheard_model::{Build, Bundle, Concern, Country, Endpoint, Reading, Run, Study, Vantage};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
pub use trials::{Door, name};

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

/// The looks at which a study of at most this many blocks may stop.
pub fn looks(ceiling: u32) -> Vec<Look> {
    overheard_analyze::settled::looks(ceiling)
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
