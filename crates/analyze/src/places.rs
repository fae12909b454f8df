//! One place for each address: what all runs of a study say of it, put together.
//!
//! For: tables that place an address in one country in one run and in another in the next, and
//! handshakes whose quickness refutes a claim in one run only.
//! Promises: a disagreement between runs shows as one between databases does (`CN/US?`), and a claim
//! that is impossible in one run is so in all.

use crate::execution::Execution;
use crate::table::endpoints;
use overheard_model::{Level, Place, Reading, Run};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// The runs with one place for each address, without their flows where any place had to change.
pub(crate) fn united(runs: &[Run]) -> Cow<'_, [Run]> {
    let mut places: HashMap<IpAddr, Cow<Place>> = HashMap::new();
    let mut differing = HashSet::new();
    for endpoint in runs.iter().flat_map(|run| &run.reading.endpoints) {
        let known = places.entry(endpoint.address).or_insert(Cow::Borrowed(&endpoint.place));
        if !same(known, &endpoint.place) {
            add(known.to_mut(), &endpoint.place);
            differing.insert(endpoint.address);
        }
    }
    if differing.is_empty() {
        return Cow::Borrowed(runs);
    }
    places.retain(|address, _| differing.contains(address));
    Cow::Owned(runs.iter().map(|run| placed(run, &places)).collect())
}

fn same(a: &Place, b: &Place) -> bool {
    a.claims == b.claims && a.anycast == b.anycast && a.impossible == b.impossible
}

fn add(known: &mut Place, other: &Place) {
    for claim in &other.claims {
        if !known.claims.contains(claim) {
            known.claims.push(claim.clone());
        }
    }
    for country in &other.impossible {
        if !known.impossible.contains(country) {
            known.impossible.push(*country);
        }
    }
    known.anycast |= other.anycast;
}

fn placed(run: &Run, places: &HashMap<IpAddr, Cow<Place>>) -> Run {
    let mut endpoints = run.reading.endpoints.clone();
    for endpoint in &mut endpoints {
        if let Some(place) = places.get(&endpoint.address) {
            let own = &endpoint.place;
            endpoint.place =
                Place { local: own.local, within_km: own.within_km, ..place.clone().into_owned() };
        }
    }
    let reading = Reading { capture: run.reading.capture.clone(), flows: Vec::new(), endpoints };
    Run { build: run.build, name: run.name.clone(), began: run.began, reading }
}

/// Whether it is open under which key of the level an address counts: it may stand in any country that
/// is asked for. Disputed, anycast and impossible places are open, as unknown ones are.
pub(crate) fn is_open(level: Level, place: &Place) -> bool {
    match level {
        _ if place.local => false,
        Level::Country => place.agreed().is_none(),
        Level::Network => place.asn().is_none(),
        Level::Address | Level::Name => false,
    }
}

/// Whether an execution met an address whose place is open at the level.
pub(crate) fn met_open(level: Level, execution: &Execution, runs: &[Run]) -> bool {
    endpoints(execution, runs).any(|endpoint| is_open(level, &endpoint.place))
}
