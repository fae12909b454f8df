//! Writes: findings and observations become text, JSON, CSV and HTML.
//!
//! Promises: pure but for writing where it is told to, and fails only where that fails; everything
//! re-renders from a bundle alone. Readings are written one at a time and dropped. What a capture holds
//! may be hostile: no format lets a name act on the terminal, the spreadsheet or the browser that shows it.
//! To extend: a format is one file and one line in [`FORMATS`].

#![forbid(unsafe_code)]

mod absence;
pub mod cell;
mod concern;
mod country;
mod csv;
mod difference;
mod endpoint;
mod figures;
mod foreign;
mod hostname;
mod html;
pub mod inquiry;
mod json;
mod jsonl;
mod order;
mod owner;
mod relation;
mod section;
mod source;
mod statement;
mod text;
mod vantage;
mod verdict;

pub use foreign::safe;
use overheard_model::{Bundle, PlaceSource, Plan, Reading};
use std::io::{self, Write};
use std::sync::Arc;

/// How text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// ANSI colour.
    pub color: bool,
}

/// A way of writing. `out` is written to in small pieces: it should be buffered.
pub trait Format: Sync {
    /// As `--format` takes it.
    fn name(&self) -> &'static str;
    /// Whether its readings show the hashes of their artifacts; where not, none need be taken.
    fn shows_hashes(&self) -> bool {
        true
    }
    /// Whether its readings show the flows of artifacts; where not, none need be kept.
    fn shows_flows(&self) -> bool {
        true
    }
    /// A comparison of builds.
    fn comparison(&self, bundle: &Bundle, style: Style, out: &mut dyn Write) -> io::Result<()>;
    /// The observations of artifacts, each as it comes, and let go when it is written; the databases of places
    /// are named beside them.
    fn readings(
        &self,
        readings: &mut dyn Iterator<Item = Arc<Reading>>,
        places: &[PlaceSource],
        style: Style,
        out: &mut dyn Write,
    ) -> io::Result<()>;
    /// Sample sizes.
    fn plan(&self, plan: &Plan, style: Style, out: &mut dyn Write) -> io::Result<()>;
}

/// Every format, the default first.
pub static FORMATS: &[&dyn Format] = &[&text::Text, &json::Json, &jsonl::Jsonl, &csv::Csv, &html::Html];
