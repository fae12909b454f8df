//! `overheard compare`: captures of several builds become the table and the verdict.

use super::lens::LensArgs;
use crate::exit::{Exit, Failure, Result};
use crate::input::{self, Input};
use crate::output::OutputArgs;
use crate::pipeline::{self, Lens, Request};
use crate::progress::Progress;
use clap::Args;
use overheard_model::{Bundle, Concern};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  overheard compare regular=caps/regular/ tom-en=caps/tom-en/ tom-zh=caps/tom-zh/ --concern CN
  overheard compare a=a1.pcap a2.pcap b='b*.pcapng.gz' --format html -o report.html
  overheard compare table.csv --concern CN        # columns build,run,address,port,name,country

Each file is one run. The first build is the reference, unless --reference names another.";

/// Compare builds of an app: who does each talk to, and how sure is the difference?
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// NAME=PATH for each build: files, a folder or a pattern; or one table (.csv)
    #[arg(required = true, value_name = "BUILD=PATH")]
    builds: Vec<String>,

    /// The build that the others are held against (default: the first)
    #[arg(long, value_name = "BUILD")]
    reference: Option<String>,

    /// A country, network or name feared before the data: CN, AS4134, example.org; may be given again
    #[arg(long, value_name = "CONCERN")]
    concern: Vec<Concern>,

    /// Seed of the random choices in the analysis
    #[arg(long, default_value_t = 2012)]
    seed: u64,

    /// Keep the study in this file, for `overheard report`
    #[arg(long, value_name = "FILE.overheard")]
    save: Option<PathBuf>,

    #[command(flatten)]
    lens: LensArgs,

    #[command(flatten)]
    output: OutputArgs,
}

impl CompareArgs {
    pub fn run(self) -> Result<Exit> {
        let table = table(&self.builds)?;
        let builds = if table.is_some() { Vec::new() } else { input::builds(&self.builds)? };
        let read = builds.iter().flat_map(|(_, inputs)| inputs).chain(&table);
        self.output.must_spare(read.map(Input::file).chain(self.lens.files()).chain(self.save.as_deref()))?;
        let lens = self.lens.lens()?;
        let mut concerns = self.concern;
        concerns.sort();
        concerns.dedup();
        let request = Request { builds, reference: self.reference, concerns, seed: self.seed };
        let bundle = match table {
            Some(table) => {
                let (builds, runs) = pipeline::runs_of_table(&table, &lens)?;
                enough(&builds)?;
                pipeline::compare(&request, builds, runs, &lens)?
            }
            None => captures(&request, &lens)?,
        };
        if let Some(path) = &self.save {
            pipeline::save(path, &bundle)?;
        }
        self.output.write(|out| self.output.format().comparison(&bundle, self.output.style(), out))?;
        Ok(exit(&bundle))
    }
}

/// A single argument that ends in `.csv` is a table of runs.
fn table(arguments: &[String]) -> Result<Option<Input>> {
    let [argument] = arguments else { return Ok(None) };
    if argument.contains('=') {
        return Ok(None);
    }
    Ok(input::inputs(argument)?.into_iter().next().filter(Input::is_table))
}

fn captures(request: &Request, lens: &Lens) -> Result<Bundle> {
    let builds: Vec<String> = request.builds.iter().map(|(name, _)| name.clone()).collect();
    enough(&builds)?;
    let inputs = request.builds.iter().flat_map(|(_, inputs)| inputs);
    let progress = Progress::new(inputs.map(Input::size).sum());
    let runs = pipeline::runs(request, lens, &progress)?;
    pipeline::compare(request, builds, runs, lens)
}

fn enough(builds: &[String]) -> Result<()> {
    match builds {
        [] | [_] => Err(Failure::new("a comparison needs at least two builds")
            .hint("overheard compare regular=FOLDER other=FOLDER; for one capture: overheard read FILE")),
        _ => Ok(()),
    }
}

/// Findings of concern, else abstention, else clear. That a country, network or name feared beforehand
/// was contacted is never all clear, though every build does it alike.
pub fn exit(bundle: &Bundle) -> Exit {
    use overheard_model::Verdict::{Abstain, Support};
    let findings = &bundle.comparison.findings;
    if findings.iter().any(|finding| finding.concern && finding.verdict == Support) {
        Exit::Findings
    } else if findings.iter().any(|finding| finding.verdict == Abstain) {
        Exit::Abstained
    } else if bundle.comparison.concerns.iter().any(|test| test.cell.present > 0) {
        Exit::Findings
    } else {
        Exit::Clear
    }
}
