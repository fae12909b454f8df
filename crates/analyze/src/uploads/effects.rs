//! Main effects: what user, peer, build or time of day do to the share of triggers that do not arrive.
//!
//! Promises: each level against all others of its factor, with the interval of [`crate::interval`]; one interval per
//! level, not adjusted: they say how large an effect may be, the outcome is decided elsewhere.

use crate::interval;
use overheard_model::{Arm, Cell, Effect, Trial};
use std::collections::BTreeSet;

pub(super) fn of(trials: &[Trial]) -> Vec<Effect> {
    let judged = trials.iter().filter(|trial| trial.arm == Arm::Trigger && trial.delivered.is_some());
    let judged: Vec<&Trial> = judged.collect();
    let levels: BTreeSet<(&String, &String)> = judged.iter().flat_map(|trial| &trial.factors).collect();
    let effects = levels.into_iter().filter_map(|(factor, level)| {
        let lost_of = |with: bool| {
            let mut cell = Cell { present: 0, runs: 0 };
            for trial in &judged {
                if trial.factors.get(factor).is_some_and(|own| (own == level) == with) {
                    cell.runs += 1;
                    cell.present += u64::from(trial.delivered == Some(false));
                }
            }
            cell
        };
        let (with, without) = (lost_of(true), lost_of(false));
        let limits = interval::difference(with, without);
        (without.runs > 0).then(|| Effect {
            factor: factor.clone(),
            level: level.clone(),
            lost: with.present,
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
        let effects = of(&trials);
        let carol = effects.iter().find(|effect| effect.level == "carol").unwrap();
        assert!(carol.difference == 1.0 && carol.low > 0.7 && (carol.lost, carol.of) == (20, 20));
        assert!(effects.iter().all(|effect| effect.factor == "user"), "one level has nothing beside it");
    }
}
