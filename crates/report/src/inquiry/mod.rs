//! What randomized trials between two accounts found: as text, HTML, JSON and CSV, the answer first.
//!
//! For: `overheard keywords` and `overheard uploads`, which hand over the same [`Inquiry`].
//! Promises: as all of this crate; nothing is claimed that was not looked at: without traffic nothing is said of copies,
//! and "neither" comes with the size of upload that would have been seen. The JSON document is `overheard-inquiry/1`,
//! described by its schema in `docs/schema`.
//! To extend: what the answer is, `answer` decides; how it reads is in `sentences`, what it rests on in `grounds` and
//! `rules`, a table in `sheet`, a warning in `warnings`; text and HTML show what they find there.

mod answer;
mod csv;
mod endpoints;
mod grounds;
mod html;
mod json;
mod plot;
mod raster;
mod rules;
mod scale;
mod sentences;
mod sheet;
#[cfg(test)]
mod tests;
mod text;
mod trial;
mod warnings;

pub use answer::outcome;
use overheard_model::Inquiry;
use std::io::{self, Write};

/// As `--format text` writes it.
pub fn text(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    text::write(inquiry, out)
}

/// As `--format json` writes it.
pub fn json(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    json::write(inquiry, out)
}

/// As `--format html` writes it.
pub fn html(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    html::write(inquiry, out)
}

/// As `--format csv` writes it: one row a trial and endpoint.
pub fn csv(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    csv::write(inquiry, out)
}
