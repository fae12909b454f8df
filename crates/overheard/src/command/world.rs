//! `overheard world`: a command inside an emulated internet whose truth is known.
//!
//! Its exit code is the command's own; the program's codes stand for what keeps the command from running.

use crate::exit::{Exit, Failure, Result};
use clap::Args;
use overheard_probe::world::{self, World};
use std::ffi::OsString;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  overheard world worlds/hello.toml -- curl http://www.hello.example/
  overheard world worlds/hello.toml --vantage cn -- bash

The world ends with the command, or with this program. It has no uplink: no packet leaves this machine.
The exit code is the command's.";

/// Run a command inside an emulated internet
///
/// A world has hosts in named countries, names drawn from pools, real servers, links that delay, lose and cut. A
/// file describes it; worlds/README.md shows how.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct WorldArgs {
    /// The world's file; the table [world] is read
    file: PathBuf,

    /// Where the command runs: one of the file's vantages
    #[arg(long, value_name = "NAME")]
    vantage: Option<String>,

    /// Draw with this seed, not with the file's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl WorldArgs {
    pub fn run(self) -> Result<Exit> {
        let mut world = World::open(&self.file).map_err(failure)?;
        world.seed = self.seed.unwrap_or(world.seed);
        let code = world::run(&world, self.vantage.as_deref(), &self.command).map_err(failure)?;
        std::process::exit(code)
    }
}

pub(super) fn failure(error: world::Error) -> Failure {
    let mut failure = Failure::new(error.what).hint(error.hint);
    if error.missing {
        failure.exit = Exit::Missing;
    }
    failure
}
