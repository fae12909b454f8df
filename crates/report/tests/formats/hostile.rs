//! Names come from captures, and captures from anywhere: none may act on what shows it, hide in it, or
//! pass for another.

use crate::{STYLE, bundle, comparison, inquiry, readings};
use overheard_model::{Bundle, Reading};
use overheard_report::FORMATS;
use proptest::prelude::*;

/// Characters that a reader does not see but feels: one of each kind that Unicode has. Controls (C0,
/// delete, C1), line and paragraph separators, bidirectional marks, embeddings, overrides and isolates,
/// joiners and spaces without width, soft hyphen, blank letters, a variation selector, a tag.
const UNSEEN: &[char] = &[
    '\0',
    '\u{7}',
    '\u{8}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{9d}',
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{180e}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fff9}',
    '\u{e0001}',
    '\u{e0041}',
];

/// Everything that a format writes of a bundle.
fn written(bundle: &Bundle) -> impl Iterator<Item = (&'static str, String)> {
    FORMATS.iter().map(|format| format.name()).flat_map(|format| {
        let texts = [comparison(format, bundle, STYLE), readings(format, some_readings(bundle))];
        texts.map(|text| (format, text))
    })
}

/// Everything that is written of an inquiry in which all that comes from outside is this name.
fn inquiries(name: &str) -> impl Iterator<Item = (&'static str, String)> {
    let inquiry = inquiry::calling(name);
    inquiry::FORMATS.iter().map(move |(format, _)| (*format, inquiry::as_format(format, &inquiry)))
}

fn some_readings(bundle: &Bundle) -> Vec<Reading> {
    bundle.runs.iter().take(2).map(|run| run.reading.clone()).collect()
}

/// What a text holds of [`UNSEEN`] or of controls, but for its own line ends.
fn unseen(format: &str, text: &str) -> Option<char> {
    let text = if format == "csv" { text.replace("\r\n", "") } else { text.replace('\n', "") };
    text.chars().find(|character| character.is_control() || UNSEEN.contains(character))
}

/// Letters of several scripts and signs that mean something somewhere, with [`UNSEEN`] between them.
fn names() -> impl Strategy<Value = String> {
    let plain: Vec<char> = "aZ0.-_:*=+@'\"<>&,;|\\/ аеѕбאבעم例えア한ü\u{301}ａ\u{2024}😀".chars().collect();
    let seen = prop_oneof![4 => prop::sample::select(plain), 1 => any::<char>()];
    let character = prop_oneof![3 => seen, 1 => prop::sample::select(UNSEEN)];
    let label = prop::collection::vec(character, 0..12).prop_map(String::from_iter);
    let a_label = label.clone().prop_map(|label| format!("xn--{label}.example"));
    prop_oneof![2 => label, 1 => a_label]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_format_holds_what_acts_unseen(name in names()) {
        for (format, text) in written(&bundle::calling_itself(&name)).chain(inquiries(&name)) {
            prop_assert_eq!(unseen(format, &text), None, "{}", format);
        }
    }
}

#[test]
fn each_unseen_character_is_kept_out_of_each_format() {
    let name: String = UNSEEN.iter().flat_map(|unseen| ['a', *unseen]).collect();
    for (format, text) in written(&bundle::calling_itself(&name)).chain(inquiries(&name)) {
        assert_eq!(unseen(format, &text), None, "{format}");
    }
}

/// A Cyrillic letter that looks like a Latin one, in each format that people read.
#[test]
fn a_look_alike_has_its_punycode_beside_it() {
    let name = "\u{430}pple.example";
    for (format, text) in written(&bundle::calling_itself(name)).chain(inquiries(name)) {
        let json = format.starts_with("json");
        assert!(json || text.contains("xn--pple-43d.example"), "{format}: {text}");
    }
}

#[test]
fn json_says_what_was_said() {
    let name = "\u{202e}a\u{9b}\u{200b}";
    let text = comparison("json", &bundle::calling_itself(name), STYLE);
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["keys"][0]["names"][0], name);
}

#[test]
fn the_name_is_shown_though_it_tries_to_act() {
    assert!(comparison("text", &bundle::hostile(), STYLE).contains("alert(1)"));
}

#[test]
fn a_line_of_json_is_one_line() {
    let lines = comparison("jsonl", &bundle::hostile(), STYLE);
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("one object a line");
        assert!(value["record"].is_string(), "{line}");
    }
}

#[test]
fn a_table_of_trials_holds_no_formula() {
    let csv = inquiry::as_format("csv", &inquiry::calling("=HYPERLINK(1)"));
    assert!(csv.contains("'=HYPERLINK(1)") && !csv.contains(",=HYPERLINK"), "{csv}");
}

#[test]
fn a_page_holds_no_markup_but_its_own() {
    let bundle = bundle::hostile();
    let hostile = inquiry::calling("\"><img src=x onerror=alert(1)></title><script>alert(1)</script>");
    for page in [
        comparison("html", &bundle, STYLE),
        readings("html", some_readings(&bundle)),
        inquiry::as_format("html", &hostile),
    ] {
        assert!(page.contains("alert(1)"), "the name is shown");
        assert!(!page.contains("<img"));
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
        assert!(page.contains("default-src 'none'"));
        for outside in ["http:", "https:", "src=\"", "href=", "url(", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
