//! A study: which builds are compared, against which, from where, and what was feared beforehand.
//!
//! Promises: the plan ([`Study`]) knows nothing of the data; a [`Run`] is the unit of replication.

use crate::{Asn, Comparison, Coordinates, Country, PlaceSource, Reading, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// One variant of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Unique within the study.
    pub name: String,
}

/// Where the runs were made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vantage {
    Country(Country),
    Coordinates(Coordinates),
}

impl FromStr for Vantage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((latitude, longitude)) = text.split_once(',') else {
            return Country::assigned(text).map(Self::Country);
        };
        let degrees = |part: &str, limit: f64| {
            let value = part.trim().parse::<f64>().ok().filter(|value| value.abs() <= limit);
            value.ok_or_else(|| format!("{text:?} is no LAT,LON in degrees, such as 52.52,13.40"))
        };
        let (latitude, longitude) = (degrees(latitude, 90.0)?, degrees(longitude, 180.0)?);
        Ok(Self::Coordinates(Coordinates { latitude, longitude }))
    }
}

impl fmt::Display for Vantage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Country(country) => country.fmt(f),
            Self::Coordinates(point) => write!(f, "{},{}", point.latitude, point.longitude),
        }
    }
}

/// What was feared before the data: one confirmatory test each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Concern {
    Country(Country),
    Network(Asn),
    /// A registrable domain, or a host name below one.
    Name(String),
}

impl FromStr for Concern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
        if let Some(number) = digits.parse::<u32>().ok().filter(|number| *number > 0) {
            return Ok(Self::Network(Asn(number)));
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(format!(
                "{text} is an address: name its country, its network (AS4134) or its domain"
            ));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let whole = name.contains('.') && name.split('.').all(|label| !label.is_empty());
        if whole && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
            return Ok(Self::Name(name.to_lowercase()));
        }
        if text.len() == 2 {
            return Country::assigned(text).map(Self::Country);
        }
        Err(format!("{text:?} is no concern: a country (CN), a network (AS4134) or a domain (example.org)"))
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Country(country) => country.fmt(f),
            Self::Network(asn) => asn.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl From<Concern> for String {
    fn from(concern: Concern) -> Self {
        concern.to_string()
    }
}

impl TryFrom<String> for Concern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The plan, fixed before the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// In the order given.
    pub builds: Vec<Build>,
    /// Index of the build that the others are held against.
    pub reference: usize,
    pub concerns: Vec<Concern>,
    pub vantage: Option<Vantage>,
    /// Seed of every random choice in the analysis.
    pub seed: u64,
    /// Databases that placed the addresses, in the order of their claims.
    pub places: Vec<PlaceSource>,
    /// The plan of a live study; absent for captures that were brought along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
}

/// A plan that was fixed in a file before the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// Of the file, as the study was begun with it.
    pub sha256: String,
    pub began: Timestamp,
    /// What the builds were then, in the plan's order; empty in studies that were kept by an earlier version.
    #[serde(default)]
    pub builds: Vec<RegisteredBuild>,
    /// Where runs were made from, in the plan's order.
    #[serde(default)]
    pub vantages: Vec<RegisteredVantage>,
    /// Ways out of the rooms beside the network, as the plan names them.
    #[serde(default)]
    pub doors: Vec<String>,
    /// What was changed after runs were made, a sentence each.
    pub changes: Vec<String>,
}

/// What a build was before the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredBuild {
    pub name: String,
    /// What it calls itself, where the plan has a command that asks it.
    pub version: Option<String>,
    /// Those that the plan names.
    pub files: Vec<RegisteredFile>,
}

/// A file of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredFile {
    pub path: String,
    /// 64 hexadecimal digits.
    pub sha256: String,
    pub bytes: u64,
}

/// Where runs were made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegisteredVantage {
    pub name: String,
    /// Where its traffic comes out, where the plan says so: what light allows is judged from there.
    pub place: Option<Vantage>,
}

/// One execution of one build: the unit of replication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Index into [`Study::builds`].
    pub build: usize,
    /// Unique within the build: the file's name, or the run column of a table.
    pub name: String,
    /// When its first packet was seen; absent for tables.
    pub began: Option<Timestamp>,
    pub reading: Reading,
}

/// All of a study, packed: enough to render every report again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    pub study: Study,
    pub runs: Vec<Run>,
    pub comparison: Comparison,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concerns_are_told_apart() {
        assert_eq!("cn".parse(), Ok(Concern::Country("CN".parse().unwrap())));
        assert_eq!("AS4134".parse(), Ok(Concern::Network(Asn(4134))));
        assert_eq!("4134".parse(), Ok(Concern::Network(Asn(4134))));
        assert_eq!("Tom.com.".parse(), Ok(Concern::Name("tom.com".into())));
        for mistake in [
            "China",
            "UK",
            "ZZ",
            "198.18.60.21",
            "http://example.org/",
            "*.example.org",
            "example.org ",
            ".example.org",
            "a..org",
            "AS0",
        ] {
            assert!(mistake.parse::<Concern>().is_err(), "{mistake}");
        }
    }

    #[test]
    fn vantages_are_told_apart() {
        assert_eq!("lu".parse(), Ok(Vantage::Country("LU".parse().unwrap())));
        let berlin = Coordinates { latitude: 52.52, longitude: 13.4 };
        assert_eq!("52.52, 13.40".parse(), Ok(Vantage::Coordinates(berlin)));
        assert!("91,0".parse::<Vantage>().is_err());
        assert!("XX".parse::<Vantage>().is_err());
    }
}
