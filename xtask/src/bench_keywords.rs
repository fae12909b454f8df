//! `cargo xtask bench-keywords [TEXTS]`: how many messages the search for a rule takes, and how often it is right.
//!
//! For: the figures in `docs/methods/keywords.md`. 200 texts of 300 to 900 characters, each with one rule of the shape
//! of real combinations, at several noises. Words of rules are drawn from lists in `../shared/data/keywords` where
//! that folder lies beside the checkout, else generated; they are read and never kept.
//! To extend: a line in [`NOISES`].

#[path = "../../crates/analyze/tests/keywords/filter.rs"]
mod filter;
mod lists;
#[path = "../../crates/analyze/tests/keywords/neutral.rs"]
mod neutral;
mod words;

use anyhow::Result;
use filter::Filter;
use neutral::{Case, Lexicon};
use overheard_analyze::keywords::{Noise, Options, Others};
use overheard_model::Found;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SEED: u64 = 2012;
const TEXTS: usize = 200;
/// Loss of what the filter let pass, and leak of what it stopped.
const NOISES: [(f64, f64); 4] = [(0.0, 0.0), (0.05, 0.0), (0.1, 0.0), (0.05, 0.05)];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let texts = args.first().map_or(Ok(TEXTS), |texts| texts.parse())?;
    let seed = args.get(1).map_or(Ok(SEED), |seed| seed.parse())?;
    let words = words::listed(&crate::root().join("../shared/data/keywords"));
    println!(
        "words of rules: {}",
        if words.is_empty() { "generated".into() } else { format!("{} listed", words.len()) }
    );
    let lexicon = Lexicon::new(words);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let cases: Vec<Case> = (0..texts).map(|_| neutral::case(&lexicon, &mut random)).collect();
    println!(
        "| loss | leak | further rules | lexicon | exact | wrong without a warning | mean messages | 95 % of texts |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (loss, leak) in NOISES {
        for others in [Others::Ignored, Others::Apart] {
            row(&cases, &Condition { loss, leak, others, known: Known::Nothing }, &mut random);
        }
    }
    for known in [Known::TheRules, Known::OtherWords] {
        for (loss, leak) in [(0.0, 0.0), (0.05, 0.0)] {
            row(&cases, &Condition { loss, leak, others: Others::Ignored, known }, &mut random);
        }
    }
    lists::table(&mut random);
    Ok(())
}

/// What the search is given as a lexicon.
#[derive(Clone, Copy, Debug)]
enum Known {
    Nothing,
    /// The words of the rule, and the words of all other rules.
    TheRules,
    /// Twenty snippets of the neutral text.
    OtherWords,
}

#[derive(Clone, Copy, Debug)]
struct Condition {
    loss: f64,
    leak: f64,
    others: Others,
    known: Known,
}

fn row(cases: &[Case], condition: &Condition, random: &mut ChaCha8Rng) {
    let Condition { loss, leak, others, known } = *condition;
    let options = Options { noise: Noise::new(loss, leak), others, ..Options::default() };
    let all: Vec<String> = cases.iter().flat_map(|case| case.rule.clone()).collect();
    let (mut exact, mut wrong, mut messages) = (0, 0, Vec::new());
    for case in cases {
        let filter = Filter { rules: vec![case.rule.clone()], loss, leak, ..Filter::default() };
        let lexicon = match known {
            Known::Nothing => Vec::new(),
            Known::TheRules => all.clone(),
            Known::OtherWords => snippets(case, random),
        };
        let found = filter::search(&case.text, Options { lexicon, ..options.clone() }, &filter, random);
        messages.push(found.messages);
        match is_exact(&found, case) {
            true => exact += 1,
            false => wrong += usize::from(found.warnings.is_empty()),
        }
    }
    messages.sort_unstable();
    let mean = messages.iter().sum::<u64>() as f64 / messages.len().max(1) as f64;
    let most = messages.get(messages.len() * 95 / 100).copied().unwrap_or(0);
    let exact = 100.0 * f64::from(exact) / cases.len() as f64;
    println!("| {loss} | {leak} | {others:?} | {known:?} | {exact:.1} % | {wrong} | {mean:.1} | {most} |");
}

/// Words of the text that are no words of its rule.
fn snippets(case: &Case, random: &mut ChaCha8Rng) -> Vec<String> {
    let text: Vec<char> = case.text.chars().collect();
    let snippets = (0..20).map(|_| {
        let at = random.random_range(0..text.len() - 2);
        text[at..at + 2].iter().collect::<String>()
    });
    snippets.filter(|word| case.rule.iter().all(|part| !part.contains(word.as_str()))).collect()
}

fn is_exact(found: &Found, case: &Case) -> bool {
    let sorted = |words: &[String]| {
        let mut words = words.to_vec();
        words.sort_unstable();
        words
    };
    matches!(&found.rules[..], [rule] if sorted(&rule.all) == sorted(&case.rule))
}
