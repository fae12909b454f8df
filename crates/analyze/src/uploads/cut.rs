//! One message at a time: where the client's traffic, and not the arrival, tells what was filtered.
//!
//! For: the search for words of a filter that only copies. A comparison of arms has shown the endpoint; here its trials
//! say from which value on a message is taken for filtered, and how often that errs.
//! Promises: the value between the arms at which fewest of the trials are on the wrong side; rates of error by Jeffreys'
//! prior, which are never 0, since the same trials chose the value.

use super::measure::{self, TOTALS, WINDOWS};
use overheard_model::{Arm, Traffic, Trial, Upload, UploadStatistic};
use std::collections::BTreeMap;

/// From which value on a message is taken for filtered.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    pub endpoint: String,
    pub statistic: UploadStatistic,
    pub window_s: usize,
    pub least: u64,
    /// Chance that a message is taken for filtered that is not, and the other way about.
    pub false_positive: f64,
    pub false_negative: f64,
}

impl Cut {
    /// The cut that these trials show best, at the endpoint, statistic and window of an upload that they showed. A class
    /// of bursts holds messages of the trials' length alone: another statistic is taken in its place.
    pub fn between(trials: &[Trial], upload: &Upload) -> Self {
        let of_arm = |arm: Arm| trials.iter().filter(|trial| trial.arm == arm).collect::<Vec<_>>();
        Self::apart(&of_arm(Arm::Trigger), &of_arm(Arm::Benign), upload)
    }

    /// Between the trials that caused the upload and those that did not.
    pub(super) fn apart(these: &[&Trial], those: &[&Trial], upload: &Upload) -> Self {
        let by = |statistic, window_s| Self::by(these, those, &upload.endpoint, statistic, window_s);
        if !matches!(upload.statistic, UploadStatistic::Bursts { .. }) {
            return by(upload.statistic, upload.window_s);
        }
        let late = by(UploadStatistic::BytesOut, upload.window_s);
        let others = WINDOWS.into_iter().flat_map(|window_s| TOTALS.map(|total| (total, window_s)));
        others
            .map(|(total, window_s)| by(total, window_s))
            .fold(late, |best, cut| if cut.errors() < best.errors() { cut } else { best })
    }

    fn by(
        these: &[&Trial],
        those: &[&Trial],
        endpoint: &str,
        statistic: UploadStatistic,
        window_s: usize,
    ) -> Self {
        let value = |trial: &&Trial| measure::of(trial.traffic.get(endpoint), statistic, window_s);
        let triggers: Vec<u64> = these.iter().map(value).collect();
        let benign: Vec<u64> = those.iter().map(value).collect();
        let wrong = |least: u64| {
            let missed = triggers.iter().filter(|value| **value < least).count();
            (missed, benign.iter().filter(|value| **value >= least).count())
        };
        // Every value that splits them otherwise, and for equal errors the one that triggers clear most easily.
        let candidates = triggers.iter().copied().filter(|value| *value > 0);
        let best = candidates.min_by_key(|least| {
            let (missed, false_alarms) = wrong(*least);
            (missed + false_alarms, *least)
        });
        // Halfway down to the largest value that must not count.
        let reached = best.unwrap_or(1);
        let below = triggers.iter().chain(&benign).copied().filter(|value| *value < reached).max();
        let least = below.map_or(reached, |below| below + (reached - below).div_ceil(2));
        let (missed, false_alarms) = wrong(least);
        Self {
            endpoint: endpoint.to_owned(),
            statistic,
            window_s,
            least,
            false_positive: rate(false_alarms, benign.len()),
            false_negative: rate(missed, triggers.len()),
        }
    }

    fn errors(&self) -> f64 {
        self.false_positive + self.false_negative
    }

    /// Whether a message that was followed by this traffic is taken for filtered.
    pub fn is_filtered(&self, traffic: &BTreeMap<String, Traffic>) -> bool {
        measure::of(traffic.get(&self.endpoint), self.statistic, self.window_s) >= self.least
    }
}

/// The mean of Jeffreys' posterior for `k` of `n`.
pub fn rate(k: usize, n: usize) -> f64 {
    (k as f64 + 0.5) / (n as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(arm: Arm, bytes: u64) -> Trial {
        let traffic = Traffic { flows: vec![u64::from(bytes > 0)], bytes_out: vec![bytes] };
        Trial {
            arm,
            delivered: Some(true),
            traffic: [("x".to_owned(), traffic)].into(),
            factors: BTreeMap::new(),
        }
    }

    fn upload(statistic: UploadStatistic) -> Upload {
        Upload {
            endpoint: "x".into(),
            statistic,
            window_s: 2,
            p: 0.001,
            bytes_more: 300,
            factors: Default::default(),
        }
    }

    fn trials(triggers: &[u64], benign: &[u64]) -> Vec<Trial> {
        let triggers = triggers.iter().map(|bytes| trial(Arm::Trigger, *bytes));
        triggers.chain(benign.iter().map(|bytes| trial(Arm::Benign, *bytes))).collect()
    }

    #[test]
    fn arms_that_are_apart_are_cut_between() {
        let cut = Cut::between(&trials(&[400, 500, 450], &[0, 100, 80]), &upload(UploadStatistic::BytesOut));
        assert_eq!(cut.least, 250);
        assert_eq!((cut.false_positive, cut.false_negative), (0.125, 0.125));
        let says = |bytes| cut.is_filtered(&trial(Arm::Benign, bytes).traffic);
        assert!(says(250) && !says(249) && !cut.is_filtered(&BTreeMap::new()));
    }

    #[test]
    fn whether_anything_was_sent_is_cut_at_one() {
        let cut = Cut::between(&trials(&[300, 300, 0], &[0, 0, 0]), &upload(UploadStatistic::Contacted));
        assert_eq!((cut.least, cut.false_positive), (1, 0.125));
        assert!((cut.false_negative - 0.375).abs() < 1e-12);
        let nothing = Cut::between(&[], &upload(UploadStatistic::Flows));
        assert_eq!(nothing.least, 1);
        assert!(!nothing.is_filtered(&BTreeMap::new()));
    }

    #[test]
    fn a_class_of_bursts_is_not_what_messages_of_other_lengths_are_cut_by() {
        let cut = Cut::between(
            &trials(&[400, 410], &[0, 90]),
            &upload(UploadStatistic::Bursts { from: 400, to: 420 }),
        );
        assert_eq!((cut.statistic, cut.least), (UploadStatistic::BytesOut, 245));
    }

    #[test]
    fn a_rare_burst_does_not_move_the_cut_far() {
        let cut = Cut::between(
            &trials(&[400, 410, 420, 430], &[90, 80, 5000, 70]),
            &upload(UploadStatistic::BytesOut),
        );
        assert!((91..=400).contains(&cut.least), "{cut:?}");
    }
}
