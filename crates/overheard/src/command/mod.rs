//! The room of subcommands: one file each, and one line in [`Command`].
//!
//! To extend: a file with an `Args` struct that has `run(self) -> Result<Exit>`, a line in
//! [`Command`], a line in [`Arguments::run`], and a test file `tests/<name>.rs`.

mod app;
mod compare;
mod completions;
mod confine;
mod doctor;
mod driver;
mod init;
mod keywords;
mod lens;
mod licenses;
mod plan;
mod plant;
mod read;
mod report;
mod run;
mod uploads;
mod verify;
mod watch;
mod world;

use crate::exit::{Exit, Failure, Result};
use clap::{Parser, Subcommand};

const AFTER_HELP: &str = "\
Exit codes:
  0  nothing of concern was found
  1  findings
  2  the command was wrong, or it failed
  3  a privilege or a tool is missing: see `overheard doctor`
  4  abstained: too few runs, or too little known of places, to say

Examples:
  overheard compare regular=caps/regular/ tom-en='caps/tom-en/*.pcapng' --concern CN
  overheard read caps/regular/run1.pcapng
  overheard watch -- curl -sS https://example.org
  overheard init && overheard run study.toml
  overheard plan --rate 0.7 --keys 60

Nothing leaves this machine: no telemetry, no look-ups over the network.";

/// Find out who can overhear an app.
///
/// Lists every server that the builds of an app talk to and in whose country it stands, and says with
/// statistics and evidence how the builds differ.
#[derive(Parser, Debug)]
#[command(name = "overheard", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Print the licences and attributions of everything inside this program
    #[arg(long)]
    licenses: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    Init(init::InitArgs),
    Run(run::RunArgs),
    Compare(compare::CompareArgs),
    Read(read::ReadArgs),
    Watch(watch::WatchArgs),
    Confine(confine::ConfineArgs),
    Uploads(uploads::UploadsArgs),
    Keywords(keywords::KeywordsArgs),
    Driver(driver::DriverArgs),
    Plan(plan::PlanArgs),
    #[command(hide = true)]
    Plant(plant::PlantArgs),
    Report(report::ReportArgs),
    Verify(verify::VerifyArgs),
    World(world::WorldArgs),
    Doctor(doctor::DoctorArgs),
    Completions(completions::CompletionsArgs),
}

impl Arguments {
    pub fn run(self) -> Result<Exit> {
        if self.licenses {
            return licenses::run();
        }
        match self.command {
            Some(Command::Init(args)) => args.run(),
            Some(Command::Run(args)) => args.run(),
            Some(Command::Compare(args)) => args.run(),
            Some(Command::Read(args)) => args.run(),
            Some(Command::Watch(args)) => args.run(),
            Some(Command::Confine(args)) => args.run(),
            Some(Command::Uploads(args)) => args.run(),
            Some(Command::Keywords(args)) => args.run(),
            Some(Command::Driver(args)) => args.run(),
            Some(Command::Plan(args)) => args.run(),
            Some(Command::Plant(args)) => args.run(),
            Some(Command::Report(args)) => args.run(),
            Some(Command::Verify(args)) => args.run(),
            Some(Command::World(args)) => args.run(),
            Some(Command::Doctor(args)) => args.run(),
            Some(Command::Completions(args)) => args.run(),
            None => Err(Failure::new("no command").hint("try: overheard --help")),
        }
    }
}
