//! Texts of the two arms: for each trigger a benign text of the same length and script, so that arms differ in what the
//! messages say and in nothing that shows on the wire.
//!
//! A benign text is a line of the file, or a stretch of its lines in their order, of as many bytes in UTF-8 as the trigger
//! has, from the beginning of one word to the end of another where that can be. Its script is the one that most of its
//! letters are of.
//! Promises: exact in bytes; no benign text holds a trigger (in lower case); the same files and seed give the same texts;
//! where no such text can be made, the trigger is named.

use crate::exit::{Failure, Result};
use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashSet};
use unicode_script::{Script, UnicodeScript};

/// A trigger and its benign counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub trigger: String,
    pub benign: String,
}

/// So many pairs: every trigger as often as any other, give or take one, in random order.
pub fn pairs(triggers: &[String], benign: &[String], count: usize, seed: u64) -> Result<Vec<Pair>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..triggers.len()).collect();
    order.shuffle(&mut random);
    let chosen: Vec<&String> = order.iter().cycle().take(count).map(|at| &triggers[*at]).collect();
    let forbidden: HashSet<String> = chosen.iter().map(|trigger| trigger.to_lowercase()).collect();
    let source = Source::new(benign);
    let mut used = HashSet::new();
    let mut stretches: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
    let mut pairs = Vec::new();
    for trigger in chosen {
        let key = (trigger.len(), script(trigger).map_or("", |script| script.full_name()).to_owned());
        let fit = stretches.entry(key).or_insert_with(|| source.stretches(trigger, &forbidden));
        let fresh: Vec<&String> = fit.iter().filter(|text| !used.contains(*text)).collect();
        let chosen = fresh.choose(&mut random).copied().or_else(|| fit.choose(&mut random));
        let Some(benign) = chosen.cloned() else {
            let at = triggers.iter().position(|text| text == trigger).unwrap_or_default() + 1;
            return Err(unmatched(at, trigger));
        };
        used.insert(benign.clone());
        pairs.push(Pair { trigger: trigger.clone(), benign });
    }
    Ok(pairs)
}

/// The same letters in another order, white space where it was: as long, in the same script, and without its words. Marks
/// stay with the letters that they mark.
pub fn scrambled(text: &str, seed: u64) -> String {
    let mut pieces: Vec<String> = Vec::new();
    for character in text.chars() {
        match pieces.last_mut().filter(|_| character.script() == Script::Inherited) {
            Some(piece) => piece.push(character),
            None => pieces.push(character.into()),
        }
    }
    let blank = |piece: &String| piece.trim().is_empty();
    let mut letters: Vec<String> = pieces.iter().filter(|piece| !blank(piece)).cloned().collect();
    letters.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut letters = letters.into_iter();
    pieces
        .into_iter()
        .map(|piece| if blank(&piece) { piece } else { letters.next().unwrap_or_default() })
        .collect()
}

fn unmatched(at: usize, trigger: &str) -> Failure {
    let script = script(trigger).map_or("no script", |script| script.full_name());
    Failure::new(format!(
        "--benign: no text of {} bytes in {script} can be made of it, which text {at} of --trigger wants",
        trigger.len()
    ))
    .hint("add harmless lines in that script, such as a page of a book; they are cut to the lengths that are needed")
}

/// The script of most of its letters; none where it has only signs that all scripts share.
fn script(text: &str) -> Option<Script> {
    let mut counts: BTreeMap<&str, (usize, Script)> = BTreeMap::new();
    let own = text.chars().map(|c| c.script());
    for script in own.filter(|script| !matches!(script, Script::Common | Script::Inherited)) {
        counts.entry(script.full_name()).or_insert((0, script)).0 += 1;
    }
    counts.into_values().max_by_key(|(count, _)| *count).map(|(_, script)| script)
}

/// Harmless text, cut anywhere.
struct Source {
    /// By script: the lines, joined.
    texts: BTreeMap<&'static str, String>,
}

impl Source {
    fn new(lines: &[String]) -> Self {
        let mut texts: BTreeMap<&'static str, String> = BTreeMap::new();
        for line in lines {
            let text = texts.entry(script(line).map_or("", |script| script.full_name())).or_default();
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
        Self { texts }
    }

    /// What may stand for this trigger: stretches from word to word if there are any, else any.
    fn stretches(&self, trigger: &str, forbidden: &HashSet<String>) -> Vec<String> {
        let wanted = script(trigger);
        let Some(text) = self.texts.get(wanted.map_or("", |script| script.full_name())) else {
            return Vec::new();
        };
        let (mut whole, mut any) = (Vec::new(), Vec::new());
        for (start, first) in text.char_indices() {
            let end = start + trigger.len();
            let Some(stretch) = text.get(start..end) else { continue };
            let trimmed = stretch.trim().len() == stretch.len();
            if first.is_whitespace() || !trimmed || script(stretch) != wanted {
                continue;
            }
            let lower = stretch.to_lowercase();
            if forbidden.iter().any(|trigger| lower.contains(trigger.as_str())) {
                continue;
            }
            let edge = |next: Option<char>| next.is_none_or(char::is_whitespace);
            let of_words = edge(text[..start].chars().next_back()) && edge(text[end..].chars().next());
            let stretch = stretch.replace('\n', " ");
            if of_words { whole.push(stretch) } else { any.push(stretch) }
        }
        if whole.is_empty() { any } else { whole }
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
        let pairs = pairs(&triggers, &benign, 9, 1).unwrap();
        for Pair { trigger, benign } in &pairs {
            assert_eq!((trigger.len(), script(trigger)), (benign.len(), script(benign)));
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
    fn no_benign_text_holds_a_trigger() {
        let (triggers, benign) = (owned(&["tea"]), owned(&["Tea or ice"]));
        let pairs = pairs(&triggers, &benign, 5, 1).unwrap();
        assert!(pairs.iter().all(|pair| pair.benign == "ice"), "{pairs:?}");
    }

    #[test]
    fn what_cannot_be_matched_is_named() {
        let refused = pairs(&owned(&["茶"]), &owned(&["tea or ice"]), 1, 1).unwrap_err();
        assert!(refused.to_string().contains("3 bytes in Han"), "{refused}");
        let refused = pairs(&owned(&["a longer trigger"]), &owned(&["short"]), 1, 1).unwrap_err();
        assert!(refused.to_string().contains("16 bytes in Latin"), "{refused}");
    }

    #[test]
    fn scrambled_texts_keep_their_length_and_lose_their_words() {
        let text = "we meet at the cafe\u{301} by the river";
        let other = scrambled(text, 1);
        assert_eq!(other.len(), text.len());
        assert!(!other.contains("river") && other.contains("e\u{301}"), "{other}");
        assert_eq!(other.find(' '), text.find(' '));
        assert_ne!(other, scrambled(text, 2));
    }

    proptest! {
        #[test]
        fn any_texts_are_paired_or_refused(
            triggers in proptest::collection::vec(".{1,8}", 1..4),
            benign in proptest::collection::vec(".{0,30}", 1..4),
        ) {
            if let Ok(pairs) = pairs(&triggers, &benign, 5, 1) {
                for Pair { trigger, benign } in pairs {
                    prop_assert_eq!(trigger.len(), benign.len());
                    prop_assert!(!benign.to_lowercase().contains(&trigger.to_lowercase()));
                }
            }
        }
    }
}
