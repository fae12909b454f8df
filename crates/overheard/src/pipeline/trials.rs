//! Trials on the path: what crosses the sender's door becomes, act by act, flows begun and bytes out at each endpoint.
//!
//! For: `overheard uploads` and `overheard keywords`. The door is the room's: the recording has each packet before it is
//! counted here, so packets have the numbers that they have in the capture.
//! Promises: bytes out are what the transport carries, so that to acknowledge is not to send; a flow is a 5-tuple that was
//! not met before, as [`overheard_dissect`] counts; memory is bounded; whoever hears a packet is not held up.

use overheard_dissect::Options;
use overheard_dissect::live::{Ends, Live};
use overheard_model::{Destination, Endpoint, NAMES_ASKED, PacketRange, Process, Timestamp, Traffic};
use overheard_probe::clock::timestamp;
use overheard_probe::door::{GATEWAY_V4, GATEWAY_V6};
use overheard_probe::gateway::Direction;
use overheard_probe::tapped::Listener;
use overheard_probe::trial::Crossed;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// LINKTYPE_RAW of tcpdump.org: an IP packet and nothing before it.
const BARE_IP: u32 = 101;
/// Bound on what is remembered of flows and names, bytes, and flows that are known as met.
const MEMORY: usize = 256 << 20;
const MOST_FLOWS: usize = 1 << 20;

/// IANA's port of name servers; the gateway's is ours.
const NAME_SERVER_PORT: u16 = 53;

/// The door of one room, as trials see it.
#[derive(Clone, Debug)]
pub struct Door(Arc<Mutex<Sight>>);

#[derive(Debug)]
struct Sight {
    /// What packets are said to be of.
    capture: String,
    packets: u64,
    live: Live,
    met: HashSet<(u16, Destination)>,
    act: Option<Tally>,
}

/// What crossed since the act under way.
#[derive(Debug)]
struct Tally {
    at: Timestamp,
    seconds: usize,
    packets: Option<(u64, u64)>,
    traffic: BTreeMap<Destination, Traffic>,
}

impl Door {
    /// `capture` is the path of the capture that keeps the packets.
    pub fn new(capture: &str) -> Self {
        let live = Live::new(capture.into(), &Options { memory: MEMORY, hash: false, ..Options::default() });
        let (met, act) = (HashSet::new(), None);
        Self(Arc::new(Mutex::new(Sight { capture: capture.into(), packets: 0, live, met, act })))
    }

    /// Whoever hears the packets for it.
    pub fn listener(&self) -> Box<dyn Listener> {
        Box::new(Ear(self.clone()))
    }

    /// From now on what crosses belongs to the act of this time, for so many seconds.
    pub fn begin(&self, at: Timestamp, seconds: usize) {
        self.sight().act = Some(Tally { at, seconds, packets: None, traffic: BTreeMap::new() });
    }

    /// What crossed since the act began, of which so many seconds are told.
    pub fn end(&self, seconds: usize) -> Crossed {
        let mut sight = self.sight();
        let Some(tally) = sight.act.take() else { return Crossed::default() };
        let names = names(sight.live.snapshot().endpoints);
        let mut traffic: BTreeMap<String, Traffic> = BTreeMap::new();
        for (remote, seen) in tally.traffic {
            let name = names.get(&remote).cloned().unwrap_or_else(|| label(&remote, None));
            let whole = traffic.entry(name).or_insert_with(|| silence(seconds.min(tally.seconds)));
            add(&mut whole.flows, &seen.flows);
            add(&mut whole.bytes_out, &seen.bytes_out);
        }
        let capture = sight.capture.clone();
        Crossed { packets: tally.packets.map(|(first, last)| PacketRange { capture, first, last }), traffic }
    }

    fn sight(&self) -> MutexGuard<'_, Sight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sight {
    fn hear(&mut self, direction: Direction, time: Timestamp, ip: &[u8]) {
        self.packets += 1;
        let length = u32::try_from(ip.len()).unwrap_or(u32::MAX);
        let Some(ends) = self.live.frame(time, BARE_IP, length, ip) else { return };
        let (Ends { src, dst, transport, .. }, out) = (ends, direction == Direction::Outbound);
        let ((_, our_port), (address, port)) = if out { (src, dst) } else { (dst, src) };
        let remote = Destination { address, port, transport };
        let begins = self.met.len() < MOST_FLOWS && self.met.insert((our_port, remote));
        let number = self.packets;
        let Some(tally) = &mut self.act else { return };
        let Some(second) = second(tally, time) else { return };
        tally.packets = Some((tally.packets.map_or(number, |(first, _)| first), number));
        let traffic = tally.traffic.entry(remote).or_insert_with(|| silence(tally.seconds));
        if let Some(flows) = traffic.flows.get_mut(second) {
            *flows += u64::from(begins);
        }
        if let Some(bytes) = traffic.bytes_out.get_mut(second).filter(|_| out) {
            *bytes += ends.carried;
        }
    }
}

/// The second after the act, if it is one that counts.
fn second(tally: &Tally, time: Timestamp) -> Option<usize> {
    let after = usize::try_from(time.0.checked_sub(tally.at.0)?).ok()? / 1_000_000_000;
    (after < tally.seconds).then_some(after)
}

fn silence(seconds: usize) -> Traffic {
    Traffic { flows: vec![0; seconds], bytes_out: vec![0; seconds] }
}

fn add(to: &mut [u64], more: &[u64]) {
    to.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

fn names(endpoints: Vec<Endpoint>) -> BTreeMap<Destination, String> {
    endpoints.iter().map(|endpoint| (endpoint.destination(), name(endpoint))).collect()
}

/// What trials call an endpoint: its best name or its address, with its port: `chat.example.org:443`. The room's own name
/// server is no endpoint: it is called [`NAMES_ASKED`].
pub fn name(endpoint: &Endpoint) -> String {
    label(&endpoint.destination(), endpoint.names.first().map(|name| &*name.name))
}

fn label(remote: &Destination, name: Option<&str>) -> String {
    let Destination { address, port, .. } = *remote;
    let is_gateway = address == GATEWAY_V4 || address == GATEWAY_V6;
    match port == NAME_SERVER_PORT && is_gateway {
        true => NAMES_ASKED.to_owned(),
        false => remote.label(name),
    }
}

/// Hears for a [`Door`].
#[derive(Debug)]
struct Ear(Door);

impl Listener for Ear {
    fn hear(&mut self, direction: Direction, time: SystemTime, ip: &[u8], _: Option<&Process>) {
        self.0.sight().hear(direction, timestamp(time), ip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A UDP datagram from the room to 192.0.2.1, or back.
    fn datagram(port: u16, remote_port: u16, carried: usize, direction: Direction) -> Vec<u8> {
        let (room, server) = ([10, 219, 0, 2], [192, 0, 2, 1]);
        let (from, to, ports) = match direction {
            Direction::Outbound => (room, server, [port, remote_port]),
            Direction::Inbound => (server, room, [remote_port, port]),
        };
        let mut packet = vec![0x45, 0];
        packet.extend((28 + carried as u16).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        packet.extend(from);
        packet.extend(to);
        packet.extend(ports.map(u16::to_be_bytes).concat());
        packet.extend((8 + carried as u16).to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(vec![b'x'; carried]);
        packet
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp(1_000_000_000 + ms * 1_000_000)
    }

    #[test]
    fn what_crosses_is_counted_by_second_from_the_act_on() {
        let door = Door::new("room.pcapng");
        let hear = |ms: i64, packet: &[u8], direction| door.sight().hear(direction, at(ms), packet);
        let out = |port, carried| datagram(port, 7000, carried, Direction::Outbound);
        hear(-10, &out(5000, 9), Direction::Outbound);
        door.begin(at(0), 3);
        hear(10, &out(5000, 100), Direction::Outbound);
        hear(20, &datagram(5000, 7000, 50, Direction::Inbound), Direction::Inbound);
        hear(2500, &out(5001, 300), Direction::Outbound);
        hear(3000, &out(5002, 1), Direction::Outbound);
        let crossed = door.end(3);
        let traffic = &crossed.traffic["192.0.2.1:7000/udp"];
        assert_eq!((&traffic.flows[..], &traffic.bytes_out[..]), (&[0, 0, 1][..], &[100, 0, 300][..]));
        assert_eq!(crossed.packets, Some(PacketRange { capture: "room.pcapng".into(), first: 2, last: 4 }));
        assert_eq!(door.end(3), Crossed::default(), "no act is under way");
        door.begin(at(4000), 1);
        assert_eq!(door.end(3), Crossed::default(), "nothing crossed");
    }

    #[test]
    fn an_endpoint_goes_by_its_name_and_port() {
        let called = |remote: &str, name| label(&remote.parse().unwrap(), name);
        assert_eq!(called("tcp [2001:db8::1]:443", None), "[2001:db8::1]:443");
        assert_eq!(called("tcp [2001:db8::1]:443", Some("chat.example.org")), "chat.example.org:443");
        assert_eq!(called("udp 10.219.0.1:53", None), NAMES_ASKED, "the gateway is ours");
        assert_eq!(called("udp 10.219.0.1:54", None), "10.219.0.1:54/udp");
        let chosen = called("udp 192.0.2.53:53", None);
        assert_eq!(chosen, "192.0.2.53:53/udp", "a name server of the app's own choice is a party");
    }
}
