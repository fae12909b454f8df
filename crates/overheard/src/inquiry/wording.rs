//! Texts of the two arms: for each trigger a benign text of the same length and script, so that arms differ in what the
//! messages say and in nothing that shows on the wire, nor in how often a text was sent before: some networks refuse
//! what they have seen already.
//!
//! A benign text is a line of the file, or a stretch of its lines in their order, of as many bytes in UTF-8 as the trigger
//! has, from the beginning of one word to the end of another while there are others left. Its script is the one that most of its
//! letters are of. Without a file it is made of nothing ([`super::neutral`]).
//! Promises: exact in bytes; one benign text for each trigger, and another for each while there are others; no benign text holds a trigger (in lower case); the same files and seed give the same texts;
//! where no such text can be made, the trigger is named.

use super::neutral::Neutral;
use crate::exit::{Failure, Result};
use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap, HashSet};
use unicode_script::{Script, UnicodeScript};

/// A trigger and its benign counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub trigger: String,
    pub benign: String,
}

/// So many pairs: every trigger as often as any other, give or take one, in random order. Their benign texts are cut out
/// of `benign`, or made where there is none. A trigger has one benign text, which is sent as often as it: its own of
/// `known`, where that holds none of these triggers.
pub fn pairs(
    triggers: &[String],
    benign: Option<&[String]>,
    count: usize,
    seed: u64,
    known: &[Pair],
) -> Result<Vec<Pair>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..triggers.len()).collect();
    order.shuffle(&mut random);
    let chosen: Vec<usize> = order.into_iter().cycle().take(count).collect();
    let forbidden: HashSet<String> = chosen.iter().map(|at| triggers[*at].to_lowercase()).collect();
    let known = known.iter().filter(|pair| !holds(&pair.benign, &forbidden));
    let mut likes: HashMap<String, String> =
        known.map(|pair| (pair.trigger.clone(), pair.benign.clone())).collect();
    let used = likes.values().cloned().collect();
    let mut harmless: Box<dyn Harmless> = match benign {
        Some(lines) => Box::new(Source::new(lines, forbidden, random, used)),
        None => Box::new(Made { neutral: Neutral::new(triggers, seed), forbidden }),
    };
    let pair = |at: &usize| {
        let trigger = triggers[*at].clone();
        let benign = match likes.get(&trigger) {
            Some(benign) => benign.clone(),
            None => harmless.like(&trigger).ok_or_else(|| harmless.lacks(at + 1, &trigger))?,
        };
        likes.insert(trigger.clone(), benign.clone());
        Ok(Pair { trigger, benign })
    };
    chosen.iter().map(pair).collect()
}

/// Where benign texts come from.
trait Harmless {
    /// One in the likeness of a trigger, another each time while there are others.
    fn like(&mut self, trigger: &str) -> Option<String>;

    /// Why there is none for this trigger, which has this number.
    fn lacks(&self, at: usize, trigger: &str) -> Failure;
}

/// Made of letters that no trigger holds.
struct Made {
    neutral: Neutral,
    forbidden: HashSet<String>,
}

impl Harmless for Made {
    fn like(&mut self, trigger: &str) -> Option<String> {
        self.neutral.like(trigger).filter(|made| !holds(made, &self.forbidden))
    }

    fn lacks(&self, at: usize, _: &str) -> Failure {
        Failure::new(format!("no harmless text can be made for text {at}: all letters of its script, and all pairs of them, may be filtered"))
            .hint("give harmless text in the same script with --benign FILE, such as a page of a book")
    }
}

/// Whether one of these, in lower case, stands in a text.
fn holds(text: &str, forbidden: &HashSet<String>) -> bool {
    let lower = text.to_lowercase();
    forbidden.iter().any(|trigger| lower.contains(trigger.as_str()))
}

/// The script of most of its letters; none where it has only signs that all scripts share.
fn script_name(text: &str) -> Option<&'static str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let own = text.chars().map(|c| c.script());
    for script in own.filter(|script| !matches!(script, Script::Common | Script::Inherited)) {
        *counts.entry(script.full_name()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name)
}

/// Harmless text, cut anywhere.
struct Source {
    /// By script: the lines, joined.
    texts: BTreeMap<&'static str, String>,
    forbidden: HashSet<String>,
    random: ChaCha8Rng,
    used: HashSet<String>,
    /// What fits a trigger of this length and script.
    fitting: BTreeMap<(usize, &'static str), Stretches>,
}

/// From the beginning of one word to the end of another, and between any two characters.
#[derive(Default)]
struct Stretches {
    of_words: Vec<String>,
    others: Vec<String>,
}

impl Harmless for Source {
    fn like(&mut self, trigger: &str) -> Option<String> {
        let key = (trigger.len(), script_name(trigger).unwrap_or_default());
        if !self.fitting.contains_key(&key) {
            self.fitting.insert(key, self.stretches(trigger));
        }
        let Stretches { of_words, others } = &self.fitting[&key];
        let fresh = |fit: &'_ [String], random: &mut ChaCha8Rng| {
            let fresh: Vec<&String> = fit.iter().filter(|text| !self.used.contains(*text)).collect();
            fresh.choose(random).copied().cloned()
        };
        let random = &mut self.random;
        let chosen = fresh(of_words, random).or_else(|| fresh(others, random));
        let used = if of_words.is_empty() { others } else { of_words };
        let chosen = chosen.or_else(|| used.choose(random).cloned())?;
        self.used.insert(chosen.clone());
        Some(chosen)
    }

    fn lacks(&self, at: usize, trigger: &str) -> Failure {
        let script = script_name(trigger).unwrap_or("no script");
        let bytes = trigger.len();
        Failure::new(format!(
            "--benign: no text of {bytes} bytes in {script} can be made of it, which text {at} of --trigger wants"
        ))
        .hint("add harmless lines in that script, such as a page of a book; they are cut to the lengths that are needed")
    }
}

impl Source {
    fn new(lines: &[String], forbidden: HashSet<String>, random: ChaCha8Rng, used: HashSet<String>) -> Self {
        let mut texts: BTreeMap<&'static str, String> = BTreeMap::new();
        for line in lines {
            let text = texts.entry(script_name(line).unwrap_or_default()).or_default();
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
        Self { texts, forbidden, random, used, fitting: BTreeMap::new() }
    }

    /// What may stand for this trigger.
    fn stretches(&self, trigger: &str) -> Stretches {
        let wanted = script_name(trigger);
        let mut stretches = Stretches::default();
        let Some(text) = self.texts.get(wanted.unwrap_or_default()) else { return stretches };
        for (start, first) in text.char_indices() {
            let end = start + trigger.len();
            let Some(stretch) = text.get(start..end) else { continue };
            let trimmed = stretch.trim().len() == stretch.len();
            if first.is_whitespace() || !trimmed || script_name(stretch) != wanted {
                continue;
            }
            if holds(stretch, &self.forbidden) {
                continue;
            }
            let edge = |next: Option<char>| next.is_none_or(char::is_whitespace);
            let of_words = edge(text[..start].chars().next_back()) && edge(text[end..].chars().next());
            let stretch = stretch.replace('\n', " ");
            let fit = if of_words { &mut stretches.of_words } else { &mut stretches.others };
            fit.push(stretch);
        }
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn benign_texts_have_the_length_and_script_of_their_trigger() {
        let triggers = owned(&["river tea", "茶馆", "שלום"]);
        let benign = owned(&["we walk in the garden at noon", "明天早上八点在桥边见", "בוקר טוב לכולם"]);
        let pairs = pairs(&triggers, Some(&benign), 9, 1, &[]).unwrap();
        for Pair { trigger, benign } in &pairs {
            assert_eq!((trigger.len(), script_name(trigger)), (benign.len(), script_name(benign)));
        }
        let teas = pairs.iter().filter(|pair| pair.trigger == "river tea").count();
        assert_eq!(teas, 3);
        let latin = pairs.iter().find(|pair| pair.trigger == "river tea").unwrap();
        assert!(
            ["garden at", "we walk in"].iter().all(|text| *text != latin.benign)
                || latin.benign == "garden at"
        );
    }

    #[test]
    fn a_trigger_and_its_benign_text_are_sent_as_often_as_each_other() {
        let (triggers, benign) =
            (owned(&["river tea", "the river"]), owned(&["we walk in the garden at noon"]));
        let times = |pairs: &[Pair], of: &dyn Fn(&Pair) -> String| {
            let mut times: BTreeMap<String, usize> = BTreeMap::new();
            pairs.iter().for_each(|pair| *times.entry(of(pair)).or_default() += 1);
            times.into_values().collect::<Vec<_>>()
        };
        for benign in [Some(&benign[..]), None] {
            let first = pairs(&triggers, benign, 6, 1, &[]).unwrap();
            let later = pairs(&triggers, benign, 6, 9, &first).unwrap();
            let all = [first, later].concat();
            let (of_triggers, of_benign) =
                (times(&all, &|pair| pair.trigger.clone()), times(&all, &|pair| pair.benign.clone()));
            assert_eq!((of_triggers, of_benign), (vec![6, 6], vec![6, 6]), "{all:?}");
        }
        let held = Pair { trigger: "river tea".into(), benign: "the river".into() };
        let mended = pairs(&triggers, Some(&benign), 2, 1, &[held]).unwrap();
        assert!(mended.iter().all(|pair| !pair.benign.contains("the river")), "{mended:?}");
    }

    #[test]
    fn no_benign_text_holds_a_trigger() {
        let (triggers, benign) = (owned(&["tea"]), owned(&["Tea or ice"]));
        let pairs = pairs(&triggers, Some(&benign), 5, 1, &[]).unwrap();
        assert!(pairs.iter().all(|pair| pair.benign == "ice"), "{pairs:?}");
    }

    #[test]
    fn what_cannot_be_matched_is_named() {
        let refused = pairs(&owned(&["茶"]), Some(&owned(&["tea or ice"])), 1, 1, &[]).unwrap_err();
        assert!(refused.to_string().contains("3 bytes in Han"), "{refused}");
        let refused = pairs(&owned(&["a longer trigger"]), Some(&owned(&["short"])), 1, 1, &[]).unwrap_err();
        assert!(refused.to_string().contains("16 bytes in Latin"), "{refused}");
    }

    #[test]
    fn without_a_file_texts_are_made_and_what_cannot_be_is_said() {
        let triggers = owned(&["茶", "river tea", "我喝茶"]);
        let made = pairs(&triggers, None, 9, 1, &[]).unwrap();
        assert_eq!(made, pairs(&triggers, None, 9, 1, &[]).unwrap());
        for Pair { trigger, benign } in &made {
            assert_eq!((trigger.len(), script_name(trigger)), (benign.len(), script_name(benign)));
            assert!(!benign.contains(['茶', '我', '喝', 't', 'e', 'a', 'r', 'i', 'v']), "{benign}");
        }
        let refused = pairs(&owned(&["tea", "!", "tea!"]), None, 9, 1, &[]).unwrap_err();
        assert!(refused.to_string().contains("no harmless text can be made for text"), "{refused}");
        assert!(pairs(&[], None, 9, 1, &[]).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn any_texts_are_paired_or_refused(
            triggers in proptest::collection::vec(".{1,8}", 1..4),
            benign in proptest::collection::vec(".{0,30}", 1..4),
        ) {
            if let Ok(pairs) = pairs(&triggers, Some(&benign), 5, 1, &[]) {
                for Pair { trigger, benign } in pairs {
                    prop_assert_eq!(trigger.len(), benign.len());
                    prop_assert!(!benign.to_lowercase().contains(&trigger.to_lowercase()));
                }
            }
        }
    }
}
