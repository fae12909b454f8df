//! What follows every message, harmless ones too.
//!
//! For: a client that copies all that is written does the same after both arms, which comparing them cannot show. Acts
//! that send nothing can: beside the message's own way nothing need follow a harmless message that does not follow none.
//! Promises: the family's test, of benign messages against sham acts; triggers have no part in it. No finding by itself,
//! since the message's own way is among what is found.

use super::family::Family;
use overheard_model::{Arm, Trial, Upload};

/// Endpoints that are sent more after a benign message than after a sham act; nothing where there are too few of these.
pub(super) fn of(trials: &[Trial], alpha: f64, seed: u64) -> Option<Vec<Upload>> {
    trials.iter().find(|trial| trial.arm == Arm::Sham)?;
    let harmless = trials.iter().filter(|trial| trial.arm != Arm::Trigger).collect();
    let tested = Family::of(harmless, |trial| trial.arm == Arm::Benign).test(alpha, seed);
    (tested.critical < f64::INFINITY).then_some(tested.uploads)
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::*;
    use overheard_model::{Outcome, Traffic};

    /// Twenty messages and some sham acts; each place is sent something after every message, or after triggers alone.
    fn study(places: &[(&str, bool)], sham: usize) -> Vec<Trial> {
        let act = |at: usize| {
            let arm = if at >= 20 { Arm::Sham } else { [Arm::Trigger, Arm::Benign][at % 2] };
            let sent = places.iter().filter(|(_, every)| arm == Arm::Trigger || *every && arm == Arm::Benign);
            let traffic = |bytes| Traffic { flows: vec![1], bytes_out: vec![bytes] };
            let traffic = sent.map(|(place, _)| ((*place).to_owned(), traffic(300 + at as u64))).collect();
            Trial { arm, delivered: (arm != Arm::Sham).then_some(true), traffic, factors: Default::default() }
        };
        (0..20 + sham).map(act).collect()
    }

    fn places(trials: &[Trial]) -> Option<Vec<String>> {
        let found = judge(trials, 1).after_every_message?;
        Some(found.into_iter().map(|upload| upload.endpoint).collect())
    }

    #[test]
    fn a_copy_of_every_message_is_a_second_endpoint() {
        let copied = study(&[("chat", true), ("log", true)], 8);
        assert_eq!(judge(&copied, 1).outcome, Outcome::Neither);
        let mut found = places(&copied).unwrap();
        found.sort();
        assert_eq!(found, ["chat", "log"]);
        assert_eq!(places(&study(&[("chat", true), ("log", false)], 8)), Some(vec!["chat".to_owned()]));
        assert_eq!(places(&study(&[], 8)), Some(Vec::new()));
    }

    #[test]
    fn too_few_acts_that_send_nothing_say_nothing() {
        let places_with = |sham| places(&study(&[("chat", true), ("log", true)], sham));
        assert_eq!((places_with(0), places_with(2)), (None, None));
        assert!(places_with(5).is_some());
    }
}
