//! How long a comparison takes: `cargo bench -p overheard-analyze`, with `-- large` for the big study.
//!
//! Aims: 200 runs of each of 3 builds over 500 servers within 2 s; 10,000 runs over 20,000 servers within
//! a minute.

#[path = "../tests/world/app.rs"]
mod app;
#[path = "../tests/world/server.rs"]
mod server;
#[path = "../tests/world/study.rs"]
mod study;

use app::App;
use overheard_analyze::compare;
use overheard_model::Run;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

fn main() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let app = App::draw(500, &mut random);
    let met = |random: &mut ChaCha8Rng, _: usize| app.run(random);
    time("200 runs × 500 servers × 3 builds, all alike", &app, 600, 3, &mut random, met);
    let met = |random: &mut ChaCha8Rng, build: usize| {
        let mut met = app.run(random);
        met.retain(|server| server % 10 != build);
        met
    };
    time("200 runs × 500 servers × 3 builds, each without a tenth", &app, 600, 3, &mut random, met);
    if std::env::args().any(|argument| argument == "large") {
        let app = App::draw(20_000, &mut random);
        // A hundred servers a run, the first ones far more often than the last.
        let met = |random: &mut ChaCha8Rng, build: usize| {
            let mut met: Vec<usize> =
                (0..100).map(|_| (20_000.0 * random.random::<f64>().powi(4)) as usize).collect();
            met.extend((build == 1).then_some(19_999));
            met
        };
        time("10,000 runs × 20,000 servers, 2 builds", &app, 10_000, 2, &mut random, met);
    }
}

fn time(
    what: &str,
    app: &App,
    runs: usize,
    builds: usize,
    random: &mut ChaCha8Rng,
    met: impl Fn(&mut ChaCha8Rng, usize) -> Vec<usize>,
) {
    let names: Vec<String> = (0..builds).map(|build| format!("build{build}")).collect();
    let study = study::study(&names.iter().map(String::as_str).collect::<Vec<_>>(), &["CN"]);
    let run = |at: usize| {
        let build = (at + at / builds) % builds;
        let endpoints = met(random, build).into_iter().map(|server| app.endpoint(server)).collect();
        study::run(build, &at.to_string(), Some(at as i64), endpoints)
    };
    let runs: Vec<Run> = (0..runs).map(run).collect();
    let start = Instant::now();
    let comparison = compare(&study, &runs);
    println!(
        "{what}: {:.2} s, {} keys, {} findings",
        start.elapsed().as_secs_f64(),
        comparison.keys.len(),
        comparison.findings.len()
    );
}
