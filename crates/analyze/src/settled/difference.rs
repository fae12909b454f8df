//! Evidence that two builds differ in how often they contact something, pair by pair of runs.
//!
//! Source: the E-variable of Turner, Ly and Grünwald 2024 for two Bernoulli streams (“Generic E-variables for exact
//! sequential k-sample tests that allow for optional stopping”, *Journal of Statistical Planning and Inference* 230,
//! 106116), with one run of each build a block, and its rates learned from the pairs before.
//! Promises: where runs of a pair are exchangeable and not negatively dependent, the expected value is at most 1 at any
//! time at which one may stop, whatever the rates and however they drift (proof in `docs/methods/stopping.md`).

/// Of the Beta priors of both rates, the default of the authors' package safestats. Any is valid; a small one learns
/// fast.
const PRIOR: f64 = 0.18;

/// A test martingale of “the builds do not differ”.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    pairs: f64,
    build: f64,
    reference: f64,
    log_e: f64,
}

impl Difference {
    /// One run of each, with or without a contact. What is bet on it was fixed before.
    pub fn pair(&mut self, build: bool, reference: bool) {
        let learned = |contacts: f64| (contacts + PRIOR) / (self.pairs + 2.0 * PRIOR);
        let (a, b) = (learned(self.build), learned(self.reference));
        let same = f64::midpoint(a, b);
        self.log_e += (chance(a, build) / chance(same, build)).ln();
        self.log_e += (chance(b, reference) / chance(same, reference)).ln();
        self.pairs += 1.0;
        self.build += f64::from(u8::from(build));
        self.reference += f64::from(u8::from(reference));
    }

    pub fn e(&self) -> f64 {
        self.log_e.exp()
    }
}

fn chance(rate: f64, contact: bool) -> f64 {
    if contact { rate } else { 1.0 - rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pairs: &[(bool, bool)]) -> f64 {
        let mut difference = Difference::default();
        pairs.iter().for_each(|(build, reference)| difference.pair(*build, *reference));
        difference.e()
    }

    #[test]
    fn nothing_was_learned_before_the_first_pair() {
        assert_eq!(after(&[(true, false)]), 1.0);
    }

    #[test]
    fn the_second_pair_pays_what_the_first_taught() {
        // Rates 1.18/1.36 and 0.18/1.36, half way between them 1/2.
        let wanted = (1.18_f64 / 1.36 / 0.5).powi(2);
        assert!((after(&[(true, false); 2]) - wanted).abs() < 1e-12);
    }

    #[test]
    fn four_pairs_that_could_not_be_clearer_are_enough_for_one_test() {
        assert!(after(&[(true, false); 3]) < 20.0);
        assert!(after(&[(true, false); 4]) > 20.0);
    }

    #[test]
    fn pairs_that_agree_prove_nothing() {
        assert!((after(&[(true, true); 50]) - 1.0).abs() < 1e-9);
        assert!((after(&[(false, false); 50]) - 1.0).abs() < 1e-9);
    }

    /// Expected value after all of 2^(2n) outcomes of n pairs, each pair's rate drawn as `rate` says.
    fn expected(pairs: u32, rate: impl Fn(u32) -> f64) -> f64 {
        let mut sum = 0.0;
        for outcome in 0_u32..1 << (2 * pairs) {
            let bit = |at: u32| outcome >> at & 1 == 1;
            let chances = (0..2 * pairs).map(|at| chance(rate(at / 2), bit(at)));
            let seen: Vec<(bool, bool)> = (0..pairs).map(|at| (bit(2 * at), bit(2 * at + 1))).collect();
            sum += chances.product::<f64>() * after(&seen);
        }
        sum
    }

    #[test]
    fn the_expected_value_is_at_most_one_at_any_rate_and_under_drift() {
        for rate in [0.0, 0.05, 0.3, 0.5, 0.9, 1.0] {
            let expected = expected(6, |_| rate);
            assert!(expected <= 1.0 + 1e-12, "{expected} at {rate}");
        }
        assert!(expected(6, |pair| f64::from(pair) / 5.0) <= 1.0 + 1e-12);
    }
}
