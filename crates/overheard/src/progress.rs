//! Progress on standard error, for long reads by a person at a terminal; silent in a pipe.

use indicatif::{ProgressBar, ProgressStyle};
use overheard_report::safe;
use std::io::{IsTerminal, Read, stderr};

/// A bar over all bytes to be read.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// `bytes` in all, where they are known.
    pub fn new(bytes: Option<u64>) -> Self {
        if !stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = match bytes {
            Some(bytes) => ProgressBar::new(bytes),
            None => ProgressBar::no_length(),
        };
        let style =
            ProgressStyle::with_template("{bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    /// Says what is being read now.
    pub fn on(&self, build: &str, path: &str) {
        self.bar.set_message(safe(&format!("{build}: {path}")).into_owned());
    }

    /// No bar: runs are told one by one.
    pub fn lines() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    /// Prints how far a study is, also in a pipe.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{}", safe(line)));
    }

    /// Prints a line above the bar, also in a pipe.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| eprintln!("note: {}", safe(line)));
    }

    /// Counts what is read through the result.
    pub fn watch(&self, source: Box<dyn Read>) -> impl Read + use<> {
        self.bar.wrap_read(source)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
