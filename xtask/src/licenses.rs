//! `cargo xtask licenses`: the libraries inside the program, with their licences.
//!
//! Promises: refuses a library under a licence that is not on the list of those we link.

use crate::root;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::Command;

/// One of the alternatives of a licence expression must consist of these.
const LINKED: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MPL-2.0",
    "Zlib",
    "0BSD",
    "Unlicense",
    "CC0-1.0",
    "Unicode-3.0",
    "BSL-1.0",
];

pub(crate) const FILE: &str = "crates/overheard/licenses.txt";

pub(crate) fn run(_args: &[String]) -> Result<()> {
    std::fs::write(root().join(FILE), list()?)?;
    Ok(())
}

/// The list as it should stand in the file.
pub(crate) fn list() -> Result<String> {
    let args =
        ["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"];
    let output = Command::new("cargo").args(args).current_dir(root()).output()?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let linked = linked(&metadata)?;
    let mut list = String::new();
    for package in metadata["packages"].as_array().context("packages")? {
        let id = package["id"].as_str().unwrap_or_default();
        if package["source"].is_null() || !linked.contains(id) {
            continue;
        }
        let text = |field: &str| package[field].as_str().unwrap_or("unknown").to_owned();
        let license = text("license");
        if !allowed(&license) {
            bail!("{} {} is under {license}, which we do not link", text("name"), text("version"));
        }
        writeln!(list, "  {} {}: {license}", text("name"), text("version"))?;
    }
    Ok(list)
}

/// Ids of all packages that the program links: normal dependencies, walked from `overheard`.
fn linked(metadata: &Value) -> Result<BTreeSet<String>> {
    let nodes = metadata["resolve"]["nodes"].as_array().context("resolve.nodes")?;
    let by_id: BTreeMap<&str, &Value> =
        nodes.iter().filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let ids = by_id.keys().copied();
    let mut open: Vec<&str> = ids.filter(|id| id.contains("crates/overheard#")).collect();
    let mut linked = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !linked.insert(id.to_owned()) {
            continue;
        }
        let deps = by_id.get(id).and_then(|node| node["deps"].as_array()).into_iter().flatten();
        let normal = deps.filter(|dep| {
            dep["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        });
        open.extend(normal.filter_map(|dep| dep["pkg"].as_str()));
    }
    Ok(linked)
}

fn allowed(license: &str) -> bool {
    let words = license.replace('/', " OR ").replace(['(', ')'], " ");
    words.split(" OR ").any(|choice| {
        choice.split(" AND ").all(|term| {
            let term = term.split(" WITH ").next().unwrap_or(term).trim();
            LINKED.contains(&term)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn a_copyleft_licence_needs_a_free_alternative() {
        assert!(allowed("MIT OR Apache-2.0"));
        assert!(allowed("Apache-2.0 AND ISC"));
        assert!(allowed("GPL-3.0 OR MIT"));
        assert!(!allowed("GPL-3.0-or-later"));
        assert!(!allowed("MIT AND GPL-2.0"));
    }
}
