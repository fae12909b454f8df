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
use overheard_model::{Endpoint, Name, Place, Protocol, Side, Timestamp, Transport, Visibility};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::ops::Range;
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
    let grouping = |range| Grouping::new(conversations, &of_flow, range);
    let mut endpoints = Vec::with_capacity(count as usize);
    if threads.get() == 1 {
        grouping(0..count).add_to(&mut endpoints, &flows);
        return endpoints;
    }
    let middle = count / 2;
    let (before, after) = flows.split_at(flows.partition_point(|(_, flow)| of_flow[*flow as usize] < middle));
    thread::scope(|scope| {
        let after = scope.spawn(|| {
            let mut endpoints = Vec::new();
            grouping(middle..count).add_to(&mut endpoints, after);
            endpoints
        });
        grouping(0..middle).add_to(&mut endpoints, before);
        endpoints.extend(after.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
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

/// What the flows of one endpoint come to.
#[derive(Default)]
struct Sum {
    protocols: Vec<Protocol>,
    visibility: Option<Visibility>,
    packets: [u64; 2],
    bytes: [u64; 2],
    span: Option<(Timestamp, Timestamp)>,
    rtt_ms: Option<f64>,
    /// The lowest and the highest number of a flow's first packet.
    began: Option<(u64, u64)>,
    /// Whether any flow said a name.
    named: bool,
}

impl Sum {
    fn add(&mut self, record: &Record) {
        for (at, side) in [record.ours, record.ours.other()].into_iter().enumerate() {
            let (packets, bytes) = record.sent(side);
            self.packets[at] += packets;
            self.bytes[at] += bytes;
        }
        let protocol = record.protocol();
        if !self.protocols.contains(&protocol) {
            self.protocols.push(protocol);
        }
        let seen = record.visibility();
        self.visibility = Some(self.visibility.map_or(seen, |other| more_readable(other, seen)));
        self.span = Some(spanning(self.span, record.span()));
        self.began = Some(spanning(self.began, (record.first_packet(), record.first_packet())));
        self.rtt_ms = match (self.rtt_ms, record.rtt_ms()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.named |= said_of_remote(record).next().is_some();
    }
}

/// What two spans cover together.
fn spanning<T: Ord>(one: Option<(T, T)>, (first, last): (T, T)) -> (T, T) {
    match one {
        Some((earliest, latest)) => (earliest.min(first), latest.max(last)),
        None => (first, last),
    }
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
    sums: std::vec::IntoIter<Sum>,
    /// Of names that were met.
    domains: HashMap<Arc<str>, Option<Arc<str>>, RandomState>,
    /// Room to sort names in, so that what is kept is allocated once and fits.
    names: Vec<Name>,
    texts: Vec<Arc<str>>,
}

impl<'a> Grouping<'a> {
    /// Sums up what the flows of these endpoints come to. In the order of the flows, which lie in memory in
    /// that order, and not of the endpoints: looked for here and there, each flow would be waited for.
    fn new(conversations: Lent<'a>, of_flow: &[u32], endpoints: Range<u32>) -> Self {
        let mut sums: Vec<Sum> = endpoints.clone().map(|_| Sum::default()).collect();
        for (record, endpoint) in conversations.records.iter().zip(of_flow) {
            if let Some(sum) = endpoint.checked_sub(endpoints.start).and_then(|at| sums.get_mut(at as usize))
            {
                sum.add(record);
            }
        }
        let (domains, names, texts) = (HashMap::default(), Vec::new(), Vec::new());
        Self { conversations, sums: sums.into_iter(), domains, names, texts }
    }

    /// Makes the endpoints of which these are the flows, sorted.
    fn add_to(mut self, endpoints: &mut Vec<Endpoint>, flows: &[(Remote, u32)]) {
        for flows in flows.chunk_by(same_remote) {
            if let (Some(&(remote, _)), Some(sum)) = (flows.first(), self.sums.next()) {
                endpoints.push(self.endpoint(remote, sum, flows));
            }
        }
    }

    fn endpoint(&mut self, remote: Remote, mut sum: Sum, flows: &[(Remote, u32)]) -> Endpoint {
        let address = packet::address(remote.address, remote.v6);
        sum.protocols.sort_unstable();
        let (packet, last_began) = sum.began.unwrap_or_default();
        let named = sum.named || self.conversations.resolver.knows(address);
        let (names, domains) = match named {
            true => (self.names(address, flows, last_began), self.domains(address, flows)),
            false => (Vec::new(), Vec::new()),
        };
        Endpoint {
            capture: self.conversations.capture.clone(),
            address,
            port: remote.port,
            transport: remote.transport,
            names,
            domains,
            place: Place { local: is_local(address), ..Place::default() },
            protocols: sum.protocols,
            visibility: sum.visibility.unwrap_or(Visibility::Unknown),
            packets_out: sum.packets[0],
            packets_in: sum.packets[1],
            bytes_out: sum.bytes[0],
            bytes_in: sum.bytes[1],
            first: sum.span.map(|(first, _)| first),
            last: sum.span.map(|(_, last)| last),
            rtt_ms: sum.rtt_ms,
            packet,
            flows: flows.iter().map(|(_, index)| *index).collect(),
        }
    }

    fn records<'f>(&self, flows: &'f [(Remote, u32)]) -> impl Iterator<Item = &'a Record> + use<'a, 'f> {
        let records = self.conversations.records;
        flows.iter().filter_map(|&(_, index)| records.get(index as usize))
    }

    /// Names of all flows, best first, each name and source once. What was answered before any of
    /// them began was known before.
    fn names(&mut self, address: IpAddr, flows: &[(Remote, u32)], last_began: u64) -> Vec<Name> {
        let answered = self.conversations.resolver.names(address, last_began);
        let said = self.records(flows).flat_map(said_of_remote);
        self.names.extend(said.chain(answered));
        self.names.sort_by_key(|name| (name.rank(), name.packet));
        each_once(&mut self.names);
        self.names.drain(..).collect()
    }

    /// Registrable domains of the best name of each flow.
    #[expect(clippy::drain_collect, reason = "the room is kept, and what is made of it fits")]
    fn domains(&mut self, address: IpAddr, flows: &[(Remote, u32)]) -> Vec<Arc<str>> {
        let best = |record: &Record| {
            let answered = self.conversations.resolver.names(address, record.first_packet());
            let names = said_of_remote(record).chain(answered);
            names.min_by_key(|name| (name.rank(), name.packet)).map(|name| name.name)
        };
        let mut texts = std::mem::take(&mut self.texts);
        texts.extend(self.records(flows).filter_map(best));
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
