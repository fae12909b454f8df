//! Places against known answers: accuracy per source of truth, anycast, and bad databases.
//!
//! Reads `../shared/data/geo` where it is present (its README says what each answer is worth) and
//! says that it skipped where not. `cargo test -p overheard-dissect --test places -- --nocapture`
//! prints the measured figures that `docs/methods/places.md` quotes.

#[path = "shared/files.rs"]
mod files;
mod shared;

use files::files;
use overheard_dissect::place::Atlas;
use overheard_model::{Asn, Country, Place};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An address within the prefix, spread over its host bits but always the same one.
fn sample(prefix: &str) -> IpAddr {
    let (address, length) = prefix.split_once('/').unwrap();
    let (address, length): (IpAddr, u32) = (address.parse().unwrap(), length.parse().unwrap());
    let spread = |bits: u128, width: u32| {
        let hosts = 1u128.checked_shl(width - length).map_or(u128::MAX, |size| size - 1);
        bits | (hosts & 0x5bd1_e995_9e37_79b9_7f4a_7c15_85eb_ca6b)
    };
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from(spread(v4.to_bits().into(), 32) as u32).into(),
        IpAddr::V6(v6) => Ipv6Addr::from(spread(v6.to_bits(), 128)).into(),
    }
}

struct Truth {
    source: String,
    address: IpAddr,
    country: Country,
}

fn truths(geo: &Path) -> Vec<Truth> {
    let text = fs::read_to_string(geo.join("truth_prefix_country.tsv")).unwrap();
    let truth = |line: &str| {
        let mut fields = line.split('\t');
        let (source, prefix, country) = (fields.next()?, fields.next()?, fields.next()?);
        let address = sample(prefix);
        let family = if address.is_ipv4() { "v4" } else { "v6" };
        Some(Truth { source: format!("{source} {family}"), address, country: country.parse().ok()? })
    };
    text.lines().skip(1).filter_map(truth).collect()
}

/// Of a source's addresses, how many were given: the true country and no other, a wrong one and no
/// other, several (`CN/AU?`), none; and how many were called anycast, which is no answer to score.
#[derive(Default)]
struct Score {
    right: u32,
    wrong: u32,
    several: u32,
    none: u32,
    anycast: u32,
}

impl Score {
    fn add(&mut self, place: &Place, truth: Country) {
        let count = match place.countries()[..] {
            _ if place.anycast => &mut self.anycast,
            [] => &mut self.none,
            [one] if one == truth => &mut self.right,
            [_] => &mut self.wrong,
            _ => &mut self.several,
        };
        *count += 1;
    }

    fn percent(&self, count: u32) -> f64 {
        let scored = self.right + self.wrong + self.several + self.none;
        100.0 * f64::from(count) / f64::from(scored)
    }
}

fn scores(atlas: &Atlas, truths: &[Truth]) -> BTreeMap<String, Score> {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for truth in truths {
        scores.entry(truth.source.clone()).or_default().add(&atlas.locate(truth.address), truth.country);
    }
    scores
}

fn print(title: &str, scores: &BTreeMap<String, Score>) {
    println!(
        "{title}\n  {:<18}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "", "right", "wrong", "several", "none", "anycast"
    );
    for (source, score) in scores {
        let Score { right, wrong, several, none, anycast } = *score;
        let percents = [right, wrong, several, none].map(|n| format!("{:7.2}%", score.percent(n)));
        println!("  {source:<18}{}{anycast:>8}", percents.concat());
    }
}

#[test]
fn countries_are_as_accurate_as_measured() {
    let Some(geo) = shared::folder("geo") else { return };
    let truths = truths(&geo);
    let embedded = scores(&Atlas::embedded(), &truths);
    print("embedded tables", &embedded);
    for (source, score) in &embedded {
        assert!(score.percent(score.right) >= 94.0, "{source}: {:.2} % right", score.percent(score.right));
        // The lists of China hold addresses of Cloudflare's, filed by where the relay's users are.
        let relays = source.starts_with("china-ip-list");
        assert!(score.anycast == 0 || relays, "{source}: {} unicast addresses called anycast", score.anycast);
    }
    for database in ["geo-whois-asn-country", "iptoasn-country"] {
        let bytes = fs::read(geo.join(database).join(format!("{database}.mmdb"))).unwrap();
        let mut alone = Atlas::default();
        let began = Instant::now();
        alone.add_mmdb(database, bytes.clone()).unwrap();
        println!("{database}.mmdb: {} bytes verified in {:?}", bytes.len(), began.elapsed());
        print(&format!("{database}.mmdb alone"), &scores(&alone, &truths));
        let mut beside = Atlas::embedded();
        beside.add_mmdb(database, bytes).unwrap();
        let beside = scores(&beside, &truths);
        print(&format!("embedded tables and {database}.mmdb"), &beside);
        for (source, score) in &beside {
            assert!(score.wrong <= embedded[source].wrong, "{source}: a second opinion only adds doubt");
        }
    }
}

#[test]
fn listed_anycast_never_gets_a_country() {
    let Some(geo) = shared::folder("geo") else { return };
    for family in ["v4", "v6"] {
        let text = fs::read_to_string(geo.join(format!("anycast-{family}.txt"))).unwrap();
        let addresses: Vec<IpAddr> = text.lines().filter(|line| !line.is_empty()).map(sample).collect();
        let marked =
            |atlas: &Atlas| addresses.iter().filter(|address| atlas.locate(**address).anycast).count();
        let mut atlas = Atlas::embedded();
        let alone = marked(&atlas);
        atlas.add_anycast("anycast", &text).unwrap();
        println!("anycast {family}: {} prefixes, {alone} marked by the built-in list", addresses.len());
        assert_eq!(marked(&atlas), addresses.len());
        for address in &addresses {
            assert_eq!(atlas.locate(*address).label().as_deref(), Some("anycast"));
            assert_eq!(atlas.locate(*address).agreed(), None);
        }
    }
}

/// Network and AS number are those of the source, over every listed range.
#[test]
fn the_embedded_networks_equal_their_source() {
    let Some(geo) = shared::folder("geo") else { return };
    let atlas = Atlas::embedded();
    let (mut rows, mut looking) = (0u32, Duration::ZERO);
    for family in ["ipv4", "ipv6"] {
        let file = fs::File::open(geo.join(format!("asn/asn-{family}.csv.gz"))).unwrap();
        let text = std::io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap();
        // Every 16th: the look-ups of all take a minute in a debug build.
        for line in text.lines().step_by(16) {
            let mut fields = line.splitn(4, ',');
            let mut next = || fields.next().unwrap();
            let (from, to) = (next().parse().unwrap(), next().parse().unwrap());
            let (asn, name) = (next().parse().unwrap(), unquoted(next()));
            for address in [from, to] {
                let began = Instant::now();
                let place = atlas.locate(address);
                looking += began.elapsed();
                if place.local {
                    continue;
                }
                assert_eq!(place.asn(), Some(Asn(asn)), "{line}");
                assert_eq!(place.network().unwrap_or_default(), name, "{line}");
            }
            rows += 1;
        }
    }
    println!("{rows} ranges equal their source; a look-up takes {:?}", looking / (2 * rows));
}

/// A CSV field without its quotation marks (RFC 4180).
fn unquoted(field: &str) -> String {
    let bare = field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    bare.map_or_else(|| field.to_owned(), |bare| bare.replace("\"\"", "\""))
}

fn databases(folder: &Path) -> Vec<PathBuf> {
    let mut found = files(folder);
    found.retain(|path| path.extension().is_some_and(|ending| ending == "mmdb"));
    assert!(!found.is_empty(), "{}", folder.display());
    found
}

#[test]
fn bad_databases_are_refused() {
    let Some(geo) = shared::folder("geo") else { return };
    for path in databases(&geo.join("mmdb_test")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let kind = name.to_lowercase();
        let bad =
            path.iter().any(|part| part == "bad-data") || kind.contains("broken") || kind.contains("invalid");
        let opened = Atlas::default().add_mmdb(name, fs::read(&path).unwrap());
        println!("{}", opened.as_ref().map_or_else(|error| error.clone(), |()| format!("{name}: opened")));
        if bad {
            let message = opened.expect_err(name);
            assert!(message.starts_with(name), "{message}");
        }
    }
}

#[test]
fn good_databases_answer_as_their_source_says() {
    let Some(geo) = shared::folder("geo") else { return };
    let mut compared = 0u32;
    for path in databases(&geo.join("mmdb_test/good_or_special")) {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let Ok(source) = fs::read(geo.join(format!("mmdb_test/source-data/{stem}.json"))) else { continue };
        let networks: Vec<BTreeMap<String, Value>> = serde_json::from_slice(&source).unwrap();
        let mut atlas = Atlas::default();
        if atlas.add_mmdb(stem, fs::read(&path).unwrap()).is_err() {
            let said = networks
                .iter()
                .flat_map(|entry| entry.values())
                .any(|record| expected(record) != (None, None));
            assert!(!said, "{stem} holds countries or AS numbers and was refused");
            continue;
        }
        for (network, record) in networks.iter().flatten() {
            let first = network.split('/').next().unwrap().parse().unwrap();
            let place = atlas.locate(first);
            if !place.local {
                let said = (place.countries().first().copied(), place.asn());
                assert_eq!(said, expected(record), "{stem} {network}");
                compared += 1;
            }
        }
    }
    println!("{compared} networks answer as their source says");
    assert!(compared > 500);
}

/// Real databases with a few bytes changed: refused, or answering with what is left of them.
#[test]
fn damaged_databases_never_panic() {
    let Some(geo) = shared::folder("geo") else { return };
    let (mut opened, mut refused) = (0u32, 0u32);
    let mut state = 1u64;
    let mut random = |below: usize| {
        // Knuth's MMIX generator: the same damage in every run.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for path in databases(&geo.join("mmdb_test")) {
        let sound = fs::read(&path).unwrap();
        for _ in 0..25 {
            let mut bytes = sound.clone();
            for _ in 0..1 + random(4) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            let mut atlas = Atlas::default();
            match atlas.add_mmdb("damaged", bytes) {
                Ok(()) => opened += 1,
                Err(_) => refused += 1,
            }
            for n in 0..200u32 {
                atlas.locate(Ipv4Addr::from(n.wrapping_mul(0x9e37_79b9)).into());
            }
        }
    }
    println!("damaged databases: {refused} refused, {opened} opened and asked");
    assert!(opened > 0 && refused > 0);
}

/// What a record of MaxMind's says, read independently of the reader under test.
fn expected(record: &Value) -> (Option<Country>, Option<Asn>) {
    let code = |field: &str| record[field]["iso_code"].as_str()?.parse().ok();
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok()).map(Asn);
    let asn = number(&record["autonomous_system_number"])
        .or_else(|| number(&record["traits"]["autonomous_system_number"]));
    (code("country").or_else(|| code("registered_country")), asn)
}
