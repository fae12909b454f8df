//! `overheard report`: a kept study, rendered again without its captures.

use super::compare;
use crate::exit::{Exit, Failure, Result};
use crate::output::OutputArgs;
use crate::pipeline;
use clap::Args;
use std::io;
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
        self.output.must_spare([self.file.as_path()])?;
        let bundle = pipeline::open(&self.file)?;
        let mut damage = None;
        let written = self.output.write(|out| {
            self.output.format().comparison(&bundle, self.output.style(), out)?;
            // Flows are read when they are told: what they lack shows only now.
            damage = bundle.runs.iter().find_map(|run| run.reading.flows.failure());
            damage.is_none().then_some(()).ok_or_else(|| io::ErrorKind::InvalidData.into())
        });
        match damage {
            Some(what) => return Err(Failure::new(format!("{}: {what}", self.file.display()))),
            None => written?,
        }
        Ok(compare::exit(&bundle))
    }
}
