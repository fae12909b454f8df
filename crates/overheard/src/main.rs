//! The command `overheard`: find out who can overhear an app.
//!
//! For: joining the stages. [`pipeline`] is the tour: read it first. Each subcommand is one file in
//! [`command`]; arguments become a request there, the pipeline answers, a report is printed.
//! Promises: findings and their errors go to standard output and standard error and nowhere else; exit
//! codes are [`exit::Exit`]'s.

#![forbid(unsafe_code)]

mod command;
mod draft;
mod exit;
mod input;
mod inquiry;
mod onlooker;
mod output;
mod pipeline;
mod progress;
mod proxy;
mod watch;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    match arguments.run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit.into()
        }
    }
}
