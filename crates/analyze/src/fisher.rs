//! Fisher's exact test of a 2×2 table: k of n runs of one build against k of n runs of the other.
//!
//! Promises: exact two-sided p-values, by the rule of R's `fisher.test`: the probabilities of all
//! tables with the same margins that are no more probable than the one seen (Fisher 1935; Agresti,
//! *Categorical Data Analysis*, §3.5).

/// Weights below this, relative to the mode, are not followed any farther: a p-value smaller than
/// about 1e-60 is reported as that.
const NEGLIGIBLE: f64 = 1e-60;
/// Tables whose probabilities differ by less than this are equally probable (as in R).
const TIE: f64 = 1.0 + 1e-7;

/// All tables with one margin: `k` of `n1 + n2` runs have the contact.
#[derive(Clone, Debug)]
pub struct Margin {
    /// Smallest count in the first build that is followed.
    first: u64,
    /// Two-sided p by the count in the first build, from `first` on.
    p: Vec<f64>,
}

impl Margin {
    /// # Panics
    /// Never for `k <= n1 + n2`, which is debug-asserted.
    pub fn new(k: u64, n1: u64, n2: u64) -> Self {
        debug_assert!(k <= n1 + n2, "{k} runs of {n1} + {n2}");
        let (low, high) = (k.saturating_sub(n2), k.min(n1));
        let mode = ((k + 1) * (n1 + 1) / (n1 + n2 + 2)).clamp(low, high);
        // f(a+1) / f(a) of the hypergeometric distribution.
        let ratio = |a: u64| {
            let (a, k, n1, n2) = (a as f64, k as f64, n1 as f64, n2 as f64);
            (k - a) * (n1 - a) / ((a + 1.0) * (n2 - k + a + 1.0))
        };
        let falling = |weight: &f64| *weight > NEGLIGIBLE;
        let steps_down = (low..mode).rev().scan(1.0, |w, a| step(w, 1.0 / ratio(a)));
        let mut weights: Vec<f64> = steps_down.take_while(falling).collect();
        let first = mode - weights.len() as u64;
        weights.reverse();
        weights.push(1.0);
        weights.extend((mode..high).scan(1.0, |w, a| step(w, ratio(a))).take_while(falling));
        Self { first, p: two_sided_tails(&weights) }
    }

    /// Two-sided p of `a` contacts in the first build.
    pub fn p(&self, a: u64) -> f64 {
        let last = self.p.len().saturating_sub(1);
        let index = usize::try_from(a.saturating_sub(self.first)).unwrap_or(last).min(last);
        self.p.get(index).copied().unwrap_or(1.0)
    }

    /// The smallest p that this margin can give (Tarone's question).
    pub fn smallest(&self) -> f64 {
        let ends = [self.p.first(), self.p.last()];
        ends.into_iter().flatten().copied().fold(1.0, f64::min)
    }
}

fn step(weight: &mut f64, ratio: f64) -> Option<f64> {
    *weight *= ratio;
    Some(*weight)
}

/// For each of the unimodal `weights`, the share of all weight that is no greater than it.
fn two_sided_tails(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let mut rising: Vec<usize> = (0..weights.len()).collect();
    rising.sort_by(|&a, &b| weights[a].total_cmp(&weights[b]));
    let mut p = vec![0.0; weights.len()];
    let (mut sum, mut next) = (0.0, 0);
    for &at in &rising {
        while let Some(&candidate) = rising.get(next).filter(|&&c| weights[c] <= weights[at] * TIE) {
            sum += weights[candidate];
            next += 1;
        }
        p[at] = (sum / total).min(1.0);
    }
    p
}

/// Two-sided p of `a` of `n1` against `b` of `n2`.
pub fn two_sided(a: u64, n1: u64, b: u64, n2: u64) -> f64 {
    Margin::new(a + b, n1, n2).p(a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{Discrete, Hypergeometric};

    fn close(got: f64, wanted: f64) {
        assert!((got / wanted - 1.0).abs() < 1e-9, "{got} is not {wanted}");
    }

    #[test]
    fn the_lady_tasting_tea() {
        // Fisher 1935, as in R's help of fisher.test: 3 of 4 cups and 1 of 4, two-sided p = 0.4857.
        close(two_sided(3, 4, 1, 4), 34.0 / 70.0);
        // All four right: 2 / C(8,4).
        close(two_sided(4, 4, 0, 4), 2.0 / 70.0);
    }

    #[test]
    fn convictions_of_like_sex_twins() {
        // R's help of fisher.test, after Agresti: 2 of 17 against 10 of 13, p = 0.0005367.
        close(two_sided(2, 17, 10, 13), 0.000_536_724_119_143_435_2);
    }

    #[test]
    fn one_run_each_proves_nothing() {
        close(two_sided(1, 1, 0, 1), 1.0);
        close(two_sided(0, 5, 0, 7), 1.0);
        close(two_sided(5, 5, 7, 7), 1.0);
    }

    #[test]
    fn large_tables_keep_their_precision() {
        // scipy 1.17.1, fisher_exact([[60, 4940], [20, 4980]]).
        close(two_sided(60, 5000, 20, 5000), 7.917_854_635_074_186e-6);
    }

    proptest! {
        #[test]
        fn agrees_with_the_sum_over_statrs_hypergeometric(n1 in 1u64..60, n2 in 1u64..60, a in 0u64..60, b in 0u64..60) {
            let (a, b) = (a.min(n1), b.min(n2));
            let tables = Hypergeometric::new(n1 + n2, a + b, n1).unwrap();
            let seen = tables.pmf(a);
            let support = (a + b).saturating_sub(n2)..=(a + b).min(n1);
            let wanted: f64 = support.map(|x| tables.pmf(x)).filter(|p| *p <= seen * TIE).sum();
            prop_assert!((two_sided(a, n1, b, n2) - wanted).abs() < 1e-9);
        }

        #[test]
        fn no_table_goes_below_the_smallest(n1 in 1u64..40, n2 in 1u64..40, k in 0u64..80, a in 0u64..40) {
            let k = k.min(n1 + n2);
            let margin = Margin::new(k, n1, n2);
            prop_assert!(margin.p(a.clamp(k.saturating_sub(n2), k.min(n1))) >= margin.smallest());
        }
    }
}
