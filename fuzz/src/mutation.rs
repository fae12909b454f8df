//! Changes of inputs: a few bytes, a word of the dictionary, a whole part.
//!
//! For: the short run with a fixed seed, which has no fuzzer at hand ([`Mutator`]); and libFuzzer, whose own
//! changes [`mutated`] brings into one part of an input.
//! Promises: the same seed makes the same inputs; none is longer than [`LONGEST`].

use crate::Target;
use crate::dictionary;
use crate::shape::Parts;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Longest input that is made.
pub const LONGEST: usize = 64 << 10;

/// Numbers at which lengths and counters break.
const EDGES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x3fff_ffff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// Makes inputs out of seeds, the same ones for the same seed of its dice.
#[derive(Debug)]
pub struct Mutator {
    dice: ChaCha8Rng,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self { dice: ChaCha8Rng::seed_from_u64(seed), words: dictionary::words() }
    }

    /// The next input of a target.
    pub fn next(&mut self, target: &Target, seeds: &[Vec<u8>]) -> Vec<u8> {
        let Some(mut input) = self.choose(seeds).cloned() else { return Vec::new() };
        for _ in 0..self.dice.random_range(1..=4) {
            let seed = self.dice.random();
            input = mutated(target, &input, seed, &mut |bytes| self.change(bytes, seeds));
        }
        input.truncate(LONGEST);
        input
    }

    fn choose<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.dice.random_range(0..from.len())) }
    }

    /// One change of a few bytes.
    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.dice.random_range(0..=bytes.len());
        let span = at..(at + self.dice.random_range(1..=32)).min(bytes.len());
        match self.dice.random_range(0..8_u8) {
            0 => bytes.get_mut(at).map_or((), |byte| *byte ^= 1 << self.dice.random_range(0..8)),
            1 => bytes.get_mut(at).map_or((), |byte| *byte = self.dice.random()),
            2 => drop(bytes.drain(span)),
            3 => {
                let copy = bytes[span].to_vec();
                insert(bytes, at, &copy);
            }
            4 | 5 => {
                let words = std::mem::take(&mut self.words);
                let word = self.choose(&words).cloned().unwrap_or_default();
                self.words = words;
                if self.dice.random() { insert(bytes, at, &word) } else { overwrite(bytes, at, &word) }
            }
            6 => {
                let edge = self.choose(&EDGES).copied().unwrap_or(0).to_be_bytes();
                let width = 1 << self.dice.random_range(0..=3);
                overwrite(bytes, at, &edge[8 - width..]);
            }
            _ => {
                let other = self.choose(seeds).cloned().unwrap_or_default();
                let from = self.dice.random_range(0..=other.len());
                let to = (from + self.dice.random_range(1..=256)).min(other.len());
                insert(bytes, at, &other[from..to]);
            }
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    bytes.splice(at..at, what.iter().copied());
}

fn overwrite(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes.iter_mut().skip(at).zip(what).for_each(|(byte, new)| *byte = *new);
}

/// One change of an input: mostly inside one of its parts, sometimes of the parts' order, sometimes of
/// the bytes as they come.
pub fn mutated(target: &Target, input: &[u8], seed: u64, change: &mut dyn FnMut(&mut Vec<u8>)) -> Vec<u8> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let parts = (target.shape)(input).filter(|parts| !parts.parts.is_empty() && dice.random_ratio(3, 4));
    let Some(mut parts) = parts else {
        let mut bytes = input.to_vec();
        change(&mut bytes);
        return bytes;
    };
    rearrange(&mut parts, &mut dice, change);
    parts.to_bytes()
}

fn rearrange(parts: &mut Parts, dice: &mut ChaCha8Rng, change: &mut dyn FnMut(&mut Vec<u8>)) {
    let all = &mut parts.parts;
    let (at, other) = (dice.random_range(0..all.len()), dice.random_range(0..all.len()));
    match dice.random_range(0..16_u8) {
        0 => drop(all.remove(at)),
        1 => all.swap(at, other),
        2 => {
            let copy = all[at].clone();
            all.insert(other, copy);
        }
        // Two parts in the place of one.
        3 => {
            let middle = all[at].body.len() / 2;
            let mut second = all[at].clone();
            second.body.drain(..middle);
            all[at].body.truncate(middle);
            all.insert(at + 1, second);
        }
        4 => change(&mut parts.head),
        5 => change(&mut all[at].before),
        _ => change(&mut all[at].body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TARGETS;

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        for target in &TARGETS {
            let seeds = (target.seeds)();
            let made = |seed| {
                let mut mutator = Mutator::new(seed);
                (0..20).map(|_| mutator.next(target, &seeds)).collect::<Vec<_>>()
            };
            assert!(made(1) == made(1), "{}", target.name);
            assert!(made(1) != made(2), "{}", target.name);
        }
    }
}
