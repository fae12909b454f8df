//! Text for a terminal or a mail.
//!
//! Promises: fits the style's width where the columns allow; colour only when the style asks for it; names
//! from captures are shown with control and direction characters replaced, so that none can act on the
//! terminal.

mod comparison;
pub(crate) mod layout;
mod plan;
mod reading;
mod table;

use crate::{Format, Style, source};
use overheard_model::{Bundle, PlaceSource, Plan, Reading};
use std::io::{self, Write};
use std::sync::Arc;

/// `--format text`.
pub(crate) struct Text;

impl Format for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn shows_hashes(&self) -> bool {
        false
    }

    fn shows_flows(&self) -> bool {
        false
    }

    fn comparison(&self, bundle: &Bundle, style: Style, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(comparison::text(bundle, style).as_bytes())
    }

    fn readings(
        &self,
        readings: &mut dyn Iterator<Item = Arc<Reading>>,
        places: &[PlaceSource],
        style: Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut met = source::Met::default();
        for reading in readings {
            met.extend(&reading.endpoints);
            writeln!(out, "{}", reading::text(&reading, style))?;
            // Whoever reads along has a whole artifact now.
            out.flush()?;
        }
        out.write_all(reading::sources(places, &met, style).as_bytes())
    }

    fn plan(&self, plan: &Plan, style: Style, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(plan::text(plan, style).as_bytes())
    }
}
