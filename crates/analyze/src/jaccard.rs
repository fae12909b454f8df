//! Whether two builds' server sets differ at all: a permutation test on Jaccard distances of runs.
//!
//! Source: the distance-based test of Mielke, Berry and Johnson 1976 (MRPP; *Communications in
//! Statistics* A5, 1409), with the mean distance between builds minus that within as statistic.
//! Promises: exact where the labellings can be listed; with one run each it abstains, since p = 1.

use crate::bits::Bits;
use crate::family::ALPHA;
use crate::relabel;
use overheard_model::{Distinguishable, Verdict};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Relabellings drawn where there are more than these.
pub const RELABELLINGS: u64 = 1999;
/// Runs of each build that enter; of more, a seeded sample: distances grow with their square.
const RUNS: usize = 100;

/// Distances of every two runs, and which of them are the build's.
struct Distances {
    runs: usize,
    between: Vec<f64>,
}

impl Distances {
    fn new(sets: &[Bits]) -> Self {
        let mut between = vec![0.0; sets.len() * sets.len()];
        for (row, a) in sets.iter().enumerate() {
            for (column, b) in sets.iter().enumerate().take(row) {
                let distance = jaccard(a, b);
                between[row * sets.len() + column] = distance;
                between[column * sets.len() + row] = distance;
            }
        }
        Self { runs: sets.len(), between }
    }

    /// Mean distance between the runs in `build` and the others, minus the mean within either.
    fn statistic(&self, build: &Bits) -> f64 {
        let (mut across, mut within, mut pairs_across, mut pairs_within) = (0.0, 0.0, 0u64, 0u64);
        for row in 0..self.runs {
            for column in 0..row {
                let distance = self.between[row * self.runs + column];
                match build.contains(row) == build.contains(column) {
                    true => (within, pairs_within) = (within + distance, pairs_within + 1),
                    false => (across, pairs_across) = (across + distance, pairs_across + 1),
                }
            }
        }
        across / pairs_across.max(1) as f64 - within / pairs_within.max(1) as f64
    }
}

/// 1 − shared / all; two empty sets are alike.
fn jaccard(a: &Bits, b: &Bits) -> f64 {
    let shared = a.count_in(b);
    match a.count() + b.count() - shared {
        0 => 0.0,
        all => 1.0 - shared as f64 / all as f64,
    }
}

/// How often relabelled runs differ as much as those seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permuted {
    pub statistic: f64,
    pub p: f64,
    pub tried: relabel::Tried,
    /// Runs of the build and of the reference that entered.
    runs: (usize, usize),
}

/// Relabels the runs in all ways, or in `relabellings` random ones where there are more.
pub(crate) fn permuted(build: &[Bits], reference: &[Bits], relabellings: u64, seed: u64) -> Permuted {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut some = |sets: &[Bits]| {
        let mut sets: Vec<&Bits> = sets.iter().collect();
        sets.partial_shuffle(&mut random, RUNS).0.iter().map(|set| (*set).clone()).collect::<Vec<_>>()
    };
    let (build, reference) = (some(build), some(reference));
    let (n, all) = (build.len(), build.len() + reference.len());
    let distances = Distances::new(&[build, reference].concat());
    let statistic = distances.statistic(&Bits::of(all, 0..n));
    let pool: Vec<usize> = (0..all).collect();
    let mut hits = 0;
    let tried = relabel::each(&pool, n, all, relabellings, seed, |labels| {
        hits += u64::from(distances.statistic(labels) >= statistic - 1e-12);
    });
    Permuted { statistic, p: tried.p(hits), tried, runs: (n, all - n) }
}

/// Compares the runs of a build with those of the reference, each a set of addresses. `contrasts` is
/// the number of builds so compared, which share the error (Bonferroni).
pub fn distinguishable(build: &[Bits], reference: &[Bits], contrasts: u64, seed: u64) -> Distinguishable {
    let Permuted { statistic, p, tried, runs: (n, m) } = permuted(build, reference, RELABELLINGS, seed);
    let smallest_p = if tried.exact { smallest(n, m) } else { tried.p(0) };
    let threshold = ALPHA / contrasts.max(1) as f64;
    let able = smallest_p <= threshold;
    Distinguishable {
        p,
        smallest_p,
        statistic,
        permutations: tried.count,
        exact: tried.exact,
        verdict: if p <= threshold { Verdict::Support } else { Verdict::Abstain },
        runs_needed: if able { None } else { further(n, m, threshold) },
    }
}

/// The smallest p that the labellings of n and m runs allow; with n = m each has a mirror image.
fn smallest(n: usize, m: usize) -> f64 {
    let mirrored = if n == m { 2.0 } else { 1.0 };
    (mirrored / relabel::ways(n + m, n)).min(1.0)
}

/// Further runs of each with which the test could reach the threshold at all.
fn further(n: usize, m: usize, threshold: f64) -> Option<u64> {
    (1..100).find(|more| smallest(n + more, m + more) <= threshold).map(|more| more as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets<const N: usize>(members: [&[usize]; N]) -> [Bits; N] {
        members.map(|run| Bits::of(10, run.iter().copied()))
    }

    #[test]
    fn distances_are_shares_of_what_is_not_shared() {
        let [a, b, none] = &sets([&[1, 2, 3], &[2, 3, 4], &[]]);
        assert_eq!(jaccard(a, b), 0.5);
        assert_eq!((jaccard(a, a), jaccard(a, none), jaccard(none, none)), (0.0, 1.0, 0.0));
    }

    #[test]
    fn four_runs_each_of_disjoint_sets_are_told_apart() {
        let (a, b) = (sets([&[1, 2]; 4]), sets([&[7, 8]; 4]));
        let result = distinguishable(&a, &b, 1, 0);
        assert_eq!((result.statistic, result.permutations, result.exact), (1.0, 70, true));
        assert_eq!((result.p, result.smallest_p), (2.0 / 70.0, 2.0 / 70.0));
        assert_eq!((result.verdict, result.runs_needed), (Verdict::Support, None));
        // With two builds held against the reference each has half of the error.
        let shared = distinguishable(&a, &b, 2, 0);
        assert_eq!((shared.verdict, shared.runs_needed), (Verdict::Abstain, Some(1)));
    }

    #[test]
    fn runs_of_one_build_are_not_told_apart() {
        let runs = sets([&[1, 2], &[2, 3], &[1, 3], &[1, 2, 3], &[2], &[1, 2]]);
        let result = distinguishable(&runs[..3], &runs[3..], 1, 0);
        assert_eq!(result.verdict, Verdict::Abstain);
        assert!(result.p >= result.smallest_p);
    }

    #[test]
    fn many_runs_are_sampled() {
        let (a, b) = (sets([&[1, 2]; 150]), sets([&[1, 3]; 150]));
        let result = distinguishable(&a, &b, 1, 0);
        assert_eq!((result.exact, result.p, result.smallest_p), (false, 1.0 / 2000.0, 1.0 / 2000.0));
    }
}
