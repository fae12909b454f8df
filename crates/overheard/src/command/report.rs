//! `overheard report`: a kept study, rendered again without its captures.

use super::compare;
use crate::exit::{Exit, Failure, Result};
use crate::output::OutputArgs;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  overheard report study.overheard
  overheard report study.overheard --format html -o report.html";

/// Render a saved study again, without its captures.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// A study that `overheard compare --save` kept
    #[arg(value_name = "FILE.overheard")]
    file: PathBuf,

    #[command(flatten)]
    output: OutputArgs,
}

impl ReportArgs {
    pub fn run(self) -> Result<Exit> {
        let bundle = overheard_store::open(&self.file)
            .map_err(|error| Failure::new(format!("{}: {error}", self.file.display())))?;
        self.output.write(&self.output.format().comparison(&bundle, self.output.style()))?;
        Ok(compare::exit(&bundle))
    }
}
