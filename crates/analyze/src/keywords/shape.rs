//! What is expected of a rule before anything was asked: how many words, how long, where.
//!
//! Promises: a wrong expectation costs messages, never truth; nothing here is impossible, only less likely.
//!
//! With G the generating function of the number of words still to be found, and these placed anywhere, the last of
//! them ends within a share `u` of what is left with chance G(u): that is the whole prior of one step.

/// Numbers of words that are told apart.
const MOST_WORDS: usize = 12;
/// Rules of 1, 2, … words. Real combinations have 2, 14, 24, 55 and 5 %; more are not impossible.
const WORDS: [f64; 5] = [0.025, 0.14, 0.24, 0.54, 0.05];
/// Each further word is this much less likely.
const FURTHER_WORD: f64 = 0.1;
/// Words of 1, 2, … characters. Real ones have 62, 19 and 14 % for 2, 3 and 4, others 5 %.
const LENGTHS: [f64; 4] = [0.02, 0.62, 0.19, 0.14];
/// Among longer words, each further character is this much less likely.
const LONGER: f64 = 0.7;

/// The expectation.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Chance of 1, 2, … words.
    words: Vec<f64>,
}

impl Default for Shape {
    fn default() -> Self {
        let further =
            std::iter::successors(WORDS.last().map(|p| p * FURTHER_WORD), |p| Some(p * FURTHER_WORD));
        Self { words: WORDS.into_iter().chain(further).take(MOST_WORDS).collect() }
    }
}

impl Shape {
    /// Chance of 0, 1, … words still to be found, after `found` of them to the right and with a share `left` of
    /// all places to the left: P(m) · m! / (m − found)! · left^(m − found).
    pub fn remaining(&self, found: usize, left: f64) -> Vec<f64> {
        let weight = |words: usize| {
            let ways: f64 = (words - found + 1..=words).map(|word| word as f64).product();
            self.words
                .get(words.wrapping_sub(1))
                .map_or(0.0, |p| p * ways * left.powi((words - found) as i32))
        };
        let weights: Vec<f64> = (found..=MOST_WORDS.max(found + 1)).map(weight).collect();
        let total: f64 = weights.iter().sum();
        if total > 0.0 {
            return weights.iter().map(|weight| weight / total).collect();
        }
        // More words than ever seen: either done, or one more.
        vec![0.9, 0.1]
    }

    /// Weight of a word of this many characters.
    pub fn length(length: usize) -> f64 {
        match LENGTHS.get(length - 1) {
            Some(weight) => *weight,
            // Sums to 3 % over all longer ones, of which sentences are a few.
            None => {
                let beyond = (length - LENGTHS.len()) as i32;
                0.025 * (1.0 - LONGER) / LONGER * LONGER.powi(beyond)
                    + 0.005 * LENGTHS.len() as f64 / (length * (length - 1)) as f64
            }
        }
    }
}

/// The generating function of a distribution over 0, 1, …
pub(crate) fn generating(chances: &[f64], u: f64) -> f64 {
    chances.iter().rev().fold(0.0, |sum, chance| sum * u + chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expectations_are_distributions() {
        let lengths: f64 = (1..100_000).map(Shape::length).sum();
        assert!((lengths - 1.0).abs() < 1e-4, "{lengths}");
        let shape = Shape::default();
        for found in 0..15 {
            let remaining = shape.remaining(found, 0.5);
            assert!((remaining.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            assert_eq!(remaining[0] > 0.0, found > 0);
        }
        // Four found at the very beginning of a text: a fifth has no room.
        assert!(shape.remaining(4, 0.01)[0] > 0.99);
    }
}
