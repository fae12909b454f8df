//! Calibration: in seeded studies with a known truth, how often is the tool wrong, and how often right?
//!
//! Optimised builds draw twelve times as many studies as debug builds do.

#[path = "world/app.rs"]
mod app;
#[path = "world/server.rs"]
mod server;

use app::App;
use overheard_analyze::bits::Bits;
use overheard_analyze::chao2::Incidence;
use overheard_analyze::family::{Contrast, Test, test};
use overheard_analyze::{fisher, jaccard};
use overheard_model::{Level, Verdict};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

const STUDIES: usize = if cfg!(debug_assertions) { 400 } else { 5000 };
const SERVERS: usize = 60;

/// Runs of several builds of one app.
struct Trial {
    app: App,
    /// Servers met, run by run; the builds' runs follow each other.
    runs: Vec<Vec<usize>>,
    sizes: Vec<usize>,
}

impl Trial {
    fn draw(sizes: &[usize], random: &mut impl Rng) -> Self {
        let app = App::draw(SERVERS, random);
        let runs = (0..sizes.iter().sum()).map(|_| app.run(random)).collect();
        Self { app, runs, sizes: sizes.to_vec() }
    }

    /// The first build is told to contact the server at `rate`, the others never.
    fn plant(&mut self, server: usize, rate: f64, random: &mut impl Rng) {
        for (at, run) in self.runs.iter_mut().enumerate() {
            run.retain(|met| *met != server);
            run.extend((at < self.sizes[0] && random.random_bool(rate)).then_some(server));
        }
    }

    /// For each level, the runs that met each key.
    fn levels(&self) -> [BTreeMap<Arc<str>, Bits>; 4] {
        let mut servers = vec![Bits::empty(self.runs.len()); SERVERS];
        for (at, run) in self.runs.iter().enumerate() {
            run.iter().for_each(|server| servers[*server].insert(at));
        }
        Level::ALL.map(|level| {
            let mut keys: BTreeMap<Arc<str>, Bits> = BTreeMap::new();
            for (server, met) in servers.iter().enumerate() {
                for key in level.keys_of(&self.app.endpoint(server)) {
                    let runs = keys.entry(key).or_insert_with(|| Bits::empty(self.runs.len()));
                    met.members().for_each(|run| runs.insert(run));
                }
            }
            keys
        })
    }

    fn group(&self, build: usize) -> Bits {
        let first: usize = self.sizes[..build].iter().sum();
        Bits::of(self.runs.len(), first..first + self.sizes[build])
    }

    /// Every build but the last against the last, the reference.
    fn tests(&self, seed: u64) -> Vec<Vec<Vec<Option<Test>>>> {
        let levels = self.levels();
        let rows: Vec<Vec<&Bits>> = levels.iter().map(|keys| keys.values().collect()).collect();
        let reference = self.sizes.len() - 1;
        let contrast = |build| Contrast {
            build: self.group(build),
            reference: self.group(reference),
            contrasts: reference as u64,
            relabellings: 499,
            seed,
        };
        (0..reference).map(|build| test(&rows, &contrast(build))).collect()
    }
}

fn false_alarms(sizes: &[usize], studies: usize, seed: u64) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut alarms = 0;
    for study in 0..studies {
        let tests = Trial::draw(sizes, &mut random).tests(study as u64);
        let alarm = tests.iter().flatten().flatten().flatten().any(Test::significant);
        alarms += usize::from(alarm);
    }
    alarms as f64 / studies as f64
}

/// Three standard deviations of a binomial share above 5 %.
fn limit(studies: usize) -> f64 {
    0.05 + 3.0 * (0.05 * 0.95 / studies as f64).sqrt()
}

#[test]
fn the_same_app_twice_raises_a_false_alarm_in_at_most_one_study_of_twenty() {
    for (seed, sizes) in [&[8, 8][..], &[20, 20], &[9, 4], &[8, 8, 8], &[20, 20, 20]].into_iter().enumerate()
    {
        let rate = false_alarms(sizes, STUDIES, seed as u64);
        println!(
            "A against A with {sizes:?} runs: false alarms in {:.2} % of {STUDIES} studies",
            rate * 100.0
        );
        assert!(rate <= limit(STUDIES), "{sizes:?} runs: {rate}");
    }
}

#[test]
fn a_server_met_in_seven_of_ten_runs_is_found() {
    let mut random = ChaCha8Rng::seed_from_u64(70);
    let (mut found, mut by_bonferroni, mut found_wider) = (0, 0, 0);
    for study in 0..STUDIES {
        let mut trial = Trial::draw(&[20, 20], &mut random);
        trial.plant(7, 0.7, &mut random);
        let address = Level::Address.keys_of(&trial.app.endpoint(7)).remove(0);
        let row = trial.levels()[0].keys().position(|key| *key == address);
        let tests = trial.tests(study as u64).remove(0);
        let planted = row.and_then(|row| tests[0][row]);
        let shown = planted.is_some_and(|test| test.significant());
        found += usize::from(shown);
        found_wider += usize::from(shown || tests.iter().flatten().flatten().any(Test::significant));
        by_bonferroni += usize::from(planted.is_some_and(|test| test.p <= 0.05 / 240.0));
    }
    let share = |count: usize| count as f64 / STUDIES as f64;
    println!(
        "70 % against never, 20 runs each, {SERVERS} servers, {STUDIES} studies: found as an address in {:.2} %, at some level in {:.2} %; by Bonferroni over 240 tests in {:.2} % (exactly 95.20 %)",
        share(found) * 100.0,
        share(found_wider) * 100.0,
        share(by_bonferroni) * 100.0,
    );
    assert!(share(found) >= 0.95, "{}", share(found));
    assert!(found > by_bonferroni);
}

#[test]
fn the_test_of_sets_keeps_its_size() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let (studies, mut positives) = (STUDIES / 5, 0);
    for study in 0..studies {
        let trial = Trial::draw(&[5, 5], &mut random);
        let sets: Vec<Bits> = trial.runs.iter().map(|run| Bits::of(SERVERS, run.iter().copied())).collect();
        let result = jaccard::distinguishable(&sets[..5], &sets[5..], 1, study as u64);
        positives += usize::from(result.verdict == Verdict::Support);
    }
    let rate = positives as f64 / studies as f64;
    println!("sets of one app called different in {:.2} % of {studies} studies", rate * 100.0);
    assert!(rate <= limit(studies), "{rate}");
}

/// Share of studies of 20 runs and 200 keys whose interval holds 200, and whose lower end is not above.
fn chao2_holds(rate_of: impl Fn(f64) -> f64, random: &mut impl Rng) -> (f64, f64) {
    let truth = 200_u32;
    let (mut held, mut not_above) = (0, 0);
    for _ in 0..STUDIES {
        let counts = (0..truth).map(|key| {
            let rate = rate_of(f64::from(key) / f64::from(truth));
            (0..20).filter(|_| random.random_bool(rate)).count() as u64
        });
        let estimate = Incidence::count(&Bits::of(20, 0..20), counts).estimate().unwrap();
        not_above += usize::from(estimate.low <= f64::from(truth));
        held += usize::from(estimate.low <= f64::from(truth) && f64::from(truth) <= estimate.high);
    }
    (held as f64 / STUDIES as f64, not_above as f64 / STUDIES as f64)
}

#[test]
fn the_interval_of_chao2_holds_the_truth_and_never_exaggerates() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let (even, even_low) = chao2_holds(|_| 0.07, &mut random);
    let (spread, spread_low) = chao2_holds(|at| 0.01 + 0.39 * at, &mut random);
    println!(
        "Chao2's 95 % interval holds the truth in {:.1} % of {STUDIES} studies with equal rates, in {:.1} % with rates from 1 % to 40 %, and lies above it in {:.1} % and {:.1} %",
        even * 100.0,
        spread * 100.0,
        (1.0 - even_low) * 100.0,
        (1.0 - spread_low) * 100.0
    );
    assert!(even >= 0.92, "{even}");
    assert!(even_low >= 0.95 && spread_low >= 0.95, "{even_low} {spread_low}");
    // Chao2 is a lower bound where rates differ: docs/methods/endpoints.md.
    assert!(spread >= 0.75, "{spread}");
}

#[test]
fn ten_of_twenty_against_none_is_what_the_family_gains() {
    // Bonferroni over 4 × 60 tests asks for 11 of 20 against 0 of 20.
    assert!(fisher::two_sided(10, 20, 0, 20) > 0.05 / 240.0);
    assert!(fisher::two_sided(11, 20, 0, 20) <= 0.05 / 240.0);
}
