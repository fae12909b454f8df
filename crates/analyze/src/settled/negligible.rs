//! Evidence that a build does not contact something in ten points more of its runs than the reference does.
//!
//! Source: betting on the mean of bounded differences (Waudby-Smith and Ramdas 2024, *JRSS B* 86, 1), with a share of the
//! purse that is learned from the pairs before (their GRAPA).
//! Promises: while the build does contact it in at least ten points more of its runs, the expected value is at most 1
//! at any time at which one may stop; nothing is supposed of how runs depend on each other.

use crate::concern::NEGLIGIBLE_RATE;

/// Largest share of the purse that a pair may cost.
const BOLDEST: f64 = 0.9;

/// A test martingale of “ten points more, or farther apart”.
#[derive(Clone, Debug, Default)]
pub struct Negligible {
    pairs: f64,
    sum: f64,
    squares: f64,
    log_e: f64,
}

impl Negligible {
    pub fn pair(&mut self, build: bool, reference: bool) {
        let difference = f64::from(i8::from(build) - i8::from(reference));
        self.log_e += (self.stake() * (NEGLIGIBLE_RATE - difference)).ln_1p();
        self.pairs += 1.0;
        self.sum += difference;
        self.squares += difference * difference;
    }

    pub fn e(&self) -> f64 {
        self.log_e.exp()
    }

    /// What grows the purse fastest at the mean and variance so far, begun with a quarter as one pair's variance.
    fn stake(&self) -> f64 {
        let mean = self.sum / (self.pairs + 1.0);
        let variance = (self.squares + 0.25) / (self.pairs + 1.0) - mean * mean;
        let edge = NEGLIGIBLE_RATE - mean;
        (edge / (variance + edge * edge)).clamp(0.0, BOLDEST / (1.0 - NEGLIGIBLE_RATE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs_needed(build: bool, reference: bool) -> Option<usize> {
        let mut negligible = Negligible::default();
        (1..500).find(|_| {
            negligible.pair(build, reference);
            negligible.e() >= 20.0
        })
    }

    #[test]
    fn builds_that_always_agree_are_settled_after_some_forty_pairs() {
        for alike in [true, false] {
            let needed = pairs_needed(alike, alike).unwrap();
            assert!((30..45).contains(&needed), "{needed}");
        }
        assert_eq!(pairs_needed(true, false), None);
    }

    #[test]
    fn the_expected_value_is_at_most_one_at_ten_points() {
        // All outcomes of five pairs with rates 0.5 and 0.4, and 0.1 and 0.
        for (build, reference) in [(0.5, 0.4), (0.1, 0.0)] {
            let mut sum = 0.0;
            for outcome in 0_u32..1 << 10 {
                let bit = |at: u32| outcome >> at & 1 == 1;
                let chance = |at: u32| {
                    let rate = if at.is_multiple_of(2) { build } else { reference };
                    if bit(at) { rate } else { 1.0 - rate }
                };
                let mut negligible = Negligible::default();
                (0..5).for_each(|pair| negligible.pair(bit(2 * pair), bit(2 * pair + 1)));
                sum += (0..10).map(chance).product::<f64>() * negligible.e();
            }
            assert!(sum <= 1.0 + 1e-12, "{sum}");
        }
    }
}
