//! Main effects: what user, peer, build or time of day do to the share of triggers that do not arrive, and to the share
//! that is followed by an upload.
//!
//! Promises: each level against all others of its factor, with the interval of [`crate::interval`]; one interval per
//! level, not adjusted: they say how large an effect may be, the outcome is decided elsewhere. Whether an upload follows
//! one message is told by the cut between the trials that caused it and those that did not, whatever their levels.

use super::cut::Cut;
use crate::interval;
use overheard_model::{Arm, Cell, Effect, Trial, Upload};
use std::collections::BTreeSet;

/// On arrivals, of triggers.
pub(super) fn on_arrivals(trials: &[Trial]) -> Vec<Effect> {
    let judged = trials.iter().filter(|trial| trial.arm == Arm::Trigger && trial.delivered.is_some());
    of(&judged.collect::<Vec<_>>(), None, |trial| trial.delivered == Some(false))
}

/// On an upload: of triggers where the words cause it, else of all messages.
pub(super) fn on_upload(trials: &[Trial], upload: &Upload) -> Vec<Effect> {
    let by_words = upload.factors.is_empty();
    let has_cause = |trial: &&Trial| {
        upload.factors.iter().all(|(factor, level)| trial.factors.get(factor) == Some(level))
    };
    let yardstick = if by_words { Arm::Benign } else { Arm::Sham };
    let is_judged =
        |trial: &&Trial| if by_words { trial.arm == Arm::Trigger } else { trial.arm != Arm::Sham };
    let judged: Vec<&Trial> = trials.iter().filter(is_judged).collect();
    let these: Vec<&Trial> = judged.iter().copied().filter(has_cause).collect();
    let those: Vec<&Trial> = trials.iter().filter(|trial| trial.arm == yardstick).filter(has_cause).collect();
    let cut = Cut::apart(&these, &those, upload);
    of(&judged, Some(&upload.endpoint), |trial| cut.is_filtered(&trial.traffic))
}

fn of(judged: &[&Trial], endpoint: Option<&String>, counts: impl Fn(&Trial) -> bool) -> Vec<Effect> {
    let levels: BTreeSet<(&String, &String)> = judged.iter().flat_map(|trial| &trial.factors).collect();
    let effects = levels.into_iter().filter_map(|(factor, level)| {
        let share_of = |with: bool| {
            let mut cell = Cell { present: 0, runs: 0 };
            for trial in judged {
                if trial.factors.get(factor).is_some_and(|own| (own == level) == with) {
                    cell.runs += 1;
                    cell.present += u64::from(counts(trial));
                }
            }
            cell
        };
        let (with, without) = (share_of(true), share_of(false));
        let limits = interval::difference(with, without);
        (without.runs > 0).then(|| Effect {
            endpoint: endpoint.cloned(),
            factor: factor.clone(),
            level: level.clone(),
            count: with.present,
            of: with.runs,
            difference: interval::rate(with) - interval::rate(without),
            low: limits.low,
            high: limits.high,
        })
    });
    effects.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::{Traffic, UploadStatistic};

    #[test]
    fn a_user_who_is_a_trigger_shows() {
        let trial = |user: &str, delivered| Trial {
            arm: Arm::Trigger,
            delivered: Some(delivered),
            traffic: Default::default(),
            factors: [("user".to_owned(), user.to_owned()), ("build".to_owned(), "one".to_owned())].into(),
        };
        let trials: Vec<Trial> =
            (0..20).flat_map(|_| [trial("alice", true), trial("carol", false)]).collect();
        let effects = on_arrivals(&trials);
        let carol = effects.iter().find(|effect| effect.level == "carol").unwrap();
        assert!(carol.difference == 1.0 && carol.low > 0.7 && (carol.count, carol.of) == (20, 20));
        assert!(effects.iter().all(|effect| effect.factor == "user"), "one level has nothing beside it");
    }

    #[test]
    fn a_user_whose_messages_are_copied_shows_with_the_endpoint() {
        let trial = |user: &str, arm, bytes| Trial {
            arm,
            delivered: Some(true),
            traffic: [("log".to_owned(), Traffic { bytes_out: vec![bytes], flows: vec![0] })].into(),
            factors: [("user".to_owned(), user.to_owned())].into(),
        };
        let eight_times = |trials: Vec<Trial>| vec![trials; 8].concat();
        let chatter = ["alice", "carol"].map(|user| trial(user, Arm::Sham, 40));
        let sent = [trial("alice", Arm::Trigger, 40), trial("carol", Arm::Trigger, 700)];
        let said = [trial("alice", Arm::Benign, 40), trial("carol", Arm::Benign, 700)];
        let trials = eight_times([chatter, sent, said].concat());
        let upload = |factors| Upload {
            endpoint: "log".into(),
            statistic: UploadStatistic::BytesOut,
            window_s: 6,
            p: 0.001,
            bytes_more: 660,
            factors,
        };
        let of = |effects: Vec<Effect>, level: &str| {
            let effect = effects.into_iter().find(|effect| effect.level == level).unwrap();
            assert_eq!(effect.endpoint.as_deref(), Some("log"));
            (effect.count, effect.of, effect.low > 0.5)
        };
        let cause = upload([("user".to_owned(), "carol".to_owned())].into());
        assert_eq!(of(on_upload(&trials, &cause), "carol"), (16, 16, true));
        assert_eq!(of(on_upload(&trials, &cause), "alice"), (0, 16, false));
        // Where the words are the trigger, benign messages are the yardstick, and triggers are counted.
        let words = [trial("alice", Arm::Benign, 40), trial("carol", Arm::Benign, 40)];
        let trials = [words, [trial("alice", Arm::Trigger, 700), trial("carol", Arm::Trigger, 700)]];
        let effects = on_upload(&eight_times(trials.concat()), &upload(Default::default()));
        assert_eq!(of(effects, "carol"), (8, 8, false));
    }
}
