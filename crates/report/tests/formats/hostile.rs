//! Names come from captures, and captures from anywhere: none may act on what shows it.

use crate::{STYLE, bundle, format};

#[test]
fn text_holds_no_control_or_direction_characters() {
    let text = format("text").comparison(&bundle::hostile(), STYLE);
    assert!(text.contains("alert(1)"), "the name is shown");
    let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(acts));
}

#[test]
fn a_line_of_json_is_one_line() {
    let lines = format("jsonl").comparison(&bundle::hostile(), STYLE);
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("one object a line");
        assert!(value["record"].is_string(), "{line}");
    }
}

#[test]
fn a_page_holds_no_markup_but_its_own() {
    let bundle = bundle::hostile();
    let readings: Vec<_> = bundle.runs.iter().map(|run| run.reading.clone()).collect();
    let html = format("html");
    for page in [html.comparison(&bundle, STYLE), html.readings(&readings, &[], STYLE)] {
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
