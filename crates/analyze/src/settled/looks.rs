//! The blocks after which a study may stop, and how much of the error each may spend on keys.
//!
//! Source: spending functions (Lan and DeMets 1983, *Biometrika* 70, 659), of the power family (Kim and DeMets 1987, 74,
//! 149) with the square: α·t² is spent once the share t of the runs is made. Each look is tested at what is spent since
//! the one before; that these sum to α is enough, however the looks depend on each other (Bonferroni).

/// Looks at most, equally far apart.
const LOOKS: u32 = 4;

/// A block after which a study may stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub block: u32,
    /// Share of the error that is spent here. All looks' together are 1.
    pub share: f64,
}

/// The looks of a study of at most this many blocks; the last is its ceiling.
pub fn looks(ceiling: u32) -> Vec<Look> {
    let mut blocks: Vec<u32> = (1..=LOOKS).map(|look| (look * ceiling).div_ceil(LOOKS)).collect();
    blocks.dedup();
    let spent = |block: u32| (f64::from(block) / f64::from(ceiling.max(1))).powi(2);
    let before = std::iter::once(0).chain(blocks.iter().copied());
    before.zip(&blocks).map(|(before, &block)| Look { block, share: spent(block) - spent(before) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_blocks_have_four_looks() {
        let blocks: Vec<u32> = looks(20).iter().map(|look| look.block).collect();
        let shares: Vec<f64> = looks(20).iter().map(|look| look.share).collect();
        assert_eq!((blocks, shares), (vec![5, 10, 15, 20], vec![0.0625, 0.1875, 0.3125, 0.4375]));
    }

    #[test]
    fn all_is_spent_at_the_ceiling_and_no_more() {
        for ceiling in 1..200 {
            let looks = looks(ceiling);
            let sum: f64 = looks.iter().map(|look| look.share).sum();
            assert!((sum - 1.0).abs() < 1e-12 && looks.iter().all(|look| look.share > 0.0));
            assert_eq!(looks.last().map(|look| look.block), Some(ceiling));
        }
    }
}
