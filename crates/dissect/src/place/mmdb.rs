//! Databases of the user's in MaxMind's format, of any vendor.
//!
//! For: `--mmdb FILE`. Knows the field names of MaxMind (GeoIP2, GeoLite2), DB-IP, IPinfo and
//! ip-location-db; reads `country` (the physical place), and `registered_country` only where a record
//! has no other.
//! Promises: a file is verified before it is used (metadata, search tree, records); a bad one is refused
//! with what is wrong and what to do; no panic, no endless loop on any bytes. Of a record only the fields
//! below are decoded, once; names beyond [`LONGEST_NAME`] are cut.
//! To extend: a vendor's field names are one line in [`COUNTRY`], [`NUMBER`] or [`HOLDER`].
//! Source: the MaxMind DB file format specification 2.0.

use maxminddb::{LookupResult, MaxMindDbError, PathElement, Reader, WithinOptions};
use overheard_model::{Asn, Claim, Country, PlaceSource, Timestamp};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

/// Where vendors keep the country, best first.
const COUNTRY: [&[&str]; 5] = [
    &["country", "iso_code"],
    &["country_code"],
    &["country"],
    &["countryCode"],
    &["registered_country", "iso_code"],
];
/// Where vendors keep the AS number.
const NUMBER: [&[&str]; 3] =
    [&["autonomous_system_number"], &["asn"], &["traits", "autonomous_system_number"]];
/// Where vendors keep the name of the network's holder.
const HOLDER: [&[&str]; 4] = [
    &["autonomous_system_organization"],
    &["as_name"],
    &["name"],
    &["traits", "autonomous_system_organization"],
];

/// Distinct records that a survey decodes. A hostile record can take 65 536 steps (the crate's limit),
/// so that their number bounds the time; a bad record behind them gives no claim, and no harm.
const SURVEYED: usize = 4096;

/// Networks per node that a walk through the search tree may meet. A tree of n nodes has n + 1 leaves; that
/// of IPv4 may stand in it several times, by other prefixes (IPv4-mapped, 6to4, Teredo). In a hostile one
/// the ways double at every level, though none is a circle.
const NETWORKS_PER_NODE: usize = 8;

/// Bytes of a network's name; the longest that is registered has 180.
const LONGEST_NAME: usize = 256;

/// Levels of nesting that a record may have; vendors use four.
const LEVELS: u8 = 32;

/// A verified database.
pub(super) struct Database {
    reader: Reader<Vec<u8>>,
    source: PlaceSource,
}

/// Where the search for an address ended. Addresses of one number have the same record.
pub(super) struct Record<'a> {
    pub(super) number: u64,
    found: LookupResult<'a, Vec<u8>>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Database {
    /// Verifies and opens a database; says what is wrong with a bad one.
    pub(super) fn open(label: &str, bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return Err(format!(
                "{label}: gzip-compressed: unpack it first (gunzip, or tar xzf for a .tar.gz)"
            ));
        }
        let refuse = |error: MaxMindDbError| {
            format!("{label}: not a sound MaxMind-format database ({error}): download it again")
        };
        let reader = Reader::from_source(bytes).map_err(refuse)?;
        let metadata = reader.metadata();
        walk_ends(&reader).map_err(refuse)?;
        // The crate's own verification insists on a description, which some sound databases lack.
        let verifiable = !metadata.database_type.is_empty() && !metadata.description.is_empty();
        if verifiable {
            reader.verify().map_err(refuse)?;
        }
        let kind = metadata.database_type.clone();
        let built = i64::try_from(metadata.build_epoch).unwrap_or(i64::MAX);
        let source = PlaceSource {
            name: format!("{kind} ({label})").into(),
            date: if built == 0 { String::new() } else { Timestamp::from_parts(built, 0).date() },
            attribution: String::new(),
        };
        let database = Self { reader, source };
        if !database.survey(verifiable).map_err(refuse)? {
            return Err(format!(
                "{label}: a sound database of type {kind:?}, but none of its records holds a country or \
                 an AS number: give a country, city, ASN or ISP database"
            ));
        }
        Ok(database)
    }

    pub(super) fn source(&self) -> &PlaceSource {
        &self.source
    }

    /// The record of an address; nothing where the database has none.
    pub(super) fn record(&self, address: IpAddr) -> Option<Record<'_>> {
        let found = self.reader.lookup(address).ok()?;
        Some(Record { number: found.offset()? as u64, found })
    }

    /// What a record says; nothing where it holds neither a country nor a network.
    pub(super) fn claim(&self, record: &Record<'_>) -> Option<Claim> {
        self.claim_of(&record.found)
    }

    /// Walks the search tree and decodes its first [`SURVEYED`] records; whether any holds a claim.
    /// A verified database is walked up to its first claim only.
    fn survey(&self, verified: bool) -> Result<bool, MaxMindDbError> {
        let mut records = HashSet::new();
        let mut claims = false;
        let all = WithinOptions::default().include_networks_without_data();
        for record in self.reader.networks(all)? {
            let record = record?;
            let Some(offset) = record.offset() else { continue };
            if records.len() < SURVEYED && records.insert(offset) {
                record.decode::<Nested>()?;
                claims |= self.claim_of(&record).is_some();
            }
            if verified && claims {
                break;
            }
        }
        Ok(claims)
    }

    fn claim_of(&self, record: &LookupResult<'_, Vec<u8>>) -> Option<Claim> {
        let country = COUNTRY.iter().find_map(|path| scalar(record, path)?.country());
        let asn = NUMBER.iter().find_map(|path| scalar(record, path)?.asn());
        let holder = || HOLDER.iter().find_map(|path| scalar(record, path)?.text());
        let network = asn.and_then(|_| holder()).map(|name| cut(name).into());
        let said = country.is_some() || asn.is_some();
        said.then(|| Claim { source: self.source.name.clone(), country, asn, network })
    }
}

/// Whether a walk through the search tree comes to its end, by every way that there is.
fn walk_ends(reader: &Reader<Vec<u8>>) -> Result<(), MaxMindDbError> {
    let most = (reader.metadata().node_count as usize + 1).saturating_mul(NETWORKS_PER_NODE);
    let every = WithinOptions::default().include_networks_without_data().include_aliased_networks();
    for (walked, network) in reader.networks(every)?.enumerate() {
        network?;
        if walked > most {
            return Err(MaxMindDbError::invalid_database("its search tree runs in circles"));
        }
    }
    Ok(())
}

fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(LONGEST_NAME)).unwrap_or(name)
}

/// A field of a record, where it is there and is text or a number.
fn scalar<'a>(record: &LookupResult<'a, Vec<u8>>, path: &[&str]) -> Option<Scalar<'a>> {
    let path: Vec<PathElement<'_>> = path.iter().map(|key| PathElement::Key(key)).collect();
    record.decode_path(&path).ok().flatten()
}

enum Scalar<'a> {
    Text(&'a str),
    Number(u64),
}

impl<'a> Scalar<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    fn country(self) -> Option<Country> {
        self.text()?.parse().ok()
    }

    /// `4134` or `AS4134`; 0 is reserved (RFC 7607) and means none.
    fn asn(self) -> Option<Asn> {
        let number = match self {
            Self::Number(number) => u32::try_from(number).ok()?,
            Self::Text(text) => text.strip_prefix("AS").unwrap_or(text).parse().ok()?,
        };
        (number != 0).then_some(Asn(number))
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// Reads text or a number; anything else is an error, met before it is read.
struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a number")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(text))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        u64::try_from(number).map(Scalar::Number).map_err(|_| E::custom("negative"))
    }
}

/// A value of at most [`LEVELS`] levels, read to its end and left aside.
struct Nested;

impl<'de> Deserialize<'de> for Nested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AnyValue { levels: LEVELS }.deserialize(deserializer).map(|()| Self)
    }
}

/// Reads any value of at most so many levels.
#[derive(Clone, Copy)]
struct AnyValue {
    levels: u8,
}

impl AnyValue {
    fn below<E: Error>(self) -> Result<Self, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { levels })
    }
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let below = self.below()?;
        while map.next_entry_seed(below, below)?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let below = self.below()?;
        while array.next_element_seed(below)?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maxminddb_writer::Database as Writer;
    use maxminddb_writer::paths::IpAddrWithMask;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::sync::Arc;

    /// A database of one record, for 192.0.2.0/24.
    fn file(record: &Value, description: &str) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.metadata.database_type = "Test-Country".into();
        writer.metadata.binary_format_major_version = 2;
        writer.metadata.build_epoch = 1_750_000_000;
        if !description.is_empty() {
            writer.metadata.description.insert("en".into(), description.into());
        }
        let record = writer.insert_value(record).unwrap();
        writer.insert_node("192.0.2.0/24".parse::<IpAddrWithMask>().unwrap(), record);
        writer.write_to(Vec::new()).unwrap()
    }

    fn said(database: &Database, address: &str) -> Option<Claim> {
        database.claim(&database.record(address.parse().unwrap())?)
    }

    fn claim(record: &Value) -> Option<(Option<String>, Option<u32>, Option<String>)> {
        let database = Database::open("test.mmdb", file(record, "a test")).ok()?;
        assert_eq!(said(&database, "198.51.100.1"), None);
        let claim = said(&database, "192.0.2.7")?;
        let text = |text: Arc<str>| text.to_string();
        Some((claim.country.map(String::from), claim.asn.map(|asn| asn.0), claim.network.map(text)))
    }

    #[test]
    fn every_vendors_fields_are_read() {
        let cn = Some("CN".to_owned());
        let network = Some((None, Some(4134), Some("Chinanet".to_owned())));
        let maxmind = json!({"country": {"iso_code": "CN"}, "registered_country": {"iso_code": "AU"}});
        assert_eq!(claim(&maxmind), Some((cn.clone(), None, None)));
        assert_eq!(claim(&json!({"country_code": "CN"})), Some((cn.clone(), None, None)));
        let lite = json!({"country": "China", "country_code": "CN", "asn": "AS4134", "as_name": "Chinanet"});
        assert_eq!(claim(&lite), Some((cn.clone(), Some(4134), Some("Chinanet".into()))));
        assert_eq!(claim(&json!({"country": "CN"})), Some((cn, None, None)));
        let isp = json!({"autonomous_system_number": 4134, "autonomous_system_organization": "Chinanet"});
        assert_eq!(claim(&isp), network);
        assert_eq!(claim(&json!({"asn": "AS4134", "name": "Chinanet"})), network);
        assert_eq!(claim(&json!({"traits": isp})), network);
    }

    #[test]
    fn the_registered_country_is_the_last_resort() {
        let only = json!({"registered_country": {"iso_code": "AU"}});
        assert_eq!(claim(&only), Some((Some("AU".into()), None, None)));
    }

    #[test]
    fn a_database_without_description_is_as_good() {
        let bytes = file(&json!({"country_code": "CN"}), "");
        let database = Database::open("my.mmdb", bytes).unwrap();
        assert_eq!(&*database.source().name, "Test-Country (my.mmdb)");
        assert_eq!(database.source().date, "2025-06-15");
        assert!(said(&database, "192.0.2.1").is_some());
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let refused = |bytes| Database::open("my.mmdb", bytes).unwrap_err();
        assert!(refused(b"hello".to_vec()).starts_with("my.mmdb: not a sound MaxMind-format database"));
        assert!(refused(vec![0x1f, 0x8b, 8, 0]).contains("unpack it first"));
        let mut cut = file(&json!({"country_code": "CN"}), "a test");
        cut.drain(..16);
        assert!(refused(cut).contains("download it again"));
        let domains = refused(file(&json!({"domain": "example.org"}), "a test"));
        assert!(domains.contains("\"Test-Country\"") && domains.contains("give a country, city, ASN"));
        let mut nested = json!("x");
        for _ in 0..40 {
            nested = json!([nested]);
        }
        assert!(refused(file(&nested, "")).contains("nested too deeply"));
    }

    /// A file of these nodes, each two children (4 bytes apiece), with one record `{"country": "CN"}`.
    fn file_of_tree(nodes: &[[u32; 2]]) -> Vec<u8> {
        let mut bytes: Vec<u8> = nodes.iter().flatten().flat_map(|child| child.to_be_bytes()).collect();
        bytes.extend([0; 16]);
        bytes.extend(b"\xe1\x47country\x42CN");
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        bytes.extend(metadata(u32::try_from(nodes.len()).unwrap()));
        bytes
    }

    /// Metadata of an IPv6 tree with records of 32 bits.
    fn metadata(nodes: u32) -> Vec<u8> {
        let mut map = vec![0xe9];
        let mut field = |name: &str, value: &[u8]| {
            map.push(0x40 | u8::try_from(name.len()).unwrap());
            map.extend(name.as_bytes());
            map.extend(value);
        };
        field("binary_format_major_version", b"\xa1\x02");
        field("binary_format_minor_version", b"\xa0");
        field("build_epoch", b"\x00\x02");
        field("database_type", b"\x44Test");
        field("description", b"\xe0");
        field("languages", b"\x00\x04");
        field("ip_version", b"\xa1\x06");
        field("node_count", &[&[0xc4][..], &nodes.to_be_bytes()].concat());
        field("record_size", b"\xa1\x20");
        map
    }

    #[test]
    fn a_tree_whose_ways_double_at_every_level_is_refused() {
        // 96 zeros lead to node 96, by which IPv4 begins; a 1 leads to nodes 97 to 126, both of whose
        // children are the next: 2^30 ways, all of them to node 96, which a plain walk passes over.
        let data = 127 + 16;
        let mut nodes: Vec<[u32; 2]> = (0..96).map(|n| [n + 1, 127]).collect();
        nodes.push([data, data]);
        nodes.extend((97..126).map(|n| [n + 1, n + 1]));
        nodes.push([96, 96]);
        assert!(Database::open("my.mmdb", file_of_tree(&nodes)).is_ok(), "without a way there");
        nodes[0][1] = 97;
        let error = Database::open("my.mmdb", file_of_tree(&nodes)).unwrap_err();
        assert!(error.contains("runs in circles"), "{error}");
        nodes[126] = [97, 97];
        assert!(Database::open("my.mmdb", file_of_tree(&nodes)).is_err());
    }

    #[test]
    fn long_names_are_cut() {
        let record = json!({"asn": 4134, "name": "é".repeat(10_000)});
        let (_, _, name) = claim(&record).unwrap();
        assert_eq!(name, Some("é".repeat(LONGEST_NAME / 2)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_harmless(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            nodes in 0u32..40,
            children in prop::collection::vec(0u32..80, 80),
        ) {
            let described = [&bytes[..], b"\xab\xcd\xefMaxMind.com", &metadata(nodes)].concat();
            let tree: Vec<[u32; 2]> = children.as_chunks().0[..nodes as usize].to_vec();
            for bytes in [bytes, described, file_of_tree(&tree)] {
                if let Ok(database) = Database::open("any", bytes) {
                    for address in ["192.0.2.7", "255.255.255.255", "::", "2001:db8::1", "ffff::"] {
                        said(&database, address);
                    }
                }
            }
        }

        #[test]
        fn damaged_files_never_panic(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            described: bool,
            cut in any::<prop::sample::Index>(),
        ) {
            let record = json!({"country": {"iso_code": "CN", "names": {"en": "China"}}, "list": [1, 2.5, true]});
            let mut bytes = file(&record, if described { "a test" } else { "" });
            for (at, byte) in &flips {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if flips.len() == 5 {
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Ok(database) = Database::open("flipped", bytes) {
                for address in ["192.0.2.7", "0.0.0.0", "255.255.255.255", "::", "2001:db8::1"] {
                    said(&database, address);
                }
            }
        }
    }
}
