//! `overheard --licenses`: what is inside, by whom, under which terms.

use crate::exit::{Exit, Result};
use crate::output::print;
use overheard_dissect::place::{Atlas, NOTICES};

/// Written by `cargo xtask licenses`; `cargo xtask tidy` refuses a stale one.
const CRATES: &str = include_str!("../../licenses.txt");

pub fn run() -> Result<Exit> {
    let mut text = String::from("Overheard is licensed under MIT OR Apache-2.0.\n\nPlaces:\n");
    for source in Atlas::embedded().sources() {
        text += &format!("  {} ({}): {}\n", source.name, source.date, source.attribution);
    }
    text += "\n";
    text += NOTICES;
    text += "\nLibraries:\n";
    text += CRATES;
    print(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Clear)
}
