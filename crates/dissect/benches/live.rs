//! What listening costs: `cargo bench -p overheard-dissect --bench live`.
//!
//! A snapshot of so many flows, each with a name, to a quarter as many endpoints; and of as many that nobody has
//! recognised yet, which are judged anew each time.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use overheard_dissect::Options;
use overheard_dissect::live::Live;
use overheard_model::Timestamp;

fn main() {
    divan::main();
}

/// An IPv4 packet of one TCP segment from 10.0.0.1 to a server that four flows share.
fn segment(flow: u32, payload: &[u8]) -> Vec<u8> {
    let [a, b, c] = [flow >> 18, flow >> 10, flow >> 2].map(|part| part as u8);
    let port = (1024 + flow % 60_000) as u16;
    let mut bytes = vec![0x45, 0];
    bytes.extend((40 + payload.len() as u16).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 100 + a, b, c, 1]);
    bytes.extend(port.to_be_bytes());
    bytes.extend([0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
    bytes.extend(payload);
    bytes
}

fn live(flows: u32, payload: impl Fn(u32) -> String) -> Live {
    let mut live = Live::new("bench".into(), &Options::default());
    for flow in 0..flows {
        let bytes = segment(flow, payload(flow).as_bytes());
        live.frame(Timestamp(i64::from(flow)), 101, bytes.len() as u32, &bytes);
    }
    live
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn of_known_flows(bencher: Bencher, flows: u32) {
    let mut live =
        live(flows, |flow| format!("GET / HTTP/1.1\r\nHost: host{}.example.org\r\n\r\n", flow / 4));
    bencher.counter(ItemsCount::new(flows)).bench_local(|| black_box(live.snapshot()));
}

#[divan::bench(args = [1_000, 10_000])]
fn of_unrecognised_flows(bencher: Bencher, flows: u32) {
    let mut live = live(flows, |flow| format!("nobody's protocol, number {flow}: {}", "x".repeat(400)));
    bencher.counter(ItemsCount::new(flows)).bench_local(|| black_box(live.snapshot()));
}
