//! Under which names endpoints are known.
//!
//! Names of an endpoint are those of its flows, except what a flow said of its responder where the responder is
//! us; its domains are the registrable domains of each flow's best name (Public Suffix List).

use crate::flow::{Lent, Record};
use crate::heard::Heard;
use crate::resolver::Answered;
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use overheard_model::{Endpoint, Name, Side};
use std::net::IpAddr;
use std::sync::Arc;

/// Names the endpoints, each from its flows.
pub(super) fn name(endpoints: &mut [Endpoint], conversations: Lent<'_>) {
    let mut naming = Naming::new(conversations);
    endpoints.iter_mut().for_each(|endpoint| naming.name(endpoint));
}

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

/// Endpoints named one after the other.
struct Naming<'a> {
    conversations: Lent<'a>,
    /// Of names that were met: each one's domain, if any, as the list that most endpoints share.
    domains: HashMap<Arc<str>, Arc<[Arc<str>]>, RandomState>,
    /// Room to sort in, so that what is kept is allocated once and fits.
    heard: Vec<Heard<'a>>,
    found: Vec<Arc<[Arc<str>]>>,
}

impl<'a> Naming<'a> {
    fn new(conversations: Lent<'a>) -> Self {
        Self { conversations, domains: HashMap::default(), heard: Vec::new(), found: Vec::new() }
    }

    fn name(&mut self, endpoint: &mut Endpoint) {
        let answered = self.conversations.resolver.answered(endpoint.address);
        let flows = &endpoint.flows;
        if !answered.is_empty() || self.records(flows).any(Record::says_more) {
            (endpoint.names, endpoint.domains) = (self.names(flows, answered), self.domains(flows, answered));
        }
    }

    fn records<'f>(&self, flows: &'f [u32]) -> impl Iterator<Item = &'a Record> + use<'a, 'f> {
        let records = self.conversations.records;
        flows.iter().filter_map(|&index| records.get(index as usize))
    }

    /// Names of all flows, best first, each name and source once. What was answered before any of them began
    /// was known before.
    fn names(&mut self, flows: &[u32], answered: Answered<'a>) -> Box<[Name]> {
        let began = self.records(flows).map(Record::first_packet).max();
        let said = self.records(flows).flat_map(said_of_remote);
        self.heard.extend(said.chain(answered.names(began.unwrap_or_default())));
        self.heard.sort_by_key(Heard::order);
        each_once(&mut self.heard);
        self.heard.drain(..).map(Heard::to_name).collect()
    }

    /// Registrable domains of the best name of each flow, sorted, each once.
    fn domains(&mut self, flows: &[u32], answered: Answered<'a>) -> Arc<[Arc<str>]> {
        let mut last: Option<&Arc<str>> = None;
        self.found.clear();
        for record in self.records(flows) {
            let best = said_of_remote(record).chain(answered.names(record.first_packet()));
            let best = best.min_by_key(Heard::order).map(|heard| heard.name);
            // Most flows to one end have one name.
            if let Some(name) = best.filter(|name| last.is_none_or(|last| !Arc::ptr_eq(last, name))) {
                let listed = || registrable_domain(name).into_iter().collect();
                let domain = self.domains.entry_ref(name).or_insert_with(listed);
                self.found.extend((!domain.is_empty()).then(|| domain.clone()));
            }
            last = best;
        }
        self.found.sort_unstable();
        self.found.dedup();
        match &self.found[..] {
            [one] => one.clone(),
            several => several.iter().flat_map(|domain| domain.iter().cloned()).collect(),
        }
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
