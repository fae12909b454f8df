//! A against A: the runs of one build, split in two and compared as if they were two builds.
//!
//! For: the measured false-alarm rate that every study prints of itself.
//! Promises: the halves go through the very same tests as two builds do, and what the test of whole sets
//! raises is counted apart, since it has an error of its own. The splits of one build
//! share its runs, so the rate's bound, which takes them for independent, is a guide and no more.

use crate::bits::Bits;
use crate::family::{self, ALPHA, Contrast};
use crate::interval::clopper_pearson;
use crate::jaccard;
use crate::relabel;
use crate::table::Table;
use overheard_model::{Cell, Control, Study};

/// Fewest runs of a build that can be split in two halves of two.
const FEWEST: u64 = 4;
/// Splits tried; all of them where there are fewer.
const SPLITS: u64 = 100;
/// Relabellings within a split: fewer than for the study itself, which keeps its error and costs a
/// little power.
const RELABELLINGS: u64 = 199;

/// The control on the build with the most runs, the reference before others; the study has `executions`.
pub(crate) fn of(study: &Study, table: &Table, executions: usize) -> Option<Control> {
    let runs = |build: &usize| (table.runs(*build), *build == study.reference);
    let build =
        (0..study.builds.len()).rev().max_by_key(runs).filter(|build| table.runs(*build) >= FEWEST)?;
    let group = &table.builds[build];
    let members: Vec<usize> = group.members().collect();
    let (first, others) = members.split_first()?;
    let width = members.last()? + 1;
    let presences = table.presences();
    let sets = table.addresses_by_run(executions);
    let of = |half: &Bits| half.members().map(|run| sets[run].clone()).collect::<Vec<_>>();
    let (mut false_alarms, mut set_alarms) = (0, 0);
    // The first run stays in the first half, so that no split comes twice with its halves swapped.
    let tried = relabel::each(others, members.len().div_ceil(2) - 1, width, SPLITS, study.seed, |half| {
        let mut half = half.clone();
        half.insert(*first);
        let rest = Bits::of(width, members.iter().copied().filter(|member| !half.contains(*member)));
        let wholes = jaccard::permuted(&of(&half), &of(&rest), RELABELLINGS, study.seed);
        set_alarms += u64::from(wholes.p <= ALPHA);
        let contrast = Contrast {
            build: half,
            reference: rest,
            contrasts: 1,
            relabellings: RELABELLINGS,
            seed: study.seed,
        };
        let tests = family::test(&presences, &contrast);
        false_alarms += u64::from(tests.iter().flatten().flatten().any(family::Test::significant));
    });
    let cell = Cell { present: false_alarms, runs: tried.count };
    Some(Control {
        build: study.builds[build].name.clone(),
        splits: tried.count,
        false_alarms,
        rate: crate::interval::rate(cell),
        high: clopper_pearson(cell, 0.1).high,
        set_alarms,
    })
}
