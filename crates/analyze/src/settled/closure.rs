//! E-values of several hypotheses, adjusted so that any false rejection is as rare as for one.
//!
//! Source: Vovk and Wang 2021, *Annals of Statistics* 49, 1736, §5: the closure of tests by arithmetic means, which are
//! e-values however the hypotheses depend on each other.
//! Promises: an adjusted value is never above its own, and never below its own divided by their number.

/// For each, the least mean of a set that holds it.
pub(super) fn adjusted(e: &[f64]) -> Vec<f64> {
    let mut rising: Vec<usize> = (0..e.len()).collect();
    rising.sort_by(|&a, &b| e[a].total_cmp(&e[b]));
    let least = |own: usize| {
        let others = rising.iter().filter(|other| **other != own);
        let sets = others.scan((e[own], 1.0), |(sum, count), other| {
            *sum += e[*other];
            *count += 1.0;
            Some(*sum / *count)
        });
        sets.fold(e[own], f64::min)
    };
    (0..e.len()).map(least).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_that_agree_cost_nothing_and_one_alone_costs_half() {
        assert_eq!(adjusted(&[40.0, 40.0]), [40.0, 40.0]);
        assert_eq!(adjusted(&[40.0, 0.0]), [20.0, 0.0]);
        assert_eq!(adjusted(&[40.0, 50.0, 0.0]), [20.0, 25.0, 0.0]);
        assert_eq!(adjusted(&[7.0]), [7.0]);
    }

    proptest! {
        #[test]
        fn every_set_is_looked_at(e in prop::collection::vec(0.0..100.0, 1..7)) {
            let adjusted = adjusted(&e);
            for (own, adjusted) in adjusted.iter().enumerate() {
                let sets = (1_u32..1 << e.len()).filter(|set| set >> own & 1 == 1);
                let mean = |set: u32| {
                    let inside = (0..e.len()).filter(|at| set >> at & 1 == 1);
                    inside.map(|at| e[at]).sum::<f64>() / f64::from(set.count_ones())
                };
                let least = sets.map(mean).fold(f64::INFINITY, f64::min);
                prop_assert!((adjusted - least).abs() < 1e-9);
            }
        }
    }
}
