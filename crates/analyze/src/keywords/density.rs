//! How many of the words of a list trigger: the belief that sizes the pools.
//!
//! The number of triggers has a prior, and all sets of the same size are as likely as each other. Then what was learnt
//! so far matters by three counts alone: triggers found, words still open, and words of a blocked group. The pool that
//! is blocked with a chance of one half teaches most; a blocked group is halved by the same rule (Sobel and Groll 1959,
//! *Bell System Technical Journal* 38, 1179). The prior is derived in `docs/methods/keywords.md`, section 5.

/// How much likelier one trigger is than none.
const SOME: f64 = 4.0;
/// Terms of a sum this far below the largest, as a logarithm, size no pool.
const NEGLIGIBLE: f64 = 12.0;
/// Clearing all that is open in one message ends the search, so it is asked somewhat before its chance is one half.
const LAST: f64 = 0.42;

/// What is known of the number of triggers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Density {
    /// Words of the whole list.
    pub words: usize,
    /// Triggers among those that are not open.
    pub found: usize,
    /// Open words outside the blocked group, if there is one.
    pub fresh: usize,
}

impl Density {
    /// Words of the fresh pool whose answer is most open.
    pub fn pool(&self, most: usize) -> usize {
        let all = self.weight(self.fresh);
        most_open(most, |pool| (self.weight(self.fresh - pool) - all).exp())
    }

    /// Whether all fresh words are worth one message.
    pub fn is_last(&self) -> bool {
        (-self.weight(self.fresh)).exp() > LAST
    }

    /// Words to take from a blocked group of this size.
    pub fn part(&self, group: usize) -> usize {
        let all = self.weight(self.fresh + group);
        let of_all = |words| (self.weight(words) - all).exp();
        // The group is blocked: sets that leave it clean are out.
        let excluded = of_all(self.fresh);
        let blocked = (1.0 - excluded).max(f64::MIN_POSITIVE);
        most_open(group - 1, |part| (of_all(self.fresh + group - part) - excluded) / blocked)
    }

    /// Logarithm of how likely the sets are whose other triggers lie within so many open words, against no other trigger.
    fn weight(&self, within: usize) -> f64 {
        let (mut term, mut largest, mut sum) = (0.0_f64, 0.0_f64, 1.0_f64);
        for more in 0..within.min(self.words - self.found) {
            let count = self.found + more;
            let sets = (count + 1) as f64 / (self.words - count) as f64;
            let ways = (within - more) as f64 / (more + 1) as f64;
            term += (prior_ratio(count) * sets * ways).ln();
            if term > largest {
                sum = sum * (largest - term).exp() + 1.0;
                largest = term;
            } else if largest - term > NEGLIGIBLE {
                break;
            } else {
                sum += (term - largest).exp();
            }
        }
        largest + sum.ln()
    }
}

/// How likely one trigger more is, against this many: the chance of d triggers falls as 1 / d².
fn prior_ratio(count: usize) -> f64 {
    if count == 0 { SOME } else { (count as f64 / (count + 1) as f64).powi(2) }
}

/// The size at which a falling chance is nearest to one half.
fn most_open(most: usize, clean: impl Fn(usize) -> f64) -> usize {
    let (mut above, mut below) = (1, most.max(1) + 1);
    while below - above > 1 {
        let middle = above.midpoint(below);
        if clean(middle) > 0.5 { above = middle } else { below = middle }
    }
    let off = |size: usize| (clean(size) - 0.5).abs();
    if below <= most && off(below) < off(above) { below } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_shrink_as_triggers_are_met() {
        let pool = |found| Density { words: 5000, found, fresh: 4900 }.pool(4900);
        assert!(pool(0) > 1000 && pool(5) < 1000 && pool(20) < 200, "{} {} {}", pool(0), pool(5), pool(20));
        assert_eq!(Density { words: 2, found: 0, fresh: 0 }.part(2), 1);
        assert_eq!(Density { words: 5000, found: 0, fresh: 1 }.pool(1), 1);
    }

    #[test]
    fn chances_are_those_of_the_sets_counted_one_by_one() {
        const WORDS: usize = 10;
        let prior: Vec<f64> = (0..=WORDS)
            .scan(1.0, |chance, count| Some(std::mem::replace(chance, *chance * prior_ratio(count))))
            .collect();
        let choose = |n: usize, k: usize| (0..k).map(|at| (n - at) as f64 / (at + 1) as f64).product::<f64>();
        // One trigger is found; two words are clean, three fresh and four blocked as a group.
        let open: u32 = (1 << 7) - 1;
        let group: u32 = 0b1111;
        let chance = |fits: &dyn Fn(u32) -> bool| -> f64 {
            let sets = (0..=open).filter(|set| set & group != 0 && fits(*set));
            let size = |set: u32| 1 + set.count_ones() as usize;
            sets.map(|set| prior[size(set)] / choose(WORDS, size(set))).sum()
        };
        let belief = Density { words: WORDS, found: 1, fresh: 3 };
        let all = chance(&|_| true);
        let best = (1..4).min_by(|a, b| {
            let off = |part: &usize| (chance(&|set| set & ((1 << part) - 1) == 0) / all - 0.5).abs();
            off(a).total_cmp(&off(b))
        });
        assert_eq!(Some(belief.part(4)), best);
        let none = prior[1] / choose(WORDS, 1);
        let within: f64 = (0..=open)
            .map(|set| 1 + set.count_ones() as usize)
            .map(|size| prior[size] / choose(WORDS, size))
            .sum();
        assert!((belief.weight(7) - (within / none).ln()).abs() < 1e-9);
    }

    #[test]
    fn a_list_of_any_size_has_a_pool() {
        for words in [1, 2, 7, 100_000] {
            for found in [0, words / 2, words - 1] {
                let belief = Density { words, found, fresh: words - found };
                assert!((1..=belief.fresh).contains(&belief.pool(belief.fresh)));
            }
        }
    }
}
