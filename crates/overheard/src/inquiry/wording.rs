//! Texts of the two arms: for each trigger a benign text of the same length and script, so that arms differ in what the
//! messages say and in nothing that shows on the wire, nor in how often a text was sent before: some networks refuse
//! what they have seen already.
//!
//! A benign text is a line of the file, or a stretch of its lines in their order, of as many bytes in UTF-8 as the trigger
//! has, from the beginning of one word to the end of another while there are others left. Its script is the one that
//! most of its letters are of. Without a file it is made of nothing ([`super::neutral`]).
//! Promises: exact in bytes; one benign text for each trigger, and another for each while there are others; no benign
//! text holds a trigger, be it one that is not sent (in lower case); the same files and seed give the same texts; where
//! no such text can be made, the trigger is named.

use super::avoided::Avoided;
use super::files;
use super::neutral::Neutral;
use crate::exit::{Failure, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
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
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..triggers.len()).collect();
    order.shuffle(&mut random);
    let avoided = Avoided::new(triggers)?;
    let known = known.iter().filter(|pair| !avoided.is_in(&pair.benign));
    let mut likes: HashMap<String, String> =
        known.map(|pair| (pair.trigger.clone(), pair.benign.clone())).collect();
    let used = likes.values().cloned().collect();
    let mut harmless: Box<dyn Harmless> = match benign {
        Some(lines) => Box::new(Source::new(lines, &avoided, random, used)),
        None => Box::new(Made { neutral: Neutral::new(triggers, seed), avoided }),
    };
    let pair = |at: usize| {
        let trigger = triggers[at].clone();
        let benign = match likes.get(&trigger) {
            Some(benign) => benign.clone(),
            None => harmless.like(&trigger).ok_or_else(|| harmless.lacks(&trigger))?,
        };
        likes.insert(trigger.clone(), benign.clone());
        Ok(Pair { trigger, benign })
    };
    order.into_iter().cycle().take(count).map(pair).collect()
}

/// Where benign texts come from.
trait Harmless {
    /// One in the likeness of a trigger, another each time while there are others.
    fn like(&mut self, trigger: &str) -> Option<String>;

    /// Why there is none for this trigger.
    fn lacks(&self, trigger: &str) -> Failure;
}

/// Made of letters that no trigger holds.
struct Made {
    neutral: Neutral,
    avoided: Avoided,
}

impl Harmless for Made {
    fn like(&mut self, trigger: &str) -> Option<String> {
        self.neutral.like(trigger).filter(|made| !self.avoided.is_in(made))
    }

    fn lacks(&self, trigger: &str) -> Failure {
        Failure::new(format!(
            "no harmless text can be made for “{}”: all letters of its script, and all pairs of them, may be filtered",
            files::shortened(trigger)
        ))
        .hint("give harmless text in the same script with --benign FILE, such as a page of a book")
    }
}

/// How many letters of a text are of each script; signs that all scripts share are of none.
#[derive(Default)]
struct Scripts(BTreeMap<&'static str, usize>);

impl Scripts {
    fn of(character: char) -> Option<&'static str> {
        let script = character.script();
        (!matches!(script, Script::Common | Script::Inherited)).then(|| script.full_name())
    }

    fn add(&mut self, character: char) {
        Self::of(character).into_iter().for_each(|script| *self.0.entry(script).or_default() += 1);
    }

    fn remove(&mut self, character: char) {
        let count = Self::of(character).and_then(|script| self.0.get_mut(script));
        count.into_iter().for_each(|count| *count -= 1);
    }

    /// The script of most letters.
    fn most(&self) -> Option<&'static str> {
        let present = self.0.iter().filter(|(_, count)| **count > 0);
        present.max_by_key(|(_, count)| **count).map(|(name, _)| *name)
    }
}

/// The script of most of its letters; none where it has only signs that all scripts share.
fn script_name(text: &str) -> Option<&'static str> {
    let mut scripts = Scripts::default();
    text.chars().for_each(|character| scripts.add(character));
    scripts.most()
}

/// Harmless text, cut anywhere.
struct Source {
    /// By script: the lines, joined.
    texts: BTreeMap<&'static str, Lines>,
    random: ChaCha8Rng,
    used: HashSet<String>,
    /// What fits a trigger of this length and script.
    fitting: BTreeMap<(usize, &'static str), Fitting>,
}

/// Lines of one script.
struct Lines {
    text: String,
    /// Byte by byte, the earliest end of what is avoided and begins there or later.
    ends: Vec<usize>,
}

/// Stretches of one length, by where each begins: as texts they would take far more than the file.
struct Fitting {
    /// The next one last.
    unseen: Vec<usize>,
    seen: VecDeque<usize>,
}

impl Harmless for Source {
    fn like(&mut self, trigger: &str) -> Option<String> {
        let Self { texts, random, used, fitting } = self;
        let script = script_name(trigger).unwrap_or_default();
        let lines = texts.get(script)?;
        let Fitting { unseen, seen } = fitting
            .entry((trigger.len(), script))
            .or_insert_with(|| Fitting { unseen: lines.stretches(trigger, random), seen: VecDeque::new() });
        let stretch = |start: usize| lines.text[start..start + trigger.len()].to_owned();
        while let Some(start) = unseen.pop() {
            seen.push_back(start);
            if used.insert(stretch(start)) {
                return Some(stretch(start));
            }
        }
        // All are used: the first ones again.
        let again = seen.pop_front()?;
        seen.push_back(again);
        Some(stretch(again))
    }

    fn lacks(&self, trigger: &str) -> Failure {
        let script = script_name(trigger).unwrap_or("no script");
        let (bytes, short) = (trigger.len(), files::shortened(trigger));
        Failure::new(format!(
            "--benign: no text of {bytes} bytes in {script} can be made of it, as “{short}” wants"
        ))
        .hint("add harmless lines in that script, such as a page of a book; they are cut to the lengths that are needed")
    }
}

impl Source {
    fn new(lines: &[String], avoided: &Avoided, random: ChaCha8Rng, used: HashSet<String>) -> Self {
        let mut texts: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
        for line in lines {
            texts.entry(script_name(line).unwrap_or_default()).or_default().push(line);
        }
        let joined = |lines: Vec<&str>| {
            let text = lines.join(" ");
            Lines { ends: avoided.ends(&text), text }
        };
        let texts = texts.into_iter().map(|(script, lines)| (script, joined(lines))).collect();
        Self { texts, random, used, fitting: BTreeMap::new() }
    }
}

impl Lines {
    /// Where stretches begin that may stand for this trigger, in random order: last those from word to word.
    fn stretches(&self, trigger: &str, random: &mut ChaCha8Rng) -> Vec<usize> {
        let (text, wanted) = (&self.text, script_name(trigger));
        let (mut of_words, mut others) = (Vec::new(), Vec::new());
        // Of the stretch under way, which ends here: what enters and leaves it is counted, not all of it each time.
        let (mut scripts, mut counted) = (Scripts::default(), 0);
        for (start, first) in text.char_indices() {
            let end = start + trigger.len();
            while let Some(next) =
                text[counted..].chars().next().filter(|next| counted + next.len_utf8() <= end)
            {
                scripts.add(next);
                counted += next.len_utf8();
            }
            let script = scripts.most();
            if counted > start {
                scripts.remove(first);
            } else {
                counted = start + first.len_utf8();
            }
            let Some(stretch) = text.get(start..end) else { continue };
            if stretch.trim().len() < stretch.len() || script != wanted || self.ends[start] <= end {
                continue;
            }
            let edge = |next: Option<char>| next.is_none_or(char::is_whitespace);
            let whole = edge(text[..start].chars().next_back()) && edge(text[end..].chars().next());
            if whole { of_words.push(start) } else { others.push(start) }
        }
        others.shuffle(random);
        of_words.shuffle(random);
        others.append(&mut of_words);
        others
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
        assert!(refused.to_string().contains("“a longer trigger”"), "{refused}");
    }

    #[test]
    fn a_trigger_that_is_not_sent_is_in_no_benign_text_either() {
        let triggers = owned(&["tea", "ice", "oak"]);
        let benign = owned(&["Tea", "ICE or Oak for", "the elm"]);
        for seed in 0..9 {
            let sent = pairs(&triggers, Some(&benign), 1, seed, &[]).unwrap();
            assert!(["for", "the", "elm"].contains(&&*sent[0].benign), "{sent:?}");
        }
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
        assert!(refused.to_string().contains("no harmless text can be made for “"), "{refused}");
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
