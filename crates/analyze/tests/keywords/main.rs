//! The search for a filter's words against filters whose rules are known.
//!
//! Optimised builds search ten times as many texts as debug builds do.

mod filter;
mod neutral;
mod overlooking;
mod whole_words;

use filter::{Filter, search, search_list};
use neutral::{Lexicon, case};
use overheard_analyze::keywords::{Answer, Limit, ListSearch, Next, Noise, Options, Others, Refusal, Search};
use overheard_model::{Found, SearchWarning};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const TEXTS: usize = if cfg!(debug_assertions) { 40 } else { 400 };
const TEXT: &str = "今天早上我们去河边散步看见很多花，路上有人卖茶和面包，天气很好风也不大。回家以后写了一封信给老朋友，\
    又读了两页书，晚上做了一盘鱼，全家人都说味道不错，明年夏天还想再去海边住几天。";

fn random() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

fn filter(rules: &[&[&str]]) -> Filter {
    let rules = rules.iter().map(|rule| rule.iter().map(|word| (*word).to_owned()).collect());
    Filter { rules: rules.collect(), ..Filter::default() }
}

fn sorted(found: &Found) -> Vec<Vec<String>> {
    let mut rules: Vec<Vec<String>> = found.rules.iter().map(|rule| rule.all.clone()).collect();
    rules.iter_mut().for_each(|rule| rule.sort());
    rules.sort();
    rules
}

/// Texts whose rule was found exactly, and messages on average.
fn bench(loss: f64, leak: f64, options: Options) -> (usize, f64) {
    let mut random = random();
    let options = Options { noise: Noise::new(loss, leak), ..options };
    let (mut exact, mut messages) = (0, 0);
    for _ in 0..TEXTS {
        let mut case = case(&Lexicon::new([]), &mut random);
        let filter = Filter { rules: vec![case.rule.clone()], loss, leak, ..Filter::default() };
        let found = search(&case.text, options.clone(), &filter, &mut random);
        case.rule.sort();
        exact += usize::from(sorted(&found) == [case.rule]);
        messages += found.messages;
    }
    (exact, messages as f64 / TEXTS as f64)
}

#[test]
fn without_noise_every_rule_is_found() {
    let (exact, messages) = bench(0.0, 0.0, Options::default());
    assert!(exact * 100 >= TEXTS * 99 && messages < 43.0, "{exact} of {TEXTS}, {messages}");
}

#[test]
fn losses_cost_messages_and_not_truth() {
    let (exact, messages) = bench(0.1, 0.0, Options::default());
    assert!(exact * 100 >= TEXTS * 97 && messages < 72.0, "{exact} of {TEXTS}, {messages}");
}

/// What a step learned is kept when it is given up: else a text of one long word is asked about for ever.
#[test]
fn a_word_that_is_longer_than_expected_is_found_through_losses() {
    for (text, loss) in [("vafig", 0.1), ("vafig", 0.2), ("we vafig at noon", 0.2)] {
        let filter = Filter { loss, ..filter(&[&["vafig"]]) };
        let (mut random, mut exact) = (random(), 0);
        for _ in 0..40 {
            let options = Options { noise: Noise::new(loss, 0.0), ..Options::default() };
            let found = search(text, options, &filter, &mut random);
            assert!(found.messages < 200, "{text} {loss} {found:?}");
            exact += usize::from(sorted(&found) == [["vafig"]]);
        }
        assert!(exact >= 38, "{text} {loss} {exact}");
    }
}

#[test]
fn leaks_too() {
    let (exact, messages) = bench(0.05, 0.05, Options::default());
    assert!(exact * 100 >= TEXTS * 97 && messages < 90.0, "{exact} of {TEXTS}, {messages}");
}

#[test]
fn rules_side_by_side_are_all_found() {
    let filter = filter(&[&["散步", "书"], &["老朋友"], &["夏天", "海边", "茶"]]);
    let found = search(TEXT, Options::default(), &filter, &mut random());
    assert_eq!(sorted(&found), [vec!["书", "散步"], vec!["夏天", "海边", "茶"], vec!["老朋友"]], "{found:?}");
    assert!(found.warnings.is_empty(), "{found:?}");
}

#[test]
fn overlapping_rules_are_found_when_all_are_asked_for() {
    let filter = filter(&[&["散步", "书"], &["散步", "夏天"]]);
    let all = Options { others: Others::All, ..Options::default() };
    let found = search(TEXT, all, &filter, &mut random());
    assert_eq!(sorted(&found), [vec!["书", "散步"], vec!["夏天", "散步"]], "{found:?}");
    let first = search(TEXT, Options::default(), &filter, &mut random());
    assert_eq!(first.rules.len(), 1);
}

/// Rules that are known are not searched again where a word of another is left out.
#[test]
fn all_rules_cost_little_more_than_those_apart() {
    let filter = filter(&[&["散步", "书"], &["老朋友", "茶"], &["夏天", "海边", "茶"]]);
    let of = |others| search(TEXT, Options { others, ..Options::default() }, &filter, &mut random());
    let (apart, all) = (of(Others::Apart), of(Others::All));
    assert_eq!((apart.rules.len(), all.rules.len()), (2, 3), "{all:?}");
    assert!(all.messages < 2 * apart.messages + 20, "{} {}", all.messages, apart.messages);
    assert!(all.warnings.is_empty(), "{all:?}");
}

#[test]
fn an_order_is_reported_where_there_is_one() {
    let free = search(TEXT, Options::default(), &filter(&[&["散步", "书"]]), &mut random());
    assert_eq!(free.rules[0].ordered, Some(false));
    let strict = Filter { ordered: true, ..filter(&[&["散步", "书"]]) };
    let strict = search(TEXT, Options::default(), &strict, &mut random());
    assert_eq!(strict.rules[0].ordered, Some(true), "{strict:?}");
    let alone = search(TEXT, Options::default(), &filter(&[&["散步"]]), &mut random());
    assert_eq!(alone.rules[0].ordered, None);
}

/// Two rules, and a word that switches off one of them: whatever is found is blocked alone, and a message that held
/// it and arrived is a warning.
#[test]
fn words_that_switch_a_filter_off_are_a_warning() {
    let mut search = Search::new(TEXT, Options::default()).unwrap();
    let (mut contradicted, mut sent) = (false, Vec::new());
    let found = loop {
        match search.ask() {
            Next::Ask { text } => {
                let blocked = text.contains("书") || text.contains("散步") && !text.contains("面包");
                sent.push((text, blocked));
                search.answer(if blocked { Answer::Lost } else { Answer::Delivered });
            }
            Next::Done(found) => break found,
        }
    };
    for rule in &found.rules {
        let holds = |text: &str| rule.all.iter().all(|word| text.contains(word.as_str()));
        assert!(sent.iter().any(|(text, blocked)| *blocked && holds(text)));
        contradicted |= sent.iter().any(|(text, blocked)| !blocked && holds(text));
    }
    assert_eq!(found.warnings.contains(&SearchWarning::NotMonotone), contradicted, "{found:?}");
    assert!(sorted(&found).contains(&vec!["书".to_owned()]) || contradicted, "{found:?}");
}

#[test]
fn a_text_that_arrives_has_no_rule() {
    let found = search(TEXT, Options::default(), &filter(&[&["没有"]]), &mut random());
    assert!(found.rules.is_empty() && found.warnings == [SearchWarning::NotBlocked], "{found:?}");
    let noisy = Options { noise: Noise::new(0.1, 0.0), ..Options::default() };
    let lossy = Filter { loss: 0.1, ..Filter::default() };
    assert!(search(TEXT, noisy, &lossy, &mut random()).rules.is_empty());
}

#[test]
fn a_filter_that_throws_dice_is_given_up_with_a_warning() {
    let options = Options { most_messages: 300, noise: Noise::new(0.45, 0.1), ..Options::default() };
    let dice = Filter { loss: 0.5, ..Filter::default() };
    let found = search(TEXT, options, &dice, &mut random());
    assert!(!found.warnings.is_empty(), "{found:?}");
}

#[test]
fn nothing_sent_is_longer_than_the_platform_takes() {
    let limit = Limit::Characters(TEXT.chars().count() + 3);
    let mut search = Search::new(TEXT, Options { limit: Some(limit), ..Options::default() }).unwrap();
    let filter = filter(&[&["几天", "早上"]]);
    while let Next::Ask { text } = search.ask() {
        assert!(limit.takes(&text), "{text}");
        search.answer(filter.answer(&text, &mut random()));
    }
    let short = Options { limit: Some(Limit::Bytes(100)), ..Options::default() };
    assert_eq!(Search::new(TEXT, short).err(), Some(Refusal::TooLong(Limit::Bytes(100))));
}

#[test]
fn a_text_without_parts_is_refused() {
    let refused = |text: &str| Search::new(text, Options::default()).err();
    assert_eq!((refused(""), refused(" \n\u{3000}\t")), (Some(Refusal::Empty), Some(Refusal::Empty)));
    assert_eq!((refused("x"), refused(" e\u{301} ")), (Some(Refusal::Single), Some(Refusal::Single)));
    assert_eq!(refused("x y"), None);
}

#[test]
fn an_interrupted_search_goes_on_by_its_answers() {
    let filter = filter(&[&["散步", "书"]]);
    let whole = search(TEXT, Options::default(), &filter, &mut random());
    let mut answers = Vec::new();
    for stop in [3, 11, u64::MAX] {
        let mut search = Search::new(TEXT, Options::default()).unwrap();
        for answer in &answers {
            search.ask();
            search.answer(*answer);
        }
        while let Next::Ask { text } = search.ask() {
            if search.found().messages == stop {
                break;
            }
            let answer = filter.answer(&text, &mut random());
            answers.push(answer);
            search.answer(answer);
        }
        if stop == u64::MAX {
            assert_eq!(search.found(), &whole);
        }
    }
}

#[test]
fn scripts_of_all_kinds_are_searched() {
    let text = "שלום לכל החברים 👩\u{200d}🚀👍🏽 cafe\u{301} au lait, добрый день, مرحبا يا صديقي, नमस्ते दोस्तों";
    for rule in [&["החברים", "день"][..], &["👩\u{200d}🚀"], &["cafe\u{301}", "صديقي"]] {
        let found = search(text, Options::default(), &filter(&[rule]), &mut random());
        let mut wanted: Vec<String> = rule.iter().map(|word| (*word).to_owned()).collect();
        wanted.sort();
        assert_eq!(sorted(&found), [wanted], "{found:?}");
    }
}

#[test]
fn a_lexicon_saves_messages_and_never_misleads() {
    let words: Vec<String> = ["散步", "老朋友", "海边", "一盘鱼"].map(str::to_owned).into();
    let with = |lexicon: &[String], rule: &[&str]| {
        let options = Options { lexicon: lexicon.to_vec(), ..Options::default() };
        let found = search(TEXT, options, &filter(&[rule]), &mut random());
        assert_eq!(found.rules[0].all, rule);
        found.messages
    };
    let (rule, other) = (["散步", "老朋友", "海边"], ["河边", "两页", "几天"]);
    assert!(with(&words, &rule) + 4 < with(&[], &rule));
    assert!(with(&words, &other) < with(&[], &other) + 9);
}

#[test]
fn lists_are_searched_whatever_is_in_them() {
    let mut words: Vec<String> = (0..3000).map(|at| format!("word{at:04}")).collect();
    words.extend(["", "  ", "word0001", "word0001 ", "é", "e\u{301}", "👍🏽", "שלום"].map(str::to_owned));
    words.push("x".repeat(500));
    let filter = filter(&[&["word0001"], &["e\u{301}"], &["👍🏽"], &["שלום"], &["word2000"]]);
    let limit = Some(Limit::Characters(400));
    let options = Options { limit, others: Others::Ignored, ..Options::default() };
    let found = search_list(ListSearch::new(words, options, 3), &filter, &mut random());
    let wanted = ["e\u{301}", "word0001", "word2000", "שלום", "👍🏽"].map(|word| vec![word.to_owned()]);
    assert_eq!(sorted(&found), wanted);
    assert_eq!(found.warnings, [SearchWarning::TooLong]);
    assert_eq!(found.candidates.map(|others| others.left_out), Some(vec!["x".repeat(500)]));
}

#[test]
fn pairs_of_a_list_are_found() {
    let words: Vec<String> = (0..200).map(|at| format!("word{at:03}")).collect();
    let filter = filter(&[&["word010", "word190"], &["word077"]]);
    for limit in [None, Some(Limit::Characters(600))] {
        let options = Options { limit, ..Options::default() };
        let found = search_list(ListSearch::new(words.clone(), options, 3), &filter, &mut random());
        let mut rules = sorted(&found);
        rules.retain(|rule| rule.len() == 1);
        assert_eq!(rules, [["word077"]]);
        let pair = found.rules.iter().find(|rule| rule.all.len() == 2).expect("the pair");
        assert!(pair.all.iter().all(|word| word.contains("10") || word.contains("90")), "{pair:?}");
    }
}

const BIRDS: [&str; 8] = ["stone", "blackbird", "cloud", "bird", "birdcage", "lamp", "moss", "wheel"];

fn birds(options: Options, filter: &Filter, seed: u64) -> Found {
    let list = ListSearch::new(BIRDS.map(str::to_owned), options, seed);
    search_list(list, filter, &mut random())
}

#[test]
fn the_part_of_a_candidate_that_does_it_is_found() {
    for (seed, noise) in [(1, 0.0), (2, 0.0), (3, 0.04), (5, 0.04)] {
        let filter = Filter { loss: noise, leak: noise, ..filter(&[&["bird"], &["moss"], &["cage"]]) };
        for others in [Others::Ignored, Others::Apart, Others::All] {
            let options = Options { others, noise: Noise::new(noise, noise), ..Options::default() };
            let found = birds(options, &filter, seed);
            assert!(found.warnings.is_empty(), "{found:?}");
            let of = |word: &str| found.rules.iter().find(|rule| rule.all == [word]);
            let bird = of("bird").expect("the part");
            assert!(found.rules.iter().all(|rule| rule.exact && rule.error_bound <= 0.005), "{found:?}");
            let mut held = bird.candidates.clone();
            held.sort();
            assert!(held == ["bird", "birdcage", "blackbird"] || held == ["bird", "blackbird"], "{found:?}");
            assert_eq!(of("moss").map(|rule| &rule.candidates[..]), Some(&["moss".to_owned()][..]));
            assert!(others == Others::Ignored || of("cage").is_some(), "{others:?} {found:?}");
            let known = found.candidates.as_ref().expect("a list");
            assert_eq!((&known.cleared.len(), &known.open[..]), (&4, &[][..]));
        }
    }
}

#[test]
fn a_candidate_that_was_not_looked_into_is_not_called_exact() {
    let filter = filter(&[&["bird"]]);
    let listed = birds(Options { parts: false, ..Options::default() }, &filter, 1);
    assert_eq!(sorted(&listed), [["bird"], ["birdcage"], ["blackbird"]]);
    assert!(listed.rules.iter().all(|rule| !rule.exact && rule.candidates == rule.all), "{listed:?}");
    let whole = birds(Options::default(), &filter, 1);
    for most_messages in 1..whole.messages {
        let found = birds(Options { most_messages, ..Options::default() }, &filter, 1);
        assert!(found.warnings.contains(&SearchWarning::Unsettled), "{found:?}");
        assert!(found.rules.iter().all(|rule| !rule.exact || rule.all == ["bird"]), "{found:?}");
    }
    // No filler fits beside a candidate as long as a message may be.
    let limit = Some(Limit::Characters("blackbird".len()));
    let found = birds(Options { limit, ..Options::default() }, &filter, 1);
    assert!(found.rules.iter().any(|rule| rule.all == ["blackbird"] && !rule.exact), "{found:?}");
}

/// Two messages show that the ends of a word are needed, one more that it is not cut within, at each place.
#[test]
fn to_look_within_a_word_costs_little() {
    let cost = |word: &str, rule: &str| {
        let messages = |parts| {
            let words = BIRDS.into_iter().filter(|word| !word.contains("bird")).chain([word]);
            let options = Options { parts, ..Options::default() };
            let list = ListSearch::new(words.map(str::to_owned), options, 1);
            search_list(list, &filter(&[&[rule]]), &mut random()).messages
        };
        messages(true) - messages(false)
    };
    assert_eq!((cost("tea", "tea"), cost("blackbird", "blackbird")), (2, 8));
    assert_eq!(cost("blackbird", "bird"), 13);
}

#[test]
fn a_filter_of_whole_words_has_no_parts() {
    let mut list = ListSearch::new(BIRDS.map(str::to_owned), Options::default(), 2);
    let found = loop {
        match list.ask() {
            Next::Ask { text } => {
                let blocked = text.split(' ').any(|word| ["bird", "blackbird"].contains(&word));
                list.answer(if blocked { Answer::Lost } else { Answer::Delivered });
            }
            Next::Done(found) => break found,
        }
    };
    assert_eq!(sorted(&found), [["bird"], ["blackbird"]], "{found:?}");
    // It is blocked by itself and blocked as a part of nothing.
    let bird = |rule: &overheard_model::Rule| rule.all == ["bird"] && rule.candidates == ["bird"];
    assert!(found.rules.iter().all(|rule| rule.exact == bird(rule)), "{found:?}");
}

#[test]
fn pairs_that_were_not_asked_about_are_open() {
    let words: Vec<String> = (0..40).map(|at| format!("word{at:02}")).collect();
    let pairs_open = |others, limit| {
        let options = Options { others, limit, ..Options::default() };
        let found = search_list(ListSearch::new(words.clone(), options, 3), &filter(&[]), &mut random());
        assert_eq!(found.others, others);
        found.candidates.expect("a list").pairs_open
    };
    let short = Some(Limit::Characters(60));
    assert!(pairs_open(Others::Ignored, short) && !pairs_open(Others::Apart, short));
    assert!(!pairs_open(Others::Ignored, None), "all came together in one message");
}

#[test]
fn cleared_words_that_were_sent_alone_are_counted() {
    let cleared = |words: &[&str], filter: &Filter| {
        let list = ListSearch::new(words.iter().map(|word| (*word).to_owned()), Options::default(), 3);
        let others = search_list(list, filter, &mut random()).candidates.expect("a list");
        (others.cleared.len(), others.cleared_alone)
    };
    assert_eq!(cleared(&["stone"], &filter(&[])), (1, 1));
    assert_eq!(cleared(&BIRDS, &filter(&[])), (8, 0));
    // Whoever shares a group with one that triggers is halved until some stand alone.
    let (all, alone) = cleared(&["stone", "moss"], &filter(&[&["moss"]]));
    assert!(all == 1 && alone <= 1);
}

/// A word that lets any text pass hides the others of its message.
#[test]
fn a_word_of_a_list_that_switches_the_filter_off_is_a_warning() {
    let words: Vec<String> = (0..100).map(|at| format!("word{at:03}")).collect();
    for (limit, seed) in [None, Some(Limit::Characters(300))].into_iter().flat_map(|it| [(it, 1), (it, 2)]) {
        let options = Options { limit, others: Others::All, ..Options::default() };
        let of = |extenuating: &[&str]| {
            let extenuating = extenuating.iter().map(|word| (*word).to_owned()).collect();
            let filter = Filter { extenuating, ..filter(&[&["word010"], &["word077"]]) };
            search_list(ListSearch::new(words.clone(), options.clone(), seed), &filter, &mut random())
        };
        let (plain, hidden) = (of(&[]), of(&["word033"]));
        assert!(plain.warnings.is_empty(), "{plain:?}");
        assert_eq!(sorted(&plain), [["word010"], ["word077"]]);
        assert!(hidden.warnings.contains(&SearchWarning::NotMonotone), "{hidden:?}");
        assert_eq!(sorted(&hidden), [["word010"], ["word077"]], "{hidden:?}");
    }
}

#[test]
fn a_list_is_searched_through_losses() {
    let words: Vec<String> = (0..500).map(|at| format!("word{at:03}")).collect();
    let lossy = Filter { loss: 0.05, ..filter(&[&["word010"], &["word077"], &["word300"]]) };
    let options = Options { noise: Noise::new(0.05, 0.0), ..Options::default() };
    let found = search_list(ListSearch::new(words, options, 3), &lossy, &mut random());
    assert_eq!(sorted(&found), [["word010"], ["word077"], ["word300"]]);
}

/// A filter in front of a receiver that dies after so many messages.
fn until_banned(
    mut ask: impl FnMut(Option<Answer>) -> Next,
    blocks: impl Fn(&str) -> bool,
    messages: u64,
) -> Found {
    let (mut sent, mut answer) = (0, None);
    loop {
        match ask(answer) {
            Next::Done(found) => return found,
            Next::Ask { text } => {
                sent += 1;
                let lost = sent > messages || blocks(&text);
                answer = Some(if lost { Answer::Lost } else { Answer::Delivered });
            }
        }
    }
}

#[test]
fn a_banned_account_convicts_nobody() {
    let filter = filter(&[&["word010"], &["散步", "书", "海边"]]);
    let words: Vec<String> = (0..300).map(|at| format!("word{at:03}")).collect();
    for messages in 0..35 {
        let mut list = ListSearch::new(words.clone(), Options::default(), 3);
        let step = |answer: Option<Answer>| {
            answer.into_iter().for_each(|answer| list.answer(answer));
            list.ask()
        };
        let found = until_banned(step, |text| filter.blocks(text), messages);
        assert!(found.rules.iter().all(|rule| rule.all == ["word010"]), "{messages} {found:?}");
        let mut search = Search::new(TEXT, Options::default()).unwrap();
        let step = |answer: Option<Answer>| {
            answer.into_iter().for_each(|answer| search.answer(answer));
            search.ask()
        };
        let found = until_banned(step, |text| filter.blocks(text), messages);
        let true_rule = |rule: &overheard_model::Rule| rule.all == ["散步", "书", "海边"];
        assert!(found.rules.iter().all(true_rule), "{messages} {found:?}");
        assert!(
            !found.rules.is_empty() || found.warnings.contains(&SearchWarning::Silent),
            "{messages} {found:?}"
        );
    }
}

#[test]
fn a_banned_account_puts_no_part_in_its_place() {
    let whole_words = |text: &str| text.split(' ').any(|word| ["bird", "blackbird"].contains(&word));
    for (messages, seed) in (0..30).flat_map(|messages| [(messages, 1), (messages, 2)]) {
        let mut list = ListSearch::new(BIRDS.map(str::to_owned), Options::default(), seed);
        let step = |answer: Option<Answer>| {
            answer.into_iter().for_each(|answer| list.answer(answer));
            list.ask()
        };
        let found = until_banned(step, whole_words, messages);
        for rule in &found.rules {
            assert!(rule.all == ["bird"] || rule.all == ["blackbird"] && !rule.exact, "{messages} {found:?}");
            assert!(rule.candidates.is_empty() || rule.candidates == rule.all, "{messages} {found:?}");
        }
    }
}

#[test]
fn a_list_of_which_all_trigger_is_no_silence() {
    let words: Vec<String> = (0..40).map(|at| format!("word{at:02}")).collect();
    let all: Vec<Vec<String>> = words.iter().map(|word| vec![word.clone()]).collect();
    let strict = Filter { rules: all.clone(), ..Filter::default() };
    let found = search_list(ListSearch::new(words, Options::default(), 3), &strict, &mut random());
    assert_eq!((sorted(&found), &found.warnings[..]), (all, &[][..]));
}

#[test]
fn few_of_a_thousand_take_a_fifth_more_messages_than_their_sets_have_bits() {
    const LISTS: u64 = 40;
    let words: Vec<String> = (0..1000).map(|at| format!("<{at}>")).collect();
    for (triggers, bits) in [(0, 3.0 / 1.2), (1, 9.966), (5, 42.92)] {
        let rules: Vec<Vec<String>> = words.iter().take(triggers).map(|word| vec![word.clone()]).collect();
        let filter = Filter { rules, ..Filter::default() };
        let messages = (0..LISTS).map(|seed| {
            let options = Options { parts: false, ..Options::default() };
            let found = search_list(ListSearch::new(words.clone(), options, seed), &filter, &mut random());
            assert_eq!(found.rules.len(), triggers);
            found.messages
        });
        let mean = messages.sum::<u64>() as f64 / LISTS as f64;
        assert!(mean <= 1.2 * bits, "{triggers}: {mean}");
    }
}

#[test]
fn a_long_list_takes_no_long_time() {
    let words = (0..100_000).map(|at| format!("w{at:05}"));
    let filter = filter(&[&["w00077"], &["w99999"]]);
    let options = Options { limit: Some(Limit::Bytes(4000)), most_messages: 400, ..Options::default() };
    let found = search_list(ListSearch::new(words, options, 3), &filter, &mut random());
    assert!(found.messages <= 400);
}
