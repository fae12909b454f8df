//! How long a kept study takes to open and to render: `cargo bench -p overheard`.
//!
//! Prints the best of five in milliseconds. A study of 100,000 flows shall be opened and rendered, as text
//! and as HTML, within 300 ms.

use overheard_model::{Build, Bundle, Endpoint, Flow, Name, Timestamp};
use overheard_report::{FORMATS, Style};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const RUNS: usize = 20;
const ENDPOINTS: u32 = 250;
const FLOWS_PER_ENDPOINT: u32 = 20;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("study.overheard");
    overheard_store::save(&path, &bundle()).expect("saved");
    println!("{} flows:", RUNS as u32 * ENDPOINTS * FLOWS_PER_ENDPOINT);
    println!("open: {:.0} ms", best(|| drop(open(&path))));
    let bundle = open(&path);
    for format in ["text", "html"] {
        println!("render {format}: {:.0} ms", best(|| render(&bundle, format)));
    }
    let all = best(|| ["text", "html"].iter().for_each(|format| render(&open(&path), format)));
    println!("open and render each of the two: {all:.0} ms");
}

fn best(mut act: impl FnMut()) -> f64 {
    let mut time = || {
        let start = Instant::now();
        act();
        start.elapsed().as_secs_f64() * 1000.0
    };
    (0..5).map(|_| time()).fold(f64::INFINITY, f64::min)
}

fn open(path: &Path) -> Bundle {
    overheard_store::open(path).expect("opened")
}

fn render(bundle: &Bundle, format: &str) {
    let format = FORMATS.iter().find(|known| known.name() == format).expect("a format");
    let mut out = io::BufWriter::with_capacity(1 << 16, io::sink());
    format.comparison(bundle, Style { width: 120, color: false }, &mut out).expect("written");
    out.flush().expect("written");
}

/// Two builds, of which the second never meets a tenth of the endpoints of the first.
fn bundle() -> Bundle {
    let like: Bundle = serde_json::from_str(include_str!("../../store/benches/study.json")).expect("a study");
    let mut study = like.study.clone();
    study.builds = ["a", "b"].map(|name| Build { name: name.into() }).to_vec();
    let run = &like.runs[0];
    let like = run.reading.flows.get(0).expect("a flow");
    let runs: Vec<_> = (0..RUNS)
        .map(|number| {
            let mut run = run.clone();
            (run.build, run.name) = (number % 2, format!("run{number}"));
            run.reading.capture.path = format!("run{number}.pcap").into();
            let met = (0..ENDPOINTS).filter(|endpoint| number % 2 == 0 || endpoint % 10 > 0);
            run.reading.endpoints = met.map(|number| endpoint(&like, number)).collect();
            run.reading.flows =
                (0..ENDPOINTS * FLOWS_PER_ENDPOINT).map(|number| flow(&like, number)).collect();
            run
        })
        .collect();
    let comparison = overheard_analyze::compare(&study, &runs);
    Bundle { study, runs, comparison }
}

fn address(endpoint: u32) -> IpAddr {
    IpAddr::from((0xc633_6400 + endpoint).to_be_bytes())
}

fn endpoint(like: &Flow, number: u32) -> Endpoint {
    let name: Arc<str> = format!("host{number}.example").into();
    let names = like.names.iter().map(|known| Name { name: name.clone(), ..known.clone() });
    Endpoint {
        capture: like.capture.clone(),
        address: address(number),
        port: like.dst_port,
        transport: like.transport,
        names: names.collect(),
        domains: [name.clone()].into(),
        place: Arc::default(),
        protocols: [like.protocol].into(),
        visibility: like.visibility,
        packets_out: like.packets_out,
        packets_in: like.packets_in,
        bytes_out: like.bytes_out,
        bytes_in: like.bytes_in,
        first: Some(like.first),
        last: Some(like.last),
        rtt_ms: like.rtt_ms,
        flows: (number * FLOWS_PER_ENDPOINT..(number + 1) * FLOWS_PER_ENDPOINT).collect(),
        packet: 1,
    }
}

fn flow(like: &Flow, number: u32) -> Flow {
    let endpoint = number / FLOWS_PER_ENDPOINT;
    let mut flow = Flow {
        src_port: number as u16,
        dst: address(endpoint),
        first: Timestamp(like.first.0 + i64::from(number)),
        first_packet: number.into(),
        community_id: format!("1:{number:027}="),
        ..like.clone()
    };
    for name in &mut flow.names {
        (name.name, name.packet) = (format!("host{endpoint}.example").into(), Some(number.into()));
    }
    flow
}
