//! Whether the builds' runs alternated in time, or came all of one, then all of the other.
//!
//! Source: the exact distribution of the number of runs (Wald and Wolfowitz 1940, *Annals of
//! Mathematical Statistics* 11, 147), lower tail.
//! Promises: judges dated runs only. Where the order is not mixed, a difference of the builds cannot be
//! told from a change in time.

use crate::execution::Execution;
use overheard_model::Study;
use statrs::function::factorial::ln_binomial;

/// Chance that a random order alternates as little as this one.
const UNLIKELY: f64 = 0.05;

/// How two builds' runs follow each other in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Order {
    /// All runs of one build came before all of the other.
    pub separated: bool,
    /// Chance of so few changes of build in a random order.
    pub p: f64,
}

impl Order {
    /// `labels` in time order: true for the build, false for the reference. None with fewer than two
    /// runs of either.
    pub(crate) fn of(labels: &[bool]) -> Option<Self> {
        let build = labels.iter().filter(|label| **label).count() as u64;
        let reference = labels.len() as u64 - build;
        if build < 2 || reference < 2 {
            return None;
        }
        let stretches = 1 + labels.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64;
        let p = (2..=stretches).map(|count| probability(count, build, reference)).sum::<f64>().min(1.0);
        Some(Self { separated: stretches == 2, p })
    }

    pub(crate) fn interleaved(self) -> bool {
        !self.separated && self.p > UNLIKELY
    }
}

/// The order of the dated executions of a build and the reference.
pub(crate) fn order(study: &Study, executions: &[Execution], build: usize) -> Option<Order> {
    let both =
        executions.iter().filter(|execution| execution.build == build || execution.build == study.reference);
    let mut dated: Vec<_> =
        both.filter_map(|execution| Some((execution.began?, execution.build == build))).collect();
    dated.sort();
    Order::of(&dated.into_iter().map(|(_, own)| own).collect::<Vec<_>>())
}

/// Chance of exactly `stretches` unbroken stretches in a random order of n and m labels.
fn probability(stretches: u64, n: u64, m: u64) -> f64 {
    let split = |runs: u64, parts: u64| match parts {
        0 => f64::NEG_INFINITY,
        _ if parts > runs => f64::NEG_INFINITY,
        _ => ln_binomial(runs - 1, parts - 1),
    };
    let (low, high) = (stretches / 2, stretches.div_ceil(2));
    let all = ln_binomial(n + m, n);
    (split(n, low) + split(m, high) - all).exp() + (split(n, high) + split(m, low) - all).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(labels: &str) -> Option<Order> {
        Order::of(&labels.chars().map(|label| label == 'A').collect::<Vec<_>>())
    }

    #[test]
    fn all_of_one_then_all_of_the_other_is_separated() {
        let separated = order("AAABBB").unwrap();
        assert!(separated.separated && !separated.interleaved());
        assert!((separated.p - 2.0 / 20.0).abs() < 1e-12);
    }

    #[test]
    fn alternation_is_interleaved() {
        let mixed = order("ABBAABBA").unwrap();
        assert!(mixed.interleaved());
        assert!((order("ABAB").unwrap().p - 1.0).abs() < 1e-12);
        assert_eq!(order("ABBB"), None);
    }

    #[test]
    fn a_few_changes_in_many_runs_are_too_few() {
        // Four stretches or fewer of 8 and 8: (2 + 14 + 98) / 12870.
        let few = order("AAAABBBBAAAABBBB").unwrap();
        assert!((few.p - 114.0 / 12870.0).abs() < 1e-12, "{}", few.p);
        assert!(!few.separated && !few.interleaved());
    }
}
