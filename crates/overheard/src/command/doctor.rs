//! `overheard doctor`: what this program has and needs here.

use crate::exit::{Exit, Result};
use crate::output::print;
use clap::Args;
use overheard_dissect::place::Atlas;

/// Say what this program brings along and what is missing on this machine.
#[derive(Args, Debug)]
pub struct DoctorArgs {}

impl DoctorArgs {
    pub fn run(self) -> Result<Exit> {
        let mut text =
            format!("overheard {}\n\nPlaces that come with the program:\n", env!("CARGO_PKG_VERSION"));
        for source in Atlas::embedded().sources() {
            text += &format!("  {}, {}\n", source.name, source.date);
        }
        text += "\nReading captures needs no privilege and no other tool: nothing is missing.\n";
        print(|out| out.write_all(text.as_bytes()))?;
        Ok(Exit::Clear)
    }
}
