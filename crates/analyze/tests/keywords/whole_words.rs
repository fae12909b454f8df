//! Filters that match whole words only (`\bword\b`), of which a search for substrings does not know.

use crate::filter::{Filter, search};
use crate::{random, sorted};
use overheard_analyze::keywords::{Noise, Options, Others};
use overheard_model::Found;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};

const WORDS: [&str; 24] = [
    "bird",
    "birds",
    "blackbird",
    "birdcage",
    "cage",
    "river",
    "rivers",
    "driver",
    "lamp",
    "clamp",
    "stone",
    "stones",
    "tea",
    "team",
    "steam",
    "moss",
    "cloud",
    "a",
    "an",
    "and",
    "land",
    "island",
    "noon",
    "afternoon",
];
const RUNS: usize = if cfg!(debug_assertions) { 100 } else { 1_000 };

fn find(text: &str, rules: &[Vec<String>], others: Others, loss: f64, random: &mut impl Rng) -> Found {
    let filter = Filter { rules: rules.to_vec(), whole_words: true, loss, ..Filter::default() };
    let options = Options { others, noise: Noise::new(loss, 0.0), ..Options::default() };
    search(text, options, &filter, random)
}

/// A text that holds the words of one rule, among others that hold them or that they hold.
fn case(random: &mut impl Rng) -> (String, Vec<String>) {
    let count = random.random_range(1..=3);
    let rule: Vec<&str> = WORDS.sample(random, count).copied().collect();
    let others = (0..random.random_range(10..60)).filter_map(|_| WORDS.choose(random).copied());
    let mut text: Vec<&str> = others.chain(rule.iter().copied()).collect();
    text.shuffle(random);
    (text.join(" "), rule.into_iter().map(str::to_owned).collect())
}

#[test]
fn the_words_are_found_as_if_the_filter_took_them_anywhere() {
    let mut random = random();
    for loss in [0.0, 0.05] {
        let (mut warned, mut wrong) = (0, 0);
        for _ in 0..RUNS {
            let (text, mut rule) = case(&mut random);
            let found = find(&text, &[rule.clone()], Others::All, loss, &mut random);
            rule.sort();
            let exact = sorted(&found) == [rule.clone()];
            warned += usize::from(!exact && !found.warnings.is_empty());
            wrong += usize::from(!exact && found.warnings.is_empty());
            assert!(exact || loss > 0.0, "{text:?}: {rule:?}, {found:?}");
        }
        println!("at {loss} loss {warned} of {RUNS} with a warning, {wrong} wrong without");
        // The error that is allowed for each rule.
        assert!((wrong + warned) * 200 <= RUNS, "{warned} {wrong}");
    }
}

/// With several rules a cut can leave a word of another rule by itself: "bird" of "blackbird". What is found is a rule too.
#[test]
fn whatever_is_found_is_a_rule_of_the_filter() {
    let mut random = random();
    let mut own = 0;
    for _ in 0..RUNS {
        let (text, mut first) = case(&mut random);
        let second = vec![(*WORDS.choose(&mut random).expect("a word")).to_owned()];
        let found = find(&text, &[first.clone(), second.clone()], Others::All, 0.0, &mut random);
        first.sort();
        let known = sorted(&found);
        let are_rules = known.iter().all(|rule| *rule == first || *rule == second) && !known.is_empty();
        assert!(are_rules || !found.warnings.is_empty(), "{text:?}: {first:?} {second:?}, {found:?}");
        own += usize::from(known.contains(&first));
    }
    println!("the text's own rule in {own} of {RUNS}");
    assert!(own * 4 >= RUNS * 3, "{own}");
}
