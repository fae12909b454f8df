//! `overheard completions`: tab completion for a shell.

use super::Arguments;
use crate::exit::{Exit, Result};
use crate::output::print;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

/// Print the tab completions of a shell.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  overheard completions bash > ~/.local/share/bash-completion/completions/overheard"
)]
pub struct CompletionsArgs {
    shell: Shell,
}

impl CompletionsArgs {
    pub fn run(self) -> Result<Exit> {
        let mut script = Vec::new();
        generate(self.shell, &mut Arguments::command(), "overheard", &mut script);
        print(|out| out.write_all(&script))?;
        Ok(Exit::Clear)
    }
}
