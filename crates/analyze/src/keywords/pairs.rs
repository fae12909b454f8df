//! Pools in which any two words come together, of words that do not fit into one message.
//!
//! Blocks of half a message are sent two by two. Of a hundred thousand words that makes millions of pools, so each is made
//! when it is asked for.

/// Pools still to be sent.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    blocks: Vec<Vec<usize>>,
    /// The two blocks of the next pool, the first before the second.
    next: (usize, usize),
}

impl Pairs {
    /// Of blocks of which any two fit into a message; one block is a pool by itself.
    pub(crate) fn of(blocks: Vec<Vec<usize>>) -> Self {
        let second = usize::from(blocks.len() > 1);
        Self { blocks, next: (0, second) }
    }

    /// Whether all were given out.
    pub(crate) fn is_over(&self) -> bool {
        self.next.1 >= self.blocks.len()
    }
}

impl Iterator for Pairs {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let (first, second) = self.next;
        let other = self.blocks.get(second)?;
        let pool = if first == second { other.clone() } else { [&self.blocks[first][..], other].concat() };
        self.next = match second + 1 < self.blocks.len() {
            true => (first, second + 1),
            // Behind the last pair the second block is none.
            false => (first + 1, first + 2),
        };
        Some(pool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn any_two_words_come_together_once() {
        for count in 2..7 {
            let blocks: Vec<Vec<usize>> = (0..count).map(|block| vec![2 * block, 2 * block + 1]).collect();
            let mut pairs = Pairs::of(blocks);
            assert!(!pairs.is_over());
            let pools: Vec<Vec<usize>> = pairs.by_ref().collect();
            assert_eq!((pools.len(), pairs.is_over()), (count * (count - 1) / 2, true));
            let together: BTreeSet<(usize, usize)> = pools
                .iter()
                .flat_map(|pool| pool.iter().flat_map(|a| pool.iter().map(move |b| (*a, *b))))
                .filter(|(a, b)| a < b)
                .collect();
            assert_eq!(together.len(), 2 * count * (2 * count - 1) / 2);
        }
    }

    #[test]
    fn one_block_is_one_pool_and_none_is_none() {
        assert_eq!(Pairs::of(vec![vec![3, 4]]).collect::<Vec<_>>(), [vec![3, 4]]);
        assert!(Pairs::default().is_over());
        assert_eq!(Pairs::of(Vec::new()).next(), None);
    }
}
