//! The options of every command that opens artifacts: databases of places, vantage, our addresses.

use crate::exit::{Failure, Result};
use crate::pipeline::Lens;
use clap::Args;
use overheard_dissect::{Options, place::Atlas};
use overheard_model::{PlaceSource, Vantage};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
#[command(next_help_heading = "Reading and placing")]
pub struct LensArgs {
    /// Ask this MaxMind-format database too; may be given again
    #[arg(long, value_name = "FILE")]
    mmdb: Vec<PathBuf>,

    /// Treat these prefixes (one a line) as anycast; may be given again
    #[arg(long, value_name = "FILE")]
    anycast: Vec<PathBuf>,

    /// Where the captures were made, as a country or LAT,LON: bounds places by round-trip time
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    vantage: Option<Vantage>,

    /// An address that is ours; may be given again (default: a rule that the report names)
    #[arg(long, value_name = "ADDRESS")]
    local: Vec<IpAddr>,

    /// Bound on memory for flows and reassembly, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(16..))]
    memory: u32,

    /// Threads to read each capture with, 1 or 2: the result is the same, two are done sooner
    #[arg(long, value_name = "N", default_value = "1")]
    threads: NonZeroUsize,
}

impl LensArgs {
    /// The files that it reads.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.mmdb.iter().chain(&self.anycast).map(PathBuf::as_path)
    }

    pub fn lens(&self) -> Result<Lens> {
        let mut atlas = atlas(&self.mmdb)?;
        for path in &self.anycast {
            let text = String::from_utf8_lossy(&bytes(path)?).into_owned();
            atlas.add_anycast(&label(path), &text).map_err(|what| refused(path, &what))?;
        }
        let memory = self.memory as usize * (1 << 20);
        let options =
            Options { local: self.local.clone(), memory, threads: self.threads, ..Options::default() };
        Ok(Lens { options, atlas, vantage: self.vantage.clone() })
    }
}

/// The databases of places that come with the program.
pub fn embedded() -> Vec<PlaceSource> {
    Atlas::embedded().sources()
}

/// How the captures of a live study are read.
pub fn of_plan(mmdb: &[PathBuf], vantage: Option<Vantage>) -> Result<Lens> {
    Ok(Lens { options: Options::default(), atlas: atlas(mmdb)?, vantage })
}

/// The databases that come with the program, and these.
fn atlas(mmdb: &[PathBuf]) -> Result<Atlas> {
    let mut atlas = Atlas::embedded();
    for path in mmdb {
        atlas.add_mmdb(&label(path), bytes(path)?).map_err(|what| refused(path, &what))?;
    }
    Ok(atlas)
}

fn label(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display())).hint("check the path and its permissions")
    })
}

fn refused(path: &Path, what: &str) -> Failure {
    Failure::new(format!("{}: {what}", path.display()))
        .hint("expected a MaxMind-format database (.mmdb), or a list of prefixes, one a line")
}
