//! How long a study of 100,000 flows takes to keep and to open: `cargo bench -p overheard-store`.
//!
//! Prints the best of five in milliseconds; opening shall stay below 300 ms with rendering.

use overheard_model::{Bundle, Flow, Flows, Timestamp};
use std::time::Instant;

const RUNS: usize = 20;
const FLOWS: u64 = 5_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("study.overheard");
    let bundle = bundle();
    let save = best(|| overheard_store::save(&path, &bundle).expect("saved"));
    let open = best(|| assert_eq!(overheard_store::open(&path).expect("opened").runs.len(), RUNS));
    let size = std::fs::metadata(&path).expect("a file").len();
    println!("{} flows: save {save:.0} ms, open {open:.0} ms, {} kB", RUNS as u64 * FLOWS, size / 1000);
}

fn best(mut act: impl FnMut()) -> f64 {
    let mut time = || {
        let start = Instant::now();
        act();
        start.elapsed().as_secs_f64() * 1000.0
    };
    (0..5).map(|_| time()).fold(f64::INFINITY, f64::min)
}

fn bundle() -> Bundle {
    let mut bundle: Bundle = serde_json::from_str(include_str!("study.json")).expect("the study is one");
    let run = bundle.runs.remove(0);
    let like = run.reading.flows.get(0).expect("a flow");
    let flows: Flows = (0..FLOWS).map(|number| flow(&like, number)).collect();
    for number in 0..RUNS {
        let mut run = run.clone();
        run.name = format!("run{number}");
        run.reading.flows = flows.clone();
        bundle.runs.push(run);
    }
    bundle
}

fn flow(like: &Flow, number: u64) -> Flow {
    Flow {
        src_port: number as u16,
        first: Timestamp(like.first.0 + number as i64),
        first_packet: number,
        community_id: format!("1:{number:027}="),
        names: like
            .names
            .iter()
            .map(|name| overheard_model::Name { packet: Some(number), ..name.clone() })
            .collect(),
        ..like.clone()
    }
}
