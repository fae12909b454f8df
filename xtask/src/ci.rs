//! `cargo xtask ci`: everything that a change must pass, cheap to dear; `cargo xtask bless`.
//!
//! Needs valgrind for the last of it.

use crate::{fuzz, instructions, must, tidy};
use anyhow::Result;

pub(crate) fn run(_args: &[String]) -> Result<()> {
    must("cargo", &["fmt", "--all", "--check"], &[])?;
    tidy::run(&[])?;
    must("cargo", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], &[])?;
    must("cargo", &["test", "--workspace", "--locked"], &[])?;
    fuzz::check()?;
    let doc = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    must("cargo", &doc, &[("RUSTDOCFLAGS", "-D warnings")])?;
    instructions::run(&[])
}

/// Accepts what the program prints now as what it shall print: look at the difference before you commit.
pub(crate) fn bless(_args: &[String]) -> Result<()> {
    must(
        "cargo",
        &["test", "--workspace"],
        &[("INSTA_UPDATE", "always"), ("INSTA_FORCE_PASS", "1"), ("OVERHEARD_BLESS", "1")],
    )?;
    must("git", &["diff", "--stat"], &[])
}
