//! Calibration of studies that are gone on with: trials doubled after each look, with or without a copy.
//!
//! Optimised builds draw more studies, debug builds few.

use super::client::{Filter, Upload, study};
use super::{TRIALS, upload};
use overheard_analyze::uploads::judge_again;
use overheard_model::Outcome;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const NULL_STUDIES: u64 = if cfg!(debug_assertions) { 4 } else { 1000 };
const STUDIES: u64 = if cfg!(debug_assertions) { 2 } else { 100 };
/// 20, 40 and 80 trials of each arm.
const LOOKS: u32 = if cfg!(debug_assertions) { 2 } else { 3 };

/// At which look each study is first judged to be something other than "neither".
fn first(filter: &Filter, studies: u64) -> Vec<Option<(u32, Outcome)>> {
    let of_study = |seed: u64| {
        let random = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut trials = Vec::new();
        (1..=LOOKS).find_map(|look| {
            trials.extend(study(if look == 1 { TRIALS } else { TRIALS << (look - 2) }, filter, random));
            let outcome = judge_again(&trials, look, seed + 1_000_000).outcome;
            (outcome != Outcome::Neither).then_some((look, outcome))
        })
    };
    (0..studies).map(of_study).collect()
}

#[test]
fn a_clean_client_raises_no_alarm_however_often_it_is_looked_at() {
    let alarms = first(&Filter::default(), NULL_STUDIES).into_iter().flatten().count() as u64;
    println!("{alarms} of {NULL_STUDIES} null studies raised an alarm at one of {LOOKS} looks");
    assert!(alarms * 100 <= NULL_STUDIES.max(100), "{alarms} of {NULL_STUDIES}");
}

#[test]
fn what_the_first_look_missed_is_found_by_another() {
    let found = first(&upload(Upload::Telemetry, 60.0), STUDIES);
    let by = |look: u32| {
        found.iter().flatten().filter(move |(at, outcome)| *at <= look && *outcome == Outcome::Copied)
    };
    (1..=LOOKS).for_each(|look| println!("by look {look}: {} of {STUDIES}", by(look).count()));
    assert!(by(2).count() as u64 * 100 >= STUDIES * 95, "{found:?}");
}
