//! Columns, wrapped lines and colour for a terminal.
//!
//! Promises: widths are those of UAX #11 (a wide character takes two columns); a text that must be
//! shortened loses its middle and keeps its end, where a host name has its registrable domain.

use crate::Style;
use crate::foreign::safe;
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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
        if !style.color || self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        format!("\u{1b}[{}m{text}\u{1b}[0m", self.code())
    }
}

/// One field of a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    text: String,
    ink: Ink,
}

/// Makes text that may come from outside a field.
pub(crate) fn field(text: impl AsRef<str>, ink: Ink) -> Field {
    Field { text: safe(text.as_ref()).into_owned(), ink }
}

/// How a column behaves when the row is wider than the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Left,
    Right,
    /// Left, and shortened to no less than this many columns.
    Elastic(usize),
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
            let line = match row {
                Row::Note(note) => note.ink.paint(&elided(&note.text, style.width), style),
                Row::Fields(fields) => self.line(fields, &widths, style),
            };
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    fn line(&self, fields: &[Field], widths: &[usize], style: Style) -> String {
        let mut line = String::new();
        for ((field, column), width) in fields.iter().zip(&self.columns).zip(widths) {
            if *width == 0 {
                continue;
            }
            let shown = elided(&field.text, *width);
            let padding = " ".repeat(width.saturating_sub(shown.width()));
            let painted = field.ink.paint(&shown, style);
            let gap = if line.is_empty() { "" } else { "  " };
            line += gap;
            match column {
                Column::Right => line += &(padding + &painted),
                _ => line += &(painted + &padding),
            }
        }
        line
    }

    /// Natural widths; the widest elastic column gives way until the row fits.
    fn widths(&self, available: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.columns.len()).map(|index| self.natural(index)).collect();
        loop {
            let gaps = widths.iter().filter(|width| **width > 0).count().saturating_sub(1) * GAP;
            if widths.iter().sum::<usize>() + gaps <= available {
                return widths;
            }
            let elastic = self.columns.iter().zip(&mut widths).filter_map(|(column, width)| match column {
                Column::Elastic(least) if *width > *least => Some(width),
                _ => None,
            });
            match elastic.max_by_key(|width| **width) {
                Some(width) => *width -= 1,
                None => return widths,
            }
        }
    }

    fn natural(&self, column: usize) -> usize {
        let fields = self.rows.iter().filter_map(|row| match row {
            Row::Fields(fields) => fields.get(column),
            Row::Note(_) => None,
        });
        fields.map(|field| field.text.width()).max().unwrap_or(0)
    }
}

/// Shortened to `width` columns: the beginning, an ellipsis, and twice as much of the end.
pub(crate) fn elided(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let Some(room) = width.checked_sub(1) else { return Cow::Borrowed("") };
    let head = fitting(text.chars(), room / 3);
    let tail = fitting(text.chars().rev(), room - head.as_str().width());
    Cow::Owned(format!("{head}…{}", tail.chars().rev().collect::<String>()))
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
    let indent = " ".repeat(bullet.width());
    let mut lines: Vec<String> = vec![bullet.to_owned()];
    let mut empty = true;
    for word in safe(text).split(' ') {
        let full = lines.last().is_some_and(|line| line.width() + 1 + word.width() > style.width.max(40));
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
        let shown = elided("r3---sn-4g5e6nzz.googlevideo.example.com", 24);
        assert_eq!(shown, "r3---sn…ideo.example.com");
        assert_eq!(elided("example.com", 24), "example.com");
        assert_eq!(elided("example.com", 0), "");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(elided("例え.テスト", 6), "…スト");
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
        assert_eq!(line.trim_end().width(), 40);
        assert!(line.ends_with("8/8\n"), "{line}");
    }

    #[test]
    fn colour_is_only_where_it_is_asked_for() {
        assert_eq!(Ink::Alarm.paint("only", PLAIN), "only");
        assert_eq!(Ink::Alarm.paint("only", Style { color: true, ..PLAIN }), "\u{1b}[1;31monly\u{1b}[0m");
    }
}
