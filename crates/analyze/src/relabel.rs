//! Relabelling runs: which runs would be whose, had the labels fallen otherwise.
//!
//! For: every test that asks how often chance alone does as much as was seen.
//! Promises: all relabellings where there are few, else a seeded sample; a sampled p is never below
//! what the sample can carry (Phipson and Smyth 2010, *SAGMB* 9, 39).

use crate::bits::Bits;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use statrs::function::factorial::ln_binomial;

/// How many relabellings were visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tried {
    pub count: u64,
    /// All there are, the one seen among them.
    pub exact: bool,
}

impl Tried {
    /// The p-value of an outcome that `hits` of the relabellings reach: exact, or (b+1)/(m+1).
    pub(crate) fn p(self, hits: u64) -> f64 {
        match self.exact {
            true => hits as f64 / self.count.max(1) as f64,
            false => (hits + 1) as f64 / (self.count + 1) as f64,
        }
    }
}

/// Number of ways to choose `size` of `n`, as a float since it overflows early.
pub(crate) fn ways(n: usize, size: usize) -> f64 {
    ln_binomial(n as u64, size as u64).exp().round()
}

/// Calls `visit` with ways to choose `size` of the runs in `pool`, as sets of the given `width`: all
/// ways if these are at most `limit`, else `limit` random ones.
pub(crate) fn each(
    pool: &[usize],
    size: usize,
    width: usize,
    limit: u64,
    seed: u64,
    mut visit: impl FnMut(&Bits),
) -> Tried {
    if ways(pool.len(), size) <= limit as f64 {
        return Tried { count: every(pool, size, width, visit), exact: true };
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut pool = pool.to_vec();
    let mut chosen = Bits::empty(width);
    for _ in 0..limit {
        chosen.clear();
        pool.partial_shuffle(&mut random, size).0.iter().for_each(|&run| chosen.insert(run));
        visit(&chosen);
    }
    Tried { count: limit, exact: false }
}

/// Combinations in lexicographic order: the last index that can still rise rises.
fn every(pool: &[usize], size: usize, width: usize, mut visit: impl FnMut(&Bits)) -> u64 {
    let mut indices: Vec<usize> = (0..size).collect();
    let mut count = 0;
    loop {
        visit(&Bits::of(width, indices.iter().filter_map(|&index| pool.get(index).copied())));
        count += 1;
        let Some(rises) = (0..size).rev().find(|&at| indices[at] < pool.len() - size + at) else {
            return count;
        };
        let from = indices[rises] + 1;
        (rises..size).for_each(|at| indices[at] = from + at - rises);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn visited(pool: &[usize], size: usize, limit: u64) -> (Tried, Vec<Bits>) {
        let mut sets = Vec::new();
        let tried = each(pool, size, 100, limit, 7, |set| sets.push(set.clone()));
        (tried, sets)
    }

    #[test]
    fn few_are_all_visited_once() {
        let (tried, sets) = visited(&[3, 70, 71, 72, 99, 5], 3, 100);
        assert_eq!(tried, Tried { count: 20, exact: true });
        assert_eq!(sets.iter().collect::<HashSet<_>>().len(), 20);
        assert!(sets.iter().all(|set| set.count() == 3));
    }

    #[test]
    fn many_are_sampled_and_the_seed_decides() {
        let pool: Vec<usize> = (0..40).collect();
        let (tried, sets) = visited(&pool, 20, 50);
        assert_eq!(tried, Tried { count: 50, exact: false });
        assert_eq!(sets, visited(&pool, 20, 50).1);
        assert!(sets.iter().all(|set| set.count() == 20));
    }

    #[test]
    fn a_sampled_p_is_never_zero() {
        assert_eq!(Tried { count: 999, exact: false }.p(0), 0.001);
        assert_eq!(Tried { count: 20, exact: true }.p(2), 0.1);
    }
}
