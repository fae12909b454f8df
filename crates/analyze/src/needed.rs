//! Runs needed: how many further runs would settle what is still open.
//!
//! Promises: exact power of Fisher's test, given what was seen already; never a guess without rates.

use crate::fisher;
use overheard_model::Cell;
use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

/// Chance of settling it that a number of further runs must give.
pub const POWER: f64 = 0.8;
/// Further runs beyond which no number is given.
pub const LIMIT: u64 = 1000;
/// Outcomes less probable than this are not followed.
const NEGLIGIBLE: f64 = 1e-9;

/// What one build has shown so far, and the rate at which it is expected to go on.
#[derive(Clone, Copy, Debug)]
pub struct Prospect {
    pub seen: Cell,
    pub rate: f64,
}

/// Rates to go on with: one further run at the pooled rate is added to each, so that "always" and
/// "never" of few runs are not taken for certain, and the order of the two rates is kept.
pub fn prospects(a: Cell, b: Cell) -> (Prospect, Prospect) {
    let pooled = (a.present + b.present) as f64 / (a.runs + b.runs).max(1) as f64;
    let prospect =
        |seen: Cell| Prospect { seen, rate: (seen.present as f64 + pooled) / (seen.runs as f64 + 1.0) };
    (prospect(a), prospect(b))
}

/// Chance that after `further` runs of each the often contacted is above the seldom contacted with a
/// two-sided p of at most `threshold`.
pub fn power(often: Prospect, seldom: Prospect, further: u64, threshold: f64) -> f64 {
    let (Ok(above), Ok(below)) = (Binomial::new(often.rate, further), Binomial::new(seldom.rate, further))
    else {
        return 0.0;
    };
    let mut least = 0;
    let mut power = 0.0;
    for contacts in 0..=further {
        let chance = below.pmf(contacts);
        if chance < NEGLIGIBLE {
            match contacts as f64 > further as f64 * seldom.rate {
                true => break,
                false => continue,
            }
        }
        let shown = |more: u64| shows_more(often.seen, more, seldom.seen, contacts, further, threshold);
        match first_from(least, further, shown) {
            Some(found) => least = found,
            None => break,
        }
        power += chance * if least == 0 { 1.0 } else { above.sf(least - 1) };
    }
    power
}

fn shows_more(often: Cell, more: u64, seldom: Cell, contacts: u64, further: u64, threshold: f64) -> bool {
    let (a, n) = (often.present + more, often.runs + further);
    let (b, m) = (seldom.present + contacts, seldom.runs + further);
    a * m > b * n && fisher::two_sided(a, n, b, m) <= threshold
}

/// The smallest number from `low` to `high` for which a rising predicate holds.
fn first_from(low: u64, high: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    if !holds(high) {
        return None;
    }
    let (mut no, mut yes) = (low, high);
    while no < yes {
        let middle = no + (yes - no) / 2;
        match holds(middle) {
            true => yes = middle,
            false => no = middle + 1,
        }
    }
    Some(yes)
}

/// Further runs of each build with [`POWER`] to bring two cells to a two-sided p of at most
/// `threshold`; none where that takes more than [`LIMIT`] runs, or where the rates seen are equal.
pub fn further_runs(a: Cell, b: Cell, threshold: f64) -> Option<u64> {
    let (of_a, of_b) = prospects(a, b);
    let (often, seldom) = if of_a.rate >= of_b.rate { (of_a, of_b) } else { (of_b, of_a) };
    least_runs(often, seldom, threshold, POWER)
}

/// The fewest further runs of each with the power `target`.
///
/// Power rises with the runs but for a saw-tooth (counts are whole), so the answer is where it first
/// crosses on the way, within the height of one tooth.
pub fn least_runs(often: Prospect, seldom: Prospect, threshold: f64, target: f64) -> Option<u64> {
    if often.rate <= seldom.rate {
        return None;
    }
    let enough = |further: u64| power(often, seldom, further, threshold) >= target;
    let doubled = std::iter::successors(Some(1), |runs| Some(runs * 2)).take_while(|runs| *runs < 2 * LIMIT);
    let high = doubled.map(|runs: u64| runs.min(LIMIT)).find(|&runs| enough(runs))?;
    first_from(high / 2, high, enough)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(present: u64, runs: u64) -> Cell {
        Cell { present, runs }
    }

    #[test]
    fn power_of_twenty_runs_is_that_of_the_binomial() {
        // With nothing seen and the other build silent, 11 of 20 against 0 of 20 is the first table
        // with p ≤ 0.05 / 240; a binomial of 20 at 0.7 reaches 11 with chance 0.9520.
        let often = Prospect { seen: cell(0, 0), rate: 0.7 };
        let silent = Prospect { seen: cell(0, 0), rate: 0.0 };
        let found = power(often, silent, 20, 0.05 / 240.0);
        assert!((found - 0.952_038).abs() < 1e-6, "{found}");
    }

    #[test]
    fn one_run_each_needs_tens_of_runs() {
        let alone = further_runs(cell(1, 1), cell(0, 1), 0.05).unwrap();
        let among_many = further_runs(cell(1, 1), cell(0, 1), 0.05 / 240.0).unwrap();
        assert!((10..30).contains(&alone), "{alone}");
        assert!((25..60).contains(&among_many), "{among_many}");
    }

    #[test]
    fn a_seldom_contact_needs_many_runs_or_gets_no_number() {
        let seldom = further_runs(cell(1, 20), cell(0, 20), 0.05 / 240.0).unwrap();
        assert!(seldom > 100, "{seldom}");
        assert_eq!(further_runs(cell(1, 2000), cell(0, 2000), 0.001), None);
        assert_eq!(further_runs(cell(3, 3), cell(3, 3), 0.05), None);
    }

    #[test]
    fn which_build_is_which_does_not_matter() {
        assert_eq!(further_runs(cell(1, 9), cell(0, 4), 0.01), further_runs(cell(0, 4), cell(1, 9), 0.01));
    }
}
