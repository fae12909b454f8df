//! Asks: observations of runs become findings.
//!
//! For: the questions (which servers belong to one build, and how sure is that) and their statistics;
//! each is derived in `docs/methods/endpoints.md`.
//! Promises: pure; the same runs and the same seed give the same findings, to the last bit.
//! To extend: a question is one file here with its method note in `docs/methods/`.

#![forbid(unsafe_code)]

mod absence;
pub mod bits;
pub mod chao2;
mod concern;
mod conduct;
mod control;
mod detectable;
mod execution;
pub mod family;
mod findings;
pub mod fisher;
mod interleaving;
pub mod interval;
pub mod jaccard;
mod keys;
pub mod keywords;
pub mod needed;
mod places;
mod plan;
mod relabel;
mod relation;
pub mod settled;
mod step;
mod table;
mod tarone;
pub mod uploads;
mod warnings;
mod wording;

pub use concern::{Contact, contact};
pub use conduct::{Conduct, Origins};
pub use plan::plan;

use bits::Bits;
use execution::Execution;
use family::Contrast;
use keys::Contrasted;
use overheard_model::{BuildRuns, Comparison, Distinguishable, Run, Study, Verdict};
use settled::Stopped;
use std::collections::BTreeMap;
use table::Table;

/// Compares the builds of a study: the table, its tests, its bounds and its control.
///
/// Runs of builds that the study does not list are left out.
pub fn compare(study: &Study, runs: &[Run]) -> Comparison {
    compare_live(study, runs, &Conduct::default())
}

/// Compares the builds of a study that was run live, which may have been looked at while it ran.
pub fn compare_live(study: &Study, runs: &[Run], conduct: &Conduct) -> Comparison {
    let stopped = conduct.stopped.as_ref();
    let mut executions = execution::of(runs);
    executions.retain(|execution| execution.build < study.builds.len());
    let table = Table::new(&executions, runs, study.builds.len());
    let mut contrasts = contrasts(study, &table);
    if let Some(stopped) = stopped {
        stopped.spend(&mut contrasts);
    }
    let keys = keys::of(study, &table, &executions, runs, &contrasts);
    let contacts = concern::contacts(study, &executions, runs);
    let mut concerns = concern::tests(study, &table, &contacts, &conduct.failed);
    if let Some(stopped) = stopped {
        stopped.judge(study, runs, &mut concerns);
    }
    let distinguishable = distinguishable(study, &table, &executions, stopped);
    let supported = concern::pairs(study, &contacts).map(|(contacts, build)| {
        let support = findings::support(study, &executions, build, |at| contacts.certain.contains(at));
        Some(support).filter(|support| !support.runs.is_empty()).into_iter().collect()
    });
    let results = findings::Results {
        study,
        executions: &executions,
        table: &table,
        keys: &keys,
        concerns: &concerns,
        concern_runs: supported.collect(),
        distinguishable: &distinguishable,
    };
    Comparison {
        builds: builds(study, &table),
        reference: study.builds.get(study.reference).map_or_else(String::new, |build| build.name.clone()),
        findings: results.findings(),
        absences: absence::of(study, &table, &contacts, &executions, runs),
        unseen: chao2::unseen(study, &table),
        control: control::of(study, &table, executions.len()),
        warnings: stopped
            .map(Stopped::warning)
            .into_iter()
            .chain(warnings::of(study, runs, &executions, &table, &contacts))
            .collect(),
        vantages: conduct.origins.cells(study, runs, &keys),
        keys,
        concerns,
        distinguishable,
    }
}

fn builds(study: &Study, table: &Table) -> Vec<BuildRuns> {
    let builds = study.builds.iter().enumerate();
    builds.map(|(at, build)| BuildRuns { name: build.name.clone(), runs: table.runs(at) }).collect()
}

/// The builds that are held against the reference.
fn others(study: &Study) -> impl Iterator<Item = usize> {
    (0..study.builds.len()).filter(|build| *build != study.reference)
}

fn contrasts(study: &Study, table: &Table) -> Vec<Contrasted> {
    let presences = table.presences();
    let contrasts = others(study).count() as u64;
    others(study)
        .map(|build| {
            let contrast = Contrast {
                build: table.builds[build].clone(),
                reference: table.builds[study.reference].clone(),
                contrasts,
                relabellings: family::RELABELLINGS,
                seed: study.seed.wrapping_add(build as u64),
            };
            Contrasted { build, tests: family::test(&presences, &contrast) }
        })
        .collect()
}

fn distinguishable(
    study: &Study,
    table: &Table,
    executions: &[Execution],
    stopped: Option<&Stopped>,
) -> BTreeMap<String, Distinguishable> {
    let sets = table.addresses_by_run(executions.len());
    let of = |build: usize| table.builds[build].members().map(|run| sets[run].clone()).collect::<Vec<Bits>>();
    let contrasts = others(study).count() as u64;
    let contrasts = stopped.map_or(contrasts, |stopped| stopped.contrasts(contrasts));
    let reference = of(study.reference);
    let compared = others(study).filter(|build| table.runs(*build) > 0 && !reference.is_empty());
    compared
        .map(|build| {
            let mut test = jaccard::distinguishable(&of(build), &reference, contrasts, study.seed);
            // Labels that follow the clock cannot be exchanged: time explains all that the builds do.
            if interleaving::order(study, executions, build).is_some_and(|order| !order.interleaved()) {
                test.verdict = Verdict::Abstain;
            }
            (study.builds[build].name.clone(), test)
        })
        .collect()
}
