//! Intervals for contact rates: of one build, of the difference of two, and for what was never seen.
//!
//! Promises: exact limits for one rate (Clopper and Pearson 1934); for a difference, those limits
//! combined by the square-and-add rule (Newcombe 1998, *Statistics in Medicine* 17, 873; Zou and Donner
//! 2008, 27, 1693). Summed over all outcomes, these cover more than 95 % on average over the rates, and
//! at worst (one rate near 0, the other near 1, or one run each) 90 %.

use overheard_model::Cell;
use statrs::distribution::{Beta, ContinuousCDF};

/// A share of runs with its limits, all 0 to 1 (a difference: −1 to 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Clopper–Pearson limits of the rate behind k of n; `outside` is split between both sides.
pub fn clopper_pearson(cell: Cell, outside: f64) -> Interval {
    let (k, n) = (cell.present as f64, cell.runs as f64);
    Interval {
        low: beta_quantile(k, n - k + 1.0, outside / 2.0).unwrap_or(0.0),
        high: beta_quantile(k + 1.0, n - k, 1.0 - outside / 2.0).unwrap_or(1.0),
    }
}

/// None where a shape is 0: the limit is then the end of the scale.
fn beta_quantile(a: f64, b: f64, probability: f64) -> Option<f64> {
    Beta::new(a, b).ok().map(|beta| beta.inverse_cdf(probability))
}

/// The rate of k of n; 0 without runs.
pub fn rate(cell: Cell) -> f64 {
    cell.present as f64 / cell.runs.max(1) as f64
}

/// 95 % interval of the build's rate minus the reference's.
pub fn difference(build: Cell, reference: Cell) -> Interval {
    let (b, r) = (rate(build), rate(reference));
    let (of_b, of_r) = (clopper_pearson(build, 0.05), clopper_pearson(reference, 0.05));
    Interval {
        low: (b - r - (b - of_b.low).hypot(of_r.high - r)).max(-1.0),
        high: (b - r + (of_b.high - b).hypot(r - of_r.low)).min(1.0),
    }
}

/// Contact rates above this are ruled out at 95 % by `runs` runs without a contact: 1 − 0.05^(1/n),
/// the one-sided Clopper–Pearson limit of 0 of n.
pub fn absence_bound(runs: u64) -> f64 {
    match runs {
        0 => 1.0,
        n => 1.0 - 0.05_f64.powf(1.0 / n as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Binomial, Discrete};

    fn cell(present: u64, runs: u64) -> Cell {
        Cell { present, runs }
    }

    fn near(got: f64, wanted: f64) {
        assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
    }

    #[test]
    fn limits_are_those_of_the_textbooks() {
        // scipy 1.17.1, binomtest(4, 20).proportion_ci(method="exact").
        let limits = clopper_pearson(cell(4, 20), 0.05);
        near(limits.low, 0.057_334);
        near(limits.high, 0.436_614);
        near(clopper_pearson(cell(0, 20), 0.05).high, 1.0 - 0.025_f64.powf(0.05));
        assert_eq!(clopper_pearson(cell(0, 20), 0.05).low, 0.0);
        assert_eq!(clopper_pearson(cell(20, 20), 0.05).high, 1.0);
    }

    #[test]
    fn twenty_nine_clean_runs_rule_out_a_tenth() {
        assert!(absence_bound(29) < 0.1 && absence_bound(28) > 0.1);
        near(absence_bound(1), 0.95);
        assert_eq!(absence_bound(0), 1.0);
    }

    #[test]
    fn one_run_each_leaves_a_difference_open() {
        let open = difference(cell(1, 1), cell(0, 1));
        assert!(open.low < 0.0 && open.high == 1.0, "{open:?}");
    }

    /// Chance that the interval holds the true difference, by summing over all outcomes.
    fn coverage(n: u64, m: u64, p: f64, q: f64) -> f64 {
        let (of_p, of_q) = (Binomial::new(p, n).unwrap(), Binomial::new(q, m).unwrap());
        let outcomes = (0..=n).flat_map(|a| (0..=m).map(move |b| (a, b)));
        let held = outcomes.filter(|&(a, b)| {
            let interval = difference(cell(a, n), cell(b, m));
            interval.low <= p - q && p - q <= interval.high
        });
        held.map(|(a, b)| of_p.pmf(a) * of_q.pmf(b)).sum()
    }

    #[test]
    fn the_interval_of_a_difference_covers() {
        let rates = [0.02, 0.1, 0.25, 0.5, 0.7, 0.9, 0.98];
        for (n, m) in [(1, 1), (3, 3), (4, 9), (8, 8), (20, 20)] {
            let pairs = rates.iter().flat_map(|p| rates.iter().map(move |q| (*p, *q)));
            let held: Vec<f64> = pairs.map(|(p, q)| coverage(n, m, p, q)).collect();
            let (mean, least) =
                (held.iter().sum::<f64>() / held.len() as f64, held.iter().copied().fold(1.0, f64::min));
            assert!(mean >= 0.95, "{mean} of the intervals hold with {n} and {m} runs");
            assert!(least >= 0.9, "at worst {least} of the intervals hold with {n} and {m} runs");
        }
    }
}
