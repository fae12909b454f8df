//! How many messages it takes to find the words of a list that trigger.

use super::filter::{Filter, search_list};
use super::neutral;
use overheard_analyze::keywords::{ListSearch, Options};
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

const LISTS: u64 = 300;
/// Words of a list, and how many of them trigger: those that the prior was chosen by.
const SIZES: [(usize, usize); 14] = [
    (100, 1),
    (100, 2),
    (100, 5),
    (100, 20),
    (1000, 1),
    (1000, 2),
    (1000, 3),
    (1000, 5),
    (1000, 20),
    (5000, 1),
    (5000, 2),
    (5000, 3),
    (5000, 5),
    (5000, 20),
];

/// And others.
const HELD_OUT: [(usize, usize); 8] =
    [(300, 1), (300, 4), (300, 8), (300, 16), (3000, 1), (3000, 4), (3000, 8), (3000, 16)];

/// The second mean is with parts: each word that triggers is searched for the part of it that does, which is all of it.
pub(super) fn table(random: &mut ChaCha8Rng) {
    println!(
        "\n| words | trigger | all and no other | mean messages | log2 C(n, d) | ratio | least ratio if d were known | mean with parts |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let proven = one_proven(5000);
    for (size, triggers) in SIZES.into_iter().chain(HELD_OUT) {
        let (mut right, mut messages, mut with_parts) = (0, 0, 0);
        for list in 0..LISTS {
            let mut words = BTreeSet::new();
            while words.len() < size {
                words.insert(neutral::word(3, random));
            }
            let rules: BTreeSet<Vec<String>> =
                words.iter().sample(random, triggers).into_iter().map(|word| vec![word.clone()]).collect();
            let filter = Filter { rules: rules.iter().cloned().collect(), ..Filter::default() };
            let mut of = |parts| {
                let options = Options { most_messages: 5000, parts, ..Options::default() };
                let found = search_list(ListSearch::new(words.clone(), options, list), &filter, random);
                let got: BTreeSet<Vec<String>> = found.rules.into_iter().map(|rule| rule.all).collect();
                (got == rules, found.messages)
            };
            let (listed, parted) = (of(false), of(true));
            right += u64::from(listed.0 && parted.0);
            messages += listed.1;
            with_parts += parted.1;
        }
        let bits: f64 = (0..triggers).map(|at| ((size - at) as f64 / (at + 1) as f64).log2()).sum();
        let mean = messages as f64 / LISTS as f64;
        let bound = if triggers == 1 { proven[size] / bits } else { 1.0 };
        println!(
            "| {size} | {triggers} | {right} of {LISTS} | {mean:.1} | {bits:.1} | {:.2} | {bound:.2} | {:.1} |",
            mean / bits,
            with_parts as f64 / LISTS as f64
        );
    }
}

/// The least mean number of messages for one trigger among n words, proven to be the only one, by n: the recursion of
/// `docs/methods/keywords.md`, section 5.
fn one_proven(most: usize) -> Vec<f64> {
    let mut least = vec![0.0, 2.0];
    for size in 2..=most {
        let share = |part: usize| part as f64 * least[part] / size as f64;
        let single = (1.0 + (size - 1) as f64 * least[size - 1]) / size as f64;
        least.push(1.0 + (2..=size / 2).map(|part| share(part) + share(size - part)).fold(single, f64::min));
    }
    least
}
