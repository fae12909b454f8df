//! Relations of a build to the reference: `only`, `more`, `less`, `shared`, `unproven`.
//!
//! Promises: nothing but `shared` and `unproven` without q ≤ 0.05; an `unproven` says how many further
//! runs would settle it, where a number within reach would.

use crate::family::{ALPHA, Test};
use crate::{interval, needed};
use overheard_model::{Cell, Level, Relation, RelationResult};
use std::collections::HashMap;

/// The relation that a test shows, at these numbers of runs.
pub(crate) fn of(test: &Test, runs: u64, reference_runs: u64) -> Relation {
    let often =
        u128::from(test.build) * u128::from(reference_runs) > u128::from(test.reference) * u128::from(runs);
    match (test.significant(), test.build, test.reference) {
        (true, 1.., 0) => Relation::Only,
        (true, _, _) if often => Relation::More,
        (true, _, _) => Relation::Less,
        (false, 1.., 1..) => Relation::Shared,
        (false, _, _) => Relation::Unproven,
    }
}

/// The p that a key must reach whatever the other keys do: its level's share of its contrast's share,
/// divided by the keys of the level (Bonferroni).
pub(crate) fn threshold(keys: usize, contrasts: u64) -> f64 {
    ALPHA / (Level::ALL.len() as u64 * contrasts.max(1) * keys.max(1) as u64) as f64
}

/// Turns the tests of one level in one contrast into relations.
#[derive(Debug)]
pub(crate) struct Relations {
    runs: u64,
    reference_runs: u64,
    threshold: f64,
    /// Further runs by cell: most open keys share a few.
    further: HashMap<(u64, u64), Option<u64>>,
}

impl Relations {
    /// `keys` is the number of tests at the level.
    pub(crate) fn new(runs: u64, reference_runs: u64, keys: usize, contrasts: u64) -> Self {
        Self { runs, reference_runs, threshold: threshold(keys, contrasts), further: HashMap::new() }
    }

    pub(crate) fn result(&mut self, test: &Test) -> RelationResult {
        let build = Cell { present: test.build, runs: self.runs };
        let reference = Cell { present: test.reference, runs: self.reference_runs };
        let interval = interval::difference(build, reference);
        let relation = of(test, self.runs, self.reference_runs);
        RelationResult {
            relation,
            difference: interval::rate(build) - interval::rate(reference),
            low: interval.low,
            high: interval.high,
            p: test.p,
            q: test.q,
            runs_needed: match relation {
                Relation::Unproven => self.further(build, reference),
                _ => None,
            },
        }
    }

    fn further(&mut self, build: Cell, reference: Cell) -> Option<u64> {
        let further = || needed::further_runs(build, reference, self.threshold);
        *self.further.entry((build.present, reference.present)).or_insert_with(further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(build: u64, reference: u64, q: Option<f64>) -> Test {
        Test { build, reference, p: 0.01, q }
    }

    #[test]
    fn nothing_is_only_without_its_q() {
        assert_eq!(of(&test(8, 0, Some(0.01)), 8, 8), Relation::Only);
        assert_eq!(of(&test(8, 0, Some(0.051)), 8, 8), Relation::Unproven);
        assert_eq!(of(&test(8, 0, None), 8, 8), Relation::Unproven);
    }

    #[test]
    fn rates_decide_not_counts() {
        assert_eq!(of(&test(8, 10, Some(0.01)), 8, 40), Relation::More);
        assert_eq!(of(&test(10, 8, Some(0.01)), 40, 8), Relation::Less);
        assert_eq!(of(&test(0, 8, Some(0.01)), 8, 8), Relation::Less);
        assert_eq!(of(&test(8, 8, None), 8, 8), Relation::Shared);
    }
}
