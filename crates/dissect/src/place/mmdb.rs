//! Databases of the user's in MaxMind's format, of any vendor.
//!
//! For: `--mmdb FILE`. Knows the field names of MaxMind (GeoIP2, GeoLite2), DB-IP, IPinfo and
//! ip-location-db; reads `country` (the physical place), and `registered_country` only where a record
//! has no other.
//! Promises: the whole file is verified before it is used (metadata, search tree, every record); a bad
//! one is refused with what is wrong and what to do; no panic, no endless loop on any bytes.
//! To extend: a vendor's field names are one line in [`COUNTRY`], [`NUMBER`] or [`HOLDER`].
//! Source: the MaxMind DB file format specification 2.0.

use maxminddb::{LookupResult, PathElement, Reader};
use overheard_model::{Asn, Claim, Country, PlaceSource, Timestamp};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
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
        let refuse = |error: maxminddb::MaxMindDbError| {
            format!("{label}: not a sound MaxMind-format database ({error}): download it again")
        };
        let reader = Reader::from_source(bytes).map_err(refuse)?;
        reader.verify().map_err(refuse)?;
        let metadata = reader.metadata();
        let kind = metadata.database_type.clone();
        let built = i64::try_from(metadata.build_epoch).unwrap_or(i64::MAX);
        let source = PlaceSource {
            name: format!("{kind} ({label})").into(),
            date: if built == 0 { String::new() } else { Timestamp::from_parts(built, 0).date() },
            attribution: String::new(),
        };
        let database = Self { reader, source };
        if !database.says_anything() {
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

    fn says_anything(&self) -> bool {
        let records = self.reader.networks(Default::default()).into_iter().flatten();
        records.flatten().any(|record| self.claim_of(&record).is_some())
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
        struct TextOrNumber;
        impl<'de> Visitor<'de> for TextOrNumber {
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
                u64::try_from(number).map(Scalar::Number).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(TextOrNumber)
    }
}
