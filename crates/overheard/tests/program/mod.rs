//! Runs the built program as a user would, from the repository's root.
#![allow(dead_code, reason = "each test file uses its part of it")]

pub mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Data that others made, where it lies beside the checkout.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(folder);
    if !path.exists() {
        eprintln!("skipped: ../shared/data/{folder} is not here");
    }
    path.exists().then_some(path)
}

/// Holds a stage's output to its golden in the corpus; `cargo xtask bless` writes it anew.
pub fn golden(path: &str, text: &str) {
    let file = root().join("corpus").join(path);
    if std::env::var_os("OVERHEARD_BLESS").is_some() {
        std::fs::write(&file, text).unwrap_or_else(|error| panic!("{path}: {error}"));
        return;
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    let differs = golden.lines().zip(text.lines()).position(|(old, new)| old != new);
    let at = differs.unwrap_or(golden.lines().count().min(text.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
    assert!(golden == text, "{path}, line {}:\n- {}\n+ {}", at + 1, line(&golden), line(text));
}

/// What the program answered.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// One JSON object a line.
    pub fn records(&self, kind: &str) -> Vec<serde_json::Value> {
        let parse = |line: &str| serde_json::from_str(line).expect("a line is an object");
        let records = self.stdout.lines().map(parse);
        records.filter(|record: &serde_json::Value| record["record"] == kind).collect()
    }

    /// An error that names the thing and hints at the next step.
    pub fn refuses(&self, thing: &str) {
        assert_eq!(self.code, 2, "{self:?}");
        assert_eq!(self.stdout, "", "an error leaves standard output alone");
        assert!(self.stderr.contains(thing), "{thing:?} is not in {}", self.stderr);
        assert!(self.stderr.contains("hint: "), "no hint in {}", self.stderr);
    }
}

pub fn overheard<A: AsRef<std::ffi::OsStr>>(args: &[A]) -> Answer {
    let program = command(args).stdin(Stdio::null()).output();
    answer(program.expect("the program starts"))
}

/// With bytes on standard input.
pub fn overheard_fed<A: AsRef<std::ffi::OsStr>>(args: &[A], input: &[u8]) -> Answer {
    use std::io::Write;
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that refuses its input may close it early: that is its right.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    answer(child.wait_with_output().expect("the program ends"))
}

pub fn command<A: AsRef<std::ffi::OsStr>>(args: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overheard"));
    command.args(args).current_dir(root()).env_remove("NO_COLOR");
    command
}

fn answer(output: Output) -> Answer {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    Answer {
        code: output.status.code().expect("no signal ended it"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
