//! Text for a terminal or a mail.
//!
//! Promises: fits the style's width where the columns allow; colour only when the style asks for it; names
//! from captures are shown with control and direction characters replaced, so that none can act on the
//! terminal.

mod comparison;
mod layout;
mod plan;
mod reading;
mod table;

use crate::{Format, Style};
use overheard_model::{Bundle, PlaceSource, Plan, Reading};

/// `--format text`.
pub(crate) struct Text;

impl Format for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn comparison(&self, bundle: &Bundle, style: Style) -> String {
        comparison::text(bundle, style)
    }

    fn readings(&self, readings: &[Reading], places: &[PlaceSource], style: Style) -> String {
        reading::text(readings, places, style)
    }

    fn plan(&self, plan: &Plan, style: Style) -> String {
        plan::text(plan, style)
    }
}
