//! `cargo xtask worlds [NAME...]`: holds every world to its stated truth.
//!
//! For: worlds are what everything live is tested against, so each must be what its file says. The witness is not
//! Overheard: curl, dig, ping and tcpdump at the vantage say what is there. Where a study is run or an app
//! confined, it is our verdict that is held to the planted truth.
//! Three checks run at a time, since worlds mostly wait, the longest first.
//! Needs root or user namespaces, /dev/net/tun, and the Debian packages in worlds/README.md.
//! To extend: a check in a file of [`worlds`](self), and its line in [`CHECKS`].

mod builds;
mod filters;
mod links;
mod places;
mod ways_out;

use crate::{must, root};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Far above what any check takes; the world ends with it.
const LIMIT_S: &str = "480";

const AT_A_TIME: usize = 3;

struct Check {
    world: &'static str,
    /// What must hold, as the world's file states it.
    truth: &'static str,
    holds: fn(&World) -> Result<()>,
}

const CHECKS: &[Check] = &[
    Check {
        world: "tom-skype",
        truth: "CN only in the co-branded builds, nothing false",
        holds: builds::tom_skype,
    },
    Check { world: "filter-copy", truth: "copied wherever both words are", holds: filters::told },
    Check { world: "filter-user", truth: "copied where carol is the user", holds: filters::told },
    Check { world: "filter-late", truth: "copied, seconds later", holds: filters::told },
    Check { world: "filter-server", truth: "dropped by the server, by two rules", holds: filters::told },
    Check { world: "filter-both", truth: "dropped and copied", holds: filters::told },
    Check { world: "filter-drop", truth: "dropped by the client", holds: filters::told },
    Check { world: "filter-plain", truth: "copied for anyone to read", holds: filters::told },
    Check { world: "filter-none", truth: "neither dropped nor copied", holds: filters::told },
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
    Check { world: "leaks", truth: "a confined app finds each way shut", holds: ways_out::confined },
    Check {
        world: "leaks",
        truth: "who keeps to the proxy is cleared, none is no network",
        holds: ways_out::held,
    },
    Check { world: "rate", truth: "a rate is found as a rate, and no absolute", holds: builds::rate },
    Check {
        world: "vantages",
        truth: "CN only from abroad, and what a proxy does not carry is no contact",
        holds: builds::vantages,
    },
    Check { world: "same", truth: "nothing is found between A and A", holds: builds::same },
    Check { world: "tom-skype", truth: "messages are dropped and copied", holds: builds::plug_in },
    Check { world: "*", truth: "the tables of places agree with every world", holds: places::agree },
];

pub(crate) fn run(names: &[String]) -> Result<()> {
    must("cargo", &["build", "--locked", "--package", "overheard"], &[])?;
    let wanted = |check: &&Check| names.is_empty() || names.iter().any(|name| name == check.world);
    let queue = Mutex::new(CHECKS.iter().filter(wanted));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || std::iter::from_fn(next).filter(|check| !check.run()).count();
    let broken = std::thread::scope(|scope| {
        let workers = [(); AT_A_TIME].map(|()| scope.spawn(work));
        workers.map(|worker| worker.join().unwrap_or(1)).iter().sum::<usize>()
    });
    ensure!(broken == 0, "{broken} truths do not hold");
    Ok(())
}

impl Check {
    /// Prints whether it holds and how long that took.
    fn run(&self) -> bool {
        let begun = Instant::now();
        let result = (self.holds)(&World { name: self.world });
        let what = format!("{:<13} {} ({:.1} s)", self.world, self.truth, begun.elapsed().as_secs_f64());
        match &result {
            Ok(()) => eprintln!("holds   {what}"),
            Err(error) => eprintln!("broken  {what}\n        {error:#}"),
        }
        result.is_ok()
    }
}

/// One world, by the name of its file.
struct World {
    name: &'static str,
}

/// What a command at a vantage said.
struct Said {
    code: i32,
    /// Standard output.
    out: String,
    err: String,
}

impl Said {
    fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
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
        ensure!(said.code == 0, "exit code {}: {}", said.code, said.all());
        Ok(said.out)
    }
}

/// Runs a command in the root folder; what it wrote.
fn said(mut command: Command) -> Result<Said> {
    let output =
        command.current_dir(root()).output().with_context(|| format!("{command:?} did not start"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = Said {
        code: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    };
    // What is missing here is nothing that a world could answer for.
    ensure!(said.code != 3 || !said.err.contains("hint: "), "{}", said.all());
    Ok(said)
}

/// The program, as it was just built.
fn program() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from);
    let program = folder.join("debug/overheard");
    program.canonicalize().unwrap_or(program)
}
