//! What became of the app's attempts: whom something was carried to, and whom nothing ever was.
//!
//! For: whoever counts contacts. What crosses the room's door was meant for somebody; it is no contact where nothing
//! went on from there: a proxy does not carry it, the host has no way there.
//! Promises: a destination is uncarried only where nothing at all was carried to it; at most [`Carried::MOST`] are told
//! apart, and packets to those beyond are counted.

use std::collections::HashMap;

use overheard_model::Destination;

/// Destinations, and whether anything was carried there.
#[derive(Debug, Default)]
pub struct Carried {
    known: HashMap<Destination, bool>,
    beyond: u64,
}

impl Carried {
    pub const MOST: usize = 65_536;

    /// The app sent something there, which is not carried, or not yet.
    pub fn tried(&mut self, to: Destination) {
        if self.known.len() < Self::MOST {
            self.known.entry(to).or_default();
        } else if !self.known.contains_key(&to) {
            self.beyond += 1;
        }
    }

    /// Something was carried there.
    pub fn carried(&mut self, to: Destination) {
        if self.known.len() < Self::MOST || self.known.contains_key(&to) {
            self.known.insert(to, true);
        }
    }

    /// To whom nothing was carried, sorted; and packets to destinations of which it is not known.
    pub fn uncarried(&self) -> (Vec<Destination>, u64) {
        let uncarried = self.known.iter().filter(|(_, carried)| !**carried);
        let mut uncarried: Vec<Destination> = uncarried.map(|(to, _)| *to).collect();
        uncarried.sort_unstable();
        (uncarried, self.beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(number: u32) -> Destination {
        let address = (0xc612_0000 + number).to_be_bytes().into();
        Destination { address, port: 53, transport: overheard_model::Transport::Udp }
    }

    #[test]
    fn once_carried_is_no_mere_attempt_whatever_came_before_or_after() {
        let mut carried = Carried::default();
        carried.tried(to(1));
        carried.tried(to(2));
        carried.carried(to(2));
        carried.carried(to(3));
        carried.tried(to(3));
        assert_eq!(carried.uncarried(), (vec![to(1)], 0));
    }

    #[test]
    fn beyond_the_bound_attempts_are_counted() {
        let mut carried = Carried::default();
        (0..Carried::MOST as u32 + 7).for_each(|number| carried.tried(to(number)));
        carried.tried(to(0));
        assert_eq!((carried.uncarried().0.len(), carried.beyond), (Carried::MOST, 7));
    }
}
