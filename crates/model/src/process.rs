//! A process that sent something, and those that it descends from.
//!
//! Source: what the kernel says under `/proc/PID`. Command lines are left out: they hold secrets.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A process as it was when its flow began.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Parent {
    pub pid: u32,
    pub name: String,
}

impl fmt::Display for Process {
    /// `curl (pid 12, /usr/bin/curl) < bash (pid 7) < init (pid 1)`; what would break this form is escaped, since
    /// programs name themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {}", Escaped(&self.name, &NAME), self.pid)?;
        if let Some(exe) = &self.exe {
            write!(f, ", {}", Escaped(exe, &FILE))?;
        }
        f.write_str(")")?;
        let mut parents = self.parents.iter();
        parents.try_for_each(|it| write!(f, " < {} (pid {})", Escaped(&it.name, &NAME), it.pid))
    }
}

impl FromStr for Process {
    type Err = String;

    /// Reads what [`Process`] displays, and nothing else.
    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let mut steps = text.split(" < ").map(step);
            let (name, pid, exe) = steps.next()??;
            let parent = |it: Option<(String, u32, Option<String>)>| match it? {
                (name, pid, None) => Some(Parent { pid, name }),
                _ => None,
            };
            let parents = steps.map(parent).collect::<Option<_>>()?;
            Some(Self { pid, name, exe, parents })
        };
        read()
            .ok_or_else(|| format!("{text:?} is no process: NAME (pid NUMBER, FILE) < NAME (pid NUMBER) < …"))
    }
}

/// Name, number and file of `NAME (pid NUMBER, FILE)`.
fn step(text: &str) -> Option<(String, u32, Option<String>)> {
    let (name, rest) = text.strip_suffix(')')?.split_once(" (pid ")?;
    let (pid, exe) = match rest.split_once(", ") {
        Some((pid, exe)) => (pid, Some(unescaped(exe)?)),
        None => (rest, None),
    };
    Some((unescaped(name)?, pid.parse().ok()?, exe))
}

/// What is escaped in a name, and in a file, which may hold brackets.
const NAME: [char; 3] = ['\\', '<', '('];
const FILE: [char; 2] = ['\\', '<'];

/// Text without control characters and without these.
struct Escaped<'a>(&'a str, &'a [char]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, marks) = self;
        text.chars().try_for_each(|c| match c.is_control() || marks.contains(&c) {
            true => write!(f, "{}", c.escape_unicode()),
            false => write!(f, "{c}"),
        })
    }
}

/// Undoes [`Escaped`]: `\u{a}` is a line feed.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('\\');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.strip_prefix("u{")?.split_once('}')?;
        plain.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_from_the_process_up_and_on_one_line() {
        let process = Process {
            pid: 12,
            name: "cu\nrl".into(),
            exe: Some("/usr/bin/curl (deleted)".into()),
            parents: vec![Parent { pid: 7, name: "(sd)".into() }, Parent { pid: 1, name: "init".into() }],
        };
        let shown = r"cu\u{a}rl (pid 12, /usr/bin/curl (deleted)) < \u{28}sd) (pid 7) < init (pid 1)";
        assert_eq!(process.to_string(), shown);
    }

    #[test]
    fn what_is_no_process_is_none() {
        for text in [
            "",
            "unknown",
            "curl",
            "curl (pid x)",
            "a (pid 1) < b",
            "a (pid 1) < b (pid 2, /b)",
            r"\n (pid 1)",
        ] {
            assert!(text.parse::<Process>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_displayed_is_parsed(
            (pid, name, exe) in (any::<u32>(), text(), proptest::option::of(text())),
            parents in proptest::collection::vec((any::<u32>(), text()), 0..4),
        ) {
            let parents = parents.into_iter().map(|(pid, name)| Parent { pid, name }).collect();
            let process = Process { pid, name, exe, parents };
            prop_assert_eq!(process.to_string().parse(), Ok(process));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in text()) {
            let _ = text.parse::<Process>();
        }
    }

    /// Any text, and often what the form is made of.
    fn text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            any::<String>(),
            proptest::sample::select(vec![" (pid ", "7", ")", ", ", " < ", "\\", "\\u{", "}", "\n", ""])
                .prop_map(String::from),
        ];
        proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
    }
}
