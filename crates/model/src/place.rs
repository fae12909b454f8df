//! Where an address stands: claims of databases, side by side, and what physics allows.
//!
//! Promises: a disagreement stays visible ([`Place::label`] gives `CN/AU?`), an anycast address never
//! gets a bare country, and a claim that light could not keep is marked impossible. A study has as many
//! places as endpoints and few claims among them: a place shares its claims, and takes 32 bytes itself.

use crate::Country;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// An autonomous system number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asn(pub u32);

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

/// A point on the globe, degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coordinates {
    /// −90 to 90, north positive.
    pub latitude: f64,
    /// −180 to 180, east positive.
    pub longitude: f64,
}

/// A database of places that a report must name, with its date and attribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceSource {
    /// Short name, such as `geo-whois-asn-country` or the file's name.
    pub name: Arc<str>,
    /// When it was built, `YYYY-MM-DD`; empty where the database does not say.
    pub date: String,
    /// Licence notice that must travel with the data; empty where none is known.
    pub attribution: String,
}

/// What one database says of one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Name of the [`PlaceSource`].
    pub source: Arc<str>,
    pub country: Option<Country>,
    pub asn: Option<Asn>,
    /// Name of the network's holder.
    pub network: Option<Arc<str>>,
}

impl Claim {
    /// The source of what a table of the user's states.
    pub const TABLE: &'static str = "table";
}

/// All that is known of where an address stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Place {
    pub claims: Arc<[Claim]>,
    /// The address is answered from many places at once: no single country is a fair answer.
    pub anycast: bool,
    /// Not routed on the internet: private, link-local, loopback, multicast, broadcast.
    pub local: bool,
    /// What light allows, where a vantage and a round-trip time are known.
    pub reach: Option<Arc<Reach>>,
}

/// How far away an address can be, and what that rules out.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    /// Farthest that the quickest handshake allows, from the vantage that it was made at.
    pub within_km: f64,
    /// Claimed countries that lie wholly beyond.
    pub impossible: Vec<Country>,
}

/// A place as it is serialised.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Place")]
struct Written {
    claims: Arc<[Claim]>,
    anycast: bool,
    local: bool,
    within_km: Option<f64>,
    impossible: Vec<Country>,
}

impl From<Place> for Written {
    fn from(place: Place) -> Self {
        let impossible = place.impossible().to_vec();
        let within_km = place.reach.map(|reach| reach.within_km);
        Self { claims: place.claims, anycast: place.anycast, local: place.local, within_km, impossible }
    }
}

impl From<Written> for Place {
    fn from(written: Written) -> Self {
        let Written { claims, anycast, local, within_km, impossible } = written;
        let reach = within_km.map(|within_km| Arc::new(Reach { within_km, impossible }));
        Self { claims, anycast, local, reach }
    }
}

impl Place {
    /// The distinct countries claimed, in the databases' order.
    pub fn countries(&self) -> Vec<Country> {
        let mut distinct = Vec::new();
        for country in self.claims.iter().filter_map(|claim| claim.country) {
            if !distinct.contains(&country) {
                distinct.push(country);
            }
        }
        distinct
    }

    /// The claimed countries that light rules out.
    pub fn impossible(&self) -> &[Country] {
        self.reach.as_ref().map_or(&[], |reach| &reach.impossible)
    }

    /// The country, where every database that knows the address agrees and physics does not object.
    pub fn agreed(&self) -> Option<Country> {
        match self.countries()[..] {
            [one] if !self.anycast && !self.impossible().contains(&one) => Some(one),
            _ => None,
        }
    }

    /// How a table shows the place: `CN`, `CN/AU?` (databases differ), `anycast`, `local`,
    /// `CN impossible`; nothing where no database knows the address.
    pub fn label(&self) -> Option<String> {
        if self.local {
            return Some("local".into());
        }
        if self.anycast {
            return Some("anycast".into());
        }
        let countries = self.countries();
        match &countries[..] {
            [] => None,
            [one] if self.impossible().contains(one) => Some(format!("{one} impossible")),
            [one] => Some(one.as_str().to_owned()),
            several => Some(several.iter().map(Country::as_str).collect::<Vec<_>>().join("/") + "?"),
        }
    }

    /// The first AS number claimed.
    pub fn asn(&self) -> Option<Asn> {
        self.claims.iter().find_map(|claim| claim.asn)
    }

    /// The first network name claimed.
    pub fn network(&self) -> Option<&str> {
        self.claims.iter().find_map(|claim| claim.network.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn beyond(code: &str) -> Arc<Reach> {
        Arc::new(Reach { within_km: 250.5, impossible: vec![code.parse().unwrap()] })
    }

    fn claims(codes: &[&str]) -> Place {
        let claim = |code: &&str| Claim {
            source: "test".into(),
            country: code.parse().ok(),
            asn: None,
            network: None,
        };
        Place { claims: codes.iter().map(claim).collect(), ..Place::default() }
    }

    #[test]
    fn a_disagreement_is_shown() {
        assert_eq!(claims(&["CN", "AU", "CN"]).label().as_deref(), Some("CN/AU?"));
        assert_eq!(claims(&["CN", "AU"]).agreed(), None);
        assert_eq!(claims(&["cn"]).label().as_deref(), Some("CN"));
    }

    #[test]
    fn anycast_never_has_a_bare_country() {
        let place = Place { anycast: true, ..claims(&["US"]) };
        assert_eq!(place.label().as_deref(), Some("anycast"));
        assert_eq!(place.agreed(), None);
    }

    #[test]
    fn an_impossible_claim_is_not_agreed() {
        let place = Place { reach: Some(beyond("AU")), ..claims(&["AU"]) };
        assert_eq!(place.label().as_deref(), Some("AU impossible"));
        assert_eq!(place.agreed(), None);
    }

    #[test]
    fn a_place_is_small() {
        assert!(size_of::<Place>() <= 32);
    }

    #[test]
    fn what_light_allows_is_written_beside_the_claims() {
        let bounded = Place { reach: Some(beyond("AU")), ..claims(&["AU"]) };
        let unbounded = Place { local: true, ..Place::default() };
        let written = serde_json::to_value([&bounded, &unbounded]).unwrap();
        let claim = json!({"source": "test", "country": "AU", "asn": null, "network": null});
        let expected = json!([
            {"claims": [claim], "anycast": false, "local": false, "within_km": 250.5, "impossible": ["AU"]},
            {"claims": [], "anycast": false, "local": true, "within_km": null, "impossible": []},
        ]);
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_value::<[Place; 2]>(written).unwrap(), [bounded, unbounded]);
    }
}
