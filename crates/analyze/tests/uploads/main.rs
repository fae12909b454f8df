//! Calibration of `uploads`: in seeded studies with a known truth, how often is it wrong, and how often right?
//!
//! Optimised builds draw the full number of studies, debug builds few.

mod client;

use client::{Filter, Upload, study};
use overheard_analyze::uploads::judge;
use overheard_model::Outcome;
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
    for (latest_s, share) in [(1.0, 90), (60.0, 0)] {
        let found = answers(&upload(Upload::Telemetry, latest_s), STUDIES, Outcome::Copied);
        println!("to the telemetry endpoint, up to {latest_s} s late: {found} of {STUDIES}");
        assert!(found * 100 >= STUDIES * share, "{found} of {STUDIES} within {latest_s} s");
    }
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
    assert!(busy.bytes.is_none_or(|bytes| bytes >= 1000), "{busy:?}");
    // Six trials cannot show anything, and that is said.
    let small = judge(&study(2, &Filter::default(), &mut ChaCha8Rng::seed_from_u64(4)), 4);
    assert!(small.detectable.iter().all(|detectable| detectable.bytes.is_none()), "{small:?}");
}

#[test]
fn the_endpoint_and_the_window_are_named() {
    let trials = study(TRIALS, &upload(Upload::Elsewhere, 1.0), &mut ChaCha8Rng::seed_from_u64(5));
    let judged = judge(&trials, 5);
    assert_eq!(judged.uploads[0].endpoint, "collector");
    assert!(judged.uploads[0].bytes_more >= 300, "{:?}", judged.uploads);
}
