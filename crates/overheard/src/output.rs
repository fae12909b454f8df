//! Where reports go: standard output or a file, in the format asked for.

use crate::draft;
use crate::exit::{Failure, Result};
use clap::Args;
use clap::builder::PossibleValuesParser;
use overheard_report::Format;
pub use overheard_report::cell::counted;
pub use overheard_report::{FORMATS, Style, inquiry, safe};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write, stdout};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The options that every report takes.
#[derive(Args, Debug)]
pub struct OutputArgs {
    /// How to write the report
    #[arg(long, value_name = "FORMAT", default_value = FORMATS[0].name(), value_parser = format_names())]
    format: String,

    /// Write the report to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl OutputArgs {
    pub fn format(&self) -> &'static dyn Format {
        let chosen = FORMATS.iter().find(|format| format.name() == self.format);
        *chosen.unwrap_or(&FORMATS[0])
    }

    /// Colour and width suit where the text goes: none of either in a file or a pipe.
    pub fn style(&self) -> Style {
        if self.output.is_none() && stdout().is_terminal() {
            return terminal_style();
        }
        Style { width: 120, color: false }
    }

    /// Refuses to write the report over a file that this very command reads or keeps.
    pub fn must_spare<'a>(&self, files: impl IntoIterator<Item = &'a Path>) -> Result<()> {
        let Some(output) = &self.output else { return Ok(()) };
        if !files.into_iter().any(|file| is_same(file, output)) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "--output {}: the report would replace what it is made of",
            output.display()
        ))
        .hint("give the report a file of its own"))
    }

    /// Writes one report. A file is written whole or not at all.
    pub fn write(&self, report: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let Some(path) = &self.output else { return print(report) };
        draft::write(path, report).map_err(|error| {
            Failure::new(format!("{}: {error}", path.display()))
                .hint("check that its folder exists and is writable")
        })
    }
}

/// What suits the terminal that standard output is.
pub fn terminal_style() -> Style {
    let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Style { width: columns.unwrap_or(100), color: !no_color }
}

/// Whether two paths lead to one file, by links of either kind too, or are spelled alike.
fn is_same(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    one == other || file(one).is_some_and(|it| Some(it) == file(other))
}

fn format_names() -> PossibleValuesParser {
    FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().into()
}

/// Prints to standard output; a reader that has gone away (`| head`) is no error.
pub fn print(report: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = BufWriter::with_capacity(draft::BUFFER, stdout().lock());
    match report(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
