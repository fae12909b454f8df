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
mod everything;
mod family;
mod levels;
mod measure;

pub use cut::{Cut, rate};

use crate::{fisher, interval};
use family::{Family, Tested};
use overheard_model::{Arm, Cell, DropTest, HINT, Outcome, Trial, Upload, Uploads};
use std::collections::BTreeMap;

/// Error allowed to each of the two outcomes, at the first look; at each further look, half of that of the one before.
const ALPHA: f64 = 0.0025;
/// Chance that more is dropped than the bound says.
const UNCERTAIN: f64 = 0.05;

/// Judges trials that nobody looked at before.
pub fn judge(trials: &[Trial], seed: u64) -> Uploads {
    judge_again(trials, 1, seed)
}

/// Judges the trials: the arms, and each level of each factor, which share the error. Of so many looks at them this is
/// the last; at each there were twice as many as at the one before.
pub fn judge_again(trials: &[Trial], looks: u32, seed: u64) -> Uploads {
    let levels = levels::of(trials);
    let looked = looked(looks);
    let tests = (1.0 + levels.len() as f64) * looked;
    let adjusted = |p: f64| (p * tests).min(1.0);
    let family = Family::new(trials);
    let mut drops = vec![dropped(trials)];
    drops.extend(levels.iter().map(|level| level.dropped(trials)));
    let uploads_of = |tested: Tested, factors: BTreeMap<String, String>| {
        let uploads = tested.uploads.into_iter();
        uploads.map(move |upload| Upload { factors: factors.clone(), p: adjusted(upload.p), ..upload })
    };
    let copies = |alpha: f64| {
        let tested = family.test(alpha / tests, seed);
        let (mut p, critical) = (tested.p, tested.critical);
        let mut uploads: Vec<Upload> = uploads_of(tested, BTreeMap::new()).collect();
        for level in &levels {
            let tested = level.copied(trials, alpha / tests, seed);
            p = p.min(tested.p);
            uploads.extend(uploads_of(tested, level.factors()));
        }
        (adjusted(p), critical, uploads)
    };
    let (copied_p, critical, uploads) = copies(ALPHA);
    let copied = copied_p <= ALPHA;
    let hints = if !copied && copied_p <= HINT { copies(HINT).2 } else { Vec::new() };
    let mut effects = effects::on_arrivals(trials);
    effects.extend(uploads.iter().flat_map(|upload| effects::on_upload(trials, upload)));
    for test in &mut drops {
        test.p = adjusted(test.p);
        test.dropped = test.p <= ALPHA;
        let lost = Cell { present: test.lost, runs: test.of };
        test.at_most = interval::clopper_pearson(lost, 2.0 * UNCERTAIN / looked).high;
    }
    let mut after_every_message = everything::of(trials, ALPHA / looked, seed);
    after_every_message.iter_mut().flatten().for_each(|upload| upload.p = (upload.p * looked).min(1.0));
    let dropped = drops.iter().any(|test| test.dropped);
    Uploads {
        outcome: outcome(dropped, copied),
        drops,
        copied_p,
        looks,
        detectable: if copied { Vec::new() } else { detectable::of(&family, critical, ALPHA / tests, seed) },
        after_every_message,
        hints,
        uploads,
        effects,
    }
}

/// Takes back what is said to be dropped where it is no proof any more if so many of what was lost did arrive: late, or
/// altered, so that nobody knew it.
pub fn spare(judged: &mut Uploads, otherwise: u64) {
    let tests = judged.drops.len() as f64 * looked(judged.looks);
    for test in judged.drops.iter_mut().filter(|test| test.dropped) {
        let lost = test.lost.saturating_sub(otherwise);
        test.dropped = p_of_loss((lost, test.of), (test.others_lost, test.others_of)) * tests <= ALPHA;
    }
    let copied = matches!(judged.outcome, Outcome::Copied | Outcome::Both);
    judged.outcome = outcome(judged.drops.iter().any(|test| test.dropped), copied);
}

fn outcome(dropped: bool, copied: bool) -> Outcome {
    match (dropped, copied) {
        (true, true) => Outcome::Both,
        (true, false) => Outcome::Dropped,
        (false, true) => Outcome::Copied,
        (false, false) => Outcome::Neither,
    }
}

/// By what the looks taken divide the error that is allowed.
fn looked(looks: u32) -> f64 {
    2_f64.powi(looks.saturating_sub(1) as i32)
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
    let p = p_of_loss((lost, of), (others_lost, others_of));
    DropTest { factors: BTreeMap::new(), lost, of, others_lost, others_of, p, at_most: 1.0, dropped: false }
}

/// Of Fisher's test of whether more of these are lost than of those; 1 where they are not.
fn p_of_loss((lost, of): (u64, u64), (others_lost, others_of): (u64, u64)) -> f64 {
    // By cross-multiplication.
    match lost * others_of <= others_lost * of {
        true => 1.0,
        false => fisher::two_sided(lost, of, others_lost, others_of),
    }
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
    use overheard_model::Traffic;

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

    fn lost(triggers: usize, benign: usize, each: usize) -> Vec<Trial> {
        let of = |arm, lost| trials(arm, lost, each - lost);
        [of(Arm::Trigger, triggers), of(Arm::Benign, benign)].concat()
    }

    #[test]
    fn what_may_have_been_dropped_has_a_bound() {
        let bound = |lost_of: Vec<Trial>, looks| judge_again(&lost_of, looks, 1).drops[0].at_most;
        // The rule of three, and tables of Clopper and Pearson's 90 % limits.
        assert!((bound(lost(0, 0, 20), 1) - (1.0 - 0.05_f64.powf(0.05))).abs() < 1e-9);
        assert!((bound(lost(4, 0, 20), 1) - 0.4010).abs() < 1e-3);
        assert!(bound(lost(0, 0, 20), 2) > bound(lost(0, 0, 20), 1), "each look has half the error");
        assert_eq!(judge(&[], 1).drops[0].at_most, 1.0);
    }

    #[test]
    fn what_may_have_come_altered_or_late_is_not_said_to_be_dropped() {
        let of = |otherwise| {
            let mut judged = judge(&lost(20, 0, 20), 1);
            spare(&mut judged, otherwise);
            (judged.outcome, judged.drops[0].dropped)
        };
        assert_eq!((of(0), of(3)), ((Outcome::Dropped, true), (Outcome::Dropped, true)), "17 are proof too");
        assert_eq!((of(18), of(90)), ((Outcome::Neither, false), (Outcome::Neither, false)));
    }

    #[test]
    fn what_is_not_likely_by_chance_and_no_proof_is_a_hint() {
        let copied = |after: usize| {
            let mut all = lost(0, 0, 10);
            let traffic = Traffic { flows: vec![1], bytes_out: vec![300] };
            all[..after].iter_mut().for_each(|trial| trial.traffic = [("x".into(), traffic.clone())].into());
            judge(&all, 1)
        };
        let six = copied(6);
        assert_eq!(six.outcome, Outcome::Neither);
        assert!(six.copied_p > ALPHA && six.copied_p <= HINT, "{}", six.copied_p);
        assert_eq!(six.hints.first().map(|hint| (&*hint.endpoint, hint.p)), Some(("x", six.copied_p)));
        assert!(copied(3).hints.is_empty());
        let ten = copied(10);
        assert!(ten.outcome == Outcome::Copied && ten.hints.is_empty());
    }

    #[test]
    fn after_how_many_triggers_an_upload_is_still_seen_is_known() {
        // 20 of 20: eight are all among the triggers in C(32, 12) / C(40, 20) = 0.0016 of deals, seven in 0.0042.
        assert_eq!(judge(&lost(0, 0, 20), 1).detectable[0].triggers, Some(8));
        assert_eq!(judge(&lost(0, 0, 3), 1).detectable[0].triggers, None);
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
