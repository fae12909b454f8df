//! Filters that look past letters of other scripts, and characters of several code points: what cannot be told apart is
//! not claimed without a word.

use crate::filter::{Filter, search};
use crate::{filter, random, sorted};
use overheard_analyze::keywords::Options;
use overheard_model::{Found, SearchWarning};

fn found(text: &str, filter: &Filter) -> Found {
    search(text, Options::default(), filter, &mut random())
}

#[test]
fn a_letter_of_the_texts_own_script_parts_what_other_letters_do_not() {
    let han = |letter| matches!(letter, '\u{3400}'..='\u{9fff}');
    let chinese = Filter { sees: Some(han), ..filter(&[&["六四", "真相"]]) };
    let text = "我们今天在河边讲六四的事情，没有人知道真相在哪里，大家都回家去了。";
    let of_chinese = found(text, &chinese);
    assert_eq!(
        (sorted(&of_chinese), &of_chinese.warnings[..]),
        (vec![vec!["六四".into(), "真相".into()]], &[][..])
    );
    let latin = |letter: char| letter.is_ascii_lowercase();
    let english = Filter { sees: Some(latin), ..filter(&[&["boat"]]) };
    let of_english = found("we take the boat to the old mill at noon", &english);
    assert_eq!((sorted(&of_english), &of_english.warnings[..]), (vec![vec!["boat".into()]], &[][..]));
}

#[test]
fn where_no_letter_is_free_it_is_said_that_parts_side_by_side_may_be_one_word() {
    let latin = |letter: char| letter.is_ascii_lowercase();
    let filter = Filter { sees: Some(latin), ..filter(&[&["boat"]]) };
    let found = found("the quick jumpy fox takes the boat over a lazy river", &filter);
    assert!(sorted(&found) != [["boat"]], "{found:?}");
    assert!(found.warnings.contains(&SearchWarning::SideBySide), "{found:?}");
}

#[test]
fn characters_that_are_not_taken_apart_are_told() {
    let of = |text, word: &str| found(text, &filter(&[&[word]]));
    let thumb = of("well done 👍🏽 see you at noon", "👍");
    assert_eq!(
        (sorted(&thumb), &thumb.warnings[..]),
        (vec![vec!["👍🏽".into()]], &[SearchWarning::WholeCharacters][..])
    );
    assert!(of("well done 👍 see you at noon", "👍").warnings.is_empty());
}
