//! What the sources answered before: addresses are many, answers few.
//!
//! For: making the claims of a country and network once, however many of their addresses are met, and
//! sharing them.
//! Promises: the claims of an address are the same whether they were known or not; what is kept grows
//! with the distinct answers, not with the addresses.
//! To extend: a source numbers its answers, so that equal numbers mean equal claims.

use foldhash::HashMap;
use overheard_model::Claim;
use std::sync::Arc;

/// All that some sources said of an address, as an index of [`Known::claims`]; 0 before any did.
pub(super) type Said = usize;

/// The claims made so far.
#[derive(Debug)]
pub(super) struct Known {
    /// What was said before, which source speaks, and the number of its answer: what is said then.
    then: HashMap<(Said, usize, u64), Said>,
    claims: Vec<Arc<[Claim]>>,
}

impl Default for Known {
    fn default() -> Self {
        Self { then: HashMap::default(), claims: vec![Arc::default()] }
    }
}

impl Known {
    /// What is said once this source has answered, too. `claims` is called for an answer not yet known.
    pub(super) fn and<I: IntoIterator<Item = Claim>>(
        &mut self,
        said: Said,
        source: usize,
        answer: u64,
        claims: impl FnOnce() -> I,
    ) -> Said {
        if let Some(then) = self.then.get(&(said, source, answer)) {
            return *then;
        }
        let all = self.claims(said).iter().cloned().chain(claims()).collect();
        self.claims.push(all);
        let then = self.claims.len() - 1;
        self.then.insert((said, source, answer), then);
        then
    }

    pub(super) fn claims(&self, said: Said) -> Arc<[Claim]> {
        self.claims.get(said).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::Asn;

    fn claim(source: usize, answer: u64) -> Claim {
        let asn = u32::try_from(answer).ok().map(Asn);
        Claim { source: source.to_string().into(), country: None, asn, network: None }
    }

    #[test]
    fn the_claims_are_those_of_the_answers_in_order_and_made_once() {
        let mut known = Known::default();
        let mut made = 0;
        for _ in 0..2 {
            for answers in [vec![(0, 7), (1, 7)], vec![(1, 7)], vec![(0, 7)], vec![(0, 7), (1, 8)], vec![]] {
                let said = answers.iter().fold(0, |said, &(source, answer)| {
                    known.and(said, source, answer, || {
                        made += 1;
                        [claim(source, answer)]
                    })
                });
                let expected: Vec<Claim> = answers.iter().map(|&(s, a)| claim(s, a)).collect();
                assert_eq!(*known.claims(said), expected[..]);
            }
        }
        assert_eq!(made, 4);
    }
}
