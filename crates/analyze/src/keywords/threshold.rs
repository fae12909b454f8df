//! A posterior over one unknown threshold, and the question that teaches most about it.
//!
//! For: every step of a search is of one kind. Messages are numbered such that one is blocked if and only if its
//! number is at least an unknown threshold; noisy answers are weighed by Bayes' rule, and the next message is the
//! one that carries most information (Horstein 1963, *IEEE Trans. Inf. Theory* 9, 136; Burnashev and Zigangirov
//! 1974, *Probl. Peredachi Inf.* 10(3), 51). Beside the thresholds stands the chance that the step rests on a mistake
//! of an earlier one, so that no message of it is blocked: this is what leads back.

use super::channel::Noise;

/// Chances of the thresholds 0, 1, …, and that there is none.
#[derive(Clone, Debug)]
pub(crate) struct Threshold {
    mass: Vec<f64>,
    none: f64,
    none_before: f64,
}

impl Threshold {
    /// From weights of the thresholds, in any unit, and the chance that there is none.
    pub fn new(mut mass: Vec<f64>, none: f64) -> Self {
        let none = none.clamp(1e-9, 1.0 - 1e-9);
        let total: f64 = mass.iter().sum();
        mass.iter_mut().for_each(|mass| *mass *= (1.0 - none) / total.max(f64::MIN_POSITIVE));
        Self { mass, none, none_before: none }
    }

    /// Weights of the thresholds, if the step rests on no mistake.
    pub fn weights(&self) -> &[f64] {
        &self.mass
    }

    /// The message that teaches most.
    pub fn question(&self, noise: Noise) -> usize {
        let (mut below, mut best, mut most) = (0.0, 0, f64::NEG_INFINITY);
        for (at, mass) in self.mass.iter().enumerate() {
            below += mass;
            let information = noise.information(below.min(1.0));
            if information > most + 1e-12 {
                (best, most) = (at, information);
            }
        }
        best
    }

    /// Takes in an answer to message `at` that has these chances if the message is blocked, and if not.
    pub fn learn(&mut self, at: usize, if_blocked: f64, if_not: f64) {
        let of = |threshold| if threshold <= at { if_blocked } else { if_not };
        self.mass.iter_mut().enumerate().for_each(|(threshold, mass)| *mass *= of(threshold));
        self.none *= if_not;
        self.normalise();
    }

    /// The likeliest threshold with its chance.
    pub fn likeliest(&self) -> (usize, f64) {
        let ranked = self.mass.iter().copied().enumerate();
        ranked.fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best })
    }

    pub fn chance(&self, threshold: usize) -> f64 {
        self.mass.get(threshold).copied().unwrap_or(0.0)
    }

    pub fn none(&self) -> f64 {
        self.none
    }

    /// Chance that more than this is needed: what the next step must be ready to find out.
    pub fn doubt(&self, threshold: usize) -> f64 {
        self.none + self.mass.iter().skip(threshold + 1).sum::<f64>()
    }

    /// How many times likelier the answers of this step are if it does not rest on a mistake.
    pub fn support(&self) -> f64 {
        let odds = |none: f64| (1.0 - none).max(1e-300) / none.max(1e-300);
        odds(self.none) / odds(self.none_before)
    }

    /// Takes in what the step after this one learned, which rested on `threshold`.
    pub fn weigh(&mut self, threshold: usize, support: f64) {
        self.mass.iter_mut().take(threshold + 1).for_each(|mass| *mass *= support);
        self.normalise();
    }

    fn normalise(&mut self) {
        let total = (self.mass.iter().sum::<f64>() + self.none).max(f64::MIN_POSITIVE);
        self.mass.iter_mut().for_each(|mass| *mass /= total);
        self.none /= total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keywords::channel::Answer;

    fn learn(belief: &mut Threshold, at: usize, answer: Answer, noise: Noise) {
        belief.learn(at, noise.likelihood(answer, true), noise.likelihood(answer, false));
    }

    #[test]
    fn without_noise_it_is_bisection() {
        let mut belief = Threshold::new(vec![1.0; 64], 1e-6);
        let mut asked = 0;
        while belief.likeliest().1 < 0.99 {
            let at = belief.question(Noise::NONE);
            let answer = if 41 <= at { Answer::Lost } else { Answer::Delivered };
            learn(&mut belief, at, answer, Noise::NONE);
            asked += 1;
        }
        assert_eq!((belief.likeliest().0, asked), (41, 6));
    }

    #[test]
    fn a_step_on_a_mistake_is_seen_as_one() {
        let noise = Noise::new(0.05, 0.0);
        let mut belief = Threshold::new(vec![1.0; 64], 0.05);
        for _ in 0..12 {
            let at = belief.question(noise);
            learn(&mut belief, at, Answer::Delivered, noise);
        }
        assert!(belief.none() > 0.9 && belief.support() < 0.01, "{belief:?}");
    }

    #[test]
    fn what_came_later_weighs_on_what_it_rested_on() {
        let mut belief = Threshold::new(vec![0.1, 0.8, 0.1], 0.01);
        belief.weigh(1, 0.01);
        assert_eq!(belief.likeliest().0, 2);
    }
}
