//! `overheard init`: a commented plan to begin with.

use crate::exit::{Exit, Failure, Result};
use crate::output::print;
use clap::Args;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  overheard init
  overheard init messenger.toml && overheard run --dry-run messenger.toml";

/// Write the plan of a live study, with every field explained, to be filled in.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct InitArgs {
    /// A new file
    #[arg(default_value = "study.toml")]
    file: PathBuf,
}

impl InitArgs {
    pub fn run(self) -> Result<Exit> {
        let file = self.file.display();
        let created = OpenOptions::new().write(true).create_new(true).open(&self.file);
        let written =
            created.and_then(|mut new| new.write_all(overheard_probe::schedule::template().as_bytes()));
        written.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Failure::new(format!("{file}: there is such a file already"))
                .hint("give another name: overheard init other.toml"),
            _ => {
                Failure::new(format!("{file}: {error}")).hint("give a file in a folder that you may write to")
            }
        })?;
        print(|out| writeln!(out, "{file}: written. Fill it in, then: overheard run --dry-run {file}"))?;
        Ok(Exit::Clear)
    }
}
