//! Calibration of stopping early: how often is the tool wrong when it looks again and again, and how soon is it right?
//!
//! Optimised builds draw more studies than debug builds do.

#[path = "world/app.rs"]
mod app;
#[path = "world/server.rs"]
mod server;
#[path = "world/study.rs"]
mod study;

use app::App;
use overheard_analyze::settled::{Difference, Look, Negligible, Placed, Stopped, looks, standings};
use overheard_analyze::{Conduct, compare, compare_live, fisher};
use overheard_model::{Relation, Run, Verdict};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use server::server;

const STUDIES: usize = if cfg!(debug_assertions) { 500 } else { 20_000 };
const WHOLE_STUDIES: usize = if cfg!(debug_assertions) { 5 } else { 2000 };
const BLOCKS: usize = 200;

/// Three standard deviations of a binomial share above 5 %.
fn limit(studies: usize) -> f64 {
    0.05 + 3.0 * (0.05 * 0.95 / studies as f64).sqrt()
}

/// Share of studies in which any look within [`BLOCKS`] blocks raises an alarm, and with Fisher's test at each look.
fn alarms(mut pair: impl FnMut(usize, &mut ChaCha8Rng) -> (bool, bool), seed: u64) -> (f64, f64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut by_e, mut by_fisher) = (0, 0);
    let peeks = STUDIES / 10;
    for study in 0..STUDIES {
        let (mut difference, mut counts) = (Difference::default(), (0, 0));
        let (mut alarm, mut peeked) = (false, false);
        for block in 0..BLOCKS {
            let (a, b) = pair(block, &mut random);
            difference.pair(a, b);
            counts = (counts.0 + u64::from(a), counts.1 + u64::from(b));
            alarm |= difference.e() >= 20.0;
            let runs = block as u64 + 1;
            peeked |= study < peeks && fisher::two_sided(counts.0, runs, counts.1, runs) <= 0.05;
        }
        by_e += usize::from(alarm);
        by_fisher += usize::from(peeked);
    }
    (by_e as f64 / STUDIES as f64, by_fisher as f64 / peeks as f64)
}

#[test]
fn looking_after_every_block_raises_a_false_alarm_in_at_most_one_study_of_twenty() {
    for (seed, rate) in [0.05, 0.2, 0.5, 0.8, 0.95].into_iter().enumerate() {
        let (by_e, by_fisher) =
            alarms(|_, random| (random.random_bool(rate), random.random_bool(rate)), seed as u64);
        println!(
            "both at {rate}, {BLOCKS} blocks, a look at each: e-value {:.2} %, Fisher's test {:.1} % of studies",
            by_e * 100.0,
            by_fisher * 100.0
        );
        assert!(by_e <= limit(STUDIES), "{by_e} at {rate}");
    }
}

#[test]
fn drift_and_blocks_that_share_their_luck_raise_no_more() {
    let drift = |block: usize, random: &mut ChaCha8Rng| {
        let rate = 0.05 + 0.9 * block as f64 / BLOCKS as f64;
        (random.random_bool(rate), random.random_bool(rate))
    };
    let shared = |_: usize, random: &mut ChaCha8Rng| {
        let rate = if random.random_bool(0.5) { 0.9 } else { 0.2 };
        (random.random_bool(rate), random.random_bool(rate))
    };
    let (drift, shared) = (alarms(drift, 21).0, alarms(shared, 22).0);
    println!(
        "rates that drift: {:.2} %, that blocks share: {:.2} % of studies",
        drift * 100.0,
        shared * 100.0
    );
    assert!(drift <= limit(STUDIES) && shared <= limit(STUDIES), "{drift} {shared}");
}

#[test]
fn ten_points_more_are_called_negligible_in_at_most_one_study_of_twenty() {
    for (seed, (build, reference)) in [(0.1, 0.0), (0.5, 0.4), (1.0, 0.9)].into_iter().enumerate() {
        let mut random = ChaCha8Rng::seed_from_u64(31 + seed as u64);
        let wrong = (0..STUDIES).filter(|_| {
            let mut negligible = Negligible::default();
            (0..BLOCKS).any(|_| {
                negligible.pair(random.random_bool(build), random.random_bool(reference));
                negligible.e() >= 20.0
            })
        });
        let wrong = wrong.count() as f64 / STUDIES as f64;
        println!("{build} against {reference}: called negligible in {:.2} % of studies", wrong * 100.0);
        assert!(wrong <= limit(STUDIES), "{wrong}");
    }
}

/// Pairs until the e-value passes 20, at most [`BLOCKS`]: mean, and share that got there.
fn pairs_to_settle(build: f64, reference: f64, random: &mut impl Rng) -> (f64, f64) {
    let (mut pairs, mut settled) = (0, 0);
    let studies = STUDIES / 10;
    for _ in 0..studies {
        let mut difference = Difference::default();
        let at = (1..=BLOCKS).find(|_| {
            difference.pair(random.random_bool(build), random.random_bool(reference));
            difference.e() >= 20.0
        });
        pairs += at.unwrap_or(BLOCKS);
        settled += usize::from(at.is_some());
    }
    (pairs as f64 / studies as f64, settled as f64 / studies as f64)
}

#[test]
fn clear_differences_are_settled_soon() {
    let mut random = ChaCha8Rng::seed_from_u64(41);
    let mut mean = Vec::new();
    for (build, reference) in [(1.0, 0.0), (0.9, 0.1), (0.7, 0.0), (0.5, 0.0), (0.3, 0.0), (0.6, 0.3)] {
        let (pairs, settled) = pairs_to_settle(build, reference, &mut random);
        let fixed = overheard_analyze::plan(build, reference, 1, 0.05, 0.95).runs_needed_concern;
        println!(
            "{build} against {reference}: {pairs:.1} pairs on average, {:.1} % within {BLOCKS}; fixed size for 95 % power: {fixed:?}",
            settled * 100.0
        );
        assert!(settled >= 0.95, "{settled}");
        mean.push(pairs);
    }
    assert_eq!(mean[0], 4.0);
    assert!(mean[1] < 10.0 && mean[2] < 12.0, "{mean:?}");
}

/// One app under two names, a concern that is one of its countries, and where each run stood.
fn same_app(blocks: u32, random: &mut impl Rng) -> (Vec<Run>, Vec<Placed>) {
    let app = App::draw(30, random);
    let (mut runs, mut placed) = (Vec::new(), Vec::new());
    for block in 1..=blocks {
        for build in [usize::from(block % 2 == 0), usize::from(block % 2 == 1)] {
            let met = app.run(random).into_iter().map(|server| app.endpoint(server)).collect();
            let minute = i64::try_from(runs.len()).unwrap();
            runs.push(study::run(build, &format!("{}", runs.len()), Some(minute), met));
            placed.push(Placed { block, stratum: 0 });
        }
    }
    (runs, placed)
}

/// The runs up to a look, compared as they would be had the study stopped there.
fn at_look(runs: &[Run], placed: &[Placed], look: Look, ceiling: u32) -> overheard_model::Comparison {
    let count = placed.iter().filter(|place| place.block <= look.block).count();
    let stopped = Some(Stopped { placed: &placed[..count], look, ceiling });
    let conduct = Conduct { stopped, ..Conduct::default() };
    compare_live(&study::study(&["a", "b"], &["CN"]), &runs[..count], &conduct)
}

#[test]
fn stopping_at_whatever_look_suits_raises_a_false_alarm_in_at_most_one_study_of_twenty() {
    let mut random = ChaCha8Rng::seed_from_u64(51);
    let (mut keys, mut concerns) = (0, 0);
    for _ in 0..WHOLE_STUDIES {
        let (runs, placed) = same_app(12, &mut random);
        let (mut key, mut concern) = (false, false);
        for look in looks(12) {
            let comparison = at_look(&runs, &placed, look, 12);
            let relations = comparison.keys.iter().flat_map(|key| key.relations.values());
            key |=
                relations.into_iter().any(|it| !matches!(it.relation, Relation::Shared | Relation::Unproven));
            concern |= comparison.concerns.iter().any(|test| test.verdict == Verdict::Support);
        }
        keys += usize::from(key);
        concerns += usize::from(concern);
    }
    let share = |count: usize| count as f64 / WHOLE_STUDIES as f64;
    println!(
        "A against A, stopped at whichever of four looks suits, {WHOLE_STUDIES} studies: a key in {:.2} %, the concern in {:.2} %",
        share(keys) * 100.0,
        share(concerns) * 100.0
    );
    assert!(share(keys) <= limit(WHOLE_STUDIES) && share(concerns) <= limit(WHOLE_STUDIES));
}

/// `blocks` pairs: the build meets the concern in all of its runs, the reference in none.
fn clear(blocks: u32) -> (Vec<Run>, Vec<Placed>) {
    let (mut runs, mut placed) = (Vec::new(), Vec::new());
    for block in 1..=blocks {
        for build in 0..2 {
            let mut met = vec![server("198.18.0.1", "US", 1, "app.example")];
            met.extend((build == 1).then(|| server("198.18.0.2", "CN", 2, "log.example")));
            let minute = i64::try_from(runs.len()).unwrap();
            runs.push(study::run(build, &format!("{}", runs.len()), Some(minute), met));
            placed.push(Placed { block, stratum: 0 });
        }
    }
    (runs, placed)
}

#[test]
fn a_concern_is_settled_after_four_blocks_that_could_not_be_clearer() {
    let plan = study::study(&["regular", "tom"], &["CN"]);
    let verdicts = (1..=5).map(|blocks| {
        let (runs, placed) = clear(blocks);
        standings(&plan, &runs, &placed)[0].verdict
    });
    let support = Some(Verdict::Support);
    assert_eq!(verdicts.collect::<Vec<_>>(), [None, None, None, support, support]);
}

#[test]
fn a_run_without_its_partner_is_in_no_pair() {
    let plan = study::study(&["regular", "tom"], &["CN"]);
    let (runs, placed) = clear(4);
    let standing = &standings(&plan, &runs[1..], &placed[1..])[0];
    assert_eq!((standing.pairs, standing.cell.runs, standing.reference.runs), (3, 4, 3));
    assert_eq!(standing.verdict, None);
}

#[test]
fn what_nobody_contacts_is_refuted_after_twenty_nine_clean_runs() {
    let plan = study::study(&["regular", "tom"], &["DE"]);
    let verdict = |blocks| {
        let (runs, placed) = clear(blocks);
        standings(&plan, &runs, &placed)[0].verdict
    };
    assert_eq!((verdict(28), verdict(29)), (None, Some(Verdict::Refute)));
}

#[test]
fn the_price_of_looking_is_in_every_q_and_said() {
    let (runs, placed) = clear(10);
    let plan = study::study(&["a", "b"], &["CN"]);
    let fixed = compare(&plan, &runs);
    let stopped = at_look(&runs, &placed, looks(20)[1], 20);
    for (key, paid) in fixed.keys.iter().zip(&stopped.keys) {
        let q = |key: &overheard_model::Key| key.relations.values().next().and_then(|relation| relation.q);
        assert_eq!(q(paid), q(key).map(|q| (q / 0.1875).min(1.0)), "{}", key.key);
    }
    assert!(stopped.keys.iter().any(|key| key.relations.values().any(|it| it.relation == Relation::Only)));
    assert_eq!(stopped.warnings[0].kind, "optional-stopping");
    let test = stopped.concerns.iter().find(|test| test.build == "b").unwrap();
    assert!(test.verdict == Verdict::Support && test.p.unwrap() < 0.001, "{test:?}");
}
