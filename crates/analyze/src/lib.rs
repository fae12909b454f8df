//! Asks: observations of runs become findings.
//!
//! For: the questions (which servers belong to one build, and how sure is that) and their statistics.
//! Promises: pure; the same runs and the same seed give the same findings, to the last bit.
//! To extend: a question is one file here with its method note in `docs/methods/`.

#![forbid(unsafe_code)]

use overheard_model::{Comparison, Plan, Run, Study};

/// Compares the builds of a study: the table, its tests, its bounds and its control.
pub fn compare(_study: &Study, _runs: &[Run]) -> Comparison {
    todo!()
}

/// Runs needed to find a server that one build contacts at `rate` and the reference at
/// `reference_rate` among `keys` endpoints, with a false alarm in at most `alpha` of studies.
pub fn plan(_rate: f64, _reference_rate: f64, _keys: u64, _alpha: f64, _target: f64) -> Plan {
    todo!()
}
