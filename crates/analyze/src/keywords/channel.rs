//! What an answer is worth: the noise between the filter's decision and what the receiver saw.
//!
//! Promises: likelihoods that are never 0, so that no single answer settles anything that the next could not undo.

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Delivered,
    Lost,
}

/// Rates below this are taken as this: a filter that contradicts itself must not make all hypotheses impossible.
const FLOOR: f64 = 1e-6;
const CEILING: f64 = 0.45;

/// The two ways in which an answer misleads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Chance that a message is lost which the filter let pass.
    loss: f64,
    /// Chance that a message arrives which the filter should have stopped.
    leak: f64,
}

impl Noise {
    pub const NONE: Self = Self { loss: FLOOR, leak: FLOOR };

    /// Rates between 0 and 0.45; what is beyond them is taken as the nearest.
    pub fn new(loss: f64, leak: f64) -> Self {
        Self { loss: loss.clamp(FLOOR, CEILING), leak: leak.clamp(FLOOR, CEILING) }
    }

    /// Chance of the answer, given what the filter decided.
    pub(crate) fn likelihood(self, answer: Answer, blocked: bool) -> f64 {
        match (answer, blocked) {
            (Answer::Lost, true) => 1.0 - self.leak,
            (Answer::Delivered, true) => self.leak,
            (Answer::Lost, false) => self.loss,
            (Answer::Delivered, false) => 1.0 - self.loss,
        }
    }

    /// Whether one answer is as good as proof.
    pub(crate) fn is_none(self) -> bool {
        !self.leaks() && self.loss <= 1e-3
    }

    /// Whether what arrives is less than proof.
    pub(crate) fn leaks(self) -> bool {
        self.leak > 1e-3
    }

    /// Log of how much the answer speaks for "blocked" against "let pass".
    pub(crate) fn evidence(self, answer: Answer) -> f64 {
        (self.likelihood(answer, true) / self.likelihood(answer, false)).ln()
    }

    /// Information (nats) that the answer to a message carries which is blocked with this chance.
    pub(crate) fn information(self, blocked: f64) -> f64 {
        let lost = blocked * (1.0 - self.leak) + (1.0 - blocked) * self.loss;
        entropy(lost) - blocked * entropy(self.leak) - (1.0 - blocked) * entropy(self.loss)
    }
}

fn entropy(p: f64) -> f64 {
    [p, 1.0 - p].into_iter().filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_those_of_the_textbooks() {
        let capacity = |noise: Noise| {
            let bits = (1..1000).map(|q| noise.information(f64::from(q) / 1000.0) / std::f64::consts::LN_2);
            bits.fold(0.0, f64::max)
        };
        assert!((capacity(Noise::NONE) - 1.0).abs() < 1e-3);
        // Z-channel: log2(1 + (1 - b) b^(b / (1 - b))) (Cover and Thomas, exercise 7.8).
        for (loss, wanted) in [(0.05, 0.8575), (0.1, 0.7627), (0.5 - 0.05, 0.3636)] {
            let b: f64 = loss;
            let formula = (1.0 + (1.0 - b) * b.powf(b / (1.0 - b))).log2();
            assert!((formula - wanted).abs() < 1e-2, "{formula}");
            assert!((capacity(Noise::new(loss, 0.0)) - formula).abs() < 1e-3);
        }
        // Symmetric: 1 - h(0.05).
        assert!((capacity(Noise::new(0.05, 0.05)) - 0.7136).abs() < 1e-3);
    }
}
