//! Pools in which every word comes once without any given other: how a word shows that another one hides.
//!
//! A filter that some words switch off lets a whole list pass that holds one of them. In these pools each word that
//! triggers is met without each word that may hide it: a completely separating system (Dickson 1969, *J. Combin. Theory*
//! 7, 191). Words are given different halves of the pools, so that no half contains another: m pools are enough for
//! C(m, m / 2) words (Spencer 1970, *J. Combin. Theory* 8, 446), 9 for a hundred and 13 for a thousand.
//! Promises: any two of the words are separated, both ways, while a single other one hides.

/// Pools of some of these words; none where there are fewer than two.
pub(crate) fn pools(words: &[usize]) -> Vec<Vec<usize>> {
    if words.len() < 2 {
        return Vec::new();
    }
    let enough = |pools: &u32| halves(*pools) >= words.len() as u64;
    let count = (2..).find(enough).unwrap_or(u64::BITS);
    let mut pools = vec![Vec::new(); count as usize];
    let members = (0_u64..1 << count).filter(|set| set.count_ones() == count / 2);
    for (word, members) in words.iter().zip(members) {
        let of_word = |(at, _): &(usize, &mut Vec<usize>)| members >> at & 1 == 1;
        pools.iter_mut().enumerate().filter(of_word).for_each(|(_, pool)| pool.push(*word));
    }
    pools.retain(|pool| !pool.is_empty());
    pools
}

/// C(m, m / 2).
fn halves(pools: u32) -> u64 {
    (1..=u64::from(pools / 2)).fold(1, |product, k| product * (u64::from(pools) - k + 1) / k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_met_without_each_other() {
        for (count, most) in [(2, 2), (7, 5), (100, 9), (1000, 13)] {
            let words: Vec<usize> = (0..count).collect();
            let pools = pools(&words);
            assert!(pools.len() <= most, "{count}: {}", pools.len());
            let separated = |a, b| pools.iter().any(|pool| pool.contains(&a) && !pool.contains(&b));
            let some = words.iter().step_by(1 + count / 20);
            for (a, b) in some.clone().flat_map(|a| some.clone().map(move |b| (*a, *b))) {
                assert!(a == b || separated(a, b), "{a} {b} of {count}");
            }
        }
        assert!(pools(&[1]).is_empty() && pools(&[]).is_empty());
    }
}
