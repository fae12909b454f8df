//! What a study was begun with (`study.json` and `plan.toml`), and what was changed since.
//!
//! Promises: both files are written whole or not at all; a change never replaces what stood before it.

use super::fault::{LedgerFault, at};
use super::pedigree::Pedigree;
use crate::gateway::without_login;
use crate::schedule::{self, Plan};
use overheard_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Version of the folder's format.
pub const FORMAT: u32 = 1;

/// What a study was begun with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    pub format: u32,
    pub began: Timestamp,
    /// SHA-256 of the plan.
    pub plan: String,
    pub terms: Terms,
    pub builds: Vec<Pedigree>,
    /// What the builds called themselves before the first run.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// Accepted since, the oldest first.
    pub changes: Vec<Change>,
}

/// How many runs, and when to stop: what the command line may set beside the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub repeats: u32,
    pub until_settled: bool,
}

/// A change that was accepted after runs were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub at: Timestamp,
    pub plan: String,
    pub terms: Terms,
    pub builds: Vec<Pedigree>,
    /// Runs that stood before it.
    pub runs: usize,
}

impl Charter {
    /// What is in force: the last change, or the beginning.
    fn current(&self) -> (&str, Terms, &[Pedigree]) {
        match self.changes.last() {
            Some(change) => (&change.plan, change.terms, &change.builds),
            None => (&self.plan, self.terms, &self.builds),
        }
    }

    pub(super) fn is_as(&self, now: &Self) -> bool {
        self.current() == (&now.plan, now.terms, &now.builds)
    }

    pub(super) fn change(&mut self, now: Self, runs: usize) {
        let Self { began, plan, terms, builds, .. } = now;
        self.changes.push(Change { at: began, plan, terms, builds, runs });
    }

    /// What differs, a line each: `-` as it was, `+` as it is.
    pub(super) fn differences(&self, now: &Self, old: &str, new: &str) -> Vec<String> {
        let (_, terms, builds) = self.current();
        let mut lines = changed_lines(old, new);
        if terms.repeats != now.terms.repeats && lines.iter().all(|line| !line.contains("repeats")) {
            lines.push(format!("- repeats {}", terms.repeats));
            lines.push(format!("+ repeats {}", now.terms.repeats));
        }
        if terms.until_settled != now.terms.until_settled {
            let sign = if now.terms.until_settled { '+' } else { '-' };
            lines.push(format!("{sign} --until-settled"));
        }
        for (was, is) in builds.iter().zip(&now.builds) {
            lines.extend(was.differences(is));
        }
        lines
    }
}

/// Lines of one text that the other does not have: a summary, not a patch.
fn changed_lines(old: &str, new: &str) -> Vec<String> {
    let absent =
        |line: &&str, from: &str| !line.trim().is_empty() && !from.lines().any(|known| known == *line);
    // Of a proxy, its login may stand in a line.
    let shown = |line: &str| if line.contains("://") { without_login(line) } else { line.into() };
    let gone = old.lines().filter(|line| absent(line, new)).map(|line| format!("- {}", shown(line)));
    let come = new.lines().filter(|line| absent(line, old)).map(|line| format!("+ {}", shown(line)));
    gone.chain(come).collect()
}

/// Begins a new study in a folder that is locked. It is one from the moment `study.json` is there.
pub(super) fn found(root: &Path, plan: &Plan, charter: &Charter) -> Result<(), LedgerFault> {
    let runs = root.join("runs");
    fs::create_dir_all(&runs).map_err(at(&runs))?;
    write(root, charter, plan)
}

/// Writes the charter and the plan that is in force.
pub(super) fn write(root: &Path, charter: &Charter, plan: &Plan) -> Result<(), LedgerFault> {
    put(&root.join(plan_name(charter.changes.len())), plan.text.as_bytes())?;
    write_charter(root, charter)
}

pub(super) fn write_charter(root: &Path, charter: &Charter) -> Result<(), LedgerFault> {
    let mut json = serde_json::to_vec_pretty(charter).map_err(|error| at(root)(error.into()))?;
    json.push(b'\n');
    put(&root.join("study.json"), &json)
}

pub(super) fn read(root: &Path) -> Result<Charter, LedgerFault> {
    let path = root.join("study.json");
    let text = fs::read(&path).map_err(at(&path))?;
    let charter: Charter = serde_json::from_slice(&text).map_err(|error| LedgerFault::Damaged {
        path: path.clone(),
        what: format!("no charter of a study: {error}"),
    })?;
    match charter.format {
        FORMAT => Ok(charter),
        other => Err(LedgerFault::Damaged {
            path,
            what: format!("format {other}, and this program reads format {FORMAT}"),
        }),
    }
}

/// The plan after so many changes, as it was kept.
pub(super) fn plan(root: &Path, charter: &Charter, changes: usize) -> Result<Plan, LedgerFault> {
    let path = root.join(plan_name(changes));
    let sha256 = match changes.checked_sub(1).and_then(|last| charter.changes.get(last)) {
        Some(change) => &change.plan,
        None => &charter.plan,
    };
    let damaged = |what: String| LedgerFault::Damaged { path: path.clone(), what };
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    let plan = schedule::read(&text).map_err(|fault| damaged(fault.to_string()))?;
    match plan.sha256 == *sha256 {
        true => Ok(plan),
        false => Err(damaged("it is not the plan whose hash study.json keeps".into())),
    }
}

fn plan_name(changes: usize) -> String {
    match changes {
        0 => "plan.toml".into(),
        changes => format!("plan-{}.toml", changes + 1),
    }
}

/// Writes a file of its owner's alone, for a plan may hold a proxy's login, whole or not at all; what a killed call
/// left of it is written over.
fn put(path: &Path, content: &[u8]) -> Result<(), LedgerFault> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.partial"));
    let mut options = OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(&draft);
    let mut file = opened.map_err(at(&draft))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(at(&draft))?;
    fs::rename(&draft, path).map_err(at(path))?;
    sync_folder(folder)
}

/// Has a folder's entries reach the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), LedgerFault> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}
