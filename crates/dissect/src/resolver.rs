//! Names of addresses: what name servers said, joined to the flows that go there.
//!
//! Promises: a name that was answered before a flow began is told apart from one that came after;
//! the earliest answer of each name and source counts; memory stays within a bound, and what was
//! refused for it is counted.

use crate::heard::Heard;
use crate::packet::Host;
use crate::problems::Problems;
use crate::proto::Answer;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use overheard_model::{Learned, NameSource};
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

/// Names kept of one address; a shared host may have many.
const MAX_PER_ADDRESS: usize = 256;
/// What an address takes beside its names: its entry, and the free one that a hash table has beside it.
const ADDRESS: usize = 2 * size_of::<(IpAddr, Place)>();

/// Where a name stands among all names, from 1.
pub(crate) type Place = NonZeroU32;

const _: () = assert!(size_of::<Known>() <= 32, "there are about as many as flows");

/// One name of an address and when it was learned.
#[derive(Clone, Debug)]
struct Known {
    name: Arc<str>,
    source: NameSource,
    /// Absent for Name Resolution Blocks.
    packet: Option<NonZeroU64>,
    /// The next name of the same address: most have one or two, so that a vector each would be a waste.
    next: Option<Place>,
}

impl Known {
    /// Bytes that it takes, the two counters of its shared name among them, and the free place that a
    /// vector has beside it.
    fn cost(&self) -> usize {
        2 * size_of::<Self>() + 2 * size_of::<usize>() + self.name.len()
    }
}

/// What was answered in one capture.
#[derive(Debug)]
pub(crate) struct Resolver {
    /// The first name of each address.
    first: HashMap<Host, Place, RandomState>,
    names: Vec<Known>,
    /// Bytes that may be held, and that are.
    bound: usize,
    held: usize,
    refused: u64,
}

impl Resolver {
    /// A resolver that keeps within `bound` bytes.
    pub(crate) fn within(bound: usize) -> Self {
        Self { first: HashMap::default(), names: Vec::new(), bound, held: 0, refused: 0 }
    }

    /// Bytes held beyond the struct itself.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Takes an answer of a name server.
    pub(crate) fn add(&mut self, answer: Answer) {
        let Answer { address, name, source, packet, .. } = answer;
        self.learn(address, Known { name, source, packet: NonZeroU64::new(packet), next: None });
    }

    /// Takes an entry of a Name Resolution Block.
    pub(crate) fn add_block(&mut self, address: IpAddr, name: Arc<str>) {
        self.learn(address, Known { name, source: NameSource::Nrb, packet: None, next: None });
    }

    fn learn(&mut self, address: IpAddr, known: Known) {
        let first = self.first.entry(Host(address));
        let mut last = None;
        let mut place = if let Entry::Occupied(first) = &first { Some(*first.get()) } else { None };
        let mut count = 0;
        while let Some(at) = place
            && let Some(other) = self.names.get_mut(index(at))
        {
            if other.name == known.name && other.source == known.source {
                other.packet = other.packet.min(known.packet);
                return;
            }
            (last, place, count) = (Some(at), other.next, count + 1);
        }
        let cost = known.cost() + if last.is_none() { ADDRESS } else { 0 };
        let Some(place) = u32::try_from(self.names.len() + 1)
            .ok()
            .and_then(Place::new)
            .filter(|_| count < MAX_PER_ADDRESS && cost <= self.bound.saturating_sub(self.held))
        else {
            self.refused += 1;
            return;
        };
        match last.and_then(|last| self.names.get_mut(index(last))) {
            Some(last) => last.next = Some(place),
            None => _ = first.or_insert(place),
        }
        self.names.push(known);
        self.held += cost;
    }

    /// What name servers said of an address.
    pub(crate) fn answered(&self, address: IpAddr) -> Answered<'_> {
        self.answered_from(self.first(address))
    }

    /// Where the names of an address begin, if it has one: what to keep of it where it is asked for again.
    pub(crate) fn first(&self, address: IpAddr) -> Option<Place> {
        self.first.get(&Host(address)).copied()
    }

    /// What name servers said of the address whose names begin there.
    pub(crate) fn answered_from(&self, first: Option<Place>) -> Answered<'_> {
        Answered { names: &self.names, first }
    }

    /// Says what was refused.
    pub(crate) fn report(&self, problems: &mut Problems) {
        if self.refused > 0 {
            let text = "answered names left out to stay within the memory bound";
            problems.add("name-refused", text, None, self.refused);
        }
    }
}

/// What name servers said of one address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered<'a> {
    names: &'a [Known],
    first: Option<Place>,
}

impl<'a> Answered<'a> {
    /// Its names, as they were known to a flow that began with packet `began`.
    pub(crate) fn names(self, began: u64) -> impl Iterator<Item = Heard<'a>> {
        let at = move |place: Place| self.names.get(index(place));
        let known = std::iter::successors(self.first.and_then(at), move |known| known.next.and_then(at));
        known.map(move |known| Heard {
            name: &known.name,
            source: known.source,
            packet: known.packet.map(NonZeroU64::get),
            learned: learned(known, began),
        })
    }
}

fn index(place: Place) -> usize {
    place.get() as usize - 1
}

fn learned(known: &Known, began: u64) -> Learned {
    match known.packet {
        Some(packet) if packet.get() < began => Learned::Before,
        _ => Learned::After,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::Timestamp;
    use std::net::Ipv4Addr;

    fn answer(name: &str, packet: u64) -> Answer {
        let (address, time) = ("198.51.100.1".parse().unwrap(), Timestamp(0));
        Answer { address, name: name.into(), source: NameSource::Dns, packet, time }
    }

    fn names(resolver: &Resolver, began: u64) -> Vec<(String, Learned, Option<u64>)> {
        let answered = resolver.answered("198.51.100.1".parse().unwrap());
        let mut names: Vec<Heard<'_>> = answered.names(began).collect();
        names.sort_by_key(Heard::order);
        let shown = |heard: &Heard<'_>| (heard.name.to_string(), heard.learned, heard.packet);
        names.iter().map(shown).collect()
    }

    #[test]
    fn answers_before_the_flow_come_first() {
        let mut resolver = Resolver::within(1 << 20);
        resolver.add_block("198.51.100.1".parse().unwrap(), "block.example".into());
        resolver.add(answer("after.example", 9));
        resolver.add(answer("before.example", 3));
        let expected = [
            ("before.example".to_owned(), Learned::Before, Some(3)),
            ("after.example".to_owned(), Learned::After, Some(9)),
            ("block.example".to_owned(), Learned::After, None),
        ];
        assert_eq!(names(&resolver, 5), expected);
    }

    #[test]
    fn the_earliest_of_equal_answers_counts() {
        let mut resolver = Resolver::within(1 << 20);
        resolver.add(answer("a.example", 7));
        resolver.add(answer("a.example", 2));
        assert_eq!(names(&resolver, 5), [("a.example".to_owned(), Learned::Before, Some(2))]);
    }

    #[test]
    fn names_are_bounded_and_refusals_counted() {
        let mut resolver = Resolver::within(1 << 20);
        for number in 0..MAX_PER_ADDRESS + 5 {
            resolver.add(answer(&format!("{number}.example"), 1));
        }
        let mut problems = Problems::default();
        resolver.report(&mut problems);
        assert_eq!(problems.into_vec()[0].count, 5);
        assert_eq!(names(&resolver, 5).len(), MAX_PER_ADDRESS);
    }

    #[test]
    fn addresses_are_bounded_and_refusals_counted() {
        let mut resolver = Resolver::within(64 << 10);
        for number in 0..10_000_u32 {
            resolver.add(Answer { address: Ipv4Addr::from(number).into(), ..answer("a.example", 1) });
        }
        assert!(resolver.held() <= 64 << 10 && resolver.first.len() > 100);
        assert_eq!(resolver.refused as usize + resolver.first.len(), 10_000);
    }
}
