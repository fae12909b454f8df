//! The family of all comparisons, and its one test: relabel the trials, and see how large the largest gets.
//!
//! Promises: the largest statistic over endpoints, statistics and windows is compared with the same largest under
//! relabelling (Westfall and Young 1993), so that the whole family errs with the stated chance. Each statistic is the
//! standardised rank sum of the trigger trials (Wilcoxon), so that one burst of telemetry weighs no more than any. Who
//! belongs to the family is decided without looking at arms.

use super::measure::{self, LATE_S, TOTALS, WINDOWS};
use crate::bits::Bits;
use crate::relabel;
use overheard_model::{Arm, Traffic, Trial, Upload, UploadStatistic};
use std::collections::{BTreeMap, BTreeSet};

/// Relabellings, where there are more: with these p can be a fifth of the error allowed.
fn relabellings(alpha: f64) -> u64 {
    (5.0 / alpha).round().max(2000.0) as u64 - 1
}

/// A class of bursts that fewer of the trials hold, one in so many, could not become significant: it is left out.
const RAREST: usize = 4;

/// One endpoint, statistic and window.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub endpoint: String,
    pub statistic: UploadStatistic,
    pub window_s: usize,
    /// Trial by trial.
    pub values: Vec<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Family<'a> {
    pub members: Vec<Member>,
    /// Trials that may have caused something, and those that they are held against.
    pub trials: Vec<&'a Trial>,
    /// The former: with a trigger, among those with a trigger or a benign message.
    pub triggers: Bits,
}

#[derive(Clone, Debug)]
pub(super) struct Tested {
    /// Of the largest statistic.
    pub p: f64,
    /// What a statistic must exceed to be significant.
    pub critical: f64,
    /// The best of each endpoint that is significant, best first.
    pub uploads: Vec<Upload>,
}

impl<'a> Family<'a> {
    /// Triggers against benign messages.
    pub fn new(trials: &'a [Trial]) -> Self {
        let sent = trials.iter().filter(|trial| trial.arm != Arm::Sham).collect();
        Self::of(sent, |trial| trial.arm == Arm::Trigger)
    }

    /// Trials that may have caused something against the others.
    pub fn of(trials: Vec<&'a Trial>, may_cause: impl Fn(&Trial) -> bool) -> Self {
        let triggers = Bits::of(trials.len(), (0..trials.len()).filter(|at| may_cause(trials[*at])));
        let endpoints: BTreeSet<&String> = trials.iter().flat_map(|trial| trial.traffic.keys()).collect();
        let mut members = Vec::new();
        for endpoint in endpoints {
            let traffic = || trials.iter().map(|trial| trial.traffic.get(endpoint));
            let first = members.len();
            let mut add = |statistic, window_s, values: Vec<u64>| {
                // What says the same as another says nothing more.
                let known = |members: &[Member]| members.iter().any(|member| member.values == values);
                if is_telling(statistic, &values) && !known(&members[first..]) {
                    members.push(Member { endpoint: endpoint.clone(), statistic, window_s, values });
                }
            };
            for (window_s, total) in
                WINDOWS.into_iter().flat_map(|window_s| TOTALS.map(|total| (window_s, total)))
            {
                add(
                    total,
                    window_s,
                    traffic().map(|traffic| measure::of(traffic, total, window_s)).collect(),
                );
            }
            let seconds: Vec<Vec<(usize, u64)>> = traffic().map(measure::seconds).collect();
            for class in measure::bursts() {
                add(
                    class,
                    LATE_S,
                    seconds.iter().map(|seconds| measure::of_seconds(seconds, class)).collect(),
                );
            }
        }
        Self { members, trials, triggers }
    }

    /// How clearly an endpoint is sent more by the trials that may have caused something: its largest statistic, standard
    /// deviations; 0 where it is not.
    pub fn clearness(&self, endpoint: &str) -> f64 {
        let (all, these) = (self.trials.len() as f64, f64::from(self.triggers.count() as u32));
        let deviation = (these * (all - these) / (all * (all - 1.0).max(1.0))).sqrt().max(f64::MIN_POSITIVE);
        let members = self.members.iter().filter(|member| member.endpoint == endpoint);
        members
            .map(|member| Ranks::of(&member.values).statistic(&self.triggers) / deviation)
            .fold(0.0, f64::max)
    }

    pub fn test(&self, alpha: f64, seed: u64) -> Tested {
        self.test_where(alpha, seed, |_| true)
    }

    /// The same, where what is significant counts only at some endpoints.
    pub fn test_where(&self, alpha: f64, seed: u64, counts: impl Fn(&str) -> bool) -> Tested {
        let ranks = self.members.iter().map(|member| Ranks::of(&member.values));
        let table = Table::of(ranks, self.trials.len());
        let pool: Vec<usize> = (0..self.trials.len()).collect();
        let size = self.triggers.count() as usize;
        let mut largest = Vec::new();
        let mut sums = Vec::new();
        let tried = relabel::each(&pool, size, self.trials.len(), relabellings(alpha), seed, |set| {
            table.sums(set, &mut sums);
            largest.push(sums.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        });
        largest.sort_by(|a, b| b.total_cmp(a));
        let p = |statistic: f64| tried.p(largest.partition_point(|most| *most >= statistic - 1e-9) as u64);
        // So few trials that even the rarest relabelling is not rare enough show nothing.
        let reached = relabel::ways(self.trials.len(), size).recip() <= alpha;
        let critical = largest.get((alpha * tried.count as f64) as usize).copied().filter(|_| reached);
        table.sums(&self.triggers, &mut sums);
        let mut seen: Vec<(&Member, f64, f64)> =
            self.members.iter().zip(&sums).map(|(member, sum)| (member, *sum, p(*sum))).collect();
        let significant: BTreeSet<&str> =
            seen.iter().filter(|(_, _, p)| *p <= alpha).map(|(member, _, _)| &*member.endpoint).collect();
        let left_out: BTreeSet<&str> = significant.into_iter().filter(|endpoint| !counts(endpoint)).collect();
        seen.retain(|(member, _, _)| !left_out.contains(&*member.endpoint));
        seen.sort_by(|(_, a, _), (_, b, _)| b.total_cmp(a));
        let mut uploads: Vec<Upload> = Vec::new();
        for (member, _, p) in seen.iter().filter(|(_, _, p)| *p <= alpha) {
            if uploads.iter().all(|known| known.endpoint != member.endpoint) {
                uploads.push(self.upload(member, *p));
            }
        }
        Tested {
            p: seen.first().map_or(1.0, |(_, _, p)| *p),
            critical: critical.unwrap_or(f64::INFINITY),
            uploads,
        }
    }

    fn upload(&self, member: &Member, p: f64) -> Upload {
        let Member { endpoint, statistic, window_s, .. } = member;
        let bytes_more = match statistic {
            UploadStatistic::Bursts { .. } => {
                let sizes =
                    |traffic: &Traffic| measure::burst_sizes(traffic, *statistic, *window_s).collect();
                let of_trial = |at: usize| self.trials[at].traffic.get(endpoint).map_or(Vec::new(), sizes);
                median(self.triggers.members().flat_map(of_trial).collect())
            }
            _ => {
                let bytes = |trial: &Trial| {
                    measure::of(trial.traffic.get(endpoint), UploadStatistic::BytesOut, *window_s)
                };
                let of_arm = |triggers: bool| {
                    let arm = (0..self.trials.len()).filter(|at| self.triggers.contains(*at) == triggers);
                    median(arm.map(|at| bytes(self.trials[at])).collect())
                };
                of_arm(true) - of_arm(false)
            }
        };
        Upload {
            endpoint: endpoint.clone(),
            statistic: *statistic,
            window_s: *window_s,
            p,
            bytes_more,
            factors: BTreeMap::new(),
        }
    }
}

/// Whether values can tell arms apart: what is the same in all trials cannot.
fn is_telling(statistic: UploadStatistic, values: &[u64]) -> bool {
    let held = values.iter().filter(|value| **value > 0).count();
    let rare = matches!(statistic, UploadStatistic::Bursts { .. }) && held * RAREST < values.len();
    !rare && values.iter().any(|value| *value != values[0])
}

/// 0 of nothing.
fn median(mut values: Vec<u64>) -> i64 {
    values.sort_unstable();
    values.get(values.len() / 2).map_or(0, |value| *value as i64)
}

/// Mid-ranks, centred and scaled such that sums over relabelled trials have one variance, whatever was ranked.
#[derive(Clone, Debug)]
pub(super) struct Ranks {
    scores: Vec<f64>,
}

impl Ranks {
    pub fn of(values: &[u64]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by_key(|at| values[*at]);
        let mut scores = vec![0.0; values.len()];
        let middle = (values.len() as f64 + 1.0) / 2.0;
        let mut from = 0;
        while from < order.len() {
            let ties = order[from..].iter().take_while(|at| values[**at] == values[order[from]]).count();
            let rank = from as f64 + (ties as f64 + 1.0) / 2.0;
            order[from..from + ties].iter().for_each(|at| scores[*at] = rank - middle);
            from += ties;
        }
        let spread = scores.iter().map(|score| score * score).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        scores.iter_mut().for_each(|score| *score /= spread);
        Self { scores }
    }

    /// Large where the members have the larger values; comparable between members of a family.
    pub fn statistic(&self, chosen: &Bits) -> f64 {
        chosen.members().map(|at| self.scores[at]).sum()
    }
}

/// The ranks of all members, trial by trial: relabelling adds whole rows.
struct Table {
    rows: Vec<Vec<f64>>,
}

impl Table {
    fn of(members: impl Iterator<Item = Ranks>, trials: usize) -> Self {
        let mut rows = vec![Vec::new(); trials];
        for ranks in members {
            rows.iter_mut().zip(ranks.scores).for_each(|(row, score)| row.push(score));
        }
        Self { rows }
    }

    /// The statistic of every member, had these been the triggers.
    fn sums(&self, chosen: &Bits, sums: &mut Vec<f64>) {
        sums.clear();
        sums.resize(self.rows.first().map_or(0, Vec::len), 0.0);
        for at in chosen.members() {
            sums.iter_mut().zip(&self.rows[at]).for_each(|(sum, score)| *sum += score);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_rank() {
        let ranks = Ranks::of(&[7, 1, 7, 0]);
        assert_eq!(ranks.scores[0], ranks.scores[2]);
        assert!(ranks.scores[3] < ranks.scores[1] && ranks.scores[1] < ranks.scores[0]);
        assert!(ranks.scores.iter().sum::<f64>().abs() < 1e-12);
        assert!(ranks.statistic(&Bits::of(4, [0, 2])) > ranks.statistic(&Bits::of(4, [0, 1])));
    }
}
