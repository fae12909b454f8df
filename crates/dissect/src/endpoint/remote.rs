//! Remote ends: which flows go to the same one, and in which order they are listed.
//!
//! Flows are looked at as they lie in memory, from either end, and remote ends are numbered as they are met:
//! flows to one end mostly begin near each other, so that what is kept of it was touched lately. Taken in the order
//! of the remote ends, each flow would have to be waited for: there are more of them than a cache holds.

use crate::flow::Record;
use crate::packet::{self, Number};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use overheard_model::{Endpoint, Transport};
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

    fn at(endpoint: &Endpoint) -> Self {
        let (address, v6) = packet::number(endpoint.address);
        Self { v6, address, port: endpoint.port, transport: endpoint.transport }
    }

    pub(super) fn address(&self) -> IpAddr {
        packet::address(self.address, self.v6)
    }

    /// A number that sorts as remote ends do, as far as it tells them apart: there are many to be sorted, and hardly
    /// two of them agree in it.
    fn beginning(&self) -> u64 {
        let [upper, lower] = self.address;
        if self.v6 { 1 << 63 | upper >> 1 } else { lower << 16 | u64::from(self.port) }
    }
}

/// The remote ends met so far: the number of each, by its hash.
#[derive(Debug)]
pub(super) struct Remotes {
    index: HashTable<u32>,
    hasher: RandomState,
}

impl Remotes {
    /// Room for as many, so that none is met again while there come more.
    pub(super) fn for_at_most(most: usize) -> Self {
        Self { index: HashTable::with_capacity(most), hasher: RandomState::default() }
    }

    /// The number of a remote end among those that were met: the next one where it is met for the first time.
    pub(super) fn meet(&mut self, remote: Remote, met: &[Endpoint]) -> u32 {
        let Self { index, hasher } = self;
        let is_it = |&at: &u32| Remote::at(&met[at as usize]) == remote;
        let rehash = |&at: &u32| hasher.hash_one(Remote::at(&met[at as usize]));
        *index.entry(hasher.hash_one(remote), is_it, rehash).or_insert(met.len() as u32).get()
    }
}

/// Sorts endpoints by address, port and transport.
pub(super) fn sort(endpoints: &mut [Endpoint]) {
    let remotes = (0..).zip(endpoints.iter().map(Remote::at));
    let mut order: Vec<(u64, u32)> = remotes.map(|(number, remote)| (remote.beginning(), number)).collect();
    let whole = |number: u32| Remote::at(&endpoints[number as usize]);
    order.sort_unstable_by(|one, other| one.0.cmp(&other.0).then_with(|| whole(one.1).cmp(&whole(other.1))));
    let mut order: Vec<u32> = order.into_iter().map(|(_, number)| number).collect();
    permute(endpoints, &mut order);
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

    fn remote() -> impl Strategy<Value = Remote> {
        let address = prop_oneof![
            any::<[u8; 4]>().prop_map(IpAddr::from),
            any::<[u8; 16]>().prop_map(IpAddr::from),
            // Such as differ in their lower half alone, and such as look like an address of IPv4.
            any::<u64>().prop_map(|lower| std::net::Ipv6Addr::from_bits(lower.into()).into()),
        ];
        (address, 0..3_u16, 0..3_u8).prop_map(|(address, port, transport)| {
            let (address, v6) = packet::number(address);
            Remote { v6, address, port, transport: Transport::Other(transport) }
        })
    }

    proptest! {
        #[test]
        fn what_comes_before_begins_no_later(one in remote(), other in remote()) {
            prop_assert!(one.min(other).beginning() <= one.max(other).beginning());
            prop_assert_eq!(packet::number(one.address()), (one.address, one.v6));
        }

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
