//! Writes: findings and observations become text, JSON, CSV and HTML.
//!
//! Promises: pure, returns text; everything re-renders from a bundle alone.
//! To extend: a format is one file and one line in [`FORMATS`].

#![forbid(unsafe_code)]

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
    /// One artifact's observations; the databases of places are named beside them.
    fn reading(&self, reading: &Reading, places: &[PlaceSource], style: Style) -> String;
    /// Sample sizes.
    fn plan(&self, plan: &Plan, style: Style) -> String;
}

/// Every format, the default first.
pub static FORMATS: &[&dyn Format] = &[];
