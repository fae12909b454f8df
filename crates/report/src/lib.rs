//! Writes: findings and observations become text, JSON, CSV and HTML.
//!
//! Promises: pure, returns text; everything re-renders from a bundle alone. What a capture holds may be
//! hostile: no format lets a name act on the terminal, the spreadsheet or the browser that shows it.
//! To extend: a format is one file and one line in [`FORMATS`].

#![forbid(unsafe_code)]

mod absence;
mod concern;
mod country;
mod csv;
mod difference;
mod figures;
mod foreign;
mod html;
mod json;
pub mod jsonl;
mod order;
mod relation;
mod source;
mod statement;
mod text;
mod verdict;

use overheard_model::{Bundle, PlaceSource, Plan, Reading};

/// How text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// ANSI colour.
    pub color: bool,
}

/// A way of writing.
pub trait Format: Sync {
    /// As `--format` takes it.
    fn name(&self) -> &'static str;
    /// A comparison of builds.
    fn comparison(&self, bundle: &Bundle, style: Style) -> String;
    /// The observations of artifacts; the databases of places are named beside them.
    fn readings(&self, readings: &[Reading], places: &[PlaceSource], style: Style) -> String;
    /// Sample sizes.
    fn plan(&self, plan: &Plan, style: Style) -> String;
}

/// Every format, the default first.
pub static FORMATS: &[&dyn Format] = &[&text::Text, &json::Json, &jsonl::Jsonl, &csv::Csv, &html::Html];
