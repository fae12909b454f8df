//! A process that sent something, and those that it descends from.
//!
//! Source: what the kernel says under `/proc/PID`. Command lines are left out: they hold secrets.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A process as it was when its flow began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// As processes of the same room see it.
    pub pid: u32,
    /// What the kernel calls it: at most 15 bytes, chosen by the program itself.
    pub name: String,
    /// The program's file, where it could be read.
    pub exe: Option<String>,
    /// Nearest first, up to the first process of the room.
    pub parents: Vec<Parent>,
}

/// One step up from a [`Process`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    pub pid: u32,
    pub name: String,
}

impl fmt::Display for Process {
    /// `curl (pid 12, /usr/bin/curl) < bash (pid 7) < init (pid 1)`; control characters are escaped, since
    /// programs name themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {}", Plain(&self.name), self.pid)?;
        if let Some(exe) = &self.exe {
            write!(f, ", {}", Plain(exe))?;
        }
        f.write_str(")")?;
        self.parents
            .iter()
            .try_for_each(|parent| write!(f, " < {} (pid {})", Plain(&parent.name), parent.pid))
    }
}

/// Text without control characters.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => write!(f, "{c}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_from_the_process_up_and_on_one_line() {
        let process = Process {
            pid: 12,
            name: "cu\nrl".into(),
            exe: Some("/usr/bin/curl".into()),
            parents: vec![Parent { pid: 7, name: "bash".into() }, Parent { pid: 1, name: "init".into() }],
        };
        assert_eq!(process.to_string(), r"cu\nrl (pid 12, /usr/bin/curl) < bash (pid 7) < init (pid 1)");
    }
}
