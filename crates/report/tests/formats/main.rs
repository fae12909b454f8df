//! Every format, held to what it promises, on small bundles whose numbers are stated by hand.

mod bundle;
mod hostile;
mod schema;
mod snapshot;

use overheard_report::{FORMATS, Format, Style};

/// A wide terminal without colour.
const STYLE: Style = Style { width: 110, color: false };

fn format(name: &str) -> &'static dyn Format {
    *FORMATS.iter().find(|format| format.name() == name).expect("a format of that name")
}
