//! Places: the country and network of an address, from several sources side by side.
//!
//! For: `overheard`'s country and network columns. An [`Atlas`] asks the embedded tables ([`embedded`])
//! and any number of databases of the user's ([`mmdb`]), marks anycast ([`anycast`]), and bounds what
//! they claim by the round-trip time ([`extent`]). `docs/methods/places.md` says what each means.
//! Promises: no network access; sources never hide one another; what a table of the user's says of
//! an address is left as it is; a look-up costs about two thousand instructions, and what addresses have
//! in common is kept once ([`known`]).
//! To extend: a source of places is one file here and a few lines in [`Atlas::claims`].

mod anycast;
mod embedded;
mod extent;
mod holders;
mod known;
mod mmdb;
mod packed;
pub(crate) mod scope;
mod symbols;

pub use embedded::NOTICES;
/// What `cargo xtask places` packs the embedded tables with.
pub use embedded::pack_country;
pub use extent::{CELLS_PER_DEGREE, Cell, cell_of, pack_extents};
pub use holders::pack_holders;
pub use packed::{pack_ranges_v4, pack_ranges_v6};

use anycast::Anycast;
use extent::Distances;
use foldhash::HashMap;
use known::Known;
use mmdb::Database;
use overheard_model::{Claim, Country, Place, PlaceSource, Reach, Reading, Vantage};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Farthest that a server can be, per millisecond of round-trip time: light in fibre covers about
/// 200 km in a millisecond, and the way there takes half of the time.
const KM_PER_MS: f64 = 100.0;

/// Databases of places, asked together.
#[derive(Debug, Default)]
pub struct Atlas {
    embedded: bool,
    databases: Vec<Database>,
    anycast: Vec<(PlaceSource, Anycast)>,
    distances: Distances,
    memory: Mutex<Memory>,
}

/// What a look-up leaves for the next one.
#[derive(Debug, Default)]
struct Memory {
    known: Known,
    latest: embedded::Latest,
}

impl Atlas {
    /// The tables that come with the program.
    pub fn embedded() -> Self {
        let documented = (embedded::anycast_source(), Anycast::documented().clone());
        Self { embedded: true, anycast: vec![documented], ..Self::default() }
    }

    /// Adds a MaxMind-format database, asked after those already there; says what is wrong with a bad
    /// one. `label` is how the user knows it, such as the file's name.
    pub fn add_mmdb(&mut self, label: &str, bytes: Vec<u8>) -> Result<(), String> {
        self.databases.push(Database::open(label, bytes)?);
        Ok(())
    }

    /// Adds a list of anycast prefixes, see [`Anycast::parse`]; says which line is bad.
    pub fn add_anycast(&mut self, label: &str, text: &str) -> Result<(), String> {
        let list = Anycast::parse(text).map_err(|error| format!("{label}: {error}"))?;
        let source = PlaceSource { name: label.into(), date: String::new(), attribution: String::new() };
        self.anycast.push((source, list));
        Ok(())
    }

    /// The databases, in the order of their claims, then the lists of anycast prefixes.
    pub fn sources(&self) -> Vec<PlaceSource> {
        let embedded = if self.embedded { embedded::sources() } else { Vec::new() };
        let databases = self.databases.iter().map(|database| database.source().clone());
        let anycast = self.anycast.iter().map(|(source, _)| source.clone());
        embedded.into_iter().chain(databases).chain(anycast).collect()
    }

    /// All that the databases say of one address.
    pub fn locate(&self, address: IpAddr) -> Place {
        let address = scope::unwrapped(address);
        if scope::is_local(address) {
            return Place { local: true, ..Place::default() };
        }
        let place = Place { claims: self.claims(address), ..Place::default() };
        let anycast = self.anycast.iter().any(|(_, list)| list.contains(address, place.asn()));
        Place { anycast, ..place }
    }

    fn claims(&self, address: IpAddr) -> Arc<[Claim]> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { known, latest } = &mut *memory;
        let mut said = 0;
        if self.embedded && !scope::is_reserved(address) {
            let answer = embedded::answer(address, latest);
            said = known.and(said, 0, answer.number(), || embedded::claims(answer));
        }
        for (source, database) in (1..).zip(&self.databases) {
            let Some(record) = database.record(address) else { continue };
            said = known.and(said, source, record.number, || database.claim(&record));
        }
        known.claims(said)
    }

    /// Places every endpoint and flow of readings that belong together, such as a study's runs, all made from one
    /// vantage: see [`Atlas::place_each`].
    pub fn place<'a>(&self, readings: impl IntoIterator<Item = &'a mut Reading>, vantage: Option<&Vantage>) {
        self.place_each(readings.into_iter().map(|reading| (reading, vantage)));
    }

    /// The same of readings each of which was made from a vantage of its own. A place is the address's, the same in
    /// all of them: bounded by the quickest handshake that was seen from each vantage; and where tables of the user's
    /// name its country, that country stands, a second one beside it, and databases are asked for the network alone.
    pub fn place_each<'a, 'v>(
        &self,
        readings: impl IntoIterator<Item = (&'a mut Reading, Option<&'v Vantage>)>,
    ) {
        let (readings, vantages): (Vec<&mut Reading>, Vec<Option<&Vantage>>) = readings.into_iter().unzip();
        let stated = stated_countries(&readings);
        let quickest = quickest_handshakes(readings.iter().map(|reading| &**reading).zip(vantages));
        let place = |address| match (stated.get(&address), quickest.get(&address)) {
            (Some(stated), _) => self.beside(address, stated),
            (None, Some(quickest)) => self.bound(self.locate(address), quickest),
            (None, None) => self.locate(address),
        };
        let mut alike = Alike::default();
        let mut placed = |address| (address, alike.share(place(address)));
        let places: Arc<[_]> = addresses(&readings).map(&mut placed).collect();
        for reading in readings {
            let mut at = 0;
            for endpoint in reading.endpoints.iter_mut().chain(&mut reading.attempts) {
                let is_at = |at: &usize| places.get(*at).is_some_and(|(other, _)| *other == endpoint.address);
                // Endpoints are sorted by address: it is mostly that of the one before, or the next.
                let near = [at, at + 1].into_iter().find(is_at);
                let search = || places.binary_search_by_key(&endpoint.address, |(address, _)| *address).ok();
                let Some(found) = near.or_else(search) else { continue };
                (at, endpoint.place) = (found, places[found].1.clone());
            }
            reading.flows.set_places(Arc::clone(&places));
        }
    }

    /// The countries that tables state, and the network that databases know.
    fn beside(&self, address: IpAddr, stated: &[Claim]) -> Place {
        let located = self.locate(address);
        let networks = located.claims.iter().filter(|claim| claim.asn.is_some());
        let networks = networks.map(|claim| Claim { country: None, ..claim.clone() });
        Place { claims: stated.iter().cloned().chain(networks).collect(), anycast: false, ..located }
    }

    /// What light allows from each vantage: see `docs/methods/places.md`.
    fn bound(&self, place: Place, quickest: &[(&Vantage, f64)]) -> Place {
        if place.local {
            return place;
        }
        let beyond = |country: &Country| {
            quickest.iter().any(|(vantage, rtt_ms)| {
                let nearest = self.distances.at_least_km(vantage, *country);
                nearest.is_some_and(|nearest| nearest > rtt_ms * KM_PER_MS)
            })
        };
        let impossible = place.countries().into_iter().filter(beyond).collect();
        let within_km = quickest.iter().map(|(_, rtt_ms)| rtt_ms * KM_PER_MS).fold(f64::INFINITY, f64::min);
        Place { reach: Some(Arc::new(Reach { within_km, impossible })), ..place }
    }
}

/// Places that light does not bound, each kept once: they differ by little but their claims, which are shared.
#[derive(Default)]
struct Alike(HashMap<(usize, bool, bool), Arc<Place>>);

impl Alike {
    fn share(&mut self, place: Place) -> Arc<Place> {
        if place.reach.is_some() {
            return Arc::new(place);
        }
        // Where claims are is theirs alone as long as a place among these keeps them.
        let claims = Arc::as_ptr(&place.claims).addr();
        let known = self.0.entry((claims, place.anycast, place.local));
        known.or_insert_with(|| Arc::new(place)).clone()
    }
}

/// The addresses of all endpoints, sorted, each once.
fn addresses(readings: &[&mut Reading]) -> std::vec::IntoIter<IpAddr> {
    let endpoints = readings.iter().flat_map(|reading| reading.met());
    let mut addresses: Vec<IpAddr> = endpoints.map(|endpoint| endpoint.address).collect();
    // One reading's are mostly sorted already, which sorting sees at once.
    addresses.sort();
    addresses.dedup();
    addresses.into_iter()
}

/// The quickest handshake with each address from each vantage, over all its ports and all readings, milliseconds.
fn quickest_handshakes<'a, 'v>(
    readings: impl Iterator<Item = (&'a Reading, Option<&'v Vantage>)>,
) -> HashMap<IpAddr, Vec<(&'v Vantage, f64)>> {
    let mut quickest: HashMap<IpAddr, Vec<(&Vantage, f64)>> = HashMap::default();
    let placed = readings.filter_map(|(reading, vantage)| Some((reading, vantage?)));
    for (endpoint, vantage) in
        placed.flat_map(|(it, vantage)| it.endpoints.iter().map(move |it| (it, vantage)))
    {
        let Some(rtt_ms) = endpoint.rtt_ms.filter(|rtt_ms| *rtt_ms > 0.0) else { continue };
        let known = quickest.entry(endpoint.address).or_default();
        match known.iter_mut().find(|(other, _)| *other == vantage) {
            Some((_, least)) => *least = rtt_ms.min(*least),
            None => known.push((vantage, rtt_ms)),
        }
    }
    quickest
}

/// What tables of the user's say of each address: every country once.
fn stated_countries(readings: &[&mut Reading]) -> HashMap<IpAddr, Vec<Claim>> {
    let mut stated: HashMap<IpAddr, Vec<Claim>> = HashMap::default();
    for endpoint in readings.iter().flat_map(|reading| &reading.endpoints) {
        for claim in endpoint.place.claims.iter().filter(|claim| is_stated(claim)) {
            let claims = stated.entry(endpoint.address).or_default();
            if !claims.contains(claim) {
                claims.push(claim.clone());
            }
        }
    }
    stated
}

fn is_stated(claim: &Claim) -> bool {
    &*claim.source == Claim::TABLE && claim.country.is_some()
}

#[cfg(test)]
mod tests;
