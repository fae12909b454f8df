//! `cargo xtask worlds [NAME...]`: holds every world to its stated truth.
//!
//! For: worlds are what everything live is tested against, so each must be what its file says. The witness is not
//! Overheard: curl, dig, ping and tcpdump at the vantage say what is there. Where captures are compared, it is our
//! comparison that is held to the planted truth.
//! Needs root or user namespaces, /dev/net/tun, and the Debian packages in worlds/README.md.
//! To extend: a check in a file of [`worlds`](self), and its line in [`CHECKS`].

mod builds;
mod links;
mod places;
mod ways_out;

use crate::{must, root};
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Far above what any check takes; the world ends with it.
const LIMIT_S: &str = "240";

struct Check {
    world: &'static str,
    /// What must hold, as the world's file states it.
    truth: &'static str,
    holds: fn(&World) -> Result<()>,
}

const CHECKS: &[Check] = &[
    Check { world: "hello", truth: "the page is there by IPv4 and IPv6", holds: links::page },
    Check { world: "hello", truth: "names resolve by UDP and TCP, others do not exist", holds: links::names },
    Check { world: "hello", truth: "refused, unreachable and silent differ", holds: links::absences },
    Check { world: "hello", truth: "distance is 80 ms", holds: links::distance },
    Check { world: "hello", truth: "no packet leaves: there is nothing else", holds: links::no_uplink },
    Check { world: "hello", truth: "a world ends with whatever ends it", holds: links::end },
    Check { world: "hello", truth: "a world stands within a world", holds: links::nested },
    Check { world: "flaky", truth: "a tenth is lost each way", holds: links::loss },
    Check { world: "flaky", truth: "every second connection is cut", holds: links::cuts },
    Check { world: "flaky", truth: "a connection ends at the word", holds: links::word },
    Check { world: "flaky", truth: "who asks from CN is sent elsewhere", holds: links::elsewhere },
    Check { world: "leaks", truth: "the proxies carry", holds: ways_out::proxies },
    Check { world: "leaks", truth: "each class leaves by itself", holds: ways_out::leaks },
    Check { world: "rate", truth: "one in five against four in five, and none always", holds: builds::rate },
    Check { world: "same", truth: "nothing is found between A and A", holds: builds::same },
    Check {
        world: "tom-skype",
        truth: "CN only in the co-branded builds, nothing false",
        holds: builds::tom_skype,
    },
    Check { world: "tom-skype", truth: "messages are dropped and copied", holds: builds::plug_in },
    Check { world: "*", truth: "the tables of places agree with every world", holds: places::agree },
];

pub(crate) fn run(names: &[String]) -> Result<()> {
    must("cargo", &["build", "--locked", "--package", "overheard"], &[])?;
    let mut broken = 0;
    let wanted = |check: &&Check| names.is_empty() || names.iter().any(|name| name == check.world);
    for check in CHECKS.iter().filter(wanted) {
        let begun = Instant::now();
        let result = (check.holds)(&World { name: check.world });
        let seconds = begun.elapsed().as_secs_f64();
        match result {
            Ok(()) => eprintln!("holds   {:<10} {} ({seconds:.1} s)", check.world, check.truth),
            Err(error) => {
                broken += 1;
                eprintln!("broken  {:<10} {} ({seconds:.1} s)\n        {error:#}", check.world, check.truth);
            }
        }
    }
    ensure!(broken == 0, "{broken} truths do not hold");
    Ok(())
}

/// One world, by the name of its file.
struct World {
    name: &'static str,
}

/// What a command at a vantage said.
struct Said {
    code: i32,
    out: String,
}

impl World {
    fn file(&self) -> String {
        format!("worlds/{}.toml", self.name)
    }

    /// Runs a shell script at a vantage, from the repository's root.
    fn at(&self, vantage: &str, script: &str) -> Result<Said> {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", LIMIT_S]).arg(program());
        command.args(["world", &self.file(), "--vantage", vantage, "--", "sh", "-c", script]);
        said(command)
    }

    /// Likewise, and insists that it ends well.
    fn ask(&self, vantage: &str, script: &str) -> Result<String> {
        let said = self.at(vantage, script)?;
        ensure!(said.code == 0, "exit code {}: {}", said.code, said.out);
        Ok(said.out)
    }
}

/// Runs a command in the root folder; what it wrote to both streams.
fn said(mut command: Command) -> Result<Said> {
    let output =
        command.current_dir(root()).output().with_context(|| format!("{command:?} did not start"))?;
    let out = [output.stdout, output.stderr].concat();
    let out = String::from_utf8_lossy(&out).into_owned();
    match output.status.code() {
        // What is missing here is nothing that a world could answer for.
        Some(3) if out.contains("hint: ") => bail!("{out}"),
        code => Ok(Said { code: code.unwrap_or(-1), out }),
    }
}

/// The program, as it was just built.
fn program() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from);
    let program = folder.join("debug/overheard");
    program.canonicalize().unwrap_or(program)
}
