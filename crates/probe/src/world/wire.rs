//! The wire between the vantage and the hosts: every packet crosses it, and it delays, loses or cuts them.
//!
//! Both ends are TUN devices and the wire is a thread between them. The kernel's own means, netem, is left out of
//! many kernels and cannot cut connections; this needs a TUN device and nothing else.
//! Promises: packets with the same ends stay in order. What is chance rests on the world's seed, the host and how
//! many packets it has had; which of an app's packets these are is the app's own affair.

use super::chance::Chance;
use super::packet::{self, Ends, Segment};
use super::plan::{Down, Link, Vantage, World};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// More is lost, as in any router's queue.
const QUEUE: usize = 10_000;

/// The two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Vantage,
    Hosts,
}

/// When a packet arrives, which in turn it is, where, and the packet: the earliest first.
type Due = Reverse<(Instant, u64, Side, Vec<u8>)>;

/// What happens to a packet.
#[derive(Debug, PartialEq)]
enum Fate {
    Crosses(Duration),
    Lost,
    /// The sender gets this.
    Answered(Vec<u8>),
    /// The sender gets the first, the receiver the second.
    Cut(Vec<u8>, Vec<u8>),
}

/// What the wire knows of one host.
#[derive(Debug)]
struct Way {
    name: String,
    link: Link,
    /// Packets from each side so far.
    packets: [u64; 2],
    /// When the last packet arrives, to each side.
    last: [Option<Instant>; 2],
}

#[derive(Debug)]
pub(super) struct Wire {
    chance: Chance,
    ours: Link,
    ways: Vec<Way>,
    way_of: HashMap<IpAddr, usize>,
    queue: BinaryHeap<Due>,
    queued: u64,
}

impl Wire {
    pub fn new(world: &World, vantage: &Vantage) -> Self {
        let mut way_of = HashMap::new();
        let mut ways = Vec::new();
        for (name, host) in &world.host {
            way_of.extend(host.addresses.iter().map(|address| (*address, ways.len())));
            ways.push(Way { name: name.clone(), link: host.link.clone(), packets: [0; 2], last: [None; 2] });
        }
        let chance = Chance(world.seed);
        Self { chance, ours: vantage.link.clone(), ways, way_of, queue: BinaryHeap::new(), queued: 0 }
    }

    /// Carries packets until a device fails, which it does when the world ends.
    pub fn carry(mut self, mut vantage: File, mut hosts: File) -> std::io::Error {
        let mut buffer = vec![0; 1 << 16];
        loop {
            if let Err(error) = self.turn(&mut vantage, &mut hosts, &mut buffer) {
                return error;
            }
        }
    }

    fn turn(&mut self, vantage: &mut File, hosts: &mut File, buffer: &mut [u8]) -> std::io::Result<()> {
        let mut ends =
            [PollFd::new(vantage.as_fd(), PollFlags::POLLIN), PollFd::new(hosts.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut ends, self.pause(), None) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.take(Side::Vantage, vantage, buffer)?;
        self.take(Side::Hosts, hosts, buffer)?;
        while let Some(Reverse((due, ..))) = self.queue.peek()
            && *due <= Instant::now()
            && let Some(Reverse((_, _, to, packet))) = self.queue.pop()
        {
            let end = if to == Side::Vantage { &mut *vantage } else { &mut *hosts };
            // A full device loses the packet, as a router would.
            let _ = end.write(&packet);
        }
        Ok(())
    }

    /// Until the next packet is due; nothing where none is.
    fn pause(&self) -> Option<TimeSpec> {
        let Reverse((due, ..)) = self.queue.peek()?;
        Some(due.saturating_duration_since(Instant::now()).into())
    }

    /// Takes what waits at one end, at most a burst of it, so that neither end starves the other.
    fn take(&mut self, from: Side, end: &mut File, buffer: &mut [u8]) -> std::io::Result<()> {
        for _ in 0..64 {
            match end.read(buffer) {
                Ok(length) => self.accept(from, &buffer[..length], Instant::now()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn accept(&mut self, from: Side, packet: &[u8], now: Instant) {
        let (back, on) = match from {
            Side::Vantage => (Side::Vantage, Side::Hosts),
            Side::Hosts => (Side::Hosts, Side::Vantage),
        };
        let Some(ends) = Ends::of(packet) else { return };
        let remote = if from == Side::Vantage { ends.to } else { ends.from };
        let way = self.way_of.get(&remote).copied();
        match self.fate(from, packet, way) {
            Fate::Lost => {}
            Fate::Crosses(delay) => self.put(way, on, packet.to_vec(), now + delay),
            Fate::Answered(answer) => self.put(None, back, answer, now),
            Fate::Cut(to_sender, to_receiver) => {
                self.put(None, back, to_sender, now);
                self.put(None, on, to_receiver, now);
            }
        }
    }

    fn fate(&mut self, from: Side, packet: &[u8], way: Option<usize>) -> Fate {
        let Some(way) = way else { return nowhere(packet) };
        let Way { name, link, packets, .. } = &mut self.ways[way];
        let turn = packets[from as usize];
        packets[from as usize] += 1;
        match link.down {
            Some(Down::Silent) => return Fate::Lost,
            Some(Down::Unreachable) => return nowhere(packet),
            None => {}
        }
        let both = [&*link, &self.ours];
        if let Some(segment) = Segment::of(packet)
            && both.iter().any(|link| cuts(self.chance, link, from, &segment))
        {
            return Fate::Cut(segment.reset_back(), segment.reset_on());
        }
        let draw = |what: &str| self.chance.share(format!("{name} {what} {from:?}").as_bytes(), turn);
        let passes = both.iter().map(|link| 1.0 - link.loss).product::<f64>();
        if draw("loss") >= passes {
            return Fate::Lost;
        }
        let delay: f64 = both.iter().map(|link| link.rtt_ms / 2.0 + link.jitter_ms * draw("jitter")).sum();
        Fate::Crosses(Duration::from_secs_f64(delay / 1000.0))
    }

    fn put(&mut self, way: Option<usize>, to: Side, packet: Vec<u8>, mut due: Instant) {
        if self.queue.len() >= QUEUE {
            return;
        }
        if let Some(way) = way {
            let last = &mut self.ways[way].last[to as usize];
            due = last.map_or(due, |last| due.max(last));
            *last = Some(due);
        }
        self.queued += 1;
        self.queue.push(Reverse((due, self.queued, to, packet)));
    }
}

fn nowhere(packet: &[u8]) -> Fate {
    packet::unreachable(packet).map_or(Fate::Lost, Fate::Answered)
}

/// Whether this segment ends its connection. A connection's lot is drawn from its ports and addresses, so that all
/// its segments share it.
fn cuts(chance: Chance, link: &Link, from: Side, segment: &Segment) -> bool {
    let says = |word: &String| segment.payload.windows(word.len().max(1)).any(|at| at == word.as_bytes());
    if link.reset_on.iter().any(says) {
        return true;
    }
    let lot = || chance.share(format!("{:?} {:?}", segment.ends, segment.ports).as_bytes(), 0);
    link.reset > 0.0 && from == Side::Vantage && !segment.payload.is_empty() && lot() < link.reset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(link: &str) -> Wire {
        let text = format!(
            r#"
            world.seed = 1
            world.dns = "web"
            world.vantage.home = {{ country = "NL", addresses = ["198.18.0.10"], link = {{ rtt-ms = 10 }} }}
            world.host.web = {{ country = "US", addresses = ["198.18.10.80"], link = {{ {link} }} }}
            "#
        );
        let world =
            toml::from_str::<toml::Table>(&text).unwrap()["world"].clone().try_into::<World>().unwrap();
        let vantage = world.vantage["home"].clone();
        Wire::new(&world, &vantage)
    }

    /// A UDP packet, or one of TCP with this payload.
    fn packet(to: [u8; 4], payload: Option<&str>) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, if payload.is_some() { 6 } else { 17 }, 0, 0];
        packet.extend([198, 18, 0, 10]);
        packet.extend(to);
        packet.extend([0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0, 0, 0, 0, 0, 0]);
        packet.extend(payload.unwrap_or_default().as_bytes());
        packet
    }

    const WEB: [u8; 4] = [198, 18, 10, 80];

    fn fate(wire: &mut Wire, packet: &[u8]) -> Fate {
        let way = wire.way_of.get(&Ends::of(packet).unwrap().to).copied();
        wire.fate(Side::Vantage, packet, way)
    }

    #[test]
    fn half_the_round_trip_is_taken_each_way_of_host_and_vantage() {
        let crossed = fate(&mut wire("rtt-ms = 90"), &packet(WEB, None));
        assert_eq!(crossed, Fate::Crosses(Duration::from_millis(50)));
    }

    #[test]
    fn loss_is_as_often_as_stated() {
        let mut wire = wire("loss = 0.25");
        let lost = (0..4000).filter(|_| fate(&mut wire, &packet(WEB, None)) == Fate::Lost).count();
        assert!((850..1150).contains(&lost), "{lost} of 4000 at 0.25");
    }

    #[test]
    fn nobody_there_is_said_or_not_said() {
        assert_eq!(fate(&mut wire("down = 'silent'"), &packet(WEB, None)), Fate::Lost);
        assert!(matches!(fate(&mut wire("down = 'unreachable'"), &packet(WEB, None)), Fate::Answered(_)));
        assert!(matches!(fate(&mut wire(""), &packet([198, 18, 10, 81], None)), Fate::Answered(_)));
    }

    #[test]
    fn connections_are_cut_by_lot_or_by_word_and_not_before_they_speak() {
        let mut all = wire("reset = 1.0");
        assert!(matches!(fate(&mut all, &packet(WEB, Some(""))), Fate::Crosses(_)));
        assert!(matches!(fate(&mut all, &packet(WEB, Some("GET /"))), Fate::Cut(..)));
        let mut words = wire("reset-on = ['strike']");
        assert!(matches!(fate(&mut words, &packet(WEB, Some("a strike at noon"))), Fate::Cut(..)));
        assert!(matches!(fate(&mut words, &packet(WEB, Some("a stroke at noon"))), Fate::Crosses(_)));
    }

    #[test]
    fn jitter_never_turns_the_order() {
        let mut wire = wire("jitter-ms = 50");
        let now = Instant::now();
        for turn in 0..50u8 {
            let mut packet = packet(WEB, None);
            packet[1] = turn;
            wire.accept(Side::Vantage, &packet, now + Duration::from_millis(u64::from(turn)));
        }
        let order: Vec<u8> =
            std::iter::from_fn(|| wire.queue.pop()).map(|Reverse((.., packet))| packet[1]).collect();
        assert_eq!(order, (0..50).collect::<Vec<u8>>());
    }
}
