//! A comparison as text: the table by country, the shorter tables by network and name, what surrounds
//! them, and the verdict last.
//!
//! Promises: what needs a reader's eye stands in the tables; sections say what tables cannot.

use super::layout::{Ink, paragraph};
use super::table;
use crate::figures::count;
use crate::section::{Section, Statement};
use crate::statement;
use crate::{Style, verdict};
use overheard_model::{Bundle, Level, Verdict};

/// Statements of one section; there may be hundreds.
const STATEMENTS: usize = 12;

pub(super) fn text(bundle: &Bundle, style: Style) -> String {
    let comparison = &bundle.comparison;
    let mut text = paragraph("", &format!("Builds: {}", statement::builds(comparison)), Ink::Strong, style);
    text += "\n";
    text += &table::servers(comparison, style);
    text += &table::of_level(comparison, Level::Network, style);
    text += &table::of_level(comparison, Level::Name, style);
    text += &table::legend(comparison, style);
    for section in statement::sections(bundle) {
        text += &section_text(&section, style);
    }
    text += &heading("Verdict", style);
    for sentence in verdict::sentences(bundle) {
        text += &paragraph("  ", &sentence, Ink::Strong, style);
    }
    text
}

fn heading(title: &str, style: Style) -> String {
    format!("\n{}\n", Ink::Strong.paint(title, style))
}

fn section_text(section: &Section, style: Style) -> String {
    let mut text = heading(section.title, style);
    for statement in section.statements.iter().take(STATEMENTS) {
        text += &statement_text(statement, style);
    }
    let cut = section.statements.len().saturating_sub(STATEMENTS);
    if cut > 0 {
        text += &paragraph(
            "  ",
            &format!("… and {} more; see --format json or html", count(cut as u64)),
            Ink::Faint,
            style,
        );
    }
    text
}

fn statement_text(statement: &Statement, style: Style) -> String {
    let (bullet, ink) = match statement.verdict {
        None => ("  ", Ink::Plain),
        Some(Verdict::Support) => ("  ● ", Ink::Notice),
        Some(Verdict::Refute) => ("  ○ ", Ink::Plain),
        Some(Verdict::Abstain) => ("  ? ", Ink::Plain),
    };
    paragraph(bullet, &statement.text, ink, style)
}
