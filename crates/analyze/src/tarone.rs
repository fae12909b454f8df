//! Tarone's screening: a key that could not reach significance at these numbers of runs is no test.
//!
//! Source: Tarone 1990, *Biometrics* 46, 515; with step-up adjustment after it: Gilbert 2005,
//! *Applied Statistics* 54, 143. The smallest p of a key depends on the margins alone, never on which
//! build had the contacts, so leaving keys out by it cannot favour a difference.

/// Which of the keys stay in the family, given the smallest p that each could give.
///
/// K is the smallest number for which at most K keys could reach `alpha / K`; those stay.
pub(crate) fn stay(smallest: &[f64], alpha: f64) -> Vec<bool> {
    let mut rising = smallest.to_vec();
    rising.sort_by(f64::total_cmp);
    let able = |k: usize| rising.partition_point(|p| *p <= alpha / k as f64);
    let family = (1..=smallest.len().max(1)).find(|&k| able(k) <= k).unwrap_or(1);
    smallest.iter().map(|p| *p <= alpha / family as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_without_a_chance_leave() {
        // At 0.05 / 1 three keys could be significant, at 0.05 / 2 two: K = 2.
        assert_eq!(stay(&[0.001, 0.02, 0.04, 0.2, 1.0], 0.05), [true, true, false, false, false]);
    }

    #[test]
    fn nothing_stays_where_nothing_could_be_shown() {
        assert_eq!(stay(&[0.5, 1.0, 0.06], 0.05), [false; 3]);
        assert_eq!(stay(&[], 0.05), [false; 0]);
    }

    #[test]
    fn all_stay_where_all_could_be_shown() {
        assert_eq!(stay(&[1e-6; 4], 0.05), [true; 4]);
    }
}
