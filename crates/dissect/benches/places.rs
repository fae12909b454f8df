//! How many addresses are placed in a second: `cargo bench -p overheard-dissect --bench places`.
//!
//! The addresses are spread over the whole of IPv4, which meets many more countries and networks than a
//! capture does: with the embedded tables alone, and with a database of the user's beside them; when
//! nothing is known yet, and once more. A capture's addresses lie between the two. Items are addresses.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use maxminddb_writer::Database;
use maxminddb_writer::paths::IpAddrWithMask;
use overheard_dissect::place::Atlas;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};

const ADDRESSES: u32 = 20_000;

fn main() {
    divan::main();
}

#[divan::bench]
fn embedded(bencher: Bencher) {
    let bencher = bencher.counter(ItemsCount::new(ADDRESSES)).with_inputs(Atlas::embedded);
    bencher.bench_refs(|atlas| locate_all(atlas));
}

#[divan::bench]
fn embedded_once_known(bencher: Bencher) {
    let atlas = Atlas::embedded();
    locate_all(&atlas);
    bencher.counter(ItemsCount::new(ADDRESSES)).bench(|| locate_all(&atlas));
}

#[divan::bench]
fn beside_a_database(bencher: Bencher) {
    let database = database();
    let atlas = || {
        let mut atlas = Atlas::embedded();
        atlas.add_mmdb("bench.mmdb", database.clone()).expect("the database is sound");
        atlas
    };
    bencher.counter(ItemsCount::new(ADDRESSES)).with_inputs(atlas).bench_refs(|atlas| locate_all(atlas));
}

/// Spread evenly: multiples of 2^32 over the golden ratio.
fn locate_all(atlas: &Atlas) {
    for n in 0..ADDRESSES {
        black_box(atlas.locate(IpAddr::from(Ipv4Addr::from(n.wrapping_mul(0x9e37_79b9)))));
    }
}

/// A record for every /16 from 1.0.0.0 to 64.255.255.255, a hundred countries in turn.
fn database() -> Vec<u8> {
    let mut writer = Database::default();
    writer.metadata.database_type = "Bench-Country".into();
    writer.metadata.binary_format_major_version = 2;
    let letters = || (b'A'..=b'J').map(char::from);
    let codes = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
    let records: Vec<_> = codes
        .map(|code| writer.insert_value(json!({"country": {"iso_code": code}})).expect("a record"))
        .collect();
    for (n, record) in (0x0100..0x4100u32).zip(records.iter().cycle()) {
        let prefix = format!("{}/16", Ipv4Addr::from(n << 16)).parse::<IpAddrWithMask>();
        writer.insert_node(prefix.expect("a prefix"), *record);
    }
    writer.write_to(Vec::new()).expect("a vector takes all")
}
