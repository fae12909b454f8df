//! Flows become endpoints: who is on the other side, under which names.
//!
//! One endpoint per remote address, port and transport. Its names are those of its flows, except what
//! a flow said of its responder where the responder is us; its domains are the registrable domains of
//! each flow's best name (Public Suffix List). Places are added later.

use crate::flow::{Lent, Record};
use crate::place::scope::is_local;
use crate::resolver::Resolver;
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use overheard_model::{Endpoint, Name, Place, Side, Transport, Visibility};
use std::net::IpAddr;
use std::sync::Arc;

/// What makes flows one endpoint.
type Remote = (IpAddr, u16, Transport);

/// Groups the flows by their remote end, sorted by address, port and transport.
pub(crate) fn group(conversations: Lent<'_>) -> Vec<Endpoint> {
    let mut groups: Vec<(Remote, Vec<u32>)> = Vec::new();
    let mut known: HashMap<Remote, usize, RandomState> = HashMap::default();
    for (index, record) in (0_u32..).zip(conversations.records) {
        let side = record.ours.other();
        let remote = (record.address(side), record.port(side), record.transport());
        let group = *known.entry(remote).or_insert_with(|| {
            groups.push((remote, Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(index);
    }
    drop(known);
    groups.sort_unstable_by_key(|(remote, _)| *remote);
    groups.into_iter().map(|(remote, indices)| endpoint(conversations, remote, indices)).collect()
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

fn endpoint(conversations: Lent<'_>, remote: Remote, mut indices: Vec<u32>) -> Endpoint {
    indices.shrink_to_fit();
    let (address, port, transport) = remote;
    let members = Members { conversations, address, indices: &indices };
    let sum = |side: fn(Side) -> Side| {
        let sent = members.records().map(|record| record.sent(side(record.ours)));
        sent.fold((0, 0), |(packets, bytes), more| (packets + more.0, bytes + more.1))
    };
    let ((packets_out, bytes_out), (packets_in, bytes_in)) = (sum(|ours| ours), sum(Side::other));
    Endpoint {
        capture: conversations.capture.clone(),
        address,
        port,
        transport,
        names: members.names(),
        domains: members.domains(),
        place: Place { local: is_local(address), ..Place::default() },
        protocols: sorted(members.records().map(Record::protocol)),
        visibility: members.most_readable(),
        packets_out,
        packets_in,
        bytes_out,
        bytes_in,
        first: members.records().map(|record| record.span().0).min(),
        last: members.records().map(|record| record.span().1).max(),
        rtt_ms: members.records().filter_map(Record::rtt_ms).min_by(f64::total_cmp),
        packet: members.records().map(Record::first_packet).min().unwrap_or_default(),
        flows: indices,
    }
}

/// The flows of one endpoint.
struct Members<'a> {
    conversations: Lent<'a>,
    address: IpAddr,
    indices: &'a [u32],
}

impl<'a> Members<'a> {
    fn records(&self) -> impl Iterator<Item = &'a Record> {
        let records = self.conversations.records;
        self.indices.iter().filter_map(|&index| records.get(index as usize))
    }

    fn resolver(&self) -> &'a Resolver {
        self.conversations.resolver
    }

    /// Names of all members, best first, each name and source once. What was answered before any of
    /// them began was known before.
    fn names(&self) -> Vec<Name> {
        let began = self.records().map(Record::first_packet).max().unwrap_or_default();
        let answered = self.resolver().names(self.address, began);
        let mut names: Vec<Name> = self.records().flat_map(said_of_remote).chain(answered).collect();
        names.sort_by_key(|name| (name.rank(), name.packet));
        let mut seen = HashSet::<_, RandomState>::default();
        names.retain(|name| seen.insert((name.name.clone(), name.source)));
        names.shrink_to_fit();
        names
    }

    /// Registrable domains of the best name of each member.
    fn domains(&self) -> Vec<Arc<str>> {
        let best = |record: &'a Record| {
            let answered = self.resolver().names(self.address, record.first_packet());
            let names = said_of_remote(record).chain(answered);
            names.min_by_key(|name| (name.rank(), name.packet)).map(|name| name.name)
        };
        let names = sorted(self.records().filter_map(best));
        sorted(names.iter().filter_map(|name| registrable_domain(name)))
    }

    fn most_readable(&self) -> Visibility {
        let any = |visibility| self.records().any(|record| record.visibility() == visibility);
        match () {
            () if any(Visibility::Readable) => Visibility::Readable,
            () if any(Visibility::Unknown) => Visibility::Unknown,
            () => Visibility::Encrypted,
        }
    }
}

/// What a flow says of its responder names the remote end, unless we are the responder.
fn said_of_remote(record: &Record) -> impl Iterator<Item = Name> + '_ {
    record.said().filter(|_| record.ours == Side::Src)
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values.shrink_to_fit();
    values
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Conversations;
    use crate::flow::tests::record;
    use crate::proto::Answer;
    use overheard_model::{NameSource, Timestamp};

    fn conversations(records: Vec<Record>, answers: &[(&str, NameSource)]) -> Conversations {
        let mut resolver = Resolver::within(1 << 20);
        for &(name, source) in answers {
            let (address, time) = ("198.51.100.1".parse().unwrap(), Timestamp(0));
            resolver.add(Answer { address, name: name.into(), source, packet: 1, time });
        }
        Conversations { capture: "test".into(), records, resolver }
    }

    #[test]
    fn flows_to_one_remote_end_are_one_endpoint() {
        let [mut one, other] = [4, 2].map(|packet| record("10.0.0.1", "198.51.100.1", packet));
        one.say("b.example.org", NameSource::TlsSni, Visibility::Readable);
        let answers = [("www.example.co.uk", NameSource::Dns), ("cdn.example.net", NameSource::DnsCname)];
        let endpoints = group(conversations(vec![one, other], &answers).lend());
        let [endpoint] = &endpoints[..] else { panic!("{endpoints:?}") };
        assert_eq!((endpoint.port, endpoint.packets_out, endpoint.packet), (443, 2, 2));
        assert_eq!(endpoint.visibility, Visibility::Readable, "the more readable of both");
        let domains: Vec<&str> = endpoint.domains.iter().map(|domain| &**domain).collect();
        assert_eq!(domains, ["example.co.uk", "example.org"], "of each flow's best name");
        assert_eq!(&*endpoint.names[0].name, "b.example.org");
        assert_eq!((endpoint.names.len(), &endpoint.flows[..]), (3, &[0, 1][..]));
    }

    #[test]
    fn what_a_caller_asked_us_for_is_not_the_callers_name() {
        let mut inbound = record("198.51.100.1", "10.0.0.1", 1);
        inbound.ours = Side::Dst;
        inbound.say("ours.example.org", NameSource::HttpHost, Visibility::Readable);
        let endpoints = group(conversations(vec![inbound], &[]).lend());
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
