//! The tables that come with the program: country and network of every routed address.
//!
//! For: placing addresses without a download. `cargo xtask places` packs them from the npm packages
//! `@ip-location-db/geo-whois-asn-country` and `@ip-location-db/asn`; `data/sources.tsv` keeps version
//! and date, `data/ATTRIBUTION.md` the licence notices.
//! Promises: searched in place: no start-up cost, and no memory beyond the program's own pages but for
//! the names of the networks that were met.

use super::anycast::Anycast;
use super::holders::Holders;
use super::packed::{Cursor, Ranges, RangesV4, RangesV6};
use foldhash::HashMap;
use overheard_model::{Asn, Claim, Country, PlaceSource};
use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Lines of name, version and date, in the order of the claims.
const SOURCES: &str = include_str!("../../data/sources.tsv");

/// The licence notices in full; `ATTRIBUTIONS` are what fits a line of a report.
pub const NOTICES: &str = include_str!("../../data/ATTRIBUTION.md");

/// Holder, licence and change, in the order of the sources (CC BY 4.0, section 3(a)).
const ATTRIBUTIONS: [&str; 2] = [
    "ip-location-db, © NRO (nro.net), CC BY 4.0, repacked",
    "ip-location-db, © Route Views (routeviews.org), DB-IP (db-ip.com), NRO (nro.net), CC BY 4.0, repacked",
];

struct Tables {
    country_v4: RangesV4<'static>,
    country_v6: RangesV6<'static>,
    network_v4: RangesV4<'static>,
    network_v6: RangesV6<'static>,
    holders: Holders<'static>,
    /// Names that were asked for: a network has addresses in several countries.
    names: Mutex<HashMap<Asn, Option<Arc<str>>>>,
    country_source: Arc<str>,
    network_source: Arc<str>,
}

impl Tables {
    fn holder(&self, asn: Asn) -> Option<Arc<str>> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.entry(asn).or_insert_with(|| self.holders.name(asn).map(Arc::from)).clone()
    }
}

fn open<const N: usize>(bytes: &'static [u8]) -> Ranges<'static, N> {
    Ranges::open(bytes).expect("the embedded table was packed by xtask")
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let [country_source, network_source] = names();
    Tables {
        country_v4: open(include_bytes!("../../data/country-v4.bin")),
        country_v6: open(include_bytes!("../../data/country-v6.bin")),
        network_v4: open(include_bytes!("../../data/network-v4.bin")),
        network_v6: open(include_bytes!("../../data/network-v6.bin")),
        holders: Holders::open(include_bytes!("../../data/holders.bin")).expect("packed by xtask"),
        names: Mutex::default(),
        country_source,
        network_source,
    }
});

fn names() -> [Arc<str>; 2] {
    let [country, network] = lines();
    [country[0].into(), network[0].into()]
}

/// Name, version and date of the two sources.
fn lines() -> [[&'static str; 3]; 2] {
    let mut lines = SOURCES.lines().map(|line| {
        let mut fields = line.split('\t');
        [(); 3].map(|()| fields.next().unwrap_or_default())
    });
    [(); 2].map(|()| lines.next().unwrap_or_default())
}

/// The two databases, with their dates and attributions.
pub(super) fn sources() -> Vec<PlaceSource> {
    let source = |([name, _, date], attribution): ([&str; 3], &str)| PlaceSource {
        name: name.into(),
        date: date.into(),
        attribution: attribution.into(),
    };
    lines().into_iter().zip(ATTRIBUTIONS).map(source).collect()
}

/// The built-in list of anycast services.
pub(super) fn anycast_source() -> PlaceSource {
    let date = Anycast::compiled().into();
    PlaceSource { name: "documented-anycast".into(), date, attribution: String::new() }
}

/// What the tables hold for an address.
#[derive(Clone, Copy)]
pub(super) struct Answer {
    country: Option<u32>,
    asn: Option<u32>,
}

impl Answer {
    /// Differs between answers that differ: no country is packed as 0, and no network has that number.
    pub(super) fn number(self) -> u64 {
        u64::from(self.country.unwrap_or(0)) << 32 | u64::from(self.asn.unwrap_or(0))
    }
}

/// Where the latest look-ups ended in the tables of countries and of networks.
#[derive(Debug, Default)]
pub(super) struct Latest {
    v4: [Option<Cursor<'static, u32>>; 2],
    v6: [Option<Cursor<'static, u128>>; 2],
}

/// Looks up a routed address.
pub(super) fn answer(address: IpAddr, latest: &mut Latest) -> Answer {
    let tables = &*TABLES;
    let (country, asn) = match address {
        IpAddr::V4(v4) => {
            let [country, network] = &mut latest.v4;
            (tables.country_v4.get(v4.to_bits(), country), tables.network_v4.get(v4.to_bits(), network))
        }
        IpAddr::V6(v6) => {
            let [country, network] = &mut latest.v6;
            (tables.country_v6.get(v6.to_bits(), country), tables.network_v6.get(v6.to_bits(), network))
        }
    };
    Answer { country, asn: asn.filter(|asn| *asn != 0) }
}

/// What an answer claims: the country, then the network.
pub(super) fn claims(answer: Answer) -> impl Iterator<Item = Claim> {
    let tables = &*TABLES;
    let country = answer.country.and_then(unpack_country).map(|country| Claim {
        source: tables.country_source.clone(),
        country: Some(country),
        asn: None,
        network: None,
    });
    let network = answer.asn.map(Asn).map(|asn| Claim {
        source: tables.network_source.clone(),
        country: None,
        asn: Some(asn),
        network: tables.holder(asn),
    });
    country.into_iter().chain(network)
}

/// A country as a value of the packed table: its two letters, the first one high.
pub fn pack_country(country: Country) -> u32 {
    country.as_str().bytes().fold(0, |packed, letter| packed << 8 | u32::from(letter))
}

fn unpack_country(packed: u32) -> Option<Country> {
    let [_, _, letters @ ..] = packed.to_be_bytes();
    std::str::from_utf8(&letters).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_carry_date_and_credit() {
        let sources = sources();
        assert_eq!(sources.len(), 2);
        for source in &sources {
            assert!(source.date.starts_with("20") && source.date.len() == 10, "{source:?}");
            assert!(source.attribution.contains("nro.net") && source.attribution.contains("CC BY 4.0"));
        }
        assert!(sources[1].attribution.contains("routeviews.org"));
        assert!(sources[1].attribution.contains("db-ip.com"));
    }

    #[test]
    fn countries_survive_packing() {
        let cn: Country = "CN".parse().unwrap();
        assert_eq!(unpack_country(pack_country(cn)), Some(cn));
        assert_eq!(unpack_country(7), None);
    }
}
