//! Flows become endpoints: who is on the other side, under which names.
//!
//! One endpoint per remote address, port and transport. Its names are those of its flows, except what
//! a flow said of its responder where the responder is us; its domains are the registrable domains of
//! each flow's best name (Public Suffix List). Places are added later.

use crate::flow::{Lent, Record};
use crate::packet::{self, Number};
use crate::place::scope::is_local;
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use overheard_model::{Endpoint, Indices, Name, Place, Protocols, Side, Transport, Visibility};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

/// What makes flows one endpoint; numbers, since there are many to be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Remote {
    v6: bool,
    address: Number,
    port: u16,
    transport: Transport,
}

/// Groups the flows by their remote end, sorted by address, port and transport; on one thread, or two.
pub(crate) fn group(conversations: Lent<'_>, threads: NonZeroUsize) -> Vec<Endpoint> {
    let records = (0_u32..).zip(conversations.records);
    let mut flows: Vec<(Remote, u32)> = records.map(|(index, record)| (remote(record), index)).collect();
    flows.sort_unstable();
    let mut of_flow = vec![0; flows.len()];
    let mut count = 0;
    for (endpoint, flows) in (0_u32..).zip(flows.chunk_by(same_remote)) {
        flows.iter().for_each(|&(_, flow)| of_flow[flow as usize] = endpoint);
        count = endpoint + 1;
    }
    let mut endpoints = Vec::with_capacity(count as usize);
    let indices: Arc<[u32]> = flows.iter().map(|(_, index)| *index).collect();
    let mut start = 0;
    for flows in flows.chunk_by(same_remote) {
        let end = start + flows.len() as u32;
        let indices = Indices::of(indices.clone(), start..end);
        endpoints.extend(flows.first().map(|(remote, _)| unseen(*remote, conversations.capture, indices)));
        start = end;
    }
    drop(flows);
    if threads.get() == 1 {
        Grouping::new(conversations, &mut endpoints, 0).fill(&of_flow);
        return endpoints;
    }
    let middle = count / 2;
    let (before, after) = endpoints.split_at_mut(middle as usize);
    thread::scope(|scope| {
        scope.spawn(|| Grouping::new(conversations, after, middle).fill(&of_flow));
        Grouping::new(conversations, before, 0).fill(&of_flow);
    });
    endpoints
}

fn same_remote(one: &(Remote, u32), other: &(Remote, u32)) -> bool {
    one.0 == other.0
}

fn remote(record: &Record) -> Remote {
    let side = record.ours.other();
    let (address, v6) = record.number(side);
    Remote { v6, address, port: record.port(side), transport: record.transport() }
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

/// An endpoint of which no flow was looked at.
fn unseen(remote: Remote, capture: &Arc<str>, flows: Indices) -> Endpoint {
    let address = packet::address(remote.address, remote.v6);
    Endpoint {
        capture: capture.clone(),
        address,
        port: remote.port,
        transport: remote.transport,
        names: Vec::new(),
        domains: Vec::new(),
        place: Place { local: is_local(address), ..Place::default() },
        protocols: Protocols::default(),
        visibility: Visibility::Encrypted,
        packets_out: 0,
        packets_in: 0,
        bytes_out: 0,
        bytes_in: 0,
        first: None,
        last: None,
        rtt_ms: None,
        packet: u64::MAX,
        flows,
    }
}

/// Adds what a flow counts to its endpoint.
fn add(endpoint: &mut Endpoint, record: &Record) {
    let [(packets_out, bytes_out), (packets_in, bytes_in)] =
        [record.ours, record.ours.other()].map(|side| record.sent(side));
    endpoint.packets_out += packets_out;
    endpoint.packets_in += packets_in;
    endpoint.bytes_out += bytes_out;
    endpoint.bytes_in += bytes_in;
    endpoint.protocols.insert(record.protocol());
    endpoint.visibility = more_readable(endpoint.visibility, record.visibility());
    let (first, last) = record.span();
    endpoint.first = Some(endpoint.first.map_or(first, |earliest| earliest.min(first)));
    endpoint.last = Some(endpoint.last.map_or(last, |latest| latest.max(last)));
    endpoint.packet = endpoint.packet.min(record.first_packet());
    endpoint.rtt_ms = match (endpoint.rtt_ms, record.rtt_ms()) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}

fn more_readable(one: Visibility, other: Visibility) -> Visibility {
    let either = |visibility| one == visibility || other == visibility;
    match () {
        () if either(Visibility::Readable) => Visibility::Readable,
        () if either(Visibility::Unknown) => Visibility::Unknown,
        () => Visibility::Encrypted,
    }
}

/// Some of the endpoints in the making, one behind the other.
struct Grouping<'a> {
    conversations: Lent<'a>,
    endpoints: &'a mut [Endpoint],
    /// Where the first of them stands among all.
    start: u32,
    /// Of names that were met.
    domains: HashMap<Arc<str>, Option<Arc<str>>, RandomState>,
    /// Room to sort names in, so that what is kept is allocated once and fits.
    names: Vec<Name>,
    texts: Vec<Arc<str>>,
}

impl<'a> Grouping<'a> {
    fn new(conversations: Lent<'a>, endpoints: &'a mut [Endpoint], start: u32) -> Self {
        let (domains, names, texts) = (HashMap::default(), Vec::new(), Vec::new());
        Self { conversations, endpoints, start, domains, names, texts }
    }

    /// Sums up what their flows come to. In the order of the flows, which lie in memory in that order, and
    /// not of the endpoints: looked for here and there, each flow would be waited for.
    fn fill(mut self, of_flow: &[u32]) {
        let mut named = vec![false; self.endpoints.len()];
        for (record, endpoint) in self.conversations.records.iter().zip(of_flow) {
            if let Some(at) = endpoint.checked_sub(self.start).map(|at| at as usize)
                && let Some(endpoint) = self.endpoints.get_mut(at)
            {
                add(endpoint, record);
                named[at] |= said_of_remote(record).next().is_some();
            }
        }
        for (endpoint, named) in std::mem::take(&mut self.endpoints).iter_mut().zip(named) {
            if named || self.conversations.resolver.knows(endpoint.address) {
                endpoint.names = self.names(endpoint);
                endpoint.domains = self.domains(endpoint);
            }
        }
    }

    fn records<'f>(&self, flows: &'f [u32]) -> impl Iterator<Item = &'a Record> + use<'a, 'f> {
        let records = self.conversations.records;
        flows.iter().filter_map(|&index| records.get(index as usize))
    }

    /// Names of all flows, best first, each name and source once. What was answered before any of
    /// them began was known before.
    fn names(&mut self, endpoint: &Endpoint) -> Vec<Name> {
        let began = self.records(&endpoint.flows).map(Record::first_packet).max();
        let answered = self.conversations.resolver.names(endpoint.address, began.unwrap_or_default());
        let said = self.records(&endpoint.flows).flat_map(said_of_remote);
        self.names.extend(said.chain(answered));
        self.names.sort_by_key(|name| (name.rank(), name.packet));
        each_once(&mut self.names);
        self.names.drain(..).collect()
    }

    /// Registrable domains of the best name of each flow.
    #[expect(clippy::drain_collect, reason = "the room is kept, and what is made of it fits")]
    fn domains(&mut self, endpoint: &Endpoint) -> Vec<Arc<str>> {
        let best = |record: &Record| {
            let answered = self.conversations.resolver.names(endpoint.address, record.first_packet());
            let names = said_of_remote(record).chain(answered);
            names.min_by_key(|name| (name.rank(), name.packet)).map(|name| name.name)
        };
        let mut texts = std::mem::take(&mut self.texts);
        texts.extend(self.records(&endpoint.flows).filter_map(best));
        texts.sort_unstable();
        texts.dedup();
        texts.retain_mut(|text| match self.domain(text) {
            Some(domain) => {
                *text = domain;
                true
            }
            None => false,
        });
        texts.sort_unstable();
        texts.dedup();
        let domains = texts.drain(..).collect();
        self.texts = texts;
        domains
    }

    /// The registrable domain of a name, looked up once.
    fn domain(&mut self, name: &Arc<str>) -> Option<Arc<str>> {
        self.domains.entry_ref(name).or_insert_with(|| registrable_domain(name)).clone()
    }
}

/// Keeps the first of equal names of one source. Few are compared, many are looked up.
fn each_once(names: &mut Vec<Name>) {
    const FEW: usize = 8;
    if names.len() > FEW {
        let mut seen = HashSet::<_, RandomState>::default();
        return names.retain(|name| seen.insert((name.name.clone(), name.source)));
    }
    let mut kept = 0;
    for at in 0..names.len() {
        let same = |other: &Name| (other.source, &other.name) == (names[at].source, &names[at].name);
        if !names[..kept].iter().any(same) {
            names.swap(kept, at);
            kept += 1;
        }
    }
    names.truncate(kept);
}

/// What a flow says of its responder names the remote end, unless we are the responder.
fn said_of_remote(record: &Record) -> impl Iterator<Item = Name> + '_ {
    record.said().filter(|_| record.ours == Side::Src)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Conversations;
    use crate::flow::tests::record;
    use crate::proto::Answer;
    use crate::resolver::Resolver;
    use overheard_model::{NameSource, Timestamp};

    fn conversations(records: Vec<Record>, answers: &[(&str, NameSource)]) -> Conversations {
        let mut resolver = Resolver::within(1 << 20);
        for &(name, source) in answers {
            let (address, time) = ("198.51.100.1".parse().unwrap(), Timestamp(0));
            resolver.add(Answer { address, name: name.into(), source, packet: 1, time });
        }
        Conversations { capture: "test".into(), records, resolver, owners: Default::default() }
    }

    #[test]
    fn flows_to_one_remote_end_are_one_endpoint() {
        let [mut one, other] = [4, 2].map(|packet| record("10.0.0.1", "198.51.100.1", packet));
        one.say("b.example.org", NameSource::TlsSni, Visibility::Readable);
        let answers = [("www.example.co.uk", NameSource::Dns), ("cdn.example.net", NameSource::DnsCname)];
        let endpoints = group(conversations(vec![one, other], &answers).lend(), NonZeroUsize::MIN);
        let [endpoint] = &endpoints[..] else { panic!("{endpoints:?}") };
        assert_eq!((endpoint.port, endpoint.packets_out, endpoint.packet), (443, 2, 2));
        assert_eq!(endpoint.visibility, Visibility::Readable, "the more readable of both");
        let domains: Vec<&str> = endpoint.domains.iter().map(|domain| &**domain).collect();
        assert_eq!(domains, ["example.co.uk", "example.org"], "of each flow's best name");
        assert_eq!(&*endpoint.names[0].name, "b.example.org");
        assert_eq!((endpoint.names.len(), &endpoint.flows[..]), (3, &[0, 1][..]));
    }

    #[test]
    fn two_threads_group_as_one_does() {
        for flows in 0..9 {
            let records: Vec<Record> = (0..flows)
                .map(|flow| record("10.0.0.1", &format!("198.51.100.{}", flow / 3), flow + 1))
                .collect();
            let conversations = conversations(records, &[]);
            let [one, two] =
                [1, 2].map(|threads| group(conversations.lend(), NonZeroUsize::new(threads).unwrap()));
            assert_eq!(one, two);
            assert_eq!(one.len() as u64, flows.div_ceil(3));
        }
    }

    #[test]
    fn what_a_caller_asked_us_for_is_not_the_callers_name() {
        let mut inbound = record("198.51.100.1", "10.0.0.1", 1);
        inbound.ours = Side::Dst;
        inbound.say("ours.example.org", NameSource::HttpHost, Visibility::Readable);
        let endpoints = group(conversations(vec![inbound], &[]).lend(), NonZeroUsize::MIN);
        assert_eq!((endpoints[0].names.len(), endpoints[0].domains.len()), (0, 0));
    }

    #[test]
    fn a_domain_is_one_label_and_its_public_suffix() {
        assert_eq!(registrable_domain("www.example.co.uk").as_deref(), Some("example.co.uk"));
        assert_eq!(registrable_domain("*.user.github.io").as_deref(), Some("user.github.io"));
        assert_eq!(registrable_domain("chat.kite.example").as_deref(), Some("kite.example"));
        assert_eq!(registrable_domain("github.io"), None);
        assert_eq!(registrable_domain("192.0.2.1"), None);
        assert_eq!(registrable_domain("localhost"), None);
    }
}
