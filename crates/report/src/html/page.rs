//! The page: its frame, its tables and its controls.

use crate::foreign::escaped;
use crate::statement::Section;
use std::collections::BTreeSet;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// SHA-256 of the two above, base64 (CSP level 3); a test says what they must be.
const STYLE_HASH: &str = "YEyMJkJRCaqjVYgRD0ETOq4em3n8B+ZBBcxgruhURnM=";
const SCRIPT_HASH: &str = "9zXWodxcTSiv7NXlTKJtWTDFMKA+F524ovlRsyFtaJY=";

/// A page in the making.
pub(super) struct Page(String);

impl Page {
    pub(super) fn new(title: &str) -> Self {
        let title = escaped(title);
        Self(format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'sha256-{STYLE_HASH}'; script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n<main>\n<h1>{title}</h1>\n"
        ))
    }

    pub(super) fn line(&mut self, text: &str) {
        self.0 += &format!("<p class=\"faint\">{}</p>\n", escaped(text));
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.0 += &format!("<h2>{}</h2>\n", escaped(text));
    }

    pub(super) fn verdict(&mut self, sentences: &[String]) {
        let paragraphs: String = sentences.iter().map(|text| format!("<p>{}</p>", escaped(text))).collect();
        self.0 += &format!("<div class=\"verdict\">{paragraphs}</div>\n");
    }

    pub(super) fn section(&mut self, section: &Section) {
        self.heading(section.title);
        let points = section.statements.iter().map(|point| format!("<li>{}</li>\n", escaped(&point.text)));
        self.0 += &format!("<ul>\n{}</ul>\n", points.collect::<String>());
    }

    pub(super) fn table(&mut self, table: &Table) {
        self.0 += &table.html("");
    }

    /// The table that the script sorts and filters, by text and by what its rows are marked with.
    pub(super) fn main_table(&mut self, table: &Table) {
        self.0 += "<form hidden><label>Search <input name=\"text\" type=\"search\"></label>\n";
        for (index, name) in table.marks.iter().enumerate() {
            let values: BTreeSet<&str> = table
                .rows
                .iter()
                .filter_map(|row| row.marks.get(index))
                .flat_map(|mark| mark.split(' '))
                .collect();
            let options = values.iter().filter(|value| !value.is_empty());
            let options: String =
                options.map(|value| format!("<option>{}</option>", escaped(value))).collect();
            self.0 += &format!(
                "<label>{name} <select name=\"{name}\"><option value=\"\">all</option>{options}</select></label>\n"
            );
        }
        self.0 += "<output id=\"shown\"></output></form>\n";
        self.0 += &table.html(" class=\"main\"");
        self.0 += "<noscript><p>Sorting and filtering need the page's own script.</p></noscript>\n";
    }

    /// The whole page; the script runs only where there is a table for it.
    pub(super) fn finish(self) -> String {
        let script = if self.0.contains("class=\"main\"") {
            format!("<script>{SCRIPT}</script>\n")
        } else {
            String::new()
        };
        self.0 + "</main>\n" + &script + "</html>\n"
    }
}

/// One cell, already markup.
pub(super) struct Cell {
    class: &'static str,
    sort: String,
    html: String,
}

impl Cell {
    pub(super) fn text(text: &str) -> Self {
        Self { class: "", sort: escaped(text), html: escaped(text) }
    }

    pub(super) fn classed(class: &'static str, text: &str) -> Self {
        Self { class, ..Self::text(text) }
    }

    /// Sorted by the number, whatever it is shown as.
    pub(super) fn number(number: f64, shown: &str) -> Self {
        Self { class: "number", sort: number.to_string(), html: escaped(shown) }
    }

    /// Opens what is behind it, where there is something.
    pub(super) fn opening(mut self, evidence: Option<String>) -> Self {
        if let Some(evidence) = evidence {
            self.html = format!(
                "<details><summary>{}</summary><div class=\"evidence\">{evidence}</div></details>",
                self.html
            );
        }
        self
    }
}

struct Row {
    marks: Vec<String>,
    cells: Vec<Cell>,
    /// Lower-case text that the search looks in.
    text: String,
}

/// A table in the making.
pub(super) struct Table {
    columns: Vec<String>,
    /// Names of what rows are marked with.
    marks: Vec<&'static str>,
    rows: Vec<Row>,
}

impl Table {
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self { columns, marks: Vec::new(), rows: Vec::new() }
    }

    pub(super) fn marked(columns: Vec<String>, marks: &[&'static str]) -> Self {
        Self { marks: marks.to_vec(), ..Self::new(columns) }
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(Row { marks: Vec::new(), cells, text: String::new() });
    }

    /// A row that can be filtered: one mark for each of the table's, words apart.
    pub(super) fn marked_row(&mut self, marks: Vec<String>, text: &str, cells: Vec<Cell>) {
        self.rows.push(Row { marks, cells, text: text.to_lowercase() });
    }

    pub(super) fn html(&self, attributes: &str) -> String {
        let first = self.rows.first().map_or(&[][..], |row| &row.cells);
        let classes = first.iter().map(|cell| cell.class);
        let titles = self.columns.iter().zip(classes.chain(std::iter::repeat("")));
        let titles: String = titles
            .map(|(title, class)| format!("<th scope=\"col\" class=\"{class}\">{}</th>", escaped(title)))
            .collect();
        let mut html =
            format!("<div class=\"scroll\"><table{attributes}><thead><tr>{titles}</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            html += "<tr";
            for (name, mark) in self.marks.iter().zip(&row.marks) {
                html += &format!(" data-{name}=\"{}\"", escaped(mark));
            }
            if !self.marks.is_empty() {
                html += &format!(" data-text=\"{}\"", escaped(&row.text));
            }
            html.push('>');
            for Cell { class, sort, html: inner } in &row.cells {
                html += &format!("<td class=\"{class}\" data-sort=\"{sort}\">{inner}</td>");
            }
            html += "</tr>\n";
        }
        html + "</tbody></table></div>\n"
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
