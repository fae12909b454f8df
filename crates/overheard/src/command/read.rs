//! `overheard read`: one capture, and whom it shows talking to whom.

use super::lens::LensArgs;
use crate::exit::{Exit, Failure, Result};
use crate::input::{self, Input};
use crate::output::OutputArgs;
use crate::pipeline;
use crate::progress::Progress;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  overheard read run1.pcapng
  overheard read caps/ --format jsonl > observations.jsonl
  tcpdump -w - | overheard read -";

/// Read captures: every endpoint with its names, country and protocol.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ReadArgs {
    /// Capture files, folders or patterns; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,

    #[command(flatten)]
    lens: LensArgs,

    #[command(flatten)]
    output: OutputArgs,
}

impl ReadArgs {
    pub fn run(self) -> Result<Exit> {
        let mut inputs = Vec::new();
        for argument in &self.files {
            inputs.extend(input::inputs(argument)?);
        }
        self.output.must_spare(inputs.iter().map(Input::file).chain(self.lens.files()))?;
        let lens = self.lens.lens()?;
        let progress = Progress::new(inputs.iter().map(Input::size).sum());
        let (format, style, places) = (self.output.format(), self.output.style(), lens.atlas.sources());
        let mut readings = Vec::new();
        let mut failures = Vec::new();
        for input in &inputs {
            match pipeline::read(input, &lens, &progress) {
                Ok(reading) => readings.extend(reading),
                Err(failure) => failures.push(failure),
            }
        }
        drop(progress);
        // Each capture stands alone here: none bounds another's places.
        readings.iter_mut().for_each(|reading| pipeline::place([reading], &lens));
        if !readings.is_empty() {
            self.output.write(&format.readings(&readings, &places, style))?;
        }
        match failures.pop() {
            // What could be read is printed all the same; every failure is named.
            Some(last) => {
                failures.iter().for_each(|failure| eprintln!("{failure}"));
                Err(last)
            }
            None if readings.is_empty() => Err(Failure::new("none of the files is a capture")
                .hint("expected pcap or pcapng, plain or compressed with gzip or zstd")),
            None => Ok(Exit::Clear),
        }
    }
}
