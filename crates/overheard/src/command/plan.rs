//! `overheard plan`: how many runs a study needs, before it is made.

use crate::exit::{Exit, Failure, Result};
use crate::output::OutputArgs;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  overheard plan --rate 0.7 --keys 60
  overheard plan --rate 0.3 --reference-rate 0.05 --keys 200 --power 0.9";

/// Plan a study: how many runs of each build are needed to find a server?
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct PlanArgs {
    /// Chance that one run of the build contacts the server
    #[arg(long, value_name = "RATE")]
    rate: f64,

    /// Chance that one run of the reference contacts it
    #[arg(long, value_name = "RATE", default_value_t = 0.0)]
    reference_rate: f64,

    /// Endpoints that are compared side by side
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    keys: u64,

    /// Chance of finding it that the study shall have
    #[arg(long, value_name = "P", default_value_t = 0.95)]
    power: f64,

    /// False alarms allowed over the whole study
    #[arg(long, value_name = "P", default_value_t = 0.05)]
    alpha: f64,

    #[command(flatten)]
    output: OutputArgs,
}

impl PlanArgs {
    pub fn run(self) -> Result<Exit> {
        proportion("--rate", self.rate)?;
        proportion("--reference-rate", self.reference_rate)?;
        proportion("--power", self.power)?;
        proportion("--alpha", self.alpha)?;
        if self.rate == self.reference_rate {
            return Err(Failure::new(
                "--rate and --reference-rate are equal: there is no difference to find",
            )
            .hint("give the rates that you expect of the two builds, such as --rate 0.7"));
        }
        let plan = overheard_analyze::plan(self.rate, self.reference_rate, self.keys, self.alpha, self.power);
        self.output.write(|out| self.output.format().plan(&plan, self.output.style(), out))?;
        Ok(Exit::Clear)
    }
}

fn proportion(option: &str, value: f64) -> Result<()> {
    let open = matches!(option, "--power" | "--alpha");
    let fits = if open { value > 0.0 && value < 1.0 } else { (0.0..=1.0).contains(&value) };
    if fits {
        return Ok(());
    }
    Err(Failure::new(format!("{option} {value}: no proportion"))
        .hint("give a number between 0 and 1, such as 0.7"))
}
