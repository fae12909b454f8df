//! Calibration of `uploads`: in seeded studies with a known truth, how often is it wrong, and how often right?
//!
//! Optimised builds draw the full number of studies, debug builds few.

mod client;
mod levels;
mod looks;
mod recorded;

use client::{Filter, Upload, study};
use overheard_analyze::uploads::judge;
use overheard_model::{Outcome, UploadStatistic};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const NULL_STUDIES: u64 = if cfg!(debug_assertions) { 20 } else { 1000 };
const STUDIES: u64 = if cfg!(debug_assertions) { 10 } else { 300 };
const TRIALS: usize = 20;

/// How many of the studies get this answer.
fn answers(filter: &Filter, studies: u64, wanted: Outcome) -> u64 {
    let judged = (0..studies).filter(|seed| {
        let trials = study(TRIALS, filter, &mut ChaCha8Rng::seed_from_u64(*seed));
        judge(&trials, *seed + 1_000_000).outcome == wanted
    });
    judged.count() as u64
}

fn upload(to: Upload, latest_s: f64) -> Filter {
    Filter { upload: Some(to), latest_s, ..Filter::default() }
}

#[test]
fn a_clean_client_raises_no_alarm() {
    let quiet = answers(&Filter::default(), NULL_STUDIES, Outcome::Neither);
    println!("{} of {NULL_STUDIES} null studies raised an alarm", NULL_STUDIES - quiet);
    assert!((NULL_STUDIES - quiet) * 100 <= NULL_STUDIES.max(100), "{quiet} of {NULL_STUDIES} are quiet");
}

#[test]
fn three_hundred_bytes_elsewhere_are_found_at_once_and_late() {
    for (latest_s, share) in [(1.0, 95), (60.0, 80)] {
        let found = answers(&upload(Upload::Elsewhere, latest_s), STUDIES, Outcome::Copied);
        println!("elsewhere, up to {latest_s} s late: {found} of {STUDIES}");
        assert!(found * 100 >= STUDIES * share, "{found} of {STUDIES} within {latest_s} s");
    }
}

#[test]
fn three_hundred_bytes_to_a_busy_endpoint() {
    // Few studies of a debug build are too few to hold 80 % against: there it must be half of them.
    let late = if cfg!(debug_assertions) { 50 } else { 80 };
    for (latest_s, share) in [(1.0, 95), (60.0, late)] {
        let found = answers(&upload(Upload::Telemetry, latest_s), STUDIES, Outcome::Copied);
        println!("to the telemetry endpoint, up to {latest_s} s late: {found} of {STUDIES}");
        assert!(found * 100 >= STUDIES * share, "{found} of {STUDIES} within {latest_s} s");
    }
}

#[test]
fn twice_the_trials_find_what_is_late_and_busy_for_certain() {
    let filter = upload(Upload::Telemetry, 60.0);
    let studies = STUDIES / 3;
    let found = (0..studies).filter(|seed| {
        let trials = study(2 * TRIALS, &filter, &mut ChaCha8Rng::seed_from_u64(*seed));
        judge(&trials, *seed).outcome == Outcome::Copied
    });
    let found = found.count() as u64;
    println!("to the telemetry endpoint, up to 60 s late, 40 and 40 trials: {found} of {studies}");
    assert!(found * 100 >= studies * 97, "{found} of {studies}");
}

#[test]
fn a_late_upload_to_a_busy_endpoint_is_told_with_its_size() {
    let trials = study(2 * TRIALS, &upload(Upload::Telemetry, 60.0), &mut ChaCha8Rng::seed_from_u64(6));
    let judged = judge(&trials, 6);
    let found = &judged.uploads[0];
    assert_eq!(found.endpoint, "telemetry");
    assert!(
        matches!(found.statistic, UploadStatistic::Bursts { from, to } if from < 340 && to > 340),
        "{found:?}"
    );
    assert!((300..=400).contains(&found.bytes_more), "{found:?}");
}

#[test]
fn all_four_answers_are_given() {
    let dropping = Filter { drops: true, ..Filter::default() };
    assert!(answers(&dropping, STUDIES, Outcome::Dropped) * 100 >= STUDIES * 99);
    let both = Filter { drops: true, ..upload(Upload::Elsewhere, 5.0) };
    assert!(answers(&both, STUDIES, Outcome::Both) * 100 >= STUDIES * 95);
}

#[test]
fn neither_says_what_would_have_been_seen() {
    let trials = study(TRIALS, &Filter::default(), &mut ChaCha8Rng::seed_from_u64(4));
    let judged = judge(&trials, 4);
    assert_eq!(judged.outcome, Outcome::Neither);
    let elsewhere = &judged.detectable[0];
    assert_eq!((elsewhere.endpoint.as_deref(), elsewhere.bytes), (None, Some(100)));
    let busy = judged.detectable.iter().find(|found| found.endpoint.as_deref() == Some("telemetry")).unwrap();
    assert!(busy.bytes.is_some_and(|bytes| bytes <= 1000) && busy.power >= 0.8, "{busy:?}");
    // Six trials cannot show anything, and that is said.
    let small = judge(&study(2, &Filter::default(), &mut ChaCha8Rng::seed_from_u64(4)), 4);
    assert!(small.detectable.iter().all(|detectable| detectable.bytes.is_none()), "{small:?}");
    // A client that sends nothing at all hides nothing, if there are trials enough.
    let silent = |each| {
        let mut trials = study(each, &Filter::default(), &mut ChaCha8Rng::seed_from_u64(4));
        trials.iter_mut().for_each(|trial| trial.traffic.clear());
        judge(&trials, 4).detectable[0].bytes
    };
    assert_eq!((silent(2), silent(TRIALS)), (None, Some(100)));
}

#[test]
fn the_endpoint_and_the_window_are_named() {
    let trials = study(TRIALS, &upload(Upload::Elsewhere, 1.0), &mut ChaCha8Rng::seed_from_u64(5));
    let judged = judge(&trials, 5);
    assert_eq!(judged.uploads[0].endpoint, "collector");
    assert!(judged.uploads[0].bytes_more >= 300, "{:?}", judged.uploads);
}
