//! Remote ends: which flows go to the same one, and in which order they are listed.
//!
//! Flows are looked at in their order, in which they lie in memory, and remote ends are numbered as they are met:
//! flows to one end mostly begin near each other, so that what is kept of it was touched lately. Taken in the order
//! of the remote ends, each flow would have to be waited for: there are more of them than a cache holds.

use crate::flow::Record;
use crate::packet::{self, Number};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use overheard_model::Transport;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;

/// What makes flows one endpoint; numbers, since there are many to be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Remote {
    v6: bool,
    address: Number,
    pub(super) port: u16,
    pub(super) transport: Transport,
}

impl Hash for Remote {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [upper, lower] = self.address;
        if self.v6 {
            state.write_u64(upper);
        }
        state.write_u64(lower);
        state.write_u32(u32::from(self.port) << 8 | u32::from(self.transport.number()));
    }
}

impl Remote {
    pub(super) fn of(record: &Record) -> Self {
        let side = record.ours.other();
        let (address, v6) = record.number(side);
        Self { v6, address, port: record.port(side), transport: record.transport() }
    }

    pub(super) fn address(&self) -> IpAddr {
        packet::address(self.address, self.v6)
    }
}

/// The remote ends met so far, each with its number.
#[derive(Debug)]
pub(super) struct Remotes {
    met: Vec<(Remote, u32)>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl Remotes {
    /// Room for as many, so that none is met again while there come more.
    pub(super) fn for_at_most(most: usize) -> Self {
        let (met, index) = (Vec::with_capacity(most), HashTable::with_capacity(most));
        Self { met, index, hasher: RandomState::default() }
    }

    /// The number of a remote end: the next one where it is met for the first time.
    pub(super) fn meet(&mut self, remote: Remote) -> u32 {
        let Self { met, index, hasher } = self;
        let is_it = |&at: &u32| met[at as usize].0 == remote;
        let rehash = |&at: &u32| hasher.hash_one(met[at as usize].0);
        match index.entry(hasher.hash_one(remote), is_it, rehash) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(free) => {
                let number = met.len() as u32;
                free.insert(number);
                met.push((remote, number));
                number
            }
        }
    }

    /// Sorts what stands in the order of the numbers by address, port and transport.
    pub(super) fn sort<T>(self, elements: &mut [T]) {
        let mut met = self.met;
        met.sort_unstable();
        let mut order: Vec<u32> = met.into_iter().map(|(_, number)| number).collect();
        permute(elements, &mut order);
    }
}

/// Brings to each place the element that `order` names, without room for a second list: endpoints are large.
fn permute<T>(elements: &mut [T], order: &mut [u32]) {
    for start in 0..order.len() {
        let mut place = start;
        // Once around the cycle; what is in its place is marked by its own number.
        loop {
            let from = std::mem::replace(&mut order[place], place as u32) as usize;
            if from == start {
                break;
            }
            elements.swap(place, from);
            place = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_place_gets_the_element_that_the_order_names(
            order in (0_u32..40).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle()),
        ) {
            let mut elements: Vec<u32> = (0..order.len() as u32).collect();
            permute(&mut elements, &mut order.clone());
            prop_assert_eq!(elements, order);
        }
    }
}
