//! When a study may stop, and what it may then claim: concerns by e-values, all other keys by spending.
//!
//! For: `overheard run --until-settled`. Derived in `docs/methods/stopping.md`.
//! Promises: a concern that no build contacts more often than the reference is supported in at most [`ALPHA`] of
//! studies, however often the data are looked at and whatever makes them stop; where the study may stop only at its
//! [`looks()`], a false alarm at any key comes up in at most [`ALPHA`] of studies too.
//! To extend: another way in which a concern is settled is a process of its own here, and an arm in `verdict`.

mod closure;
mod difference;
mod looks;
mod negligible;
mod reported;

pub use difference::Difference;
pub use looks::{Look, looks};
pub use negligible::Negligible;
pub use reported::Stopped;

use crate::bits::Bits;
use crate::concern::{self, Contacts, NEGLIGIBLE_RATE};
use crate::execution::Execution;
use crate::family::ALPHA;
use crate::interval::absence_bound;
use crate::others;
use overheard_model::{Cell, Concern, Run, Study, Verdict};
use std::collections::BTreeMap;

/// Where a run stood in the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// From 1.
    pub block: u32,
    /// Runs of one stratum did the same from the same place: an activity at a vantage.
    pub stratum: u32,
}

/// How a concern stands for one build against the reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub concern: Concern,
    /// Index into the study's builds.
    pub build: usize,
    /// Runs with a contact.
    pub cell: Cell,
    pub reference: Cell,
    /// Pairs of runs that were held against each other.
    pub pairs: u64,
    /// Evidence against “the builds do not differ”, adjusted for all concerns × builds; the most there ever was.
    pub e: f64,
    /// Evidence against “the build contacts it in at least ten points more of its runs”; the most there ever was.
    pub e_negligible: f64,
    /// None while it is open.
    pub verdict: Option<Verdict>,
}

/// One concern of one build, as the pairs come in.
#[derive(Clone, Debug, Default)]
struct Course {
    difference: BTreeMap<u32, Difference>,
    negligible: Negligible,
    pairs: u64,
    most: f64,
    most_negligible: f64,
}

/// How every concern stands, in the order of the concerns, then of the builds without the reference.
///
/// `placed` is parallel to `runs`. A run without its partner in block and stratum is in no pair.
pub fn standings(study: &Study, runs: &[Run], placed: &[Placed]) -> Vec<Standing> {
    let executions: Vec<Execution> = runs.iter().enumerate().map(|(at, run)| alone(at, run)).collect();
    let contacts = concern::contacts(study, &executions, runs);
    let questions: Vec<(&Contacts, usize)> =
        contacts.iter().flat_map(|contacts| others(study).map(move |build| (contacts, build))).collect();
    let courses = courses(study, runs, placed, &questions);
    let group = |build: usize| {
        let own = runs.iter().enumerate().filter(|(_, run)| run.build == build);
        Bits::of(runs.len(), own.map(|(at, _)| at))
    };
    let standing = |((contacts, build), course): (&(&Contacts, usize), Course)| {
        let cell = |group: &Bits| Cell { present: contacts.certain.count_in(group), runs: group.count() };
        let own = group(*build);
        let mut standing = Standing {
            concern: contacts.concern.clone(),
            build: *build,
            cell: cell(&own),
            reference: cell(&group(study.reference)),
            pairs: course.pairs,
            e: course.most,
            e_negligible: course.most_negligible,
            verdict: None,
        };
        standing.verdict = verdict(&standing, contacts.rules_out(&own));
        standing
    };
    questions.iter().zip(courses).map(standing).collect()
}

/// Plays the pairs in the order of their blocks; what is adjusted is looked at after each block.
fn courses(study: &Study, runs: &[Run], placed: &[Placed], questions: &[(&Contacts, usize)]) -> Vec<Course> {
    let mut partners: BTreeMap<Placed, BTreeMap<usize, usize>> = BTreeMap::new();
    for (at, (run, place)) in runs.iter().zip(placed).enumerate() {
        partners.entry(*place).or_default().insert(run.build, at);
    }
    let mut courses = vec![Course::default(); questions.len()];
    let mut places = partners.into_iter().peekable();
    while let Some((place, runs)) = places.next() {
        for (course, (contacts, build)) in courses.iter_mut().zip(questions) {
            if let (Some(own), Some(other)) = (runs.get(build), runs.get(&study.reference)) {
                course.pair(
                    place.stratum,
                    contacts.certain.contains(*own),
                    contacts.certain.contains(*other),
                );
            }
        }
        if places.peek().is_none_or(|(next, _)| next.block != place.block) {
            look(&mut courses);
        }
    }
    courses
}

fn look(courses: &mut [Course]) {
    let raw: Vec<f64> = courses.iter().map(Course::e).collect();
    for (course, e) in courses.iter_mut().zip(closure::adjusted(&raw)) {
        course.most = course.most.max(e);
        course.most_negligible = course.most_negligible.max(course.negligible.e());
    }
}

impl Course {
    fn pair(&mut self, stratum: u32, build: bool, reference: bool) {
        self.difference.entry(stratum).or_default().pair(build, reference);
        self.negligible.pair(build, reference);
        self.pairs += 1;
    }

    /// Strata are independent bets, one after the other: their evidence multiplies.
    fn e(&self) -> f64 {
        self.difference.values().map(Difference::e).product()
    }
}

fn verdict(standing: &Standing, clean: bool) -> Option<Verdict> {
    let (own, other) = (standing.cell, standing.reference);
    let more = own.present * other.runs > other.present * own.runs;
    let differs = standing.e >= 1.0 / ALPHA;
    match () {
        () if differs && more => Some(Verdict::Support),
        // A run that met a place that may be the feared one shows no absence.
        () if !clean => None,
        () if differs => Some(Verdict::Refute),
        () if own.present == 0 && absence_bound(own.runs) < NEGLIGIBLE_RATE => Some(Verdict::Refute),
        () if standing.e_negligible >= 1.0 / ALPHA => Some(Verdict::Refute),
        () => None,
    }
}

fn alone(at: usize, run: &Run) -> Execution {
    Execution { build: run.build, name: run.name.clone(), began: run.began, pieces: vec![at] }
}
