//! `overheard read`: one capture, and whom it shows talking to whom.

use super::lens::LensArgs;
use crate::exit::{Exit, Failure, Result};
use crate::input::{self, Input};
use crate::output::OutputArgs;
use crate::pipeline::{self, Lens};
use crate::progress::Progress;
use clap::Args;
use overheard_model::Reading;
use std::sync::Arc;

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
        let mut lens = self.lens.lens()?;
        let (format, style, places) = (self.output.format(), self.output.style(), lens.atlas.sources());
        (lens.options.hash, lens.options.flows) = (format.shows_hashes(), format.shows_flows());
        let mut failures = Vec::new();
        let last = inputs.last();
        let readings = inputs.iter().filter_map(|input| {
            let reading = Arc::new(reading(input, &lens, &mut failures)?);
            if Some(input) == last {
                leave_to_the_end(&reading);
            }
            Some(reading)
        });
        let mut readings = readings.peekable();
        let found = readings.peek().is_some();
        if found {
            self.output.write(|out| format.readings(&mut readings, &places, style, out))?;
        }
        drop(readings);
        match failures.pop() {
            // What could be read is printed all the same; every failure is named.
            Some(last) => {
                failures.iter().for_each(|failure| eprintln!("{failure}"));
                Err(last)
            }
            None if !found => Err(Failure::new("none of the files is a capture")
                .hint("expected pcap or pcapng, plain or compressed with gzip or zstd")),
            None => Ok(Exit::Clear),
        }
    }
}

/// One capture, read and placed when a report asks for it: each stands alone here, and none bounds
/// another's places.
fn reading(input: &Input, lens: &Lens, failures: &mut Vec<Failure>) -> Option<Reading> {
    // Each has a bar of its own, which is gone before its reading is printed.
    let progress = Progress::new(input.size());
    match pipeline::read(input, lens, &progress) {
        Ok(found) => found.map(|mut reading| {
            pipeline::place([&mut reading], lens);
            reading
        }),
        Err(failure) => {
            failures.push(failure);
            None
        }
    }
}

/// Leaves the last reading to the end of the process, which gives its memory back at once: to give back what
/// each flow and endpoint holds takes a twentieth of the time that reading took.
fn leave_to_the_end(reading: &Arc<Reading>) {
    std::mem::forget(Arc::clone(reading));
}
