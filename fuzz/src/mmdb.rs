//! Any bytes as a database of places, opened and asked.
//!
//! Holds: it is refused, or every address can be asked; nothing panics and nothing runs on for ever.

use maxminddb_writer::Database;
use maxminddb_writer::paths::IpAddrWithMask;
use overheard_dissect::place::Atlas;
use serde_json::{Value, json};
use std::net::IpAddr;

pub(crate) fn body(input: &[u8]) {
    let mut atlas = Atlas::default();
    if atlas.add_mmdb("fuzz.mmdb", input.to_vec()).is_err() {
        return;
    }
    for bits in [0, 1, 0x0a00_0001, 0xc000_0207, 0xc633_6407, u32::MAX] {
        atlas.locate(IpAddr::V4(bits.into()));
    }
    for bits in [0_u128, 0x2001_0db8 << 96, 0x2400 << 112, 0xfffe << 112] {
        atlas.locate(IpAddr::V6(bits.into()));
    }
    atlas.sources();
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let records = [
        json!({"country": {"iso_code": "CN", "names": {"en": "China"}}, "registered_country": {"iso_code": "AU"}}),
        json!({"country_code": "CN", "asn": "AS4134", "as_name": "Chinanet"}),
        json!({"autonomous_system_number": 4134, "autonomous_system_organization": "Chinanet"}),
        json!({"traits": {"autonomous_system_number": 64_496}, "list": [1, 2.5, true, [[]], "text"]}),
    ];
    let described = records.iter().map(|record| file(record, "a test"));
    described.chain(records.iter().map(|record| file(record, ""))).collect()
}

fn file(record: &Value, description: &str) -> Vec<u8> {
    let mut writer = Database::default();
    writer.metadata.database_type = "Test-Country".into();
    writer.metadata.binary_format_major_version = 2;
    writer.metadata.build_epoch = 1_750_000_000;
    if !description.is_empty() {
        writer.metadata.description.insert("en".into(), description.into());
    }
    let value = writer.insert_value(record).expect("a record of JSON");
    for network in ["192.0.2.0/24", "198.51.100.0/25"] {
        writer.insert_node(network.parse::<IpAddrWithMask>().expect("a network"), value);
    }
    writer.write_to(Vec::new()).expect("written to memory")
}
