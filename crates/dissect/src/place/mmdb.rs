//! Databases of the user's in MaxMind's format, of any vendor.
//!
//! For: `--mmdb FILE`. Knows the field names of MaxMind (GeoIP2, GeoLite2), DB-IP, IPinfo and
//! ip-location-db; reads `country` (the physical place), and `registered_country` only where a record
//! has no other.
//! Promises: a file is verified before it is used (metadata, search tree, records); a bad one is refused
//! with what is wrong and what to do; no panic, no endless loop on any bytes.
//! To extend: a vendor's field names are one line in [`COUNTRY`], [`NUMBER`] or [`HOLDER`].
//! Source: the MaxMind DB file format specification 2.0.

use maxminddb::{LookupResult, MaxMindDbError, PathElement, Reader, WithinOptions};
use overheard_model::{Asn, Claim, Country, PlaceSource, Timestamp};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

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

/// Levels of nesting that a record may have; vendors use four.
const LEVELS: u8 = 32;

/// A verified database.
pub(super) struct Database {
    reader: Reader<Vec<u8>>,
    source: PlaceSource,
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

    /// What the database says of an address; nothing where it has no record of it.
    pub(super) fn claim(&self, address: IpAddr) -> Option<Claim> {
        self.claim_of(&self.reader.lookup(address).ok()?)
    }

    /// Walks the search tree and decodes its first [`SURVEYED`] records; whether any holds a claim.
    /// A verified database is walked up to its first claim only.
    fn survey(&self, verified: bool) -> Result<bool, MaxMindDbError> {
        let most = u64::from(self.reader.metadata().node_count).saturating_mul(3);
        let mut records = HashSet::new();
        let mut claims = false;
        let all = WithinOptions::default().include_networks_without_data();
        for (walked, record) in (0..).zip(self.reader.networks(all)?) {
            let record = record?;
            if walked > most {
                return Err(MaxMindDbError::invalid_database("its search tree runs in circles"));
            }
            let Some(offset) = record.offset() else { continue };
            if records.len() < SURVEYED && records.insert(offset) {
                record.decode::<Scalar<'_>>()?;
                claims |= self.claim_of(&record).is_some();
            }
            if verified && claims {
                break;
            }
        }
        Ok(claims)
    }

    fn claim_of(&self, record: &LookupResult<'_, Vec<u8>>) -> Option<Claim> {
        let first =
            |paths: &[&[&str]]| paths.iter().filter_map(|path| scalar(record, path)).collect::<Vec<_>>();
        let country = first(&COUNTRY).into_iter().find_map(Scalar::country);
        let asn = first(&NUMBER).into_iter().find_map(Scalar::asn);
        let holder = || first(&HOLDER).into_iter().find_map(Scalar::text).map(Arc::from);
        let network = asn.and_then(|_| holder());
        let said = country.is_some() || asn.is_some();
        said.then(|| Claim { source: self.source.name.clone(), country, asn, network })
    }
}

/// A field of a record, where it is there and is text or a number.
fn scalar<'a>(record: &LookupResult<'a, Vec<u8>>, path: &[&str]) -> Option<Scalar<'a>> {
    let path: Vec<PathElement<'_>> = path.iter().map(|key| PathElement::Key(key)).collect();
    record.decode_path(&path).ok().flatten()
}

enum Scalar<'a> {
    Text(&'a str),
    Number(u64),
    /// Anything else, read to its end.
    Other,
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
            Self::Other => return None,
        };
        (number != 0).then_some(Asn(number))
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AnyValue { levels: LEVELS }.deserialize(deserializer)
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
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(text))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(u64::try_from(number).map_or(Scalar::Other, Scalar::Number))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        let below = self.below()?;
        while map.next_entry_seed(below, below)?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Scalar<'de>, A::Error> {
        let below = self.below()?;
        while array.next_element_seed(below)?.is_some() {}
        Ok(Scalar::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maxminddb_writer::Database as Writer;
    use maxminddb_writer::paths::IpAddrWithMask;
    use proptest::prelude::*;
    use serde_json::{Value, json};

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

    fn claim(record: &Value) -> Option<(Option<String>, Option<u32>, Option<String>)> {
        let database = Database::open("test.mmdb", file(record, "a test")).ok()?;
        assert_eq!(database.claim("198.51.100.1".parse().unwrap()), None);
        let claim = database.claim("192.0.2.7".parse().unwrap())?;
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
        assert!(database.claim("192.0.2.1".parse().unwrap()).is_some());
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

    proptest! {
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
                    database.claim(address.parse().unwrap());
                }
            }
        }
    }
}
