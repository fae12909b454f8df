//! A study that could stop early: the same comparison, with the price of having looked.
//!
//! Promises: every q is divided by the share of the error that its look may spend, so that q ≤ 0.05 means what it means
//! in a study of fixed size; a concern's p is 1/e, valid whenever the study stopped.

use super::{Look, Placed, Standing, standings};
use crate::keys::Contrasted;
use overheard_model::{ConcernTest, Run, Study, Verdict, Warning};

/// How a study came to its end.
#[derive(Clone, Copy, Debug)]
pub struct Stopped<'a> {
    /// Parallel to the runs.
    pub placed: &'a [Placed],
    /// The look at which it stopped.
    pub look: Look,
    /// Blocks at most.
    pub ceiling: u32,
}

impl Stopped<'_> {
    /// Has every q pay for the looks.
    pub(crate) fn spend(&self, contrasts: &mut [Contrasted]) {
        let tests = contrasts.iter_mut().flat_map(|contrast| contrast.tests.iter_mut().flatten().flatten());
        for q in tests.filter_map(|test| test.q.as_mut()) {
            *q = (*q / self.look.share).min(1.0);
        }
    }

    /// As many contrasts as the test of whole sets must share its error with.
    pub(crate) fn contrasts(&self, contrasts: u64) -> u64 {
        (contrasts as f64 / self.look.share).ceil() as u64
    }

    /// Puts e-values in the place of the tests that suppose a fixed number of runs.
    pub(crate) fn judge(&self, study: &Study, runs: &[Run], tests: &mut [ConcernTest]) {
        let standings = standings(study, runs, self.placed);
        for test in tests {
            let of = |standing: &&Standing| {
                standing.concern == test.concern && study.builds[standing.build].name == test.build
            };
            let Some(standing) = standings.iter().find(of) else { continue };
            test.p = Some((1.0 / standing.e).min(1.0));
            test.verdict = standing.verdict.unwrap_or(Verdict::Abstain);
            test.runs_needed = test.runs_needed.filter(|_| test.verdict == Verdict::Abstain);
        }
    }

    pub(crate) fn warning(&self) -> Warning {
        let text = format!(
            "the study could stop early and ended after block {} of at most {}: each q pays for the looks (× {:.1}), the p of a concern is 1/e, and intervals are those of a study of fixed size",
            self.look.block,
            self.ceiling,
            1.0 / self.look.share,
        );
        Warning { kind: "optional-stopping".into(), text }
    }
}
