//! A set of runs as bits, so that counting "k of n runs" under any labelling is a few popcounts.
//!
//! Promises: sets of one study all have the same width; counting never allocates.

/// A set of small numbers below a fixed width.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// The empty set, with room for the numbers below `width`.
    pub fn empty(width: usize) -> Self {
        Self(vec![0; width.div_ceil(64)])
    }

    /// The set of `members`, all below `width`; others are ignored.
    pub fn of(width: usize, members: impl IntoIterator<Item = usize>) -> Self {
        let mut set = Self::empty(width);
        members.into_iter().for_each(|member| set.insert(member));
        set
    }

    pub fn insert(&mut self, member: usize) {
        if let Some(word) = self.0.get_mut(member / 64) {
            *word |= 1 << (member % 64);
        }
    }

    pub fn remove(&mut self, member: usize) {
        if let Some(word) = self.0.get_mut(member / 64) {
            *word &= !(1 << (member % 64));
        }
    }

    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    pub fn contains(&self, member: usize) -> bool {
        self.0.get(member / 64).is_some_and(|word| word >> (member % 64) & 1 == 1)
    }

    /// Whether all members are members of the other.
    pub fn within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    /// Members in rising order.
    pub fn members(&self) -> impl Iterator<Item = usize> + '_ {
        // Clearing the lowest bit of a word leads to its next member.
        let of_word = |word: u64| std::iter::successors(Some(word), |rest| Some(rest & rest.checked_sub(1)?));
        self.0.iter().enumerate().flat_map(move |(at, word)| {
            let left = of_word(*word).take_while(|rest| *rest != 0);
            left.map(move |rest| at * 64 + rest.trailing_zeros() as usize)
        })
    }

    pub fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Size of the intersection.
    pub fn count_in(&self, other: &Self) -> u64 {
        self.0.iter().zip(&other.0).map(|(a, b)| u64::from((a & b).count_ones())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_across_words() {
        let odd = Bits::of(200, (1..200).step_by(2));
        let low = Bits::of(200, 0..70);
        assert_eq!((odd.count(), low.count(), odd.count_in(&low)), (100, 70, 35));
        assert_eq!(low.members().last(), Some(69));
        let mut some = Bits::of(200, [3, 71]);
        assert!(some.within(&odd) && !some.within(&low));
        some.remove(71);
        assert!(some.within(&low) && !odd.within(&some));
        assert!(odd.contains(199) && !odd.contains(198) && !odd.contains(999));
    }
}
