//! How the program ends: its exit codes, and errors that hint at the next step.

use overheard_report::safe;
use std::fmt;
use std::process::ExitCode;

/// The exit codes, as `overheard --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing of concern was found.
    Clear = 0,
    /// Something was found.
    Findings = 1,
    /// The command was wrong, or it failed.
    Failed = 2,
    /// A privilege or a tool is missing; `overheard doctor` names it.
    Missing = 3,
    /// Too few runs to say.
    Abstained = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error for the user: what is wrong, and what to do next.
#[derive(Debug)]
pub struct Failure {
    what: String,
    hint: Option<String>,
    pub exit: Exit,
}

/// The result of everything that a user's input can make fail.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// `what` names the thing and says what was expected.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, exit: Exit::Failed }
    }

    /// A failure that is what was asked for: something was found.
    pub fn finding(what: impl Into<String>) -> Self {
        Self { exit: Exit::Findings, ..Self::new(what) }
    }

    /// Adds the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // File names and what readers quote come from anywhere: a terminal shows this.
        write!(f, "error: {}", lines(&self.what))?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {}", lines(hint)),
            None => Ok(()),
        }
    }
}

/// Lines stay lines, indented so that none of them passes for another error; each is safe.
fn lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_several_lines_is_shown_as_such_and_cannot_pass_for_two() {
        let failure = Failure::new("a plan: line 3\n  | runs = \u{1b}[2J\nerror: another");
        assert_eq!(failure.to_string(), "error: a plan: line 3\n    | runs = \u{fffd}[2J\n  error: another");
    }
}
