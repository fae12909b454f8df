//! Host names as people are shown them: never one that passes for another.
//!
//! For: names in scripts other than Latin, which right-to-left runs reorder and look-alikes counterfeit
//! (`аpple.example` begins with a Cyrillic letter). Each is shown with its other spelling beside it, the
//! ASCII one (RFC 5890's A-labels, `xn--…`) or the readable one.
//! Promises: what was said comes first, and the ASCII spelling is never missing. A name said in A-labels
//! gets its readable spelling only where that is valid (UTS #46), runs in one direction and mixes no
//! scripts within a label (the idea of UTS #39 §5).

use crate::foreign::safe;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use std::borrow::Cow;
use unicode_script::{Script, UnicodeScript};

/// Scripts that one language writes together (UTS #39 §5.2, without Latin).
const WRITING_SYSTEMS: [&[Script]; 3] = [
    &[Script::Han, Script::Hiragana, Script::Katakana],
    &[Script::Han, Script::Hangul],
    &[Script::Han, Script::Bopomofo],
];

/// Bytes of a name that is spelled otherwise: four times what DNS allows. Punycode takes a time that
/// grows with the square of a name.
const LONGEST: usize = 1012;

/// The name with its other spelling beside it: `аpple.example (xn--pple-43d.example)`.
pub(crate) fn shown(name: &str) -> Cow<'_, str> {
    let said = safe(name);
    let other = match name.is_ascii() {
        true => readable(name),
        false => Some(ascii(name).into_owned()),
    };
    match other {
        Some(other) => Cow::Owned(format!("{said} ({other})")),
        None => said,
    }
}

/// Several names, each with its other spelling.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The name in ASCII alone, as name servers are asked for it.
pub(crate) fn ascii(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return safe(name);
    }
    if name.len() > LONGEST {
        return Cow::Owned(safe(&name.replace(|character: char| !character.is_ascii(), "?")).into_owned());
    }
    // Names come from captures: lengths and characters that DNS would not have are no reason to show none.
    let mapped =
        Uts46::new().to_ascii(name.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore);
    let unmapped = || name.split('.').map(label).collect::<Vec<_>>().join(".");
    let ascii = mapped.map_or_else(|_| unmapped(), Cow::into_owned);
    Cow::Owned(safe(&ascii).into_owned())
}

/// One label in Punycode as it stands, valid or not.
fn label(label: &str) -> String {
    if label.is_ascii() {
        return label.to_owned();
    }
    // It fails for labels longer than a name can be.
    format!("xn--{}", idna::punycode::encode_str(label).unwrap_or_default())
}

/// What a name said in A-labels reads, where that deceives nobody.
fn readable(name: &str) -> Option<String> {
    if name.len() > LONGEST || !name.split('.').any(|label| label.starts_with("xn--")) {
        return None;
    }
    let harmless =
        |label: &[char], _: &[char], both_directions: bool| !both_directions && is_of_one_script(label);
    let hyphens = Hyphens::Allow;
    let (readable, valid) =
        Uts46::new().to_user_interface(name.as_bytes(), AsciiDenyList::EMPTY, hyphens, harmless);
    (valid.is_ok() && readable != name && safe(&readable) == readable).then(|| readable.into_owned())
}

/// Whether the characters of a label belong to one script, beside those that belong to all.
fn is_of_one_script(label: &[char]) -> bool {
    let scripts = label.iter().map(|character| character.script());
    let mut own = scripts.filter(|script| !matches!(script, Script::Common | Script::Inherited));
    let Some(first) = own.next() else { return true };
    let rest: Vec<Script> = own.collect();
    let within =
        |scripts: &[Script]| scripts.contains(&first) && rest.iter().all(|own| scripts.contains(own));
    within(&[first]) || WRITING_SYSTEMS.iter().any(|scripts| within(scripts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_alike_is_shown_with_its_punycode() {
        assert_eq!(shown("\u{430}pple.example"), "\u{430}pple.example (xn--pple-43d.example)");
        assert_eq!(shown("пример.example"), "пример.example (xn--e1afmkfd.example)");
        assert_eq!(shown("אבג.example"), "אבג.example (xn--4dbcd.example)");
        assert_eq!(shown("mail.example.org"), "mail.example.org");
    }

    #[test]
    fn punycode_is_shown_with_what_it_reads_where_that_is_harmless() {
        assert_eq!(shown("xn--bcher-kva.example"), "xn--bcher-kva.example (bücher.example)");
        assert_eq!(shown("xn--r8jz45g.example"), "xn--r8jz45g.example (例え.example)");
        // Latin with a Cyrillic letter; Hebrew; no Punycode; nothing but ASCII behind it.
        for deceiving in
            ["xn--pple-43d.example", "xn--4dbcd.example", "xn--\u{7f}.example", "xn--apple-.example"]
        {
            assert_eq!(shown(deceiving), safe(deceiving), "{deceiving}");
        }
    }

    #[test]
    fn what_is_no_host_name_has_an_ascii_spelling_too() {
        assert_eq!(ascii("a\u{202e}b.example"), "xn--ab-g4t.example");
        assert_eq!(ascii("bücher._tcp.*.example"), "xn--bcher-kva._tcp.*.example");
        assert_eq!(ascii(&"ü".repeat(5000)), "?".repeat(5000));
        assert!(shown("goo\u{200b}gle.example").starts_with("goo\u{fffd}gle.example ("));
    }
}
