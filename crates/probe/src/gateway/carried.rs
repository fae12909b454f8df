//! What became of the app's attempts: whom something was carried to, and whom nothing ever was.
//!
//! For: whoever counts contacts. What crosses the room's door was meant for somebody; it is no contact where nothing
//! went on from there: a proxy does not carry it, the host has no way there.
//! Promises: a destination is listed as uncarried only where nothing at all was carried to it; at most
//! [`Carried::MOST`] of either kind are told apart, and where there were more that is said. It may be looked at while
//! the gateway is at work.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use overheard_model::{Destination, Uncarried};

/// Destinations, and whether anything was carried there. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Carried(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    carried: HashSet<Destination>,
    uncarried: HashSet<Destination>,
    /// Packets to destinations that could not be told apart.
    beyond: u64,
}

impl Carried {
    pub const MOST: usize = 65_536;

    /// The app sent something there, which is not carried, or not yet.
    pub(super) fn tried(&self, to: Destination) {
        self.known().tried(to);
    }

    /// Something was carried there.
    pub(super) fn carried(&self, to: Destination) {
        self.known().carried(to);
    }

    /// To whom nothing was carried so far.
    pub fn uncarried(&self) -> Uncarried {
        let Known { carried, uncarried, beyond } = &*self.known();
        let all = |known: &HashSet<Destination>| known.iter().copied().collect();
        Uncarried { listed: all(uncarried), all_but: (*beyond > 0).then(|| all(carried)) }
    }

    /// Packets to destinations that could not be told apart.
    pub(super) fn beyond(&self) -> u64 {
        self.known().beyond
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn tried(&mut self, to: Destination) {
        if self.carried.contains(&to) || self.uncarried.contains(&to) {
            return;
        }
        // Whoever is among neither was new only as long as none had to be left out.
        match self.carried.len().max(self.uncarried.len()) < Carried::MOST {
            true => _ = self.uncarried.insert(to),
            false => self.beyond += 1,
        }
    }

    fn carried(&mut self, to: Destination) {
        self.uncarried.remove(&to);
        if self.carried.len() < Carried::MOST {
            self.carried.insert(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(number: usize) -> Destination {
        let address = (0xc612_0000 + number as u32).to_be_bytes().into();
        Destination { address, port: 53, transport: overheard_model::Transport::Udp }
    }

    #[test]
    fn once_carried_is_no_mere_attempt_whatever_came_before_or_after() {
        let carried = Carried::default();
        carried.tried(to(1));
        carried.tried(to(2));
        carried.carried(to(2));
        carried.carried(to(3));
        carried.tried(to(3));
        assert_eq!(carried.uncarried(), Uncarried { listed: [to(1)].into(), all_but: None });
        assert_eq!(carried.beyond(), 0);
    }

    #[test]
    fn beyond_the_bound_it_is_said_of_whom_it_is_known() {
        let carried = Carried::default();
        carried.carried(to(0));
        (0..Carried::MOST + 7).for_each(|number| carried.tried(to(number)));
        carried.tried(to(1));
        let Uncarried { listed, all_but } = carried.uncarried();
        assert_eq!((listed.len(), all_but, carried.beyond()), (Carried::MOST, Some([to(0)].into()), 6));
    }

    /// Of one that was left out it is not known any more that nothing had been carried there.
    #[test]
    fn one_that_was_carried_and_could_not_be_kept_is_never_listed() {
        let carried = Carried::default();
        (0..=Carried::MOST).for_each(|number| carried.carried(to(number)));
        carried.tried(to(Carried::MOST));
        let uncarried = carried.uncarried();
        assert_eq!((uncarried.listed.len(), carried.beyond()), (0, 1));
        assert!(uncarried.may_hold(&to(Carried::MOST)) && !uncarried.may_hold(&to(0)));
    }
}
