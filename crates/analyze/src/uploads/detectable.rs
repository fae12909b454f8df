//! "Nothing was copied" comes with the size that would have been seen.
//!
//! Promises: measured on the study's own trials. Arms are dealt anew, an upload whose size varies by a fifth is planted
//! in a second drawn at random in the trials that get a trigger, and it is seen where a statistic of its endpoint exceeds
//! what the family's test wants.

use super::family::{Family, Ranks};
use super::measure::{self, LATE_S};
use crate::relabel;
use overheard_model::{Detectable, UploadStatistic};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// Sizes tried, bytes.
const SIZES: [u64; 10] = [100, 200, 300, 500, 1000, 2000, 5000, 10_000, 30_000, 100_000];
const POWER: f64 = 0.8;
/// Times that arms are dealt anew.
const DEALS: u64 = 50;
/// By how much the size of an upload varies.
const VARIES: f64 = 0.2;

/// Seconds in which an endpoint was sent something, with their bytes.
type Minute = Vec<(usize, u64)>;

pub(super) fn of(family: &Family, critical: f64, seed: u64) -> Vec<Detectable> {
    let endpoints: BTreeSet<&String> = family.members.iter().map(|member| &member.endpoint).collect();
    let elsewhere = smallest(None, family, critical, seed);
    let met = endpoints.into_iter().map(|endpoint| smallest(Some(endpoint), family, critical, seed));
    [elsewhere].into_iter().chain(met).collect()
}

/// The smallest size from which on all that were tried are seen: a small burst may stand out more than a larger one.
fn smallest(endpoint: Option<&str>, family: &Family, critical: f64, seed: u64) -> Detectable {
    let traffic = family.trials.iter().map(|trial| endpoint.and_then(|endpoint| trial.traffic.get(endpoint)));
    let minutes: Vec<Minute> = traffic.map(measure::seconds).collect();
    let mut found = Detectable { endpoint: endpoint.map(str::to_owned), bytes: None, power: 0.0 };
    for size in SIZES.into_iter().rev() {
        let power = power(&minutes, size, family, critical, seed);
        if power < POWER {
            found.power = if found.bytes.is_none() { power } else { found.power };
            break;
        }
        found = Detectable { bytes: Some(size), power, ..found };
    }
    found
}

fn power(minutes: &[Minute], size: u64, family: &Family, critical: f64, seed: u64) -> f64 {
    if critical == f64::INFINITY {
        return 0.0;
    }
    let pool: Vec<usize> = (0..family.trials.len()).collect();
    let triggers = family.triggers.count() as usize;
    let statistics: Vec<UploadStatistic> =
        measure::bursts().filter(|class| overlaps(class, size)).chain([UploadStatistic::BytesOut]).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = 0_u64;
    let tried = relabel::each(&pool, triggers, family.trials.len(), DEALS, seed, |set| {
        let sent = minutes.iter().enumerate().map(|(at, minute)| match set.contains(at) {
            true => planted(minute.clone(), size, &mut random),
            false => minute.clone(),
        });
        let sent: Vec<Minute> = sent.collect();
        let shows = |statistic: &UploadStatistic| {
            let values: Vec<u64> =
                sent.iter().map(|minute| measure::of_seconds(minute, *statistic)).collect();
            Ranks::of(&values).statistic(set) > critical
        };
        seen += u64::from(statistics.iter().any(shows));
    });
    seen as f64 / tried.count.max(1) as f64
}

fn planted(mut minute: Minute, size: u64, random: &mut ChaCha8Rng) -> Minute {
    let (second, bytes) = (random.random_range(0..LATE_S), varied(size, random.random()));
    match minute.iter_mut().find(|(known, _)| *known == second) {
        Some((_, sent)) => *sent += bytes,
        None => minute.push((second, bytes)),
    }
    minute
}

fn varied(size: u64, share: f64) -> u64 {
    size + (size as f64 * VARIES * share) as u64
}

/// Whether uploads of this size may be of the class.
fn overlaps(class: &UploadStatistic, size: u64) -> bool {
    matches!(class, UploadStatistic::Bursts { from, to } if *from <= varied(size, 1.0) && size < *to)
}
