//! Calibration of factors: users whose clients chatter differently, of whom none, or the last, is a trigger by name.
//!
//! Optimised builds draw the full number of studies, debug builds few.

use super::client::{Filter, Upload, study_of_users};
use super::{TRIALS, upload};
use overheard_analyze::uploads::judge;
use overheard_model::{Outcome, Uploads};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const NULL_STUDIES: u64 = if cfg!(debug_assertions) { 2 } else { 1000 };
const STUDIES: u64 = if cfg!(debug_assertions) { 1 } else { 200 };
/// Numbers of users.
const USERS: &[usize] = if cfg!(debug_assertions) { &[2] } else { &[2, 3] };

/// How many studies of so many users are judged so.
fn judged(users: usize, filter: &Filter, studies: u64, is: impl Fn(&Uploads) -> bool) -> u64 {
    let as_wanted = (0..studies).filter(|seed| {
        let trials = study_of_users(users, TRIALS, filter, &mut ChaCha8Rng::seed_from_u64(*seed));
        is(&judge(&trials, *seed + 1_000_000))
    });
    as_wanted.count() as u64
}

#[test]
fn users_of_whom_none_is_a_trigger_raise_no_alarm() {
    for &users in USERS {
        let quiet =
            judged(users, &Filter::default(), NULL_STUDIES, |found| found.outcome == Outcome::Neither);
        let alarms = NULL_STUDIES - quiet;
        println!("{users} users: {alarms} of {NULL_STUDIES} null studies raised an alarm");
        assert!(alarms * 100 <= NULL_STUDIES.max(100), "{users} users: {alarms} of {NULL_STUDIES}");
    }
}

#[test]
fn a_user_who_is_a_trigger_is_found_by_name() {
    for &users in USERS {
        let name = (users - 1).to_string();
        let is_copied = |found: &Uploads| {
            found.outcome == Outcome::Copied
                && found.uploads.iter().any(|upload| upload.factors.get("user") == Some(&name))
        };
        let cases = [
            (upload(Upload::Unused, 1.0), "copied to an unused endpoint at once", 95),
            (upload(Upload::Unused, 60.0), "copied to an unused endpoint up to 60 s late", 95),
            (upload(Upload::Elsewhere, 60.0), "copied elsewhere up to 60 s late", 65),
            (upload(Upload::Telemetry, 1.0), "copied to the telemetry endpoint at once", 65),
        ];
        let few = if cfg!(debug_assertions) { 1 } else { cases.len() };
        for (filter, what, share) in cases.into_iter().take(few) {
            let found = judged(users, &filter, STUDIES, is_copied);
            println!("{users} users, the last {what}: {found} of {STUDIES}");
            assert!(found * 100 >= STUDIES * share, "{users} users, {what}: {found} of {STUDIES}");
        }
        let dropping = Filter { drops: true, ..Filter::default() };
        let found = judged(users, &dropping, STUDIES, |found| found.outcome == Outcome::Dropped);
        println!("{users} users, the last dropped: {found} of {STUDIES}");
        assert!(found * 100 >= STUDIES * 95, "{users} users, dropped: {found} of {STUDIES}");
    }
}

#[test]
fn what_the_client_tells_its_maker_of_any_message_is_no_ones_copy() {
    let shares = [0.3, 0.6, 1.0];
    let (few, studies) = if cfg!(debug_assertions) { (1, 1) } else { (shares.len(), 100) };
    for &told in &shares[..few] {
        let filter = Filter { told, ..Filter::default() };
        for &users in USERS {
            let alarms = studies - judged(users, &filter, studies, |found| found.outcome == Outcome::Neither);
            println!(
                "{users} users, {told} of messages are told: {alarms} of {studies} studies raised an alarm"
            );
            assert!(alarms * 50 <= studies.max(50), "{users} users, {told}: {alarms} of {studies}");
        }
    }
}
