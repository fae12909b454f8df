//! Flows become endpoints: who is on the other side, under which names.
//!
//! One endpoint per remote address, port and transport. Its names are those of its flows, except what
//! a flow said of its responder where the responder is us; its domains are the registrable domains of
//! each flow's best name (Public Suffix List). Places are added later.

use crate::place::scope::is_local;
use overheard_model::{Endpoint, Flow, Learned, Name, Place, Side, Transport, Visibility};
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Groups the flows by their remote end, sorted by address, port and transport.
pub(crate) fn group(flows: &[Flow], capture: &Arc<str>) -> Vec<Endpoint> {
    let mut groups = BTreeMap::<(IpAddr, u16, Transport), Vec<u32>>::new();
    for (index, flow) in (0_u32..).zip(flows) {
        let (address, port) = flow.remote();
        groups.entry((address, port, flow.transport)).or_default().push(index);
    }
    groups.into_values().filter_map(|indices| endpoint(flows, indices, capture)).collect()
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

fn endpoint(flows: &[Flow], indices: Vec<u32>, capture: &Arc<str>) -> Option<Endpoint> {
    let members: Vec<&Flow> = indices.iter().filter_map(|&index| flows.get(index as usize)).collect();
    let first = members.first()?;
    let (address, port) = first.remote();
    let sum = |count: fn(&Flow) -> u64| members.iter().map(|flow| count(flow)).sum();
    let rtts = members.iter().filter_map(|flow| flow.rtt_ms);
    Some(Endpoint {
        capture: capture.clone(),
        address,
        port,
        transport: first.transport,
        names: merged_names(&members),
        domains: sorted(
            members.iter().filter_map(|flow| registrable_domain(&names_of_remote(flow).next()?.name)),
        ),
        place: Place { local: is_local(address), ..Place::default() },
        protocols: sorted(members.iter().map(|flow| flow.protocol)),
        visibility: most_readable(&members),
        packets_out: sum(|flow| from(flow, flow.ours).0),
        packets_in: sum(|flow| from(flow, flow.ours.other()).0),
        bytes_out: sum(|flow| from(flow, flow.ours).1),
        bytes_in: sum(|flow| from(flow, flow.ours.other()).1),
        first: members.iter().map(|flow| flow.first).min(),
        last: members.iter().map(|flow| flow.last).max(),
        rtt_ms: rtts.min_by(f64::total_cmp),
        packet: members.iter().map(|flow| flow.first_packet).min()?,
        flows: indices,
    })
}

/// Packets and bytes that a side sent.
fn from(flow: &Flow, side: Side) -> (u64, u64) {
    match side {
        Side::Src => (flow.packets_out, flow.bytes_out),
        Side::Dst => (flow.packets_in, flow.bytes_in),
    }
}

/// A flow's names that are the remote end's: what a flow says of its responder is ours when we are it.
fn names_of_remote(flow: &Flow) -> impl Iterator<Item = &Name> {
    let said_of_us = flow.ours == Side::Dst;
    flow.names.iter().filter(move |name| !(said_of_us && name.learned == Learned::Within))
}

/// Names of all members, best first, each name and source once.
fn merged_names(members: &[&Flow]) -> Vec<Name> {
    let mut names: Vec<Name> = members.iter().copied().flat_map(names_of_remote).cloned().collect();
    names.sort_by_key(|name| (name.rank(), name.packet));
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert((name.name.clone(), name.source)));
    names
}

fn most_readable(members: &[&Flow]) -> Visibility {
    let any = |visibility| members.iter().any(|flow| flow.visibility == visibility);
    match () {
        () if any(Visibility::Readable) => Visibility::Readable,
        () if any(Visibility::Unknown) => Visibility::Unknown,
        () => Visibility::Encrypted,
    }
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::tests::flow;
    use overheard_model::NameSource;

    fn name(name: &str, source: NameSource, learned: Learned) -> Name {
        Name { name: name.into(), source, packet: Some(1), learned }
    }

    #[test]
    fn flows_to_one_remote_end_are_one_endpoint() {
        let mut flows = [flow("10.0.0.1", "198.51.100.1", 4), flow("10.0.0.1", "198.51.100.1", 2)];
        flows[0].names = vec![name("b.example.org", NameSource::TlsSni, Learned::Within)];
        flows[1].names = vec![
            name("www.example.co.uk", NameSource::Dns, Learned::Before),
            name("cdn.example.net", NameSource::DnsCname, Learned::Before),
        ];
        flows[0].rtt_ms = Some(9.0);
        flows[1].visibility = Visibility::Readable;
        let endpoints = group(&flows, &"test".into());
        let [endpoint] = &endpoints[..] else { panic!("{endpoints:?}") };
        assert_eq!((endpoint.port, endpoint.packets_out, endpoint.packet), (443, 2, 2));
        assert_eq!((endpoint.rtt_ms, endpoint.visibility), (Some(9.0), Visibility::Readable));
        let domains: Vec<&str> = endpoint.domains.iter().map(|domain| &**domain).collect();
        assert_eq!(domains, ["example.co.uk", "example.org"], "of each flow's best name");
        assert_eq!(&*endpoint.names[0].name, "b.example.org");
        assert_eq!((endpoint.names.len(), &endpoint.flows[..]), (3, &[0, 1][..]));
    }

    #[test]
    fn what_a_caller_asked_us_for_is_not_the_callers_name() {
        let mut inbound = flow("198.51.100.1", "10.0.0.1", 1);
        inbound.ours = Side::Dst;
        inbound.names = vec![name("ours.example.org", NameSource::HttpHost, Learned::Within)];
        let endpoints = group(&[inbound], &"test".into());
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
