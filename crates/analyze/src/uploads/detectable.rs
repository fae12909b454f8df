//! "Nothing was copied" comes with the size that would have been seen.
//!
//! Promises: measured on the study's own trials. Arms are dealt anew, an upload whose size varies by a fifth is planted
//! in a second drawn at random in the trials that get a trigger, and it is seen where a statistic of its endpoint exceeds
//! what the family's test wants. That is for an upload after every trigger: after how many of them, drawn at random, it
//! would still have been seen is measured too.

use super::family::{Family, Ranks};
use super::measure::{self, LATE_S};
use crate::relabel;
use overheard_model::{Detectable, UploadStatistic};
use rand::seq::SliceRandom;
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

/// In a study whose statistics must exceed a critical value, at a chance of error of `alpha`.
pub(super) fn of(family: &Family, critical: f64, alpha: f64, seed: u64) -> Vec<Detectable> {
    let endpoints: BTreeSet<&String> = family.members.iter().map(|member| &member.endpoint).collect();
    let (trials, triggers) = (family.trials.len(), family.triggers.count() as usize);
    // Fewer uploads than these fall upon triggers alone too often by chance.
    let is_rare = |uploads: &usize| {
        relabel::ways(trials - uploads, triggers - uploads) <= alpha * relabel::ways(trials, triggers)
    };
    let rare = (1..=triggers).find(is_rare).unwrap_or(triggers);
    let elsewhere = smallest(None, family, critical, rare, seed);
    let met = endpoints.into_iter().map(|endpoint| smallest(Some(endpoint), family, critical, rare, seed));
    [elsewhere].into_iter().chain(met).collect()
}

/// The smallest size from which on all that were tried are seen: a small burst may stand out more than a larger one.
fn smallest(endpoint: Option<&str>, family: &Family, critical: f64, rare: usize, seed: u64) -> Detectable {
    let traffic = family.trials.iter().map(|trial| endpoint.and_then(|endpoint| trial.traffic.get(endpoint)));
    let minutes: Vec<Minute> = traffic.map(measure::seconds).collect();
    let triggers = family.triggers.count() as usize;
    let power = |bytes, after: usize| power(&minutes, Planted { bytes, after }, family, critical, seed);
    let mut found =
        Detectable { endpoint: endpoint.map(str::to_owned), bytes: None, power: 0.0, triggers: None };
    for size in SIZES.into_iter().rev() {
        let power = power(size, triggers);
        if power < POWER {
            found.power = if found.bytes.is_none() { power } else { found.power };
            break;
        }
        found = Detectable { bytes: Some(size), power, ..found };
    }
    found.triggers =
        found.bytes.map(|size| fewest(rare, triggers, |after| power(size, after) >= POWER) as u64);
    found
}

/// The fewest that are enough, where all are: the more, the better.
fn fewest(least: usize, all: usize, are_enough: impl Fn(usize) -> bool) -> usize {
    let (mut too_few, mut enough) = (least.saturating_sub(1), all);
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if are_enough(middle) { enough = middle } else { too_few = middle }
    }
    enough
}

/// An upload of this many bytes, after so many of the triggers.
#[derive(Clone, Copy, Debug)]
struct Planted {
    bytes: u64,
    after: usize,
}

fn power(minutes: &[Minute], upload: Planted, family: &Family, critical: f64, seed: u64) -> f64 {
    if critical == f64::INFINITY {
        return 0.0;
    }
    let pool: Vec<usize> = (0..family.trials.len()).collect();
    let triggers = family.triggers.count() as usize;
    let statistics: Vec<UploadStatistic> = measure::bursts()
        .filter(|class| overlaps(class, upload.bytes))
        .chain([UploadStatistic::BytesOut])
        .collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = 0_u64;
    let tried = relabel::each(&pool, triggers, family.trials.len(), DEALS, seed, |set| {
        let mut sent = minutes.to_vec();
        let mut triggers: Vec<usize> = set.members().collect();
        for at in triggers.partial_shuffle(&mut random, upload.after).0 {
            plant(&mut sent[*at], upload.bytes, &mut random);
        }
        let shows = |statistic: &UploadStatistic| {
            let values: Vec<u64> =
                sent.iter().map(|minute| measure::of_seconds(minute, *statistic)).collect();
            Ranks::of(&values).statistic(set) > critical
        };
        seen += u64::from(statistics.iter().any(shows));
    });
    seen as f64 / tried.count.max(1) as f64
}

fn plant(minute: &mut Minute, size: u64, random: &mut ChaCha8Rng) {
    let (second, bytes) = (random.random_range(0..LATE_S), varied(size, random.random()));
    match minute.iter_mut().find(|(known, _)| *known == second) {
        Some((_, sent)) => *sent += bytes,
        None => minute.push((second, bytes)),
    }
}

fn varied(size: u64, share: f64) -> u64 {
    size + (size as f64 * VARIES * share) as u64
}

/// Whether uploads of this size may be of the class.
fn overlaps(class: &UploadStatistic, size: u64) -> bool {
    matches!(class, UploadStatistic::Bursts { from, to } if *from <= varied(size, 1.0) && size < *to)
}
