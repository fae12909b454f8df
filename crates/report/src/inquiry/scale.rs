//! Bytes on a logarithmic scale with a place of its own for nothing.
//!
//! Promises: one scale for all endpoints of a page, so that panels can be compared; 0 is never mixed with what is small.

use super::endpoints::{Endpoint, Sent};

/// From 0, then from 10 bytes up by powers of ten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// The power of ten that nothing exceeds.
    top: u32,
}

/// The share of the scale that divides 0 from 10 bytes.
const FIRST: f64 = 0.12;

impl Scale {
    /// That holds all of these.
    pub fn of(endpoints: &[Endpoint]) -> Self {
        let largest = endpoints.iter().flat_map(|endpoint| &endpoint.acts).map(Sent::bytes).max();
        Self::to(largest.unwrap_or_default())
    }

    fn to(largest: u64) -> Self {
        let top = (2..=19).find(|top| 10_u64.pow(*top) >= largest).unwrap_or(19);
        Self { top: top.max(3) }
    }

    /// From 0 to 1.
    pub fn place(self, bytes: u64) -> f64 {
        if bytes == 0 {
            return 0.0;
        }
        let decades = ((bytes as f64).log10() - 1.0).max(0.0) / f64::from(self.top - 1);
        FIRST + (1.0 - FIRST) * decades.min(1.0)
    }

    /// 0 and the powers of ten.
    pub fn ticks(self) -> impl Iterator<Item = u64> {
        std::iter::once(0).chain((1..=self.top).map(|power| 10_u64.pow(power)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_rises_from_nothing_to_the_largest() {
        let scale = Scale::to(45_000);
        let places: Vec<f64> = [0, 1, 10, 11, 300, 45_000, 100_000].map(|bytes| scale.place(bytes)).to_vec();
        assert!(places.windows(2).all(|pair| pair[0] <= pair[1]), "{places:?}");
        assert_eq!((places[0], places[1], places[6]), (0.0, FIRST, 1.0));
        assert_eq!(scale.ticks().last(), Some(100_000));
        assert_eq!(Scale::to(u64::MAX).place(u64::MAX), 1.0);
        assert_eq!(Scale::to(0).ticks().last(), Some(1000));
    }
}
