//! `cargo xtask places DIR`: packs the embedded tables of places from unpacked npm packages.
//!
//! For: renewing `crates/dissect/data/`. DIR holds, at any depth, the unpacked packages
//! `@ip-location-db/geo-whois-asn-country`, `@ip-location-db/asn`, `world-atlas` and
//! `i18n-iso-countries` (`npm install --prefix DIR …`, or `npm pack` and `tar`).
//! Promises: the same packages give the same bytes; where ranges overlap, the narrower one holds.

mod extents;

use anyhow::{Context, Result, bail, ensure};
use overheard_dissect::place::{pack_country, pack_extents, pack_holders, pack_ranges_v4, pack_ranges_v6};
use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

const COUNTRY: &str = "@ip-location-db/geo-whois-asn-country";
const NETWORK: &str = "@ip-location-db/asn";
const MAP: &str = "world-atlas";
const CODES: &str = "i18n-iso-countries";

pub(crate) fn run(args: &[String]) -> Result<()> {
    let [directory] = args else { bail!("usage: cargo xtask places DIR, with the unpacked npm packages") };
    let packages = packages(Path::new(directory))?;
    let package = |name: &str| {
        packages
            .get(name)
            .with_context(|| format!("{name} is not unpacked below {directory}: npm pack {name}"))
    };
    let (country, network) = (package(COUNTRY)?, package(NETWORK)?);
    let out = crate::root().join("crates/dissect/data");

    let mut holders = BTreeMap::new();
    for family in ["ipv4", "ipv6"] {
        let rows = rows(&country.path.join(format!("geo-whois-asn-country-{family}.csv")))?;
        let ranges = rows.iter().map(|row| Ok((row.from, row.to, pack_country(parse(&row.value)?))));
        write(&out.join(format!("country-v{}.bin", &family[3..])), &pack(family, flat(ranges)?))?;

        let rows = self::rows(&network.path.join(format!("asn-{family}.csv")))?;
        holders.extend(rows.iter().filter_map(|row| Some((row.value.parse().ok()?, row.name.clone()?))));
        let ranges = rows.iter().map(|row| Ok((row.from, row.to, row.value.parse::<u32>()?)));
        write(&out.join(format!("network-v{}.bin", &family[3..])), &pack(family, flat(ranges)?))?;
    }
    holders.retain(|_, name| !name.is_empty());
    write(&out.join("holders.bin"), &pack_holders(&holders))?;

    let countries = extents::countries(&package(MAP)?.path, &package(CODES)?.path)?;
    write(&out.join("extents.bin"), &pack_extents(&countries))?;
    write(&out.join("sources.tsv"), format!("{}{}", source(country)?, source(network)?).as_bytes())
}

fn pack(family: &str, ranges: Vec<(u128, Option<u32>)>) -> Vec<u8> {
    if family == "ipv6" {
        return pack_ranges_v6(&ranges);
    }
    // The gap behind the last address is no IPv4 address.
    let ranges = ranges.into_iter().filter_map(|(key, value)| Some((u32::try_from(key).ok()?, value)));
    pack_ranges_v4(&ranges.collect::<Vec<_>>())
}

struct Package {
    name: String,
    version: String,
    path: PathBuf,
}

/// All packages below a folder, by name.
fn packages(directory: &Path) -> Result<BTreeMap<String, Package>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![directory.to_path_buf()];
    while let Some(path) = folders.pop() {
        for entry in fs::read_dir(&path).with_context(|| format!("{}", path.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() == "package.json" {
                let manifest: serde_json::Value = serde_json::from_slice(&fs::read(entry.path())?)?;
                if let (Some(name), Some(version)) = (manifest["name"].as_str(), manifest["version"].as_str())
                {
                    let package = Package { name: name.into(), version: version.into(), path: path.clone() };
                    found.insert(name.to_owned(), package);
                }
            }
        }
    }
    Ok(found)
}

/// A line of `sources.tsv`: name, version, and the date that ends the version (`2.3.2026061719`).
fn source(package: &Package) -> Result<String> {
    let Package { name, version, .. } = package;
    let stamp = version.rsplit('.').next().unwrap_or_default();
    let digits = stamp.len() >= 8 && stamp.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(digits, "{name} {version}: expected a version that ends in its date, such as 2.3.2026061719");
    let name = name.trim_start_matches("@ip-location-db/");
    Ok(format!("{name}\t{version}\t{}-{}-{}\n", &stamp[..4], &stamp[4..6], &stamp[6..8]))
}

/// One line of a table: an inclusive range and what holds for it.
struct Row {
    from: u128,
    to: u128,
    value: String,
    name: Option<String>,
}

fn rows(path: &Path) -> Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let key = |n| Ok::<_, anyhow::Error>(key(parse(record.get(n).unwrap_or_default())?));
        let value = record.get(2).unwrap_or_default().to_owned();
        rows.push(Row { from: key(0)?, to: key(1)?, value, name: record.get(3).map(str::to_owned) });
    }
    ensure!(rows.is_sorted_by_key(|row| row.from), "{}: ranges are not sorted", path.display());
    Ok(rows)
}

fn key(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T> {
    text.parse().map_err(|error| anyhow::anyhow!("{text:?}: {error}"))
}

/// First keys of disjoint ranges, gaps included, equal neighbours merged. A range that begins within
/// another one holds until it ends; then the outer one goes on.
fn flat(ranges: impl Iterator<Item = Result<(u128, u128, u32)>>) -> Result<Vec<(u128, Option<u32>)>> {
    let mut flat: Vec<(u128, Option<u32>)> = vec![(0, None)];
    let mut open: Vec<(u128, u32)> = Vec::new();
    for range in ranges {
        let (from, to, value) = range?;
        close(&mut flat, &mut open, Some(from));
        put(&mut flat, from, Some(value));
        open.push((to, value));
    }
    close(&mut flat, &mut open, None);
    Ok(flat)
}

/// Ends the open ranges that end before `until`, innermost first.
fn close(flat: &mut Vec<(u128, Option<u32>)>, open: &mut Vec<(u128, u32)>, until: Option<u128>) {
    while let Some((to, _)) = open.pop_if(|(to, _)| until.is_none_or(|until| *to < until)) {
        while open.pop_if(|(outer, _)| *outer <= to).is_some() {}
        if let Some(next) = to.checked_add(1) {
            put(flat, next, open.last().map(|(_, value)| *value));
        }
    }
}

fn put(flat: &mut Vec<(u128, Option<u32>)>, from: u128, value: Option<u32>) {
    flat.pop_if(|(last, _)| *last == from);
    if flat.last().is_none_or(|(_, last)| *last != value) {
        flat.push((from, value));
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    println!("{:>9} bytes  {}", bytes.len(), path.file_name().unwrap_or_default().display());
    fs::write(path, bytes).with_context(|| format!("{}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flattened(ranges: &[(u128, u128, u32)]) -> Vec<(u128, Option<u32>)> {
        flat(ranges.iter().map(|range| Ok(*range))).unwrap()
    }

    #[test]
    fn gaps_are_kept_and_equal_neighbours_merged() {
        let expected = vec![(0, None), (5, Some(1)), (20, None), (30, Some(2)), (40, None)];
        assert_eq!(flattened(&[(5, 9, 1), (10, 19, 1), (30, 39, 2)]), expected);
        assert_eq!(flattened(&[(0, u128::MAX, 3)]), [(0, Some(3))]);
    }

    #[test]
    fn the_narrower_range_holds() {
        let nested = [(0, 99, 1), (0, 49, 2), (10, 19, 3), (60, 60, 4)];
        let expected = [
            (0, Some(2)),
            (10, Some(3)),
            (20, Some(2)),
            (50, Some(1)),
            (60, Some(4)),
            (61, Some(1)),
            (100, None),
        ];
        assert_eq!(flattened(&nested), expected);
    }

    #[test]
    fn of_ranges_that_cross_the_later_one_holds() {
        assert_eq!(flattened(&[(0, 9, 1), (5, 14, 2)]), [(0, Some(1)), (5, Some(2)), (15, None)]);
    }
}
