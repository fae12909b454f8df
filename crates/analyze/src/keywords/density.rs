//! How many of the words of a list trigger: the belief that sizes the pools.
//!
//! Words are drawn in random order, so each triggers with the same unknown chance. The pool that is blocked with a
//! chance of one half teaches most; a blocked pool is halved by the same rule (Sobel and Groll 1959, *Bell System
//! Technical Journal* 38, 1179; the unknown chance as in their 1966 paper, *Technometrics* 8, 631).

/// Chances that are told apart, from one word in four lists to three in ten.
const GRID: usize = 60;
const MOST: f64 = 0.3;
/// How much sooner few words trigger than many: a chance ten times as large is expected a quarter as often. Measured: it
/// saves one message in ten where a single word triggers, and costs one in a hundred where twenty do.
const SPARSE: f64 = 0.6;

/// A belief over the chance that a word triggers.
#[derive(Clone, Debug)]
pub(crate) struct Density {
    chances: Vec<f64>,
    weights: Vec<f64>,
}

impl Density {
    /// Lower orders of magnitude are somewhat more likely than higher ones.
    pub fn new(words: usize) -> Self {
        let least = (0.25 / words.max(1) as f64).min(MOST / 2.0);
        let at = |step: usize| least * (MOST / least).powf(step as f64 / (GRID - 1) as f64);
        let mut belief = Self {
            chances: (0..GRID).map(at).collect(),
            weights: (0..GRID).map(|step| at(step).powf(-SPARSE)).collect(),
        };
        belief.learn(|_| 1.0);
        belief
    }

    /// Takes in an answer: how likely it is, where a pool of n words is clean with the chance that `clean` gives.
    pub fn learn(&mut self, likelihood: impl Fn(&dyn Fn(usize) -> f64) -> f64) {
        for (chance, weight) in self.chances.iter().zip(&mut self.weights) {
            *weight *= likelihood(&|words| (1.0 - chance).powi(words as i32)).max(1e-300);
        }
        let total: f64 = self.weights.iter().sum();
        self.weights.iter_mut().for_each(|weight| *weight /= total);
    }

    /// Chance that a pool of this many fresh words is clean.
    fn clean(&self, words: usize) -> f64 {
        let each = self.chances.iter().zip(&self.weights);
        each.map(|(chance, weight)| weight * (1.0 - chance).powi(words as i32)).sum()
    }

    /// Words of the fresh pool whose answer is most open.
    pub fn pool(&self, most: usize) -> usize {
        most_open(most, |words| self.clean(words))
    }

    /// Words to take from a blocked group of this size.
    pub fn part(&self, group: usize) -> usize {
        let whole = self.clean(group);
        most_open(group - 1, |words| (self.clean(words) - whole) / (1.0 - whole).max(f64::MIN_POSITIVE))
    }
}

/// The size at which a falling chance is nearest to one half.
fn most_open(most: usize, clean: impl Fn(usize) -> f64) -> usize {
    let sizes: Vec<usize> = (1..=most.max(1)).collect();
    let above = sizes.partition_point(|size| clean(*size) > 0.5).max(1);
    let off = |size: usize| (clean(size) - 0.5).abs();
    if above < most && off(above + 1) < off(above) { above + 1 } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_shrink_as_triggers_are_met() {
        let mut density = Density::new(5000);
        let first = density.pool(5000);
        (0..5).for_each(|_| density.learn(|clean| 1.0 - clean(100)));
        assert!(density.pool(5000) < 100 && first > 100, "{first} {}", density.pool(5000));
        assert_eq!(density.part(2), 1);
        assert_eq!(density.pool(1), 1);
    }
}
