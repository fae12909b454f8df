//! Flows become endpoints: who is on the other side, under which names.
//!
//! One endpoint per remote address, port and transport ([`remote`]). Each flow is looked at once: it is added to what
//! the flows of its endpoint come to, and what it says is noted ([`naming`]). Endpoints are then named, in the order
//! in which they were met, and sorted. Places are added later.
//! Two threads share the work by the order of the remote ends: each looks at all flows, and takes those of one half.

mod naming;
mod remote;

use crate::flow::{Lent, Record};
use crate::place::scope::is_local;
use crate::resolver::Resolver;
use naming::Naming;
pub(crate) use naming::registrable_domain;
use overheard_model::{Destination, Endpoint, Indices, Place, Transport, Uncarried, Visibility};
use remote::{Remote, Remotes};
use std::num::NonZeroUsize;
use std::ops::RangeBounds;
use std::sync::Arc;
use std::thread;

/// Remote ends that are looked at to find the middle one.
const SAMPLE: usize = 1 << 10;

/// Flows that are let go together: about 10 MB of them.
const PIECE: usize = 1 << 16;

/// Groups the flows by their remote end, sorted by address, port and transport; on one thread, or two.
pub(crate) fn group(conversations: Lent<'_>, threads: NonZeroUsize) -> Vec<Endpoint> {
    let Some(middle) = middle(conversations.records).filter(|_| threads.get() > 1) else {
        return within(.., conversations);
    };
    thread::scope(|scope| {
        let upper = scope.spawn(|| within(middle.., conversations));
        let mut endpoints = within(..middle, conversations);
        endpoints.append(&mut upper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        endpoints
    })
}

/// A remote end that about half of the flows' come before.
fn middle(records: &[Record]) -> Option<Remote> {
    let step = records.len() / SAMPLE + 1;
    let mut sample: Vec<Remote> = records.iter().step_by(step).map(Remote::of).collect();
    sample.sort_unstable();
    sample.get(sample.len() / 2).copied()
}

/// Groups flows that nobody asks for any more: each is let go when it was looked at, so that flows and endpoints are
/// never held together. Endpoints have no indices of flows.
pub(crate) fn group_and_let_go(
    capture: &Arc<str>,
    mut records: Vec<Record>,
    resolver: &Resolver,
) -> Vec<Endpoint> {
    let mut meeting = Meeting::new(capture, resolver, records.len());
    // From the last one on, since it is the end of a vector that is given back.
    while let Some(record) = records.pop() {
        meeting.take(Remote::of(&record), &record);
        if records.len().is_multiple_of(PIECE) {
            records.shrink_to_fit();
        }
    }
    meeting.end()
}

/// The endpoints whose remote ends lie in a stretch of their order, sorted.
fn within(stretch: impl RangeBounds<Remote>, conversations: Lent<'_>) -> Vec<Endpoint> {
    let Lent { records, capture, resolver, .. } = conversations;
    let mut meeting = Meeting::new(capture, resolver, records.len());
    let mut flows = Vec::with_capacity(records.len());
    for (index, record) in (0..).zip(records) {
        let remote = Remote::of(record);
        if stretch.contains(&remote) {
            flows.push((index, meeting.take(remote, record)));
        }
    }
    assign(&flows, &mut meeting.endpoints);
    drop(flows);
    meeting.end()
}

/// Endpoints in the making, numbered as they are met: flows to one end mostly begin near each other, so that what is
/// kept of it was touched lately.
struct Meeting<'a> {
    capture: &'a Arc<str>,
    endpoints: Vec<Endpoint>,
    remotes: Remotes,
    naming: Naming<'a>,
    beyond: Arc<Place>,
    local: Arc<Place>,
}

impl<'a> Meeting<'a> {
    fn new(capture: &'a Arc<str>, resolver: &'a Resolver, flows: usize) -> Self {
        let [beyond, local] = [false, true].map(|local| Arc::new(Place { local, ..Place::default() }));
        Self {
            capture,
            // Room for as many as there can be, so that none is moved while they are met.
            endpoints: Vec::with_capacity(flows),
            remotes: Remotes::for_at_most(flows),
            naming: Naming::for_at_most(flows, resolver),
            beyond,
            local,
        }
    }

    /// Adds a flow to the endpoint that it goes to, and tells its number.
    fn take(&mut self, remote: Remote, record: &Record) -> u32 {
        let number = self.remotes.meet(remote, &self.endpoints);
        if number as usize == self.endpoints.len() {
            let address = remote.address();
            let place = if is_local(address) { &self.local } else { &self.beyond };
            self.endpoints.push(unseen(remote, self.capture, place.clone()));
            self.naming.begin(address);
        }
        let endpoint = &mut self.endpoints[number as usize];
        add(endpoint, record);
        self.naming.hear(number, endpoint, record);
        number
    }

    /// The endpoints, named and sorted.
    fn end(self) -> Vec<Endpoint> {
        let Self { mut endpoints, naming, remotes, .. } = self;
        drop(remotes);
        endpoints.shrink_to_fit();
        naming.name(&mut endpoints);
        remote::sort(&mut endpoints);
        endpoints
    }
}

/// Parts those to whom nothing is known to have been carried from the others. Who answered was reached, whatever is
/// said: a reset alone is no answer, since a recorder that holds an app back gives it one. Whoever only sent messages of
/// ICMP, as a router that tells of an error, is neither: nobody talked to it.
pub(crate) fn part(mut met: Vec<Endpoint>, uncarried: &Uncarried) -> (Vec<Endpoint>, Vec<Endpoint>) {
    met.retain(|endpoint| {
        !matches!(endpoint.transport, Transport::Icmp | Transport::Icmp6) || endpoint.packets_out > 0
    });
    if *uncarried == Uncarried::default() {
        return (Vec::new(), met);
    }
    met.into_iter().partition(|endpoint| {
        let datagrams_came = endpoint.transport != Transport::Tcp && endpoint.packets_in > 0;
        let answered = endpoint.rtt_ms.is_some() || datagrams_came;
        !answered && uncarried.may_hold(&endpoint.destination())
    })
}

/// An endpoint of which no flow was looked at: what it has is less than what any flow adds.
fn unseen(remote: Remote, capture: &Arc<str>, place: Arc<Place>) -> Endpoint {
    let at = Destination { address: remote.address(), port: remote.port, transport: remote.transport };
    Endpoint {
        visibility: Visibility::Encrypted,
        packet: u64::MAX,
        ..Endpoint::unseen(capture.clone(), at, place)
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

/// Gives each endpoint the indices of its flows, listed with the endpoint that each goes to: a stretch of one list
/// that all share.
fn assign(flows: &[(u32, u32)], endpoints: &mut [Endpoint]) {
    let mut ends = vec![0_u32; endpoints.len()];
    flows.iter().for_each(|&(_, number)| ends[number as usize] += 1);
    let mut sum = 0;
    for end in &mut ends {
        (*end, sum) = (sum, sum + *end);
    }
    // From where each stretch begins to where it ends, one flow after the other.
    let starts = ends.clone();
    let mut indices = vec![0; flows.len()];
    for &(index, number) in flows {
        let end = &mut ends[number as usize];
        indices[*end as usize] = index;
        *end += 1;
    }
    let all = Arc::new(indices.into_boxed_slice());
    for (endpoint, (start, end)) in endpoints.iter_mut().zip(starts.into_iter().zip(ends)) {
        endpoint.flows = Indices::of(all.clone(), start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Conversations;
    use crate::flow::Record;
    use crate::flow::tests::record;
    use crate::proto::Answer;
    use crate::resolver::Resolver;
    use overheard_model::{NameSource, Side, Timestamp, Visibility};

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
    fn whom_nothing_was_carried_to_is_no_endpoint_unless_it_answered() {
        let records = [1, 2, 3].map(|host| record("10.0.0.1", &format!("198.51.100.{host}"), host));
        let mut met = group(conversations(records.into(), &[]).lend(), NonZeroUsize::MIN);
        met.iter_mut().for_each(|endpoint| (endpoint.rtt_ms, endpoint.packets_in) = (None, 0));
        met[1].packets_in = 1;
        let listed = ["udp 198.51.100.1:443", "udp 198.51.100.2:443", "tcp 198.51.100.3:443"];
        let listed = listed.map(|to| to.parse().unwrap()).into();
        let uncarried = Uncarried { listed, all_but: None };
        let (attempts, endpoints) = part(met, &uncarried);
        let addresses = |met: Vec<Endpoint>| met.iter().map(|it| it.address.to_string()).collect::<Vec<_>>();
        assert_eq!(addresses(attempts), ["198.51.100.1"]);
        assert_eq!(addresses(endpoints), ["198.51.100.2", "198.51.100.3"]);
    }

    #[test]
    fn a_router_that_only_told_of_an_error_was_not_talked_to() {
        let records = [1, 2].map(|host| record("10.0.0.1", &format!("198.51.100.{host}"), host));
        let mut met = group(conversations(records.into(), &[]).lend(), NonZeroUsize::MIN);
        met.iter_mut().for_each(|endpoint| endpoint.transport = Transport::Icmp);
        (met[0].packets_out, met[0].packets_in) = (0, 3);
        let (attempts, endpoints) = part(met, &Uncarried::default());
        let addresses: Vec<String> = endpoints.iter().map(|it| it.address.to_string()).collect();
        assert_eq!((attempts.len(), addresses), (0, vec!["198.51.100.2".to_owned()]));
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
    fn flows_that_are_let_go_leave_the_same_endpoints() {
        let conversations = || {
            let records = (1..9).map(|packet| {
                let mut record = record("10.0.0.1", &format!("198.51.100.{}", packet % 3), 9 - packet);
                let said = [("b.example.org", NameSource::TlsSni), ("a.example.net", NameSource::HttpHost)];
                let (name, source) = said[packet as usize / 3 % 2];
                record.say(name, source, Visibility::Readable);
                record
            });
            conversations(records.collect(), &[("www.example.co.uk", NameSource::Dns)])
        };
        let mut kept = group(conversations().lend(), NonZeroUsize::MIN);
        assert_eq!((kept.len(), kept[1].domains.len(), kept[1].flows.len()), (3, 2, 3));
        kept.iter_mut().for_each(|endpoint| endpoint.flows = Indices::default());
        let Conversations { capture, records, resolver, .. } = conversations();
        assert_eq!(group_and_let_go(&capture, records, &resolver), kept);
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
