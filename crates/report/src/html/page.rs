//! The page: its frame, its tables and its controls.

use crate::foreign::escaped;
use crate::section::Section;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// SHA-256 of the two above, base64 (CSP level 3); a test says what they must be.
const STYLE_HASH: &str = "E+u9Wk+Fzt2Wt8YkbHqc7FO5SMY8pDV9kEK75SUgEJE=";
const SCRIPT_HASH: &str = "9zXWodxcTSiv7NXlTKJtWTDFMKA+F524ovlRsyFtaJY=";

/// A page in the making.
pub(crate) struct Page<'a> {
    out: &'a mut dyn Write,
    /// Whether there is a table for the script.
    scripted: bool,
}

impl<'a> Page<'a> {
    pub(crate) fn begin(title: &str, out: &'a mut dyn Write) -> io::Result<Self> {
        let title = escaped(title);
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'sha256-{STYLE_HASH}'; script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n<main>\n<h1>{title}</h1>\n"
        )?;
        Ok(Self { out, scripted: false })
    }

    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "<p class=\"faint\">{}</p>", escaped(text))
    }

    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "<h2>{}</h2>", escaped(text))
    }

    pub(crate) fn verdict(&mut self, sentences: &[String]) -> io::Result<()> {
        let paragraphs: String = sentences.iter().map(|text| format!("<p>{}</p>", escaped(text))).collect();
        writeln!(self.out, "<div class=\"verdict\">{paragraphs}</div>")
    }

    pub(crate) fn section(&mut self, section: &Section) -> io::Result<()> {
        self.heading(section.title)?;
        let points = section.statements.iter().map(|point| format!("<li>{}</li>\n", escaped(&point.text)));
        writeln!(self.out, "<ul>\n{}</ul>", points.collect::<String>())
    }

    /// A table that opens.
    pub(crate) fn folded(&mut self, summary: &str, table: &Table) -> io::Result<()> {
        writeln!(self.out, "<details class=\"folded\"><summary>{}</summary>", escaped(summary))?;
        table.write("", self.out)?;
        writeln!(self.out, "</details>")
    }

    /// Markup of this crate's own making, such as a plot.
    pub(crate) fn markup(&mut self, markup: &str) -> io::Result<()> {
        self.out.write_all(markup.as_bytes())
    }

    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        table.write("", self.out)
    }

    /// The table that the script sorts and filters, by text and by what its rows are marked with.
    pub(crate) fn main_table(&mut self, table: &Table) -> io::Result<()> {
        self.scripted = true;
        let search = "<form hidden><label>Search <input name=\"text\" type=\"search\"></label>";
        writeln!(self.out, "{search}")?;
        for (name, values) in &table.marks {
            let options = values.iter().filter(|value| !value.is_empty());
            let options: String =
                options.map(|value| format!("<option>{}</option>", escaped(value))).collect();
            writeln!(
                self.out,
                "<label>{name} <select name=\"{name}\"><option value=\"\">all</option>{options}</select></label>"
            )?;
        }
        writeln!(self.out, "<output id=\"shown\"></output></form>")?;
        table.write(" class=\"main\"", self.out)?;
        writeln!(self.out, "<noscript><p>Sorting and filtering need the page's own script.</p></noscript>")
    }

    /// The script runs only where there is a table for it.
    pub(crate) fn end(self) -> io::Result<()> {
        writeln!(self.out, "</main>")?;
        if self.scripted {
            writeln!(self.out, "<script>{SCRIPT}</script>")?;
        }
        writeln!(self.out, "</html>")
    }
}

/// One cell, already markup.
pub(crate) struct Cell {
    class: &'static str,
    /// What it is sorted by, where that is not its text.
    number: Option<f64>,
    text: String,
    /// What it opens.
    behind: Option<String>,
    /// The title of its column, where it is to stand beside it on a narrow screen.
    label: Option<&'static str>,
}

impl Cell {
    pub(crate) fn text(text: &str) -> Self {
        Self { class: "", number: None, text: escaped(text), behind: None, label: None }
    }

    pub(crate) fn classed(class: &'static str, text: &str) -> Self {
        Self { class, ..Self::text(text) }
    }

    /// Sorted by the number, whatever it is shown as.
    pub(crate) fn number(number: f64, shown: &str) -> Self {
        Self { class: "number", number: Some(number), ..Self::text(shown) }
    }

    /// Opens what is behind it, where there is something.
    pub(crate) fn opening(self, behind: Option<String>) -> Self {
        Self { behind, ..self }
    }

    /// Its column's title stands beside it where the screen is too narrow for columns.
    pub(crate) fn labelled(self, label: &'static str) -> Self {
        Self { label: Some(label), ..self }
    }

    fn write(&self, sorted: bool, row: &mut String) {
        let Self { class, number, text, behind, label } = self;
        let label = label.map_or(String::new(), |label| format!(" data-label=\"{}\"", escaped(label)));
        // Writing to a string cannot fail.
        let _ = match (sorted, number) {
            (false, _) => write!(row, "<td class=\"{class}\"{label}>"),
            (true, Some(number)) => write!(row, "<td class=\"{class}\" data-sort=\"{number}\"{label}>"),
            (true, None) => write!(row, "<td class=\"{class}\" data-sort=\"{text}\"{label}>"),
        };
        let _ = match behind {
            None => write!(row, "{text}</td>"),
            Some(behind) => write!(
                row,
                "<details><summary>{text}</summary><div class=\"evidence\">{behind}</div></details></td>"
            ),
        };
    }
}

/// A row, already markup; several tables may show it.
#[derive(Clone)]
pub(crate) struct Row {
    classes: Arc<[&'static str]>,
    markup: Arc<str>,
}

impl Row {
    pub(crate) fn of(cells: &[Cell]) -> Self {
        Self::begun("<tr>".into(), cells, false)
    }

    fn begun(mut markup: String, cells: &[Cell], sorted: bool) -> Self {
        cells.iter().for_each(|cell| cell.write(sorted, &mut markup));
        markup += "</tr>\n";
        Self { classes: cells.iter().map(|cell| cell.class).collect(), markup: markup.into() }
    }
}

/// A table in the making.
pub(crate) struct Table {
    columns: Vec<String>,
    /// What rows are marked with, and every word that was met there. The script sorts a table that has
    /// marks.
    marks: Vec<(&'static str, BTreeSet<String>)>,
    rows: Vec<Row>,
}

const TABLE_END: &str = "</tbody></table></div>\n";

impl Table {
    pub(crate) fn new(columns: Vec<String>) -> Self {
        Self { columns, marks: Vec::new(), rows: Vec::new() }
    }

    pub(crate) fn marked(columns: Vec<String>, marks: &[&'static str]) -> Self {
        let marks = marks.iter().map(|name| (*name, BTreeSet::new())).collect();
        Self { marks, ..Self::new(columns) }
    }

    pub(crate) fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// A row that can be filtered: one mark for each of the table's, words apart; and searched for the
    /// text.
    pub(crate) fn marked_row(&mut self, marks: Vec<String>, text: &str, cells: Vec<Cell>) {
        let mut row = String::from("<tr");
        for ((name, known), mark) in self.marks.iter_mut().zip(&marks) {
            row += &format!(" data-{name}=\"{}\"", escaped(mark));
            known.extend(mark.split(' ').map(str::to_owned));
        }
        row += &format!(" data-text=\"{}\">", escaped(&text.to_lowercase()));
        self.rows.push(Row::begun(row, &cells, true));
    }

    fn head(&self, attributes: &str) -> String {
        let first = self.rows.first().map_or(&[][..], |row| &row.classes);
        let classes = first.iter().copied().chain(std::iter::repeat(""));
        let titles = self.columns.iter().zip(classes);
        let titles: String = titles
            .map(|(title, class)| format!("<th scope=\"col\" class=\"{class}\">{}</th>", escaped(title)))
            .collect();
        format!("<div class=\"scroll\"><table{attributes}><thead><tr>{titles}</tr></thead>\n<tbody>\n")
    }

    /// As markup inside a cell.
    pub(crate) fn html(&self) -> String {
        let mut html = self.head("");
        self.rows.iter().for_each(|row| html += &row.markup);
        html + TABLE_END
    }

    fn write(&self, attributes: &str, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.head(attributes).as_bytes())?;
        self.rows.iter().try_for_each(|row| out.write_all(row.markup.as_bytes()))?;
        out.write_all(TABLE_END.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::digest::{SHA256, digest};

    fn base64(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let group = |chunk: &[u8]| {
            let bits =
                chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            let digit = |index: usize| {
                if index > chunk.len() {
                    '='
                } else {
                    ALPHABET[(bits >> (18 - 6 * index) & 63) as usize].into()
                }
            };
            (0..4).map(digit).collect::<String>()
        };
        bytes.chunks(3).map(group).collect()
    }

    #[test]
    fn the_policy_allows_the_pages_own_style_and_script() {
        assert_eq!(base64(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
        assert_eq!(STYLE_HASH, base64(digest(&SHA256, STYLE.as_bytes()).as_ref()));
        assert_eq!(SCRIPT_HASH, base64(digest(&SHA256, SCRIPT.as_bytes()).as_ref()));
    }
}
