//! Adjusting p-values for the number of tests: step-up (false discoveries) and step-down (any error).
//!
//! Promises: the same adjusted values as R's `p.adjust`.

/// Benjamini–Hochberg: the smallest false-discovery rate at which each test would be declared.
///
/// Source: Benjamini and Hochberg 1995, *JRSS B* 57, 289.
pub(crate) fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let falling = order(p, |a, b| b.total_cmp(a));
    let mut adjusted = vec![1.0; p.len()];
    let mut least: f64 = 1.0;
    for (above, &at) in falling.iter().enumerate() {
        least = least.min(p[at] * p.len() as f64 / (p.len() - above) as f64);
        adjusted[at] = least;
    }
    adjusted
}

/// The smallest Benjamini–Hochberg value of `tests` tests, of which `p` holds the smallest; sorts it.
pub(crate) fn smallest_benjamini_hochberg(p: &mut [f64], tests: usize) -> f64 {
    p.sort_unstable_by(f64::total_cmp);
    (1..).zip(p).map(|(rank, p)| *p * tests as f64 / rank as f64).fold(f64::INFINITY, f64::min)
}

/// Holm: the smallest chance of any false declaration at which each test would be declared.
///
/// Source: Holm 1979, *Scandinavian Journal of Statistics* 6, 65.
pub(crate) fn holm(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![1.0; p.len()];
    let mut most: f64 = 0.0;
    for (below, &at) in order(p, f64::total_cmp).iter().enumerate() {
        most = most.max(p[at] * (p.len() - below) as f64).min(1.0);
        adjusted[at] = most;
    }
    adjusted
}

fn order(p: &[f64], by: impl Fn(&f64, &f64) -> std::cmp::Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| by(&p[a], &p[b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 15 p-values of Benjamini and Hochberg 1995, §3.1 (thrombolytic treatment).
    const PAPER: [f64; 15] = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0,
    ];

    #[test]
    fn the_paper_declares_four_by_step_up_and_three_by_holm() {
        let declared = |q: Vec<f64>| q.iter().filter(|q| **q <= 0.05).count();
        assert_eq!(declared(benjamini_hochberg(&PAPER)), 4);
        assert_eq!(declared(holm(&PAPER)), 3);
    }

    #[test]
    fn adjusted_values_are_those_of_p_adjust() {
        // By hand: 0.0095 × 15 / 4 and 0.0019 × 13.
        assert!((benjamini_hochberg(&PAPER)[3] - 0.035_625).abs() < 1e-12);
        assert!((holm(&PAPER)[2] - 0.0247).abs() < 1e-12);
        // Ties and disorder: 0.04 × 4 / 4 carries over to the smaller ones, 0.02 × 4 / 2 = 0.04.
        assert_eq!(benjamini_hochberg(&[0.04, 0.02, 0.02, 0.03]), [0.04; 4]);
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
    }

    #[test]
    fn the_smallest_is_the_smallest() {
        let wanted = benjamini_hochberg(&PAPER).into_iter().fold(1.0, f64::min);
        assert_eq!(smallest_benjamini_hochberg(&mut PAPER.clone(), 15), wanted);
        assert_eq!(smallest_benjamini_hochberg(&mut PAPER[..5].to_vec(), 15), wanted);
    }
}
