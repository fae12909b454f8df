//! `overheard doctor`: what this program has and needs here.
//!
//! Promises: says for each thing that is missing how to mend it; ends with code 3 where no live run is possible.
//! To extend: a check is added in `overheard_probe::doctor`.

use super::lens;
use crate::exit::{Exit, Result};
use crate::output::print;
use clap::Args;
use overheard_probe::doctor::{self, Check};

/// Say what this program brings along and what is missing on this machine.
///
/// Opens a trial room and closes it again; changes nothing.
#[derive(Args, Debug)]
pub struct DoctorArgs {}

impl DoctorArgs {
    pub fn run(self) -> Result<Exit> {
        let mut text =
            format!("overheard {}\n\nPlaces that come with the program:\n", env!("CARGO_PKG_VERSION"));
        for source in lens::embedded() {
            text += &format!("  {}, {}\n", source.name, source.date);
        }
        text += "\nReading captures needs no privilege and no other tool: nothing is missing.\n";
        let checks = doctor::checks();
        let live = doctor::live(&checks);
        let verdict = if live { "possible here" } else { "not possible here" };
        text += &format!("\nLive runs: {verdict}.\n");
        text.extend(checks.iter().filter(|check| check.needed).map(line));
        text += "\nLive runs are better with:\n";
        text.extend(checks.iter().filter(|check| !check.needed).map(line));
        print(|out| out.write_all(text.as_bytes()))?;
        Ok(if live { Exit::Clear } else { Exit::Missing })
    }
}

fn line(check: &Check) -> String {
    let state = if check.ok { "ok" } else { "missing" };
    let mend = check.mend.iter().map(|mend| format!("{:11}mend: {mend}\n", ""));
    format!("  {state:7}  {}: {}\n{}", check.name, check.what, mend.collect::<String>())
}
