//! Is what was written dropped, or copied away? Two outcomes of randomized trials, judged apart and then together.
//!
//! For: `overheard uploads`, and the calibration of `overheard keywords`. Derived in `docs/methods/uploads.md`.
//! Promises: a false alarm, of either kind, in at most 0.5 % of studies in which nothing is filtered, whatever the
//! client's chatter is like, as long as arms were assigned at random; in at most 1 % of studies that are gone on with for
//! as long as anyone likes. The same trials and seed give the same answer.
//! To extend: what could show an upload is a line in `measure`.

mod cut;
mod detectable;
mod effects;
mod family;
mod levels;
mod measure;

pub use cut::{Cut, rate};

use crate::fisher;
use family::Family;
use overheard_model::{Arm, DropTest, Outcome, Trial, Upload, Uploads};
use std::collections::BTreeMap;

/// Error allowed to each of the two outcomes, at the first look; at each further look, half of that of the one before.
const ALPHA: f64 = 0.0025;

/// Judges trials that nobody looked at before.
pub fn judge(trials: &[Trial], seed: u64) -> Uploads {
    judge_again(trials, 1, seed)
}

/// Judges the trials: the arms, and each level of each factor, which share the error. Of so many looks at them this is
/// the last; at each there were twice as many as at the one before.
pub fn judge_again(trials: &[Trial], looks: u32, seed: u64) -> Uploads {
    let levels = levels::of(trials);
    let tests = (1.0 + levels.len() as f64) * 2_f64.powi(looks.saturating_sub(1) as i32);
    let adjusted = |p: f64| (p * tests).min(1.0);
    let family = Family::new(trials);
    let mut drops = vec![dropped(trials)];
    let tested = family.test(ALPHA / tests, seed);
    let (mut copied_p, mut uploads) = (tested.p, tested.uploads);
    for level in levels {
        drops.push(level.dropped(trials));
        let tested = level.copied(trials, ALPHA / tests, seed);
        copied_p = copied_p.min(tested.p);
        uploads
            .extend(tested.uploads.into_iter().map(|upload| Upload { factors: level.factors(), ..upload }));
    }
    uploads.iter_mut().for_each(|upload| upload.p = adjusted(upload.p));
    let mut effects = effects::on_arrivals(trials);
    effects.extend(uploads.iter().flat_map(|upload| effects::on_upload(trials, upload)));
    for test in &mut drops {
        test.p = adjusted(test.p);
        test.dropped = test.p <= ALPHA;
    }
    let copied_p = adjusted(copied_p);
    let (dropped, copied) = (drops.iter().any(|test| test.dropped), copied_p <= ALPHA);
    Uploads {
        outcome: match (dropped, copied) {
            (true, true) => Outcome::Both,
            (true, false) => Outcome::Dropped,
            (false, true) => Outcome::Copied,
            (false, false) => Outcome::Neither,
        },
        drops,
        copied_p,
        looks,
        detectable: if copied { Vec::new() } else { detectable::of(&family, tested.critical, seed) },
        uploads,
        effects,
    }
}

/// Whether triggers arrive as often as benign messages, whose losses are the yardstick.
fn dropped(trials: &[Trial]) -> DropTest {
    let of_arm =
        |arm: Arm| trials.iter().filter(move |trial| trial.arm == arm).filter_map(|trial| trial.delivered);
    more_lost(of_arm(Arm::Trigger), of_arm(Arm::Benign))
}

/// Fisher's test of whether these arrive as often as those; p is 1 where they do.
fn more_lost(these: impl Iterator<Item = bool>, those: impl Iterator<Item = bool>) -> DropTest {
    let ((lost, arrived), (others_lost, others_arrived)) = (fates(these), fates(those));
    let (of, others_of) = (lost + arrived, others_lost + others_arrived);
    // More often lost, by cross-multiplication.
    let p = match lost * others_arrived <= others_lost * arrived {
        true => 1.0,
        false => fisher::two_sided(lost, of, others_lost, others_of),
    };
    DropTest { factors: BTreeMap::new(), lost, of, others_lost, others_of, p, dropped: false }
}

/// How many were lost, and how many arrived.
fn fates(arrived: impl Iterator<Item = bool>) -> (u64, u64) {
    arrived.fold((0, 0), |(lost, delivered), arrived| {
        (lost + u64::from(!arrived), delivered + u64::from(arrived))
    })
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

    #[test]
    fn too_few_trials_would_have_shown_no_upload() {
        let of = |each| {
            let all = [trials(Arm::Trigger, 0, each), trials(Arm::Benign, 0, each)].concat();
            judge(&all, 1).detectable[0].bytes
        };
        assert_eq!(of(3), None, "1 of 20 relabellings is 0.05");
        assert_eq!(of(6), Some(100), "1 of 924 is less than 0.0025");
    }
}
