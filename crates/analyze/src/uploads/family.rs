//! The family of all comparisons, and its one test: relabel the trials, and see how large the largest gets.
//!
//! Promises: the largest statistic over endpoints, statistics and windows is compared with the same largest under
//! relabelling (Westfall and Young 1993), so that the whole family errs with the stated chance. Each statistic is the
//! standardised rank sum of the trigger trials (Wilcoxon), so that one burst of telemetry weighs no more than any.

use crate::bits::Bits;
use crate::relabel;
use overheard_model::{Arm, Traffic, Trial, Upload, UploadStatistic};
use std::collections::{BTreeMap, BTreeSet};

/// Windows, seconds from the act: at once, soon, late.
pub(super) const WINDOWS: [usize; 4] = [2, 6, 20, 60];
pub(super) const STATISTICS: [UploadStatistic; 3] =
    [UploadStatistic::Contacted, UploadStatistic::Flows, UploadStatistic::BytesOut];
/// Relabellings, where there are more.
const RELABELLINGS: u64 = 1999;

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
pub(super) struct Family {
    pub members: Vec<Member>,
    /// Trials that may have caused it: with a trigger, among those with a trigger or a benign message.
    pub triggers: Bits,
    pub trials: usize,
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

impl Family {
    /// Triggers against benign messages.
    pub fn new(trials: &[Trial]) -> Self {
        let sent: Vec<&Trial> = trials.iter().filter(|trial| trial.arm != Arm::Sham).collect();
        Self::of(&sent, |trial| trial.arm == Arm::Trigger)
    }

    /// Trials that may have caused something against the others.
    pub fn of(trials: &[&Trial], may_cause: impl Fn(&Trial) -> bool) -> Self {
        let triggers = Bits::of(trials.len(), (0..trials.len()).filter(|at| may_cause(trials[*at])));
        let endpoints: BTreeSet<&String> = trials.iter().flat_map(|trial| trial.traffic.keys()).collect();
        let mut members = Vec::new();
        for endpoint in endpoints {
            for window_s in WINDOWS {
                for statistic in STATISTICS {
                    let value = |trial: &&Trial| measure(trial.traffic.get(endpoint), statistic, window_s);
                    let values: Vec<u64> = trials.iter().map(value).collect();
                    // What is the same in all trials tells nothing.
                    if values.iter().any(|value| *value != values[0]) {
                        members.push(Member { endpoint: endpoint.clone(), statistic, window_s, values });
                    }
                }
            }
        }
        Self { members, triggers, trials: trials.len() }
    }

    pub fn endpoints(&self) -> impl Iterator<Item = &String> {
        self.members.iter().map(|member| &member.endpoint).collect::<BTreeSet<_>>().into_iter()
    }

    /// One endpoint's part of it.
    pub fn only(&self, endpoint: &str) -> Self {
        let members = self.members.iter().filter(|member| member.endpoint == endpoint).cloned().collect();
        Self { members, triggers: self.triggers.clone(), trials: self.trials }
    }

    /// All but these endpoints' parts.
    pub fn without(mut self, endpoints: &BTreeSet<String>) -> Self {
        self.members.retain(|member| !endpoints.contains(&member.endpoint));
        self
    }

    pub fn test(&self, alpha: f64, seed: u64) -> Tested {
        let ranks: Vec<Ranks> = self.members.iter().map(|member| Ranks::of(&member.values)).collect();
        let seen: Vec<f64> = ranks.iter().map(|ranks| ranks.statistic(&self.triggers)).collect();
        let pool: Vec<usize> = (0..self.trials).collect();
        let size = self.triggers.count() as usize;
        let mut largest = Vec::new();
        let tried = relabel::each(&pool, size, self.trials, RELABELLINGS, seed, |set| {
            let chosen: Vec<usize> = set.members().collect();
            let most = ranks.iter().map(|ranks| ranks.of_chosen(&chosen)).fold(f64::NEG_INFINITY, f64::max);
            largest.push(most);
        });
        largest.sort_by(|a, b| b.total_cmp(a));
        let p = |statistic: f64| tried.p(largest.partition_point(|most| *most >= statistic - 1e-9) as u64);
        let best = seen.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // So few trials that even the rarest relabelling is not rare enough show nothing.
        let shows = tried.p(u64::from(tried.exact)) <= alpha;
        let critical = largest.get((alpha * tried.count as f64) as usize).copied().filter(|_| shows);
        let critical = critical.unwrap_or(f64::INFINITY);
        let mut uploads: Vec<(f64, Upload)> = Vec::new();
        for (member, statistic) in self.members.iter().zip(&seen).filter(|(_, seen)| p(**seen) <= alpha) {
            let upload = self.upload(member, p(*statistic));
            match uploads.iter_mut().find(|(_, known)| known.endpoint == member.endpoint) {
                Some(known) if known.0 < *statistic => *known = (*statistic, upload),
                Some(_) => {}
                None => uploads.push((*statistic, upload)),
            }
        }
        uploads.sort_by(|a, b| b.0.total_cmp(&a.0));
        Tested {
            p: if self.members.is_empty() { 1.0 } else { p(best) },
            critical,
            uploads: uploads.into_iter().map(|(_, upload)| upload).collect(),
        }
    }

    fn upload(&self, member: &Member, p: f64) -> Upload {
        let bytes = self.members.iter().find(|other| {
            (&other.endpoint, other.window_s, other.statistic)
                == (&member.endpoint, member.window_s, UploadStatistic::BytesOut)
        });
        let median = |triggers: bool| {
            let of_arm = (0..self.trials).filter(|at| self.triggers.contains(*at) == triggers);
            let mut values: Vec<i64> = of_arm.filter_map(|at| Some(bytes?.values[at] as i64)).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or(0)
        };
        Upload {
            endpoint: member.endpoint.clone(),
            statistic: member.statistic,
            window_s: member.window_s,
            p,
            bytes_more: median(true) - median(false),
            factors: BTreeMap::new(),
        }
    }
}

pub(super) fn measure(traffic: Option<&Traffic>, statistic: UploadStatistic, window_s: usize) -> u64 {
    let Some(traffic) = traffic else { return 0 };
    let sum = |series: &[u64]| series.iter().take(window_s).sum::<u64>();
    match statistic {
        UploadStatistic::Contacted => u64::from(sum(&traffic.bytes_out) > 0),
        UploadStatistic::Flows => sum(&traffic.flows),
        UploadStatistic::BytesOut => sum(&traffic.bytes_out),
    }
}

/// Mid-ranks, centred and scaled such that sums over relabelled trials have variance 1.
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

    fn of_chosen(&self, chosen: &[usize]) -> f64 {
        chosen.iter().map(|at| self.scores[*at]).sum()
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
