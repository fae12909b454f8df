//! `cargo xtask tidy`: the architecture's invariants, each one rule.
//!
//! Promises: names the file and what to do. To extend: a function that pushes onto the list of
//! complaints, and a line in [`run`].

use crate::{licenses, root};
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The stages of the path, in order: each knows the model and no other stage.
const STAGES: &[&str] = &["probe", "dissect", "store", "analyze", "report"];

/// Names that say what kind of code a file holds instead of what it is about.
const KINDS: &[&str] = &[
    "util", "utils", "common", "types", "core", "helpers", "helper", "misc", "manager", "handler", "session",
    "data", "info", "item",
];

const LONGEST: usize = 600;
const MEDIAN: usize = 200;

pub(crate) fn run(_args: &[String]) -> Result<()> {
    let mut complaints = Vec::new();
    let files = rust_files(&root())?;
    arrows(&files, &mut complaints);
    manifests(&mut complaints)?;
    openings(&files, &mut complaints);
    lengths(&files, &mut complaints);
    names(&files, &mut complaints);
    unsafety(&mut complaints)?;
    if fs::read_to_string(root().join(licenses::FILE))? != licenses::list()? {
        complaints.push(format!("{}: stale: run `cargo xtask licenses`", licenses::FILE));
    }
    if complaints.is_empty() {
        eprintln!("tidy: {} files, nothing to complain of", files.len());
        return Ok(());
    }
    for complaint in &complaints {
        eprintln!("tidy: {complaint}");
    }
    bail!("{} complaints", complaints.len())
}

struct Source {
    /// Relative to the root.
    path: PathBuf,
    text: String,
}

impl Source {
    fn krate(&self) -> Option<&str> {
        let mut parts = self.path.iter().filter_map(|part| part.to_str());
        (parts.next() == Some("crates")).then(|| parts.next()).flatten()
    }
}

fn rust_files(root: &Path) -> Result<Vec<Source>> {
    let mut files = Vec::new();
    let mut folders = ["crates", "fuzz", "xtask"].map(|folder| root.join(folder)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                files.push(Source { path: path.strip_prefix(root)?.to_path_buf(), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// A stage knows the model and no other stage; in the program only the pipeline knows two, benches apart.
fn arrows(files: &[Source], complaints: &mut Vec<String>) {
    for file in files {
        let Some(krate) = file.krate() else { continue };
        let named = |stage: &&&str| file.text.contains(&format!("overheard_{stage}"));
        let known: Vec<&str> =
            STAGES.iter().filter(|stage| **stage != krate).filter(named).copied().collect();
        let path = file.path.display();
        match (krate, &known[..]) {
            (_, []) | ("overheard", [_]) => {}
            ("overheard", _) if is_pipeline(&file.path) => {}
            // They time the walk that the pipeline makes.
            ("overheard", _) if file.path.starts_with("crates/overheard/benches") => {}
            ("overheard", _) => {
                complaints.push(format!("{path}: only the pipeline knows two stages: {known:?}"))
            }
            _ => complaints.push(format!("{path}: {krate} must not know {}", known.join(", "))),
        }
    }
}

/// The tour, and what it leaves to files of its own folder.
fn is_pipeline(path: &Path) -> bool {
    path.ends_with("overheard/src/pipeline.rs") || path.starts_with("crates/overheard/src/pipeline")
}

fn manifests(complaints: &mut Vec<String>) -> Result<()> {
    for krate in STAGES.iter().chain(&["model"]) {
        let path = format!("crates/{krate}/Cargo.toml");
        let text = fs::read_to_string(root().join(&path))?;
        let ours = text.lines().filter(|line| line.starts_with("overheard-"));
        for line in ours.filter(|line| *krate == "model" || !line.starts_with("overheard-model")) {
            complaints
                .push(format!("{path}: `{line}`: a stage depends on the model alone, the model on nothing"));
        }
    }
    Ok(())
}

fn openings(files: &[Source], complaints: &mut Vec<String>) {
    for file in files.iter().filter(|file| !file.text.starts_with("//!")) {
        complaints.push(format!("{}: begins without a module comment (//!)", file.path.display()));
    }
}

fn lengths(files: &[Source], complaints: &mut Vec<String>) {
    let mut lengths: Vec<usize> = files.iter().map(|file| file.text.lines().count()).collect();
    for (file, length) in files.iter().zip(&lengths).filter(|(_, length)| **length > LONGEST) {
        complaints
            .push(format!("{}: {length} lines, over {LONGEST}: split it by subject", file.path.display()));
    }
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    if median >= MEDIAN {
        complaints.push(format!("the median file has {median} lines, {MEDIAN} or more"));
    }
}

fn names(files: &[Source], complaints: &mut Vec<String>) {
    for file in files {
        let mut stems = file.path.iter().filter_map(|part| part.to_str());
        if let Some(kind) = stems.find(|stem| KINDS.contains(&stem.trim_end_matches(".rs"))) {
            complaints.push(format!("{}: {kind} names a kind, not a subject", file.path.display()));
        }
    }
}

fn unsafety(complaints: &mut Vec<String>) -> Result<()> {
    for krate in ["model", "dissect", "store", "analyze", "report"] {
        let path = format!("crates/{krate}/src/lib.rs");
        if !fs::read_to_string(root().join(&path))?.contains("#![forbid(unsafe_code)]") {
            complaints.push(format!("{path}: must forbid unsafe code"));
        }
    }
    Ok(())
}
