//! Chao2: how many keys a build contacts in all, from those met in one run and in two.
//!
//! Source: Chao 1987, *Biometrics* 43, 783, in the bias-corrected form with its variance (Chao 2005;
//! Colwell, *EstimateS* 9, appendix B); sample coverage: Chao and Jost 2012, *Ecology* 93, 2533.
//! Promises: no estimate for a single run, which says nothing of what it missed.

use crate::bits::Bits;
use crate::table::Table;
use overheard_model::{Level, Study, Unseen};

/// Incidence counts of one build at one level.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Incidence {
    pub runs: f64,
    /// Keys met at all, in one run only, in two runs only.
    pub observed: f64,
    pub once: f64,
    pub twice: f64,
    /// Key × run contacts in all.
    pub contacts: f64,
}

/// Estimate with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub total: f64,
    pub low: f64,
    pub high: f64,
}

impl Incidence {
    pub fn count(runs: &Bits, rows: impl Iterator<Item = u64>) -> Self {
        let mut counts = Self { runs: runs.count() as f64, ..Self::default() };
        for present in rows.filter(|present| *present > 0) {
            counts.observed += 1.0;
            counts.contacts += present as f64;
            counts.once += f64::from(present == 1);
            counts.twice += f64::from(present == 2);
        }
        counts
    }

    /// None for fewer than two runs.
    pub fn estimate(&self) -> Option<Estimate> {
        if self.runs < 2.0 {
            return None;
        }
        let share = (self.runs - 1.0) / self.runs;
        let unseen = share * self.once * (self.once - 1.0) / (2.0 * (self.twice + 1.0));
        let total = self.observed + unseen;
        if unseen == 0.0 {
            return Some(self.nothing_unseen());
        }
        // Log-normal interval of the unseen number: it cannot fall below what was seen.
        let factor = (1.96 * (1.0 + self.variance(share, total) / (unseen * unseen)).ln().sqrt()).exp();
        Some(Estimate { total, low: self.observed + unseen / factor, high: self.observed + unseen * factor })
    }

    fn variance(&self, share: f64, total: f64) -> f64 {
        let (q1, q2) = (self.once, self.twice);
        let spread = share * q1 * (q1 - 1.0) / (2.0 * (q2 + 1.0))
            + (share * (2.0 * q1 - 1.0)).powi(2) * q1 / (4.0 * (q2 + 1.0).powi(2));
        match q2 == 0.0 {
            true => spread - (share * q1 * q1).powi(2) / (4.0 * total),
            false => spread + (share * q1 * (q1 - 1.0)).powi(2) * q2 / (4.0 * (q2 + 1.0).powi(4)),
        }
    }

    /// The interval where the estimate adds nothing: chance of missing a key that is met as often as
    /// the average one (Colwell's equation 14).
    fn nothing_unseen(&self) -> Estimate {
        let missed = (-self.contacts / self.observed.max(1.0)).exp();
        let seen = 1.0 - missed;
        let high = self.observed / seen + 1.96 * (self.observed * missed).sqrt() / seen;
        Estimate {
            total: self.observed,
            low: self.observed,
            high: if self.observed > 0.0 { high } else { 0.0 },
        }
    }

    /// Chance that the next contact is with a key already met; none for fewer than two runs.
    pub fn coverage(&self) -> Option<f64> {
        if self.runs < 2.0 || self.contacts == 0.0 {
            return None;
        }
        let (q1, q2, others) = (self.once, self.twice, self.runs - 1.0);
        let (rest, twice) =
            if q2 > 0.0 { (others * q1, 2.0 * q2) } else { (others * (q1 - 1.0).max(0.0), 2.0) };
        Some(1.0 - q1 / self.contacts * rest / (rest + twice))
    }
}

/// Every build at every level.
pub fn unseen(study: &Study, table: &Table) -> Vec<Unseen> {
    let builds = study.builds.iter().zip(&table.builds);
    let at = |(build, runs): (&overheard_model::Build, &Bits)| {
        let levels = Level::ALL.into_iter().zip(&table.levels);
        let of_level = |(level, rows): (Level, &Vec<crate::table::Row>)| {
            let counts = Incidence::count(runs, rows.iter().map(|row| row.present.count_in(runs)));
            let estimate = counts.estimate();
            Unseen {
                build: build.name.clone(),
                level,
                observed: counts.observed as u64,
                chao2: estimate.map(|estimate| estimate.total),
                low: estimate.map_or(counts.observed, |estimate| estimate.low),
                high: estimate.map(|estimate| estimate.high),
                coverage: counts.coverage(),
            }
        };
        levels.map(of_level).collect::<Vec<_>>()
    };
    builds.flat_map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, wanted: f64) {
        assert!((got - wanted).abs() < 5e-5, "{got} is not {wanted}");
    }

    #[test]
    fn trees_of_barro_colorado() {
        // The 50 plots of BCI in the R package vegan: 225 species, of which its published first-order
        // jackknife (245.58) gives Q1 = 21 and its classic Chao2 (236.3732) then Q2 = 19. The
        // bias-corrected form and its variance (36.5089) by hand from these.
        let trees = Incidence { runs: 50.0, observed: 225.0, once: 21.0, twice: 19.0, contacts: 4539.0 };
        let estimate = trees.estimate().unwrap();
        near(estimate.total, 235.29);
        near(estimate.low, 228.540_88);
        near(estimate.high, 254.903_35);
        near(trees.coverage().unwrap(), 1.0 - 21.0 / 4539.0 * (49.0 * 21.0) / (49.0 * 21.0 + 38.0));
    }

    #[test]
    fn without_a_key_met_twice_the_interval_is_wide() {
        // By hand: 0.8 × 9 × 8 / 2 = 28.8 unseen, variance 423.4485.
        let sparse = Incidence { runs: 5.0, observed: 20.0, once: 9.0, twice: 0.0, contacts: 60.0 };
        let estimate = sparse.estimate().unwrap();
        near(estimate.total, 48.8);
        near(estimate.low, 28.179_32);
        near(estimate.high, 121.406_92);
        near(sparse.coverage().unwrap(), 1.0 - 9.0 / 60.0 * 32.0 / 34.0);
    }

    #[test]
    fn what_every_run_meets_is_all_there_is() {
        let counts = Incidence::count(&Bits::of(10, 0..10), [10, 10, 10, 0].into_iter());
        assert_eq!((counts.observed, counts.contacts), (3.0, 30.0));
        let estimate = counts.estimate().unwrap();
        assert_eq!((estimate.total, estimate.low), (3.0, 3.0));
        near(estimate.high, 3.023_007);
        assert_eq!(counts.coverage(), Some(1.0));
    }

    #[test]
    fn one_run_says_nothing_of_what_it_missed() {
        let counts = Incidence::count(&Bits::of(1, 0..1), [1, 1].into_iter());
        assert_eq!((counts.estimate(), counts.coverage()), (None, None));
        let silent = Incidence::count(&Bits::of(9, 0..9), [0].into_iter());
        assert_eq!(silent.estimate().map(|estimate| estimate.high), Some(0.0));
    }
}
