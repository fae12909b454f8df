//! The family of a comparison: every key at every level, one build against one other, with the error
//! that they share.
//!
//! For: the q behind `only`, `more` and `less`. Derivation in `docs/methods/endpoints.md`.
//! Promises: where two builds are the same program, any q at or below [`ALPHA`] at any level comes up
//! in at most [`ALPHA`] of studies, however the keys depend on each other; and within a level the
//! false-discovery rate is that of Benjamini–Hochberg, since q is never below its value.

use crate::bits::Bits;
use crate::fisher::Margin;
use crate::relabel;
use crate::step::{benjamini_hochberg, smallest_benjamini_hochberg};
use crate::tarone;
use std::cell::OnceCell;

/// Share of studies in which a false alarm is allowed.
pub const ALPHA: f64 = 0.05;
/// Relabellings drawn where there are more than these.
pub const RELABELLINGS: u64 = 1999;
/// Adjusted values that differ by less are equal: the same tables, summed in another order.
const TIE: f64 = 1.0 + 1e-9;

/// Two groups of runs that are held against each other, as sets over all runs of the study.
#[derive(Clone, Debug)]
pub struct Contrast {
    pub build: Bits,
    pub reference: Bits,
    /// Contrasts in the study: each takes its equal share of the error (Bonferroni).
    pub contrasts: u64,
    pub relabellings: u64,
    pub seed: u64,
}

/// One key in one contrast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// Runs of the build, and of the reference, with a contact.
    pub build: u64,
    pub reference: u64,
    /// Fisher's exact test, two-sided.
    pub p: f64,
    /// Adjusted for all keys, levels and contrasts; absent where Tarone's screening left the key out.
    pub q: Option<f64>,
}

impl Test {
    pub fn significant(&self) -> bool {
        self.q.is_some_and(|q| q <= ALPHA)
    }
}

/// Tests every key of every level; a key that neither group contacted is no test.
pub fn test<'a>(levels: &[Vec<&'a Bits>], contrast: &Contrast) -> Vec<Vec<Option<Test>>> {
    let margins = Margins::new(contrast);
    let mut families: Vec<Family<'a>> =
        levels.iter().map(|keys| Family::new(keys, contrast, &margins)).collect();
    let least = families.iter().flat_map(|family| &family.q).copied().fold(1.0, f64::min);
    if least <= ALPHA {
        share_error(&mut families, contrast, &margins);
    }
    families.into_iter().zip(levels).map(|(family, keys)| family.tests(keys, contrast, &margins)).collect()
}

/// Raises each q to the chance that relabelled runs show anything as extreme at any level.
fn share_error(families: &mut [Family], contrast: &Contrast, margins: &Margins) {
    let pool: Vec<usize> = contrast.build.members().chain(contrast.reference.members()).collect();
    let width = pool.iter().max().map_or(0, |last| last + 1);
    let size = contrast.build.count() as usize;
    let levels: Vec<_> = families.iter().map(|family| family.tallies(width, margins)).collect();
    let mut extremes = Vec::new();
    let mut below_alpha = Vec::new();
    let tried = relabel::each(&pool, size, width, contrast.relabellings, contrast.seed, |build| {
        let least = levels.iter().map(|level| smallest_q(level, build, &mut below_alpha));
        extremes.extend(Some(least.fold(1.0, f64::min)).filter(|q| *q <= ALPHA));
    });
    extremes.sort_unstable_by(f64::total_cmp);
    drop(levels);
    for q in families.iter_mut().flat_map(|family| &mut family.q) {
        let hits = extremes.partition_point(|extreme| *extreme <= q.min(ALPHA) * TIE);
        *q = q.max(tried.p(hits as u64) * contrast.contrasts as f64).min(1.0);
    }
}

/// Fisher's test for every number of runs with a contact.
struct Margins {
    /// By that number; those that were asked for.
    known: Vec<OnceCell<Margin>>,
    /// Runs of the build, and of the reference.
    build: u64,
    reference: u64,
}

impl Margins {
    fn new(contrast: &Contrast) -> Self {
        let (build, reference) = (contrast.build.count(), contrast.reference.count());
        Self { known: vec![OnceCell::new(); (build + reference) as usize + 1], build, reference }
    }

    fn of(&self, contacts: u64) -> &Margin {
        let cell = usize::try_from(contacts).ok().and_then(|at| self.known.get(at)).unwrap_or(&self.known[0]);
        cell.get_or_init(|| Margin::new(contacts, self.build, self.reference))
    }
}

/// The keys of one level that stay after Tarone's screening.
struct Family<'a> {
    /// Position among the level's keys, runs with a contact, and their number in both builds.
    keys: Vec<(usize, &'a Bits, u64)>,
    q: Vec<f64>,
}

impl<'a> Family<'a> {
    fn new(keys: &[&'a Bits], contrast: &Contrast, margins: &Margins) -> Self {
        let contacts =
            |present: &Bits| present.count_in(&contrast.build) + present.count_in(&contrast.reference);
        let all = keys.iter().enumerate().map(|(at, present)| (at, *present, contacts(present)));
        let met: Vec<(usize, &Bits, u64)> = all.filter(|(_, _, contacts)| *contacts > 0).collect();
        let smallest: Vec<f64> =
            met.iter().map(|(_, _, contacts)| margins.of(*contacts).smallest()).collect();
        let stay = tarone::stay(&smallest, ALPHA);
        let keys: Vec<_> =
            met.into_iter().zip(stay).filter_map(|(key, stays)| stays.then_some(key)).collect();
        let p: Vec<f64> =
            keys.iter().map(|(_, present, k)| margins.of(*k).p(present.count_in(&contrast.build))).collect();
        Self { keys, q: benjamini_hochberg(&p) }
    }

    fn tallies<'m>(&self, width: usize, margins: &'m Margins) -> Vec<Tally<'a, 'm>> {
        let keys = self.keys.iter();
        keys.map(|(_, present, k)| Tally {
            margin: margins.of(*k),
            present,
            // Looking up a few runs is cheaper than going through all words of the set.
            few: (present.count() < width as u64 / 64).then(|| present.members().collect()),
        })
        .collect()
    }

    fn tests(self, keys: &[&Bits], contrast: &Contrast, margins: &Margins) -> Vec<Option<Test>> {
        let mut tests: Vec<Option<Test>> = keys
            .iter()
            .map(|present| {
                let (build, reference) =
                    (present.count_in(&contrast.build), present.count_in(&contrast.reference));
                let p = margins.of(build + reference).p(build);
                (build + reference > 0).then_some(Test { build, reference, p, q: None })
            })
            .collect();
        for ((at, _, _), q) in self.keys.into_iter().zip(self.q) {
            if let Some(Some(test)) = tests.get_mut(at) {
                test.q = Some(q);
            }
        }
        tests
    }
}

/// A key as relabelling sees it: how many of its contacts would have been the build's, and the p of that.
struct Tally<'a, 'm> {
    margin: &'m Margin,
    present: &'a Bits,
    /// Its runs, where they are few.
    few: Option<Vec<usize>>,
}

impl Tally<'_, '_> {
    fn p(&self, build: &Bits) -> f64 {
        self.margin.p(match &self.few {
            Some(runs) => runs.iter().filter(|run| build.contains(**run)).count() as u64,
            None => self.present.count_in(build),
        })
    }
}

/// The smallest Benjamini–Hochberg value of a level, had `build` been the build's runs. Values above
/// [`ALPHA`] are not followed: no p above it can give a q below it.
fn smallest_q(level: &[Tally], build: &Bits, scratch: &mut Vec<f64>) -> f64 {
    scratch.clear();
    scratch.extend(level.iter().map(|key| key.p(build)).filter(|p| *p <= ALPHA));
    smallest_benjamini_hochberg(scratch, level.len())
}
