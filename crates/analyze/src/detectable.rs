//! What a study would have found: the contact rate above which nothing stays hidden.
//!
//! Promises: exact power of Fisher's test at the share of the error that a key is sure of.

use crate::needed::{Prospect, power};
use overheard_model::Cell;

/// The certainty with which a server at the rate would have been found.
const CERTAINTY: f64 = 0.95;

/// The lowest contact rate, in steps of 5 %, that one build at `runs` runs would have shown against a
/// silent other at `reference_runs`; none where not even contacts in every run would have.
pub(crate) fn detectable_rate(runs: u64, reference_runs: u64, threshold: f64) -> Option<f64> {
    let fewer = runs.min(reference_runs);
    let (none, further) = (Cell { present: 0, runs: 0 }, fewer);
    let found = |rate: f64| {
        power(Prospect { seen: none, rate }, Prospect { seen: none, rate: 0.0 }, further, threshold)
    };
    (1..=20).map(|step| f64::from(step) / 20.0).find(|rate| found(*rate) >= CERTAINTY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_runs_show_seven_tenths_among_sixty() {
        assert_eq!(detectable_rate(20, 20, 0.05 / 240.0), Some(0.7));
        assert_eq!(detectable_rate(40, 20, 0.05 / 240.0), Some(0.7));
    }

    #[test]
    fn too_few_runs_show_nothing() {
        assert_eq!(detectable_rate(3, 3, 0.05 / 240.0), None);
        assert_eq!(detectable_rate(0, 9, 0.05), None);
    }
}
