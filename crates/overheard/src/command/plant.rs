//! `overheard plant`: plants a leak of every class in a room. `confine` starts it; people have no use for it.
//!
//! A program of its own, since only one with a single thread may enter a user namespace.

use crate::exit::{Exit, Failure, Result};
use crate::output::print;
use clap::Args;
use overheard_probe::confine::plant::{enter, plant};

/// Plant one leak of every class in the room of a process, and say what became of them
#[derive(Args, Debug)]
pub struct PlantArgs {
    /// A process of the room
    pid: u32,

    /// An abstract Unix socket that is open elsewhere
    outside: String,
}

impl PlantArgs {
    pub fn run(self) -> Result<Exit> {
        enter(self.pid).map_err(|error| {
            Failure::new(format!("cannot enter the room of process {}: {error}", self.pid))
                .hint("`overheard doctor` says what is missing here")
        })?;
        let harvest = plant(&self.outside);
        print(|out| serde_json::to_writer(out, &harvest).map_err(Into::into))?;
        Ok(Exit::Clear)
    }
}
