//! Where each flow's record is, by the hash of its key.
//!
//! For: the table's look-up, of which there is one for each packet; it waits for memory more than for anything else.
//! Open addressing with linear probing (Knuth, The Art of Computer Programming 3, §6.4): one stretch of memory is
//! looked at, and then the one record. Before a large index stands a small one of what was asked for lately: flows
//! are many, those that speak at a time are few.
//! Promises: a place holds half of the flow's hash beside its number, so that next to no other record is looked
//! at, and none while the index grows; 8 bytes a place, of which at least three eighths are taken once it grew.

/// What a flow takes, bytes: its place, as many as stay free, and the old ones while the index grows.
pub(super) const PER_FLOW: usize = 4 * size_of::<u64>();

/// The fewest places.
const FEWEST: usize = 1 << 10;

/// Places of the front: 32 KB, which stay near the processor.
const FRONT: usize = 1 << 12;

/// Numbers of flows.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Half of a hash, then the number and one; nothing where the place is free. A power of two.
    places: Vec<u64>,
    taken: usize,
    /// The place that was found last under each of the hashes' other ends; empty while the index is no larger.
    front: Vec<u64>,
}

impl Index {
    /// The number under this hash of which `is_it` says that it is the one.
    #[inline(always)]
    pub(super) fn find(&mut self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let is_it = |place: u64| half(place) == half(hash) && is_it(number(place));
        if let Some(&place) = self.front.get(front(hash)).filter(|&&place| place != 0 && is_it(place)) {
            return Some(number(place));
        }
        let place = self.find_behind(hash, is_it)?;
        self.remember(hash, place);
        Some(number(place))
    }

    #[inline]
    fn find_behind(&self, hash: u64, is_it: impl Fn(u64) -> bool) -> Option<u64> {
        let mut at = half(hash) as usize;
        loop {
            at &= self.places.len().wrapping_sub(1);
            let place = *self.places.get(at).filter(|&&place| place != 0)?;
            if is_it(place) {
                return Some(place);
            }
            at += 1;
        }
    }

    #[inline]
    fn remember(&mut self, hash: u64, place: u64) {
        if let Some(latest) = self.front.get_mut(front(hash)) {
            *latest = place;
        }
    }

    /// What is looked at first under this hash beyond the front; nothing where the front will do.
    #[inline]
    pub(super) fn first_place(&self, hash: u64) -> Option<u64> {
        let latest = self.front.get(front(hash)).copied().unwrap_or_default();
        let at = half(hash) as usize & self.places.len().wrapping_sub(1);
        self.places.get(at).filter(|_| half(latest) != half(hash)).copied()
    }

    /// Adds a number that is not there yet.
    pub(super) fn insert(&mut self, hash: u64, number: usize) {
        if self.taken * 4 >= self.places.len() * 3 {
            self.grow();
        }
        self.taken += 1;
        let place = half(hash) << 32 | (number as u64 + 1);
        self.put(place);
        self.remember(hash, place);
    }

    /// Forgets all numbers.
    pub(super) fn clear(&mut self) {
        self.places.fill(0);
        self.front.fill(0);
        self.taken = 0;
    }

    fn grow(&mut self) {
        let larger = (self.places.len() * 2).max(FEWEST);
        let old = std::mem::replace(&mut self.places, vec![0; larger]);
        old.into_iter().filter(|&place| place != 0).for_each(|place| self.put(place));
        if larger > FRONT {
            self.front.resize(FRONT, 0);
        }
    }

    /// Takes the first free place from the one that the hash says.
    fn put(&mut self, place: u64) {
        let last = self.places.len() - 1;
        let mut at = half(place) as usize & last;
        while self.places[at] != 0 {
            at = (at + 1) & last;
        }
        self.places[at] = place;
    }
}

/// The half of a hash that is kept.
#[inline]
fn half(hash: u64) -> u64 {
    hash >> 32
}

/// Where the front has a hash: by the half that is not kept.
#[inline]
fn front(hash: u64) -> usize {
    hash as usize % FRONT
}

#[inline]
fn number(place: u64) -> usize {
    (place as u32).wrapping_sub(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the hashes: of ten that every tenth flow has, the flows fall together, in the front in one place.
        #[test]
        fn every_number_is_found_under_its_hash_alone(
            hashes in prop::collection::vec(
                prop_oneof![9 => any::<u64>(), 1 => (0..10_u64).prop_map(|one| one << 32)],
                0..6000,
            ),
        ) {
            let mut index = Index::default();
            for (number, &hash) in hashes.iter().enumerate() {
                prop_assert_eq!(index.find(hash, |other| other == number), None);
                index.insert(hash, number);
            }
            // Forwards, and backwards, when what was found last is there.
            for (number, &hash) in hashes.iter().enumerate().chain(hashes.iter().enumerate().rev()) {
                prop_assert_eq!(index.find(hash, |other| other == number), Some(number));
            }
            index.clear();
            prop_assert!(hashes.iter().all(|&hash| index.find(hash, |_| true).is_none()));
        }

        #[test]
        fn nothing_is_looked_at_for_what_the_front_has(hashes in prop::collection::vec(any::<u64>(), FRONT)) {
            let mut index = Index::default();
            for (number, &hash) in hashes.iter().enumerate() {
                index.insert(hash, number);
                let has_front = index.places.len() > FRONT;
                prop_assert_eq!(index.first_place(hash).is_none(), has_front);
                prop_assert!(index.first_place(!hash).is_some());
            }
        }

        #[test]
        fn it_is_never_fuller_than_three_quarters(flows in 1..5000_usize) {
            let mut index = Index::default();
            (0..flows).for_each(|number| index.insert((number as u64) << 40, number));
            prop_assert!(index.taken * 4 <= index.places.len() * 3 && index.taken == flows);
        }
    }
}
