//! Is what was written dropped, or copied away? Two outcomes of randomized trials, judged apart and then together.
//!
//! For: `overheard uploads`. Derived in `docs/methods/uploads.md`.
//! Promises: a false alarm, of either kind, in at most 0.5 % of studies in which nothing is filtered, whatever the
//! client's chatter is like, as long as arms were assigned at random. The same trials and seed give the same answer.
//! To extend: what could show an upload is a line in `measure`.

mod detectable;
mod effects;
mod family;
mod measure;

use crate::fisher;
use family::Family;
use overheard_model::{Arm, Outcome, Trial, Uploads};

/// Error allowed to each of the two outcomes.
const ALPHA: f64 = 0.0025;

/// Judges the trials.
pub fn judge(trials: &[Trial], seed: u64) -> Uploads {
    let dropped_p = dropped(trials);
    let family = Family::new(trials);
    let tested = family.test(ALPHA, seed);
    let dropped = dropped_p <= ALPHA;
    let copied = tested.p <= ALPHA;
    Uploads {
        outcome: match (dropped, copied) {
            (true, true) => Outcome::Both,
            (true, false) => Outcome::Dropped,
            (false, true) => Outcome::Copied,
            (false, false) => Outcome::Neither,
        },
        dropped_p,
        copied_p: tested.p,
        detectable: if copied { Vec::new() } else { detectable::of(&family, tested.critical, seed) },
        uploads: tested.uploads,
        effects: effects::of(trials),
    }
}

/// One-sided p that triggers arrive as often as benign messages, whose losses are the yardstick.
fn dropped(trials: &[Trial]) -> f64 {
    let count = |arm: Arm, delivered: bool| {
        let of_arm = trials.iter().filter(|trial| trial.arm == arm);
        of_arm.filter(|trial| trial.delivered == Some(delivered)).count() as u64
    };
    let (lost, arrived) = (count(Arm::Trigger, false), count(Arm::Trigger, true));
    let (benign_lost, benign_arrived) = (count(Arm::Benign, false), count(Arm::Benign, true));
    // More often lost than benign ones, by cross-multiplication.
    if lost * benign_arrived <= benign_lost * arrived {
        return 1.0;
    }
    fisher::two_sided(lost, lost + arrived, benign_lost, benign_lost + benign_arrived)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(arm: Arm, lost: usize, arrived: usize) -> Vec<Trial> {
        let trial = |delivered| Trial {
            arm,
            delivered: Some(delivered),
            traffic: Default::default(),
            factors: Default::default(),
        };
        let lost = std::iter::repeat_n(trial(false), lost);
        lost.chain(std::iter::repeat_n(trial(true), arrived)).collect()
    }

    #[test]
    fn losses_are_held_against_benign_losses() {
        let of = |lost, benign_lost| {
            let mut all = trials(Arm::Trigger, lost, 20 - lost);
            all.extend(trials(Arm::Benign, benign_lost, 20 - benign_lost));
            judge(&all, 1).outcome
        };
        assert_eq!(of(20, 2), Outcome::Dropped);
        assert_eq!(of(3, 1), Outcome::Neither);
        assert_eq!(of(2, 20), Outcome::Neither);
        assert_eq!(judge(&[], 1).outcome, Outcome::Neither);
    }
}
