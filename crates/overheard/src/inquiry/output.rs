//! How the report of an inquiry is written.
//!
//! To extend: a format is a variant of [`Form`] and an arm in [`ReportArgs::write`].

use crate::draft;
use crate::exit::{Failure, Result};
use crate::output::{inquiry, print};
use clap::{Args, ValueEnum};
use overheard_model::Inquiry;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub struct ReportArgs {
    /// How to write the report
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Text)]
    format: Form,

    /// Write the report to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
    Html,
    Csv,
}

impl ReportArgs {
    /// Refuses a file that cannot be written, while nothing is spent yet.
    pub fn check(&self) -> Result<()> {
        self.output
            .as_deref()
            .map_or(Ok(()), |path| draft::try_out(path).map_err(|error| unwritable(path, error)))
    }

    /// Writes it; a file whole or not at all.
    pub fn write(&self, found: &Inquiry) -> Result<()> {
        let report = |out: &mut dyn Write| -> io::Result<()> {
            match self.format {
                Form::Text => inquiry::text(found, out),
                Form::Json => inquiry::json(found, out),
                Form::Html => inquiry::html(found, out),
                Form::Csv => inquiry::csv(found, out),
            }
        };
        let Some(path) = &self.output else { return print(report) };
        draft::write(path, report).map_err(|error| unwritable(path, error))
    }
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display())).hint("check that its folder exists and is writable")
}
