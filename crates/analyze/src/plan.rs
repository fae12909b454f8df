//! Sample sizes: how many runs a study needs before it can prove anything.
//!
//! Promises: exact power of Fisher's test at the share of the error that a key is sure of, whatever the
//! other keys do (Bonferroni over levels × keys): the procedure itself finds at least as much.

use crate::interval::absence_bound;
use crate::needed::{Prospect, least_runs, power};
use overheard_model::{Cell, Level, Plan, Power};

/// Numbers of runs that the table shows.
const RUNS: [u64; 16] = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60, 100];

/// Runs needed to find a server that one build contacts at `rate` and the reference at
/// `reference_rate` among `keys` endpoints, with a false alarm in at most `alpha` of studies and the
/// power `target`.
pub fn plan(rate: f64, reference_rate: f64, keys: u64, alpha: f64, target: f64) -> Plan {
    let unseen = |rate: f64| Prospect { seen: Cell { present: 0, runs: 0 }, rate };
    let (often, seldom) = (unseen(rate.max(reference_rate)), unseen(rate.min(reference_rate)));
    let threshold = alpha / (Level::ALL.len() as u64 * keys.max(1)) as f64;
    let row = |runs: u64| Power {
        runs,
        power: power(often, seldom, runs, threshold),
        absence_bound: absence_bound(runs),
    };
    Plan {
        rate,
        reference_rate,
        keys,
        alpha,
        target,
        runs_needed: least_runs(often, seldom, threshold, target),
        runs_needed_concern: least_runs(often, seldom, alpha, target),
        table: RUNS.map(row).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_runs_find_seven_in_ten_among_sixty() {
        let plan = plan(0.7, 0.0, 60, 0.05, 0.95);
        let twenty = plan.table.iter().find(|row| row.runs == 20).unwrap();
        assert!((twenty.power - 0.952_038).abs() < 1e-6);
        assert_eq!(plan.runs_needed, Some(20));
        assert!(plan.runs_needed_concern < plan.runs_needed);
        assert_eq!(plan.table[0].power, 0.0);
    }

    #[test]
    fn equal_rates_need_no_number() {
        assert_eq!(plan(0.5, 0.5, 60, 0.05, 0.8).runs_needed, None);
    }
}
