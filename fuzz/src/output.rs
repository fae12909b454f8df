//! What every report promises of text that comes from outside, held against a report's text.
//!
//! To extend: a format's promise is one function, and one arm in [`checked`].

use overheard_model::{Bundle, Reading};
use overheard_report::{FORMATS, Format, Style};
use serde_json::Value;
use std::io::{self, Write};
use std::sync::Arc;

const STYLE: Style = Style { width: 100, color: false };

/// Elements of our own pages. Text from outside is escaped, so that no other can stand in one.
const ELEMENTS: &str = " !doctype a b body button caption code details div dl dd dt em footer form h1 h2 h3 \
    head header html input label li main meta noscript ol option output p pre script section select small \
    span strong style sub summary sup table tbody td th thead title tr ul wbr i abbr bdi kbd ";

/// Renders readings in every format and checks each; the reports, in the order of the formats.
pub(crate) fn of_readings(readings: &[Reading]) -> Vec<String> {
    let write = |format: &dyn Format, mut out: &mut dyn Write| {
        format.readings(&mut readings.iter().cloned().map(Arc::new), &[], STYLE, &mut out)
    };
    FORMATS.iter().map(|format| checked(format.name(), written(*format, write))).collect()
}

/// Renders a study's comparison in every format and checks each.
pub(crate) fn of_bundle(bundle: &Bundle) -> Vec<String> {
    let write = |format: &dyn Format, mut out: &mut dyn Write| format.comparison(bundle, STYLE, &mut out);
    FORMATS.iter().map(|format| checked(format.name(), written(*format, write))).collect()
}

fn written(format: &dyn Format, write: impl Fn(&dyn Format, &mut dyn Write) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(format, &mut bytes).expect("memory takes all that is written");
    String::from_utf8(bytes).expect("a report is UTF-8")
}

fn checked(format: &str, text: String) -> String {
    match format {
        "text" => nothing_acts("text", &text, &['\n']),
        "json" => assert_eq!(serde_json::from_str::<Value>(&text).err().map(|e| e.to_string()), None),
        "jsonl" => text.lines().for_each(|line| {
            let record: Value = serde_json::from_str(line).expect("a line of JSON");
            assert!(record["record"].is_string(), "a line without its record: {line}");
        }),
        "csv" => csv(&text),
        "html" => html(&text),
        other => panic!("{other}: say in fuzz/src/output.rs what this format promises"),
    }
    text
}

/// No character acts on what shows it: controls, and the formatting characters of UAX #9.
fn nothing_acts(format: &str, text: &str, allowed: &[char]) {
    let acts = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found = text.chars().filter(acts).find(|c| !allowed.contains(c));
    assert_eq!(found, None, "{format}: a character that acts");
}

/// Every row has the header's columns, and no field begins a formula.
fn csv(text: &str) {
    nothing_acts("csv", text, &['\r', '\n']);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for record in reader.records() {
        let record = record.expect("rows as long as the header");
        for field in &record {
            let number = field.parse::<f64>().is_ok();
            assert!(number || !field.starts_with(['=', '+', '-', '@', '\t', '\r']), "a formula: {field:?}");
        }
    }
}

/// No markup but our own, one script, and nothing that asks anybody.
fn html(text: &str) {
    nothing_acts("html", text, &['\n']);
    assert_eq!(text.matches("<script").count(), 1, "one script");
    let code = ["script", "style"];
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '/' || c == '!')).unwrap_or(rest.len());
        let element = rest[..end].trim_start_matches('/').to_ascii_lowercase();
        assert!(ELEMENTS.contains(&format!(" {element} ")), "an element that is not ours: {:.80}", rest);
        if code.contains(&&*element)
            && let Some(close) = rest.find(&format!("</{element}"))
        {
            rest = &rest[close + 2..];
        }
    }
}
