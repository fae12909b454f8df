//! Reading while packets still come.
//!
//! For: whoever shows a conversation as it goes on. Frames are taken one at a time; a snapshot shows what
//! they came to so far and disturbs nothing: no flow is ended for it.
//! Promises: frames taken one at a time come in the end to the flows and endpoints that [`crate::read()`]
//! finds in a capture of them. Before the end, a protocol that nobody has recognised yet is shown by what
//! its bytes look like so far, and bytes of a TCP stream that wait for others before them say nothing.
//! A snapshot costs some microseconds per flow: it is meant for a few a second, not for every packet.

use crate::decode::Decoder;
use crate::endpoint;
use crate::flow::{Conversations, Lent, Owners, Table, Told};
use crate::local::{self, Known};
use crate::packet::{Frame, Packet, Segment, Undecoded};
use crate::problems::Problems;
use crate::read::Options;
use crate::walk::Tally;
use overheard_model::{
    Capture, Endpoint, Flow, Flows, LocalRule, Problem, Process, Reading, Timestamp, Transport, Uncarried,
};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// A capture that goes on.
#[derive(Debug)]
pub struct Live {
    capture: Arc<str>,
    given: Vec<IpAddr>,
    stated: Vec<IpAddr>,
    owners: Owners,
    decoder: Decoder,
    tally: Tally,
    table: Table,
    packets: u64,
    bytes: u64,
    uncarried: Uncarried,
}

/// Sender and receiver of one packet. Ports are 0 where the transport has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    pub transport: Transport,
    pub src: (IpAddr, u16),
    pub dst: (IpAddr, u16),
    /// Bytes that the transport carries: none in a bare acknowledgement.
    pub carried: u64,
}

impl Live {
    /// `name` is what snapshots call the capture. Of the options those about files do not matter.
    pub fn new(name: Arc<str>, options: &Options) -> Self {
        Self {
            capture: name,
            given: options.local.clone(),
            stated: Vec::new(),
            owners: Owners::default(),
            decoder: Decoder::default(),
            tally: Tally::default(),
            table: Table::new(options.memory),
            packets: 0,
            bytes: 0,
            uncarried: Uncarried::default(),
        }
    }

    /// Takes the next frame: its link type (LINKTYPE_* of tcpdump.org; 101 for a bare IP packet), its length on
    /// the wire, and its bytes, which may be fewer. Says whose packet it completed, so that what is known of it
    /// besides can be laid to its flow.
    pub fn frame(&mut self, time: Timestamp, link: u32, wire_len: u32, bytes: &[u8]) -> Option<Ends> {
        self.packets += 1;
        self.bytes += u64::from(wire_len);
        self.tally.see(time);
        match self.decoder.decode(&Frame { number: self.packets, time, wire_len, link, bytes }) {
            Ok(packet) => {
                self.table.observe(&packet);
                return Some(ends(&packet));
            }
            Err(Undecoded::Fragment) => self.tally.count_abandoned(&mut self.decoder, &mut self.table),
            Err(why) => self.tally.miss(self.packets, why),
        }
        None
    }

    /// Takes a name of an address that no packet said, such as a file's Name Resolution Block.
    pub fn add_name(&mut self, address: IpAddr, name: Arc<str>) {
        self.table.add_name(address, name);
    }

    /// Takes an address of the interface that is listened at: ours.
    pub fn add_address(&mut self, address: IpAddr) {
        if !self.stated.contains(&address) {
            self.stated.push(address);
        }
    }

    /// Takes the process that the flow of the latest frame belongs to. It is asked of a flow's first frame.
    pub fn add_owner(&mut self, process: Arc<Process>) {
        self.owners.add(self.packets, process);
    }

    /// Takes to whom nothing was carried, as whoever carries the frames knows by now.
    pub fn set_uncarried(&mut self, uncarried: Uncarried) {
        self.uncarried = uncarried;
    }

    /// No more frames will come: what waits for others is read as it is.
    pub fn end(&mut self) {
        self.decoder.abandon_fragments();
        self.tally.count_abandoned(&mut self.decoder, &mut self.table);
        self.table.end();
    }

    /// What the frames came to so far, not yet placed. Its flows are left out, since a view shows few of them:
    /// [`Self::flows`] tells those of an endpoint.
    pub fn snapshot(&mut self) -> Reading {
        let (records, resolver, problems) = self.table.so_far();
        let (local_rule, local) = local::decide(records, Known { given: &self.given, stated: &self.stated });
        let lent = Lent { capture: &self.capture, records, resolver, owners: &self.owners };
        let (attempts, endpoints) = endpoint::part(endpoint::group(lent, NonZeroUsize::MIN), &self.uncarried);
        let mut all = self.tally.problems.clone();
        all.append(problems.clone());
        resolver.report(&mut all);
        if self.uncarried.all_but.is_some() {
            all.add(Problem::ATTEMPTS_UNLISTED, "to whom nothing was carried is not known of all", None, 1);
        }
        let capture = self.summary(local_rule, local, all);
        Reading { capture, flows: Flows::default(), endpoints, attempts }
    }

    /// The latest `most` flows of an endpoint of the latest snapshot, in the order of their first packets.
    /// Asked for after further frames, and where memory was short, some may be missing.
    pub fn flows(&mut self, endpoint: &Endpoint, most: usize) -> Vec<Flow> {
        let (records, resolver, _) = self.table.so_far();
        let lent = Lent { capture: &self.capture, records, resolver, owners: &self.owners };
        let latest = endpoint.flows.len().saturating_sub(most);
        let told = endpoint.flows.iter().skip(latest).filter_map(|&index| lent.tell(index as usize));
        told.filter(|flow| flow.remote() == (endpoint.address, endpoint.port)).collect()
    }

    /// Ends it: the reading with all its flows.
    pub fn finish(mut self) -> Reading {
        self.end();
        let Reading { capture, endpoints, attempts, .. } = self.snapshot();
        let Told { records, resolver, .. } = self.table.tell();
        let flows =
            Flows::new(Conversations { capture: self.capture, records, resolver, owners: self.owners });
        Reading { capture, flows, endpoints, attempts }
    }

    fn summary(&self, local_rule: LocalRule, local: Vec<IpAddr>, problems: Problems) -> Capture {
        Capture {
            path: self.capture.clone(),
            sha256: None,
            bytes: self.bytes,
            format: "live".into(),
            packets: self.packets,
            undecoded: self.tally.undecoded,
            complete: true,
            first: self.tally.span.map(|(first, _)| first),
            last: self.tally.span.map(|(_, last)| last),
            local_rule,
            local,
            comments: Vec::new(),
            dropped: None,
            secrets: 0,
            problems: problems.into_vec(),
        }
    }
}

fn ends(packet: &Packet<'_>) -> Ends {
    let (transport, src_port, dst_port, missing) = match packet.segment {
        Segment::Tcp(segment) => (Transport::Tcp, segment.src_port, segment.dst_port, segment.missing),
        Segment::Udp { src_port, dst_port, missing, .. } => (Transport::Udp, src_port, dst_port, missing),
        Segment::Sctp { src_port, dst_port } => (Transport::Sctp, src_port, dst_port, 0),
        Segment::Icmp { transport, .. } | Segment::Other { transport } => (transport, 0, 0, 0),
    };
    let addresses = &packet.addresses;
    let carried = packet.segment.payload().len() as u64 + u64::from(missing);
    Ends { transport, src: (addresses.src(), src_port), dst: (addresses.dst(), dst_port), carried }
}
