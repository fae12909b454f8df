//! Names and other levels of factors that are triggers by themselves: what is sent with them is dropped or copied,
//! whatever it says, so that the arms show nothing.
//!
//! Promises: a copy is told by messages against sham acts at one level, where acts were assigned at random and clients
//! are the same, so that no difference between two clients' chatter is taken for one; a drop by whole stretches of acts.
//! An endpoint that messages are followed by at the other levels too, about as clearly, is the network's own, and no
//! finding.
//! To extend: another kind of evidence about a level is a method of [`Level`].

use super::family::{Family, Tested};
use super::{fates, more_lost};
use overheard_model::{Arm, DropTest, Trial};
use std::collections::{BTreeMap, BTreeSet};

/// An endpoint is one level's, and not the network's own, where messages are followed by traffic to it so much more
/// clearly than at the other levels, standard deviations. What differs nowhere does so in a hundredth of studies.
const CLEARER: f64 = 2.33;

/// One level of one factor that has others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Level<'a> {
    factor: &'a String,
    level: &'a String,
}

/// Every level that can be held against others.
pub(super) fn of(trials: &[Trial]) -> Vec<Level<'_>> {
    let all: BTreeSet<(&String, &String)> = trials.iter().flat_map(|trial| &trial.factors).collect();
    let levels = all.into_iter().map(|(factor, level)| Level { factor, level });
    levels.filter(|level| !level.split(trials).1.is_empty()).collect()
}

impl Level<'_> {
    /// As trials name it.
    pub fn factors(&self) -> BTreeMap<String, String> {
        [(self.factor.clone(), self.level.clone())].into()
    }

    /// Whether messages with this level are lost no more often than with others, whatever they say: by stretches of
    /// acts with the same clients, since an outage takes all that follow each other.
    pub fn dropped(&self, trials: &[Trial]) -> DropTest {
        let stretches = trials.chunk_by(|one, other| one.factors == other.factors);
        let with_factor = stretches.filter(|stretch| stretch[0].factors.contains_key(self.factor));
        let (with, without): (Vec<&[Trial]>, Vec<&[Trial]>) =
            with_factor.partition(|stretch| self.has(&stretch[0]));
        let (with, without) = (with.into_iter().filter_map(arrived), without.into_iter().filter_map(arrived));
        DropTest { factors: self.factors(), ..more_lost(with, without) }
    }

    /// Whether messages with this level are followed by traffic to endpoints that those with others are not.
    pub fn copied(&self, trials: &[Trial], alpha: f64, seed: u64) -> Tested {
        let (with, without) = self.split(trials);
        let (here, others) = (Family::of(with, is_message), Family::of(without, is_message));
        here.test_where(alpha, seed, |endpoint| clearer(&here, &others, endpoint) >= CLEARER)
    }

    /// Trials with this level, and with others of its factor.
    fn split<'t>(&self, trials: &'t [Trial]) -> (Vec<&'t Trial>, Vec<&'t Trial>) {
        let has = trials.iter().filter(|trial| trial.factors.contains_key(self.factor));
        has.partition(|trial| self.has(trial))
    }

    fn has(&self, trial: &Trial) -> bool {
        trial.factors.get(self.factor) == Some(self.level)
    }
}

/// How much more clearly messages are followed by traffic to an endpoint here than among others: the difference of two
/// effects, each of which is the surer the more trials it rests on, in its standard deviations.
fn clearer(here: &Family, others: &Family, endpoint: &str) -> f64 {
    let [few, many] = [here, others].map(|family| family.trials.len() as f64);
    let [effect, elsewhere] = [here, others].map(|family| family.clearness(endpoint));
    (effect * many.sqrt() - elsewhere * few.sqrt()) / (few + many).sqrt()
}

/// Whether at least half of a stretch's messages arrived; nothing of one without any.
fn arrived(stretch: &[Trial]) -> Option<bool> {
    let (lost, arrived) = fates(stretch.iter().filter_map(|trial| trial.delivered));
    (lost + arrived > 0).then_some(arrived >= lost)
}

fn is_message(trial: &Trial) -> bool {
    trial.arm != Arm::Sham
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::*;
    use overheard_model::{Outcome, Traffic};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const CHAT: &str = "198.18.10.11:6697";
    const LOG: &str = "198.18.60.44:443";
    const STATISTICS: &str = "198.18.30.80:443";

    /// Ten stretches for each of two users, whose clients chatter differently.
    fn study(
        seed: u64,
        copied: impl Fn(&str, Arm) -> bool,
        arrives: impl Fn(&str, usize) -> bool,
    ) -> Vec<Trial> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut trials = Vec::new();
        for stretch in 0..20 {
            let (user, chatter) = [("alice", 0.1), ("carol", 0.6)][stretch % 2];
            for arm in [Arm::Trigger, Arm::Benign, Arm::Sham] {
                let mut traffic = BTreeMap::new();
                let mut send = |to: &str, bytes| {
                    traffic.insert(to.to_owned(), Traffic { bytes_out: vec![bytes], flows: vec![0] })
                };
                if arm != Arm::Sham {
                    send(CHAT, 150);
                }
                if random.random_bool(chatter) {
                    send(STATISTICS, random.random_range(100..900));
                }
                if copied(user, arm) {
                    send(LOG, 700);
                }
                let delivered = (arm != Arm::Sham).then(|| arrives(user, stretch));
                let factors = [("user".to_owned(), user.to_owned())].into();
                trials.push(Trial { arm, delivered, traffic, factors });
            }
        }
        trials
    }

    #[test]
    fn who_is_copied_whatever_is_said_is_found_with_the_endpoint() {
        let judged = judge(&study(1, |user, arm| user == "carol" && arm != Arm::Sham, |_, _| true), 1);
        assert_eq!(judged.outcome, Outcome::Copied);
        let found: Vec<(&str, &str)> =
            judged.uploads.iter().map(|upload| (&*upload.endpoint, &*upload.factors["user"])).collect();
        assert_eq!(found, [(LOG, "carol")]);
    }

    #[test]
    fn who_is_dropped_whatever_is_said_is_found() {
        let judged = judge(&study(2, |_, _| false, |user, _| user != "carol"), 1);
        assert_eq!(judged.outcome, Outcome::Dropped);
        assert!(judged.uploads.is_empty());
        let shown: Vec<&DropTest> = judged.drops.iter().filter(|test| test.dropped).collect();
        let [carol] = shown[..] else { panic!("{:?}", judged.drops) };
        assert_eq!((&*carol.factors["user"], carol.lost, carol.of, carol.others_lost), ("carol", 10, 10, 0));
        assert!(carol.p == judged.dropped_p() && judged.drops[0].factors.is_empty());
        let outage = judge(&study(2, |_, _| false, |user, stretch| user != "carol" || stretch > 6), 1);
        assert_eq!(outage.outcome, Outcome::Neither);
    }

    #[test]
    fn words_are_no_name_and_what_all_send_is_the_networks_own() {
        let words = judge(&study(3, |_, arm| arm == Arm::Trigger, |_, _| true), 1);
        assert_eq!(words.outcome, Outcome::Copied);
        assert!(words.uploads.iter().all(|upload| upload.endpoint == LOG && upload.factors.is_empty()));
        let all = judge(&study(4, |_, arm| arm != Arm::Sham, |_, _| true), 1);
        assert_eq!(all.outcome, Outcome::Neither);
    }

    #[test]
    fn clients_that_chatter_differently_are_no_finding() {
        let alpha = 0.01;
        let alarms = (0..60).filter(|seed| {
            let trials = study(*seed, |_, _| false, |_, _| true);
            of(&trials).iter().any(|level| level.copied(&trials, alpha, *seed).p <= alpha)
        });
        assert!(alarms.count() <= 4);
    }
}
