//! Databases of places and tables that lie.

use super::cost::{FIXED, MIB, size, turn, within};
use overheard_dissect::place::Atlas;
use overheard_dissect::read_table;

/// A string of the MaxMind DB format.
fn text(text: &str) -> Vec<u8> {
    [&[2 << 5 | text.len() as u8][..], text.as_bytes()].concat()
}

/// A map with these entries.
fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut map = vec![7 << 5 | entries.len() as u8];
    for (key, value) in entries {
        map.extend(text(key));
        map.extend(value);
    }
    map
}

fn uint32(number: u32) -> Vec<u8> {
    [&[6 << 5 | 4][..], &number.to_be_bytes()].concat()
}

/// A database of so many nodes, says its metadata; tree and data are the caller's.
fn mmdb(nodes: u32, tree: &[u8], data: &[u8], described: bool) -> Vec<u8> {
    let mut entries = vec![
        ("binary_format_major_version", vec![5 << 5 | 1, 2]),
        ("binary_format_minor_version", vec![5 << 5]),
        ("build_epoch", vec![8, 2, 0x65, 0, 0, 0, 0, 0, 0, 0]),
        ("database_type", text("Hostile-Country")),
        ("ip_version", vec![5 << 5 | 1, 4]),
        ("languages", vec![0, 4]),
        ("node_count", uint32(nodes)),
        ("record_size", vec![5 << 5 | 1, 24]),
    ];
    if described {
        entries.push(("description", map(&[("en", text("a database that lies"))])));
    }
    [tree, &[0; 16], data, b"\xab\xcd\xefMaxMind.com", &map(&entries)].concat()
}

/// A tree of one node, whose both sides lead to the data at an offset.
fn leaf(offset: u32) -> Vec<u8> {
    let record = (1 + 16 + offset).to_be_bytes();
    [&record[1..], &record[1..]].concat()
}

fn opened(bytes: Vec<u8>) -> Result<(), String> {
    let length = bytes.len() as u64;
    within(FIXED + 2 * length as usize, length + MIB as u64, || Atlas::default().add_mmdb("hostile", bytes))
}

/// Each is refused, or harmless: pointers to themselves and to each other, maps and arrays of 16 million
/// entries, maps within maps, strings beyond the end.
#[test]
fn databases_that_lie_are_refused() {
    let _turn = turn();
    let pointer = |at: u8| vec![1 << 5, at];
    let nested = |layer: &[u8]| [&layer.repeat(size(20_000, 1_000_000) as usize)[..], &text("x")].concat();
    let records = [
        pointer(0),
        [pointer(2), pointer(0)].concat(),
        vec![7 << 5 | 31, 0xff, 0xff, 0xff],
        vec![31, 4, 0xff, 0xff, 0xff],
        nested(&[7 << 5 | 1, 2 << 5 | 1, b'k']),
        nested(&[1, 4]),
        // An array of 28 arrays of 28 …, each by a pointer to the one before: 28 to the power of 4, and
        // the first of them without end.
        (0..4_u8)
            .flat_map(|n| [&[28, 4][..], &pointer(n.saturating_sub(1) * 58).repeat(28)].concat())
            .collect(),
        vec![2 << 5 | 31, 0xff, 0xff, 0xff, b'x'],
        map(&[("country", pointer(0))]),
    ];
    for (number, data) in records.iter().enumerate() {
        for described in [true, false] {
            let refused = opened(mmdb(1, &leaf(0), data, described));
            assert!(refused.is_err(), "{number}, described: {described}");
        }
    }
}

/// Trees of more nodes than the file has bytes, and trees that lead into themselves.
#[test]
fn trees_that_lie_are_refused() {
    let _turn = turn();
    let country = map(&[("country", map(&[("iso_code", text("LU"))]))]);
    for nodes in [u32::MAX, 1 << 31, 1 << 24, 100] {
        for described in [true, false] {
            assert!(opened(mmdb(nodes, &leaf(0), &country, described)).is_err(), "{nodes}");
        }
    }
    // Nodes of which each leads to the next on both sides: two to the power of the depth.
    let nodes = size(1_000, 100_000) as u32;
    let tree: Vec<u8> = (0..nodes)
        .flat_map(|n| {
            let next = ((n + 1) % nodes).to_be_bytes();
            [&next[1..], &next[1..]].concat()
        })
        .collect();
    for described in [true, false] {
        assert!(opened(mmdb(nodes, &tree, &country, described)).is_err());
    }
}

fn table(text: &str) -> Result<usize, String> {
    // A row is held once, and once more while its runs are put together.
    let memory = FIXED + 40 * text.len();
    within(memory, text.len() as u64, || read_table(text.as_bytes(), "hostile.csv".into()))
        .map(|runs| runs.len())
}

/// Every line is a run of its own, or a build.
#[test]
fn runs_without_number_are_read_in_time() {
    let _turn = turn();
    let lines = size(10_000, 200_000);
    let runs: String = (0..lines).map(|n| format!("a,run{n},192.0.2.1\n")).collect();
    assert_eq!(table(&format!("build,run,address\n{runs}")), Ok(lines as usize));
    let builds: String = (0..lines).map(|n| format!("build{n},a,192.0.2.1\n")).collect();
    assert_eq!(table(&format!("build,run,address\n{builds}")), Ok(lines as usize));
}

/// One run that names an address by name after name.
#[test]
fn names_without_number_are_read_in_time() {
    let _turn = turn();
    let lines = size(10_000, 200_000);
    let rows: String = (0..lines).map(|n| format!("a,a,192.0.2.1,443,host{n}.example,LU\n")).collect();
    assert_eq!(table(&format!("build,run,address,port,name,country\n{rows}")), Ok(1));
}

#[test]
fn tables_without_end_are_refused() {
    let _turn = turn();
    let much = size(1, 16) as usize * MIB;
    let tables = [
        // A quote that is never closed; columns without end; a field without end; a line without end.
        format!("build,run,address\n\"{}", "a,b,c\n".repeat(much / 6)),
        format!("build,run,{}address\n", "x,".repeat(much / 2)),
        format!("build,run,address\n{},b,192.0.2.1x\n", "a".repeat(much)),
        format!("build,run,address\na,b,{}\n", "9".repeat(much)),
    ];
    for (number, text) in tables.iter().enumerate() {
        assert!(table(text).is_err(), "{number}");
    }
}
