//! Columns, wrapped lines and colour for a terminal.
//!
//! Promises: widths are those of UAX #11 (a wide character takes two columns); a host name that must be
//! shortened keeps its registrable domain whole, an address its two ends, other text its beginning.

use crate::foreign::safe;
use crate::{Style, hostname};
use std::borrow::Cow;
use unicode_width::UnicodeWidthChar;

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ink {
    #[default]
    Plain,
    Strong,
    Faint,
    /// A reason for concern.
    Alarm,
    /// Worth a second look.
    Notice,
}

impl Ink {
    /// ECMA-48 SGR parameters.
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Alarm => "1;31",
            Self::Notice => "33",
        }
    }

    pub(crate) fn paint(self, text: &str, style: Style) -> String {
        let mut line = String::new();
        self.paint_onto(&mut line, text, style);
        line
    }

    fn paint_onto(self, line: &mut String, text: &str, style: Style) {
        let painted = style.color && self != Self::Plain && !text.is_empty();
        let parts =
            if painted { ["\u{1b}[", self.code(), "m", text, "\u{1b}[0m"] } else { ["", "", "", text, ""] };
        line.extend(parts);
    }
}

/// Columns that a text takes. Nearly all is printable ASCII, where there is nothing to look up.
fn columns(text: &str) -> usize {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if plain { text.len() } else { unicode_width::UnicodeWidthStr::width(text) }
}

/// Where a text that is too wide is cut.
#[derive(Clone, Copy, Debug, Default)]
enum Cut {
    #[default]
    End,
    Middle,
    /// In the middle of what stands before so many bytes at the end.
    Before(usize),
}

/// One field of a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    text: String,
    /// What is shown, and cut if need be, where there is no room for the text.
    brief: Option<String>,
    ink: Ink,
    cut: Cut,
}

/// Makes text that may come from outside a field.
pub(crate) fn field(text: impl AsRef<str>, ink: Ink) -> Field {
    Field { text: safe(text.as_ref()).into_owned(), brief: None, ink, cut: Cut::End }
}

/// An address, which is told by its two ends.
pub(crate) fn address(text: impl AsRef<str>, ink: Ink) -> Field {
    Field { cut: Cut::Middle, ..field(text, ink) }
}

/// A host name, with its other spelling where there is room, else in ASCII; `domains` are the registrable
/// domains known.
pub(crate) fn host<'a>(name: &str, mut domains: impl Iterator<Item = &'a str>, ink: Ink) -> Field {
    let field = field(hostname::shown(name), ink);
    let domain = domains.find(|domain| name.strip_suffix(domain).is_some_and(|host| host.ends_with('.')));
    let cut = domain.map_or(Cut::Middle, |domain| Cut::Before(hostname::ascii(domain).len() + ".".len()));
    Field { brief: Some(hostname::ascii(name).into_owned()), cut, ..field }
}

impl Field {
    pub(crate) fn fitted(&self, width: usize) -> Cow<'_, str> {
        if columns(&self.text) <= width {
            return Cow::Borrowed(&self.text);
        }
        let text = self.brief.as_deref().unwrap_or(&self.text);
        if columns(text) <= width {
            return Cow::Borrowed(text);
        }
        let split = match self.cut {
            Cut::End => return Cow::Owned(elided(text, width, width)),
            Cut::Middle => text.len(),
            Cut::Before(kept) => text.len().saturating_sub(kept),
        };
        let (host, domain) = text.split_at_checked(split).unwrap_or((text, ""));
        match width.checked_sub(columns(domain)).filter(|room| *room > 1) {
            Some(room) => Cow::Owned(elided(host, room, room / 2) + domain),
            // The domain or its end, or the two ends of what has none.
            None if split < text.len() => Cow::Owned(elided(text, width, 0)),
            None => Cow::Owned(elided(text, width, width / 3)),
        }
    }
}

/// How a column behaves when the row is wider than the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Left,
    Right,
    /// Left, and shortened to no less than this many columns.
    Elastic(usize),
    /// As `Elastic`, and before any of those.
    Yielding(usize),
}

#[derive(Debug)]
enum Row {
    Fields(Vec<Field>),
    /// A line that belongs to no column.
    Note(Field),
}

/// Rows in columns, two spaces apart.
#[derive(Debug)]
pub(crate) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

const GAP: usize = 2;

impl Grid {
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, fields: Vec<Field>) {
        self.rows.push(Row::Fields(fields));
    }

    pub(crate) fn note(&mut self, text: impl AsRef<str>, ink: Ink) {
        self.rows.push(Row::Note(field(text, ink)));
    }

    pub(crate) fn render(&self, style: Style) -> String {
        let widths = self.widths(style.width);
        let mut text = String::new();
        for row in &self.rows {
            let start = text.len();
            match row {
                Row::Note(note) => note.ink.paint_onto(&mut text, &note.fitted(style.width), style),
                Row::Fields(fields) => self.line(&mut text, fields, &widths, style),
            }
            let line = text.get(start..).unwrap_or_default();
            text.truncate(start + line.trim_end().len());
            text.push('\n');
        }
        text
    }

    fn line(&self, text: &mut String, fields: &[Field], widths: &[usize], style: Style) {
        let mut gap = "";
        for ((field, column), width) in fields.iter().zip(&self.columns).zip(widths) {
            if *width == 0 {
                continue;
            }
            let shown = field.fitted(*width);
            let padding = width.saturating_sub(columns(&shown));
            let (before, after) = if let Column::Right = column { (padding, 0) } else { (0, padding) };
            text.push_str(std::mem::replace(&mut gap, "  "));
            text.extend(std::iter::repeat_n(' ', before));
            field.ink.paint_onto(text, &shown, style);
            text.extend(std::iter::repeat_n(' ', after));
        }
    }

    /// Natural widths; the widest yielding column, then the widest elastic one gives way until the row fits.
    fn widths(&self, available: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.columns.len()).map(|index| self.natural(index)).collect();
        loop {
            let gaps = widths.iter().filter(|width| **width > 0).count().saturating_sub(1) * GAP;
            if widths.iter().sum::<usize>() + gaps <= available {
                return widths;
            }
            let giving = self.columns.iter().zip(&mut widths).filter_map(|(column, width)| match column {
                Column::Yielding(least) if *width > *least => Some((true, width)),
                Column::Elastic(least) if *width > *least => Some((false, width)),
                _ => None,
            });
            match giving.max_by_key(|(yields, width)| (*yields, **width)) {
                Some((_, width)) => *width -= 1,
                None => return widths,
            }
        }
    }

    fn natural(&self, column: usize) -> usize {
        let fields = self.rows.iter().filter_map(|row| match row {
            Row::Fields(fields) => fields.get(column),
            Row::Note(_) => None,
        });
        fields.map(|field| columns(&field.text)).max().unwrap_or(0)
    }
}

/// Shortened to `width` columns: at most `head` of the beginning, an ellipsis, and what fits of the end.
fn elided(text: &str, width: usize, head: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let head = fitting(text.chars(), head.min(room));
    let tail = fitting(text.chars().rev(), room - columns(&head));
    format!("{head}…{}", tail.chars().rev().collect::<String>())
}

/// As many characters as `width` columns hold.
fn fitting(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut left = width;
    let fits = |character: &char| {
        let fitted = left.checked_sub(character.width().unwrap_or(0));
        left = fitted.unwrap_or(left);
        fitted.is_some()
    };
    characters.take_while(fits).collect()
}

/// A paragraph wrapped at `width`, its lines but the first indented like `bullet` is wide.
pub(crate) fn paragraph(bullet: &str, text: &str, ink: Ink, style: Style) -> String {
    let indent = " ".repeat(columns(bullet));
    let mut lines: Vec<String> = vec![bullet.to_owned()];
    let mut empty = true;
    for word in safe(text).split(' ') {
        let full = lines.last().is_some_and(|line| columns(line) + 1 + columns(word) > style.width.max(40));
        if full && !empty {
            lines.push(indent.clone());
            empty = true;
        }
        if let Some(line) = lines.last_mut() {
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
    }
    lines.iter().map(|line| ink.paint(line, style) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { width: 40, color: false };

    #[test]
    fn a_long_name_keeps_its_registrable_domain() {
        let name = host("r3---sn-4g5e6nzz.google.example.com", ["example.com"].into_iter(), Ink::Plain);
        assert_eq!(name.fitted(24), "r3---s…oogle.example.com");
        assert_eq!(name.fitted(14), "r….example.com");
        assert_eq!(name.fitted(10), "…ample.com");
        assert_eq!(name.fitted(80), "r3---sn-4g5e6nzz.google.example.com");
    }

    #[test]
    fn a_name_that_must_be_shortened_is_shown_in_ascii() {
        let name = host("\u{430}pple.bücher.example", ["bücher.example"].into_iter(), Ink::Plain);
        assert_eq!(name.fitted(80), "\u{430}pple.bücher.example (xn--pple-43d.xn--bcher-kva.example)");
        assert_eq!(name.fitted(40), "xn--pple-43d.xn--bcher-kva.example");
        assert_eq!(name.fitted(28), "xn-…3d.xn--bcher-kva.example");
    }

    #[test]
    fn an_address_keeps_both_ends_and_other_text_its_beginning() {
        assert_eq!(address("2001:db8:ffff:1234::71", Ink::Plain).fitted(15), "2001:db…234::71");
        assert_eq!(field("Rhein Rechenzentrum", Ink::Plain).fitted(9), "Rhein Re…");
        assert_eq!(field("Rhein", Ink::Plain).fitted(0), "");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(elided("例え.テスト", 6, 2), "例…ト");
    }

    #[test]
    fn the_widest_elastic_column_gives_way() {
        let mut grid = Grid::new(vec![Column::Left, Column::Elastic(5), Column::Right]);
        grid.row(vec![
            field("203.0.113.9", Ink::Plain),
            field("a-rather-long-host.example.org", Ink::Plain),
            field("8/8", Ink::Plain),
        ]);
        let line = grid.render(PLAIN);
        assert_eq!(columns(line.trim_end()), 40);
        assert!(line.ends_with("8/8\n"), "{line}");
    }

    #[test]
    fn colour_is_only_where_it_is_asked_for() {
        assert_eq!(Ink::Alarm.paint("only", PLAIN), "only");
        assert_eq!(Ink::Alarm.paint("only", Style { color: true, ..PLAIN }), "\u{1b}[1;31monly\u{1b}[0m");
    }
}
