//! Under which names endpoints are known.
//!
//! Names of an endpoint are those of its flows, except what a flow said of its responder where the responder is
//! us; its domains are the registrable domains of each flow's best name (Public Suffix List).
//! What a flow says is noted when it is looked at ([`Naming::hear`]), in whatever order flows come, and none is looked
//! at again; endpoints are named when all were heard ([`Naming::name`]).

use crate::flow::Record;
use crate::heard::Heard;
use crate::resolver::{Place, Resolver};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use overheard_model::{Endpoint, Learned, NameSource, Side};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

/// The registrable domain of a name. Where no rule of the list matches, its prevailing rule does: the
/// last label is the suffix (<https://publicsuffix.org/list/>).
pub(crate) fn registrable_domain(name: &str) -> Option<Arc<str>> {
    let name = name.strip_prefix("*.").unwrap_or(name);
    if name.parse::<IpAddr>().is_ok() {
        return None;
    }
    let domain = psl::domain(name.as_bytes())?;
    std::str::from_utf8(domain.as_bytes()).ok().map(Arc::from)
}

/// The registrable domain of a name, if it has one, as a list that endpoints share.
type Domains = Arc<[Arc<str>]>;

/// What was heard so far.
#[derive(Debug)]
pub(super) struct Naming<'a> {
    resolver: &'a Resolver,
    /// Of each endpoint, by its number.
    known: Vec<Known>,
    said: Vec<Said>,
    /// Domains of endpoints that have another one already, which few have.
    further: Vec<(u32, Domains)>,
    /// Of names that were met.
    domains: HashMap<Arc<str>, Domains, RandomState>,
}

/// What is known of an endpoint before it is named.
#[derive(Debug)]
struct Known {
    /// Packet with which the latest of its flows began.
    began: u64,
    answered: Option<Place>,
    /// The latest that was noted, from 1.
    said: Option<NonZeroU32>,
}

const _: () = assert!(size_of::<Known>() <= 16, "there are nearly as many as flows");

/// A name that a flow said of the endpoint.
#[derive(Debug)]
struct Said {
    name: Arc<str>,
    packet: u64,
    source: NameSource,
    /// What was noted of the same endpoint before.
    before: Option<NonZeroU32>,
}

const _: () = assert!(size_of::<Said>() <= 32, "every third flow says a name");

impl<'a> Naming<'a> {
    /// Room for as many endpoints, so that none is moved while there come more.
    pub(super) fn for_at_most(most: usize, resolver: &'a Resolver) -> Self {
        let (said, further, domains) = (Vec::new(), Vec::new(), HashMap::default());
        Self { resolver, known: Vec::with_capacity(most), said, further, domains }
    }

    /// Begins an endpoint, which has the next number.
    pub(super) fn begin(&mut self, address: IpAddr) {
        self.known.push(Known { began: 0, answered: self.resolver.first(address), said: None });
    }

    /// Notes what a flow says of its endpoint.
    pub(super) fn hear(&mut self, number: u32, endpoint: &mut Endpoint, record: &Record) {
        let Some(known) = self.known.get_mut(number as usize) else { return };
        known.began = known.began.max(record.first_packet());
        for Heard { name, source, packet, .. } in said_of_remote(record) {
            let (name, packet) = (name.clone(), packet.unwrap_or_default());
            self.said.push(Said { name, packet, source, before: known.said });
            known.said = u32::try_from(self.said.len()).ok().and_then(NonZeroU32::new);
        }
        let answered = self.resolver.answered_from(known.answered).names(record.first_packet());
        let Some(best) = said_of_remote(record).chain(answered).min_by_key(Heard::order) else { return };
        let listed = || registrable_domain(best.name).into_iter().collect();
        let domains = self.domains.entry_ref(best.name).or_insert_with(listed);
        if domains.is_empty() || endpoint.domains == *domains {
            return;
        }
        match endpoint.domains.is_empty() {
            true => endpoint.domains = domains.clone(),
            false => self.further.push((number, domains.clone())),
        }
    }

    /// Names the endpoints, all of whose flows were heard.
    pub(super) fn name(mut self, endpoints: &mut [Endpoint]) {
        self.further.sort_unstable();
        self.further.dedup();
        for domains in self.further.chunk_by(|(one, _), (other, _)| one == other) {
            let Some(endpoint) = endpoints.get_mut(domains[0].0 as usize) else { continue };
            let further = domains.iter().flat_map(|(_, domains)| domains.iter());
            let mut all: Vec<Arc<str>> = endpoint.domains.iter().chain(further).cloned().collect();
            all.sort_unstable();
            all.dedup();
            endpoint.domains = all.into();
        }
        // Room to sort in, so that what is kept is allocated once and fits.
        let mut heard = Vec::new();
        for (known, endpoint) in self.known.iter().zip(endpoints) {
            heard.extend(self.said(known));
            // Of one packet in the order in which they were said.
            heard.reverse();
            // What was answered before any of its flows began was known before.
            heard.extend(self.resolver.answered_from(known.answered).names(known.began));
            heard.sort_by_key(Heard::order);
            each_once(&mut heard);
            endpoint.names = heard.drain(..).map(Heard::to_name).collect();
        }
    }

    /// What the flows of an endpoint said, the latest first.
    fn said(&self, known: &Known) -> impl Iterator<Item = Heard<'_>> {
        let at = |place: NonZeroU32| self.said.get(place.get() as usize - 1);
        let said = std::iter::successors(known.said.and_then(at), move |said| said.before.and_then(at));
        said.map(|Said { name, packet, source, .. }| Heard {
            name,
            source: *source,
            packet: Some(*packet),
            learned: Learned::Within,
        })
    }
}

/// Keeps the first of equal names of one source. Few are compared, many are looked up.
fn each_once(heard: &mut Vec<Heard<'_>>) {
    const FEW: usize = 8;
    if heard.len() > FEW {
        let mut seen = HashSet::<_, RandomState>::default();
        return heard.retain(|heard| seen.insert((heard.name, heard.source)));
    }
    let mut kept = 0;
    for at in 0..heard.len() {
        let same = |other: &Heard<'_>| (other.source, other.name) == (heard[at].source, heard[at].name);
        if !heard[..kept].iter().any(same) {
            heard.swap(kept, at);
            kept += 1;
        }
    }
    heard.truncate(kept);
}

/// What a flow says of its responder names the remote end, unless we are the responder.
fn said_of_remote(record: &Record) -> impl Iterator<Item = Heard<'_>> {
    record.said().filter(|_| record.ours == Side::Src)
}
