//! Every format, held to what it promises, on small bundles whose numbers are stated by hand.

mod bundle;
mod hostile;
mod inquiry;
mod schema;
mod snapshot;

use overheard_model::{Bundle, Reading};
use overheard_report::{FORMATS, Format, Style};
use std::io::{self, Write};
use std::sync::Arc;

/// A wide terminal without colour.
const STYLE: Style = Style { width: 110, color: false };

fn format(name: &str) -> &'static dyn Format {
    *FORMATS.iter().find(|format| format.name() == name).expect("a format of that name")
}

fn written(report: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    report(&mut bytes).expect("memory takes all");
    String::from_utf8(bytes).expect("every format is UTF-8")
}

fn comparison(format: &str, bundle: &Bundle, style: Style) -> String {
    written(|out| crate::format(format).comparison(bundle, style, out))
}

fn readings(format: &str, readings: Vec<Reading>) -> String {
    let mut readings = readings.into_iter().map(Arc::new);
    written(|out| crate::format(format).readings(&mut readings, &bundle::places(), STYLE, out))
}

fn plan(format: &str) -> String {
    written(|out| crate::format(format).plan(&snapshot::plan(), STYLE, out))
}
