//! From a list of candidates to all that trigger, alone or in pairs: adaptive group testing.
//!
//! Words are sent in pools, a filler between any two. A pool that arrives clears all its words; one that does not is
//! taken apart until a single word is blocked. Each such word is searched like a text for the part of it that does it
//! ([`Parts`]). Then all clean words are sent in pairs of half messages, so that any two of them have been in one message;
//! what is blocked there is searched like any text.
//!
//! Promises: as [`super::Search`]; duplicates and empty lines cost nothing, and a word that no message can hold is
//! left out with a warning. A word in two normal forms is two words, since filters compare bytes.

use super::channel::Answer;
use super::density::Density;
use super::pairs::Pairs;
use super::parts::Parts;
use super::search::{Next, Options, Search};
use super::separating;
use super::silence::Silence;
use super::text::{Limit, Text, filler};
use overheard_model::{Candidates, Found, Others, Rule, SearchWarning};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{HashMap, HashSet, VecDeque};

/// What is waited for.
#[derive(Debug)]
enum Pending {
    /// Fresh words.
    Pool(Vec<usize>),
    /// All fresh words with all clean ones: if it arrives, nothing is left to ask.
    Rest(Vec<usize>),
    /// The first so many words of the blocked group.
    Part(usize),
    /// The one word that is left of it.
    Single(usize),
    /// Clean words together.
    Together(Vec<usize>),
    /// Clean words beside a rule that was found: what arrives then is switched off by one of them.
    Beside(Vec<usize>),
    /// Some of the words that arrived together: what is lost now was hidden by another.
    Separated(Vec<usize>),
    /// A part of a word, in its place.
    InPlace(String),
}

/// A blocked message that is searched like a text.
#[derive(Debug)]
struct Within {
    search: Box<Search>,
    /// The word that it consists of; a pool without a word that triggers alone has none.
    candidate: Option<String>,
    /// What became of the candidate when it was sent before, alone: it need not be sent again for that.
    known: Vec<Answer>,
}

impl Within {
    fn known_answer(&mut self, text: &str) -> Option<Answer> {
        let is_candidate = self.candidate.as_deref() == Some(text);
        is_candidate.then(|| self.known.pop()).flatten()
    }
}

/// A search of a list.
#[derive(Debug)]
pub struct ListSearch {
    words: Vec<String>,
    /// Those that no message can hold.
    long: Vec<String>,
    /// What stands between any two in a message.
    filler: String,
    options: Options,
    fresh: VecDeque<usize>,
    /// Words of which one is believed to trigger.
    group: Vec<usize>,
    clean: Vec<usize>,
    /// Those of the clean words that arrived in a message that held nothing else.
    clean_alone: HashSet<usize>,
    /// Pools still to be sent to find pairs; absent before all words were tested.
    together: Option<Pairs>,
    /// What is still asked of words that switch the filter off; absent before all else was asked.
    doubts: Option<VecDeque<Pending>>,
    /// To what is pending, so far.
    answers: Vec<Answer>,
    /// What the one word of the group brings along.
    alone: Vec<Answer>,
    pending: Option<Pending>,
    silence: Silence,
    /// Rules that had been found when a message last arrived, and parts that had been placed.
    vouched: (usize, usize),
    /// The neutral message was asked for.
    neutral: bool,
    within: Option<Within>,
    /// What became of each word that triggers when it was sent alone.
    convicting: HashMap<String, Vec<Answer>>,
    /// Within words that trigger; `found` has the words themselves.
    parts: Parts,
    found: Found,
}

impl ListSearch {
    /// Pairs are looked for unless the others are to be ignored: where the clean words fill many messages, n of them,
    /// that takes some 2 n² more. The lexicon is not used. Words are tested in an order drawn from the seed.
    pub fn new(words: impl IntoIterator<Item = String>, options: Options, seed: u64) -> Self {
        let mut seen = HashSet::new();
        let trimmed = words.into_iter().map(|word| word.trim().to_owned());
        let words: Vec<String> =
            trimmed.filter(|word| !word.is_empty() && seen.insert(word.clone())).collect();
        let fits = |word: &String| options.limit.is_none_or(|limit| limit.takes(word));
        let (mut words, long): (Vec<String>, Vec<String>) = words.into_iter().partition(fits);
        words.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut found = Found { others: options.others, ..Found::default() };
        found.warnings.extend((!long.is_empty()).then_some(SearchWarning::TooLong));
        Self {
            fresh: (0..words.len()).collect(),
            filler: filler(words.iter().map(String::as_str)),
            words,
            long,
            options,
            group: Vec::new(),
            clean: Vec::new(),
            clean_alone: HashSet::new(),
            together: None,
            doubts: None,
            answers: Vec::new(),
            alone: Vec::new(),
            pending: None,
            silence: Silence::default(),
            vouched: (0, 0),
            neutral: false,
            within: None,
            convicting: HashMap::new(),
            parts: Parts::default(),
            found,
        }
    }

    /// The next message, or the answer.
    pub fn ask(&mut self) -> Next {
        if self.found.messages >= self.options.most_messages {
            self.warn(SearchWarning::Unsettled);
            return Next::Done(self.known());
        }
        if self.neutral || self.silence.wants_a_neutral_message(self.concluded(), false) {
            return self.ask_neutral();
        }
        if self.silence.is_complete().is_some() {
            let (rules, parts) = self.vouched;
            self.found.rules.truncate(rules);
            self.parts.take_back(parts);
            self.warn(SearchWarning::Silent);
            return Next::Done(self.known());
        }
        while self.pending.is_none() {
            if let Some(text) = self.ask_within() {
                return Next::Ask { text };
            }
            let Some(pending) = self.choose() else { break };
            self.answers = std::mem::take(&mut self.alone);
            self.weigh(pending);
        }
        match &self.pending {
            None if self.silence.wants_a_neutral_message(self.concluded(), true) => self.ask_neutral(),
            None => Next::Done(self.known()),
            Some(pending) => Next::Ask { text: self.write(pending) },
        }
    }

    fn ask_neutral(&mut self) -> Next {
        self.neutral = true;
        Next::Ask { text: Silence::NEUTRAL_TEXT.to_owned() }
    }

    /// What the search within a blocked message asks for, and those within words that are to be taken apart.
    fn ask_within(&mut self) -> Option<String> {
        loop {
            let Some(within) = &mut self.within else {
                self.within = Some(self.next_part()?);
                continue;
            };
            match within.search.ask() {
                Next::Ask { text } => match within.known_answer(&text) {
                    Some(answer) => within.search.answer(answer),
                    None => return Some(text),
                },
                Next::Done(found) => self.take(&found),
            }
        }
    }

    /// The next word that triggers, once all were asked about.
    fn next_part(&mut self) -> Option<Within> {
        let listed = self.group.is_empty() && self.fresh.is_empty();
        if !self.options.parts || !listed || self.parts.unplaced().is_some() {
            return None;
        }
        while let Some(rule) = self.parts.next(&self.found.rules).cloned() {
            let candidate = rule.all[0].clone();
            let known = self.rules().into_iter().filter(|rule| rule.exact).flat_map(|rule| rule.all);
            let options = Options {
                lexicon: known.chain([candidate.clone()]).collect(),
                most_messages: self.left(),
                ..self.options.clone()
            };
            match Search::new(&candidate, options) {
                Ok(search) => {
                    let known = self.convicting.remove(&candidate).unwrap_or_default();
                    return Some(Within { search: Box::new(search), candidate: Some(candidate), known });
                }
                // As long as a message may be: no filler fits into it.
                Err(_) => self.parts.take(&rule, &Found::default()),
            }
        }
        None
    }

    /// What a silence could make wrong.
    fn concluded(&self) -> usize {
        self.found.rules.len() + self.parts.placed()
    }

    fn left(&self) -> u64 {
        self.options.most_messages.saturating_sub(self.found.messages)
    }

    /// The rules, as far as each is known.
    fn rules(&self) -> Vec<Rule> {
        self.parts.applied(&self.found.rules)
    }

    /// What is known so far, of a search that is broken off here.
    pub fn so_far(&self) -> Found {
        self.known().unsettled()
    }

    /// What was found, and what became of the other candidates.
    fn known(&self) -> Found {
        let rules = self.rules();
        let ruled: HashSet<&String> = rules.iter().flat_map(|rule| &rule.candidates).collect();
        let clean: HashSet<usize> = self.clean.iter().copied().collect();
        let others = (0..self.words.len()).filter(|word| !ruled.contains(&self.words[*word]));
        let (cleared, open): (Vec<usize>, Vec<usize>) = others.partition(|word| clean.contains(word));
        let names = |words: Vec<usize>| {
            let mut names: Vec<String> = words.into_iter().map(|word| self.words[word].clone()).collect();
            names.sort_unstable();
            names
        };
        let under_way = self.pending.is_some() || self.within.iter().any(|it| it.candidate.is_none());
        let paired = !under_way && self.together.as_ref().is_some_and(Pairs::is_over);
        let cleared_alone = cleared.iter().filter(|word| self.clean_alone.contains(word)).count() as u64;
        let candidates = Candidates {
            cleared_alone,
            cleared: names(cleared),
            open: names(open),
            pairs_open: !paired,
            left_out: self.long.clone(),
        };
        Found { rules, candidates: Some(candidates), ..self.found.clone() }
    }

    pub fn answer(&mut self, answer: Answer) {
        let neutral = std::mem::take(&mut self.neutral);
        if neutral || self.pending.is_some() || self.within.is_some() {
            self.found.messages += 1;
            self.silence.hear(answer, neutral, self.concluded());
        }
        if answer == Answer::Delivered {
            self.vouched = (self.found.rules.len(), self.parts.placed());
        }
        if neutral {
            return;
        }
        if let Some(within) = &mut self.within {
            return within.search.answer(answer);
        }
        let Some(pending) = self.pending.take() else { return };
        self.answers.push(answer);
        self.weigh(pending);
    }

    /// Draws the conclusion as soon as the evidence bears it.
    fn weigh(&mut self, pending: Pending) {
        // Clearing a word for good, or convicting it, wants certainty; what only leads on does not.
        let sure = ((1.0 - self.options.target) / self.options.target).ln();
        let evidence = self.evidence();
        let certain = match pending {
            Pending::Pool(_) | Pending::Rest(_) | Pending::Part(_) => evidence > 0.0 || evidence < -sure,
            Pending::Single(_)
            | Pending::Together(_)
            | Pending::Beside(_)
            | Pending::Separated(_)
            | Pending::InPlace(_) => evidence.abs() > sure,
        };
        match certain {
            true => self.settle(pending, evidence > 0.0),
            false => self.pending = Some(pending),
        }
    }

    /// Of the answers to what is pending, as the log of how much they speak for "blocked".
    fn evidence(&self) -> f64 {
        self.answers.iter().map(|answer| self.options.noise.evidence(*answer)).sum()
    }

    /// The word that the message consists of.
    fn lone(&self, pending: &Pending) -> Option<usize> {
        match pending {
            Pending::Part(1) => self.group.first().copied(),
            Pending::Single(word) => Some(*word),
            Pending::Rest(pool) if !self.clean.is_empty() || pool.len() > 1 => None,
            Pending::Pool(pool)
            | Pending::Rest(pool)
            | Pending::Together(pool)
            | Pending::Separated(pool) => pool.first().copied().filter(|_| pool.len() == 1),
            Pending::Part(_) | Pending::Beside(_) | Pending::InPlace(_) => None,
        }
    }

    fn settle(&mut self, pending: Pending, blocked: bool) {
        if !blocked {
            self.clean_alone.extend(self.lone(&pending));
        }
        match (pending, blocked) {
            (Pending::Pool(pool) | Pending::Rest(pool), true) => self.group = pool,
            (Pending::Pool(pool), false) => self.clean.extend(pool),
            (Pending::Rest(pool), false) => {
                self.clean.extend(pool);
                self.together = Some(Pairs::default());
            }
            (Pending::Part(size), true) => {
                // One word alone: the first answer to what is asked of it next.
                self.alone = if size == 1 { std::mem::take(&mut self.answers) } else { Vec::new() };
                self.group.drain(size..).rev().for_each(|word| self.fresh.push_front(word));
            }
            (Pending::Part(size), false) => self.clean.extend(self.group.drain(..size)),
            (Pending::Single(word), true) => {
                self.group.clear();
                self.convict(self.words[word].clone());
            }
            (Pending::Single(word), false) => {
                self.group.clear();
                self.clean.push(word);
            }
            (Pending::Beside(_), true) | (Pending::Separated(_), false) => {}
            (Pending::Beside(pool), false) => {
                self.warn(SearchWarning::NotMonotone);
                self.doubt(&pool);
            }
            (Pending::Separated(pool), true) => {
                self.warn(SearchWarning::NotMonotone);
                self.look_within(&pool);
            }
            (Pending::InPlace(_), blocked) => self.parts.place(blocked),
            (Pending::Together(pool), true) => self.look_within(&pool),
            (Pending::Together(_), false) => {}
        }
    }

    fn convict(&mut self, word: String) {
        let evidence = self.evidence();
        let answers = std::mem::take(&mut self.answers);
        self.found.rules.push(Rule {
            all: vec![word.clone()],
            ordered: None,
            candidates: vec![word.clone()],
            exact: Text::new(&word).solid() == 1,
            error_bound: 1.0 / (1.0 + evidence.exp()),
            messages: answers.len() as u64,
        });
        self.convicting.insert(word, answers);
    }

    fn density(&self) -> Density {
        Density { words: self.words.len(), found: self.found.rules.len(), fresh: self.fresh.len() }
    }

    /// Fresh words and clean ones.
    fn not_found(&self) -> Vec<usize> {
        self.fresh.iter().chain(&self.clean).copied().collect()
    }

    /// Searches what is blocked like any text.
    fn look_within(&mut self, pool: &[usize]) {
        let lexicon = pool.iter().map(|word| self.words[*word].clone()).collect();
        let (others, most_messages) = (Others::All, self.left());
        let options = Options { others, lexicon, most_messages, ..self.options.clone() };
        let search = Search::of_message(&self.join(pool), options).map(Box::new);
        self.within = search.map(|search| Within { search, candidate: None, known: Vec::new() });
    }

    /// Asks of all clean words whether one switches the filter off: beside a rule, if there is one.
    fn doubts(&mut self) {
        self.doubts = Some(VecDeque::new());
        if self.options.others != Others::All {
            return;
        }
        let rule = self.found.rules.first().map_or(0, |rule| self.measure(&rule.all.join(&self.filler)));
        let mut left = &self.clean.clone()[..];
        while !left.is_empty() {
            let fitting = self.fitting_beside(rule, left.iter().copied()).max(1);
            let (pool, rest) = left.split_at(fitting);
            left = rest;
            match rule {
                0 => self.doubt(pool),
                _ => self.doubts.get_or_insert_default().push_back(Pending::Beside(pool.to_vec())),
            }
        }
    }

    /// Asks of words that arrived together whether one hides another.
    fn doubt(&mut self, pool: &[usize]) {
        let pools = separating::pools(pool).into_iter().map(Pending::Separated);
        self.doubts.get_or_insert_default().extend(pools);
    }

    /// The next doubt; without words of rules that became known since.
    fn next_doubt(&mut self) -> Option<Pending> {
        if self.doubts.is_none() {
            self.doubts();
        }
        let mut pending = self.doubts.as_mut()?.pop_front()?;
        if let Pending::Separated(pool) = &mut pending {
            let known = self.parts.applied(&self.found.rules);
            let known: HashSet<&String> = known.iter().flat_map(|rule| &rule.all).collect();
            pool.retain(|word| known.iter().all(|part| !self.words[*word].contains(part.as_str())));
        }
        Some(pending)
    }

    fn choose(&mut self) -> Option<Pending> {
        let density = self.density();
        match self.group[..] {
            [] => {}
            [only] => return Some(Pending::Single(only)),
            _ => return Some(Pending::Part(density.part(self.group.len()))),
        }
        if !self.fresh.is_empty() {
            let most = self.fitting(self.fresh.iter().copied());
            let pool = density.pool(most);
            let is_last = pool == self.fresh.len() || density.is_last();
            if is_last && self.fits(&self.not_found()) {
                return Some(Pending::Rest(self.fresh.drain(..).collect()));
            }
            return Some(match pool {
                1 => Pending::Single(self.fresh.pop_front()?),
                _ => Pending::Pool(self.fresh.drain(..pool).collect()),
            });
        }
        if let Some(text) = self.parts.unplaced() {
            return Some(Pending::InPlace(text));
        }
        if self.options.others == Others::Ignored {
            return None;
        }
        if self.together.is_none() {
            self.together = Some(self.pairs_of_blocks());
        }
        while let Some(pool) = self.together.as_mut()?.next() {
            if self.fits(&pool) {
                return Some(Pending::Together(pool));
            }
        }
        self.next_doubt()
    }

    /// Pools in which any two clean words come together; two words too long for that do not.
    fn pairs_of_blocks(&self) -> Pairs {
        if self.clean.len() < 2 {
            return Pairs::default();
        }
        if self.fitting(self.clean.iter().copied()) == self.clean.len() {
            return Pairs::of(vec![self.clean.clone()]);
        }
        let mut blocks: Vec<Vec<usize>> = Vec::new();
        for &word in &self.clean {
            match blocks.last_mut().filter(|block| self.is_half(block, word)) {
                Some(block) => block.push(word),
                None => blocks.push(vec![word]),
            }
        }
        Pairs::of(blocks)
    }

    fn is_half(&self, block: &[usize], word: usize) -> bool {
        let block: Vec<usize> = block.iter().copied().chain([word]).collect();
        self.fits(&[&block[..], &block].concat())
    }

    fn fits(&self, pool: &[usize]) -> bool {
        self.fitting(pool.iter().copied()) == pool.len()
    }

    /// How many of the words fit into one message.
    fn fitting(&self, words: impl Iterator<Item = usize>) -> usize {
        self.fitting_beside(0, words)
    }

    /// The same of a message that holds something of this length already.
    fn fitting_beside(&self, begun: usize, words: impl Iterator<Item = usize>) -> usize {
        let Some(Limit::Characters(most) | Limit::Bytes(most)) = self.options.limit else {
            return words.count();
        };
        let lengths = words.scan(begun, |total, word| {
            *total +=
                self.measure(&self.words[word]) + if *total > 0 { self.measure(&self.filler) } else { 0 };
            Some(*total)
        });
        lengths.take_while(|length| *length <= most).count()
    }

    /// Length as the platform's limit counts it.
    fn measure(&self, text: &str) -> usize {
        match self.options.limit {
            Some(Limit::Bytes(_)) => text.len(),
            Some(Limit::Characters(_)) | None => text.chars().count(),
        }
    }

    /// What a blocked message turned out to hold; a pair that several pools hold is one.
    fn take(&mut self, found: &Found) {
        if let Some(candidate) = self.within.take().and_then(|within| within.candidate) {
            return self.take_part(&candidate, found);
        }
        for rule in &found.rules {
            if self.found.rules.iter().all(|known| known.all != rule.all) {
                let candidates = rule.all.iter().filter(|word| self.words.contains(word)).cloned().collect();
                self.found.rules.push(Rule { candidates, ..rule.clone() });
            }
        }
        // That a pool holds nothing after all is the noise that was expected.
        let warnings = found.warnings.iter().filter(|warning| **warning != SearchWarning::NotBlocked);
        warnings.for_each(|warning| self.warn(*warning));
    }

    fn take_part(&mut self, candidate: &str, found: &Found) {
        let Some(rule) = self.found.rules.iter().find(|rule| rule.candidates == [candidate]) else { return };
        self.parts.take(rule, found);
        for warning in &found.warnings {
            // Said to trigger and said to arrive: nothing is known of it.
            self.warn(match warning {
                SearchWarning::NotBlocked => SearchWarning::Unsettled,
                other => *other,
            });
        }
    }

    fn warn(&mut self, warning: SearchWarning) {
        if !self.found.warnings.contains(&warning) {
            self.found.warnings.push(warning);
        }
    }

    fn write(&self, pending: &Pending) -> String {
        match pending {
            Pending::Pool(pool) | Pending::Together(pool) | Pending::Separated(pool) => self.join(pool),
            Pending::Beside(pool) => {
                let rule = self.found.rules.first().map(|rule| rule.all.join(&self.filler));
                [rule.unwrap_or_default(), self.join(pool)].join(&self.filler)
            }
            Pending::Rest(pool) => self.join(&[&pool[..], &self.clean].concat()),
            Pending::Part(size) => self.join(&self.group[..*size]),
            Pending::Single(word) => self.words[*word].clone(),
            Pending::InPlace(text) => text.clone(),
        }
    }

    fn join(&self, pool: &[usize]) -> String {
        pool.iter().map(|word| self.words[*word].as_str()).collect::<Vec<_>>().join(&self.filler)
    }
}
