//! The time between messages: drawn at random, as people type, so that the account is not banned for a rhythm.
//!
//! Promises: within the limits; the same seed and number give the same time, whenever the trials are gone on with.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::str::FromStr;
use std::time::Duration;

/// Limits of the time between two messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    shortest_s: f64,
    longest_s: f64,
}

impl FromStr for Pace {
    type Err = String;

    /// `SHORTEST-LONGEST` in seconds.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("{text:?}: expected SHORTEST-LONGEST in seconds, such as 5-60");
        let (shortest, longest) = text.split_once('-').ok_or_else(wanted)?;
        let seconds = |text: &str| text.trim().parse::<f64>().ok().filter(|s| (0.0..=86_400.0).contains(s));
        let (shortest_s, longest_s) =
            seconds(shortest).zip(seconds(longest)).filter(|(a, b)| a <= b).ok_or_else(wanted)?;
        Ok(Self { shortest_s, longest_s })
    }
}

impl Pace {
    /// The time before this message: its logarithm is uniform, so that short pauses are common and long ones occur.
    pub fn before(self, number: u64, seed: u64) -> Duration {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number);
        let share: f64 = random.random();
        // One second more than there is, so that a limit of 0 has a logarithm.
        let (low, high) = ((self.shortest_s + 1.0).ln(), (self.longest_s + 1.0).ln());
        let seconds = (low + share * (high - low)).exp() - 1.0;
        Duration::from_secs_f64(seconds.clamp(self.shortest_s, self.longest_s))
    }

    /// What is expected on average, seconds.
    pub fn mean_s(self) -> f64 {
        let (low, high) = (self.shortest_s + 1.0, self.longest_s + 1.0);
        if high - low < 1e-9 { self.shortest_s } else { (high - low) / (high / low).ln() - 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_limits_and_their_mean() {
        let pace: Pace = "5-60".parse().unwrap();
        let times: Vec<f64> = (0..2000).map(|number| pace.before(number, 7).as_secs_f64()).collect();
        assert!(times.iter().all(|time| (5.0..=60.0).contains(time)));
        let mean = times.iter().sum::<f64>() / 2000.0;
        assert!((mean - pace.mean_s()).abs() < 1.5, "{mean}, {}", pace.mean_s());
        assert_eq!(pace.before(3, 7), pace.before(3, 7));
        assert_ne!(pace.before(3, 7), pace.before(4, 7));
        assert_eq!("0-0".parse::<Pace>().unwrap().before(1, 1), Duration::ZERO);
    }

    #[test]
    fn what_is_no_pace_is_refused() {
        for text in ["", "5", "60-5", "-1-5", "a-b", "1-inf", "nan-nan"] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
    }
}
