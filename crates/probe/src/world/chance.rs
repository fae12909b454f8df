//! Chance that a seed decides: the same seed, subject and turn give the same draw everywhere.
//!
//! For: which server of a pool a name resolves to, which packet is lost, which connection is cut. A draw rests on
//! its subject (a name, a host) and on the subject's own turn, so that what else happens meanwhile does not move it.
//! Source: FNV-1a (Fowler, Noll, Vo) takes in the subject; the finaliser of SplitMix64 (Steele, Lea, Flood,
//! OOPSLA 2014) spreads it. Neither is secret nor shall be.

/// A seed's draws.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance(pub u64);

impl Chance {
    /// All 64 bits.
    pub fn draw(self, subject: &[u8], turn: u64) -> u64 {
        let bytes = subject.iter().copied().chain(turn.to_le_bytes());
        let hash = bytes
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        finalise(hash ^ finalise(self.0))
    }

    /// Below 1, at least 0.
    pub fn share(self, subject: &[u8], turn: u64) -> f64 {
        (self.draw(subject, turn) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// `count` of the things, each at most once, in the order drawn.
    pub fn pick<T: Copy>(self, things: &[T], count: usize, subject: &[u8], turn: u64) -> Vec<T> {
        let mut left = things.to_vec();
        let mut picked = Vec::new();
        while picked.len() < count && !left.is_empty() {
            let nth = turn.wrapping_mul(things.len() as u64).wrapping_add(picked.len() as u64);
            picked.push(left.swap_remove((self.draw(subject, nth) % left.len() as u64) as usize));
        }
        picked
    }
}

fn finalise(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_drawn_from_evenly() {
        let mut counts = [0u32; 7];
        for turn in 0..7000 {
            let picked = Chance(1).pick(&[0, 1, 2, 3, 4, 5, 6], 1, b"pool.example", turn);
            counts[picked[0]] += 1;
        }
        // Chi-squared with 6 degrees of freedom: 22.5 is passed once in a thousand seeds; this is one seed.
        let chi: f64 = counts.iter().map(|count| (f64::from(*count) - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi < 22.5, "{counts:?}");
    }

    #[test]
    fn a_share_happens_as_often_as_it_says() {
        let happened = (0..10_000).filter(|turn| Chance(3).share(b"host", *turn) < 0.02).count();
        assert!((150..250).contains(&happened), "{happened} of 10000 at 0.02");
    }

    #[test]
    fn picks_are_distinct_and_no_more_than_there_are() {
        let mut picked = Chance(5).pick(&[1, 2, 3], 9, b"x", 0);
        picked.sort_unstable();
        assert_eq!(picked, [1, 2, 3]);
    }

    #[test]
    fn seeds_subjects_and_turns_all_matter() {
        let first = Chance(1).draw(b"a", 0);
        assert_eq!(first, Chance(1).draw(b"a", 0));
        for other in [Chance(2).draw(b"a", 0), Chance(1).draw(b"b", 0), Chance(1).draw(b"a", 1)] {
            assert_ne!(first, other);
        }
    }
}
