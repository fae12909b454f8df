//! "Nothing was copied" comes with the size that would have been seen.
//!
//! Promises: measured on the study's own trials. Arms are dealt anew, an upload is planted in the trials that get a
//! trigger, and it is seen where its statistic exceeds what the family's test wants.

use super::family::{Family, Ranks};
use crate::relabel;
use overheard_model::{Detectable, UploadStatistic};

/// Sizes tried, bytes.
const SIZES: [u64; 10] = [100, 200, 300, 500, 1000, 2000, 5000, 10_000, 30_000, 100_000];
const POWER: f64 = 0.8;
/// Times that arms are dealt anew.
const DEALS: u64 = 50;
/// Windows up to this many seconds are ruled out for an upload that may come late.
const LATE_S: usize = 60;

pub(super) fn of(family: &Family, critical: f64, seed: u64) -> Vec<Detectable> {
    let busy = family
        .members
        .iter()
        .filter(|member| member.statistic == UploadStatistic::BytesOut && member.window_s == LATE_S);
    let elsewhere = smallest(&vec![0; family.trials], family, critical, seed);
    let mut detectable = vec![Detectable { endpoint: None, ..elsewhere }];
    detectable.extend(busy.map(|member| Detectable {
        endpoint: Some(member.endpoint.clone()),
        ..smallest(&member.values, family, critical, seed)
    }));
    detectable
}

fn smallest(values: &[u64], family: &Family, critical: f64, seed: u64) -> Detectable {
    let powers = SIZES.iter().map(|size| (*size, power(values, *size, family, critical, seed)));
    let mut last = 0.0;
    for (size, power) in powers {
        if power >= POWER {
            return Detectable { endpoint: None, bytes: Some(size), power };
        }
        last = power;
    }
    Detectable { endpoint: None, bytes: None, power: last }
}

fn power(values: &[u64], size: u64, family: &Family, critical: f64, seed: u64) -> f64 {
    let pool: Vec<usize> = (0..family.trials).collect();
    let triggers = family.triggers.count() as usize;
    let mut seen = 0_u64;
    let tried = relabel::each(&pool, triggers, family.trials, DEALS, seed, |set| {
        let planted = values.iter().enumerate().map(|(at, value)| value + size * u64::from(set.contains(at)));
        let ranks = Ranks::of(&planted.collect::<Vec<u64>>());
        seen += u64::from(ranks.statistic(set) > critical);
    });
    seen as f64 / tried.count.max(1) as f64
}
