//! From arguments to artifacts: `BUILD=PATH`, folders, patterns, standard input.
//!
//! Promises: files come in a fixed order (as given; sorted within a folder or a pattern). Every error
//! names the argument.

use crate::exit::{Failure, Result};
use overheard_model::Problem;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One artifact to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    path: PathBuf,
    /// The user named this very file; otherwise a folder or a pattern brought it.
    named: bool,
}

impl Input {
    /// The path as reports show it; `-` is standard input.
    pub fn path(&self) -> Arc<str> {
        self.path.to_string_lossy().into()
    }

    /// Where it lies.
    pub fn file(&self) -> &Path {
        &self.path
    }

    /// Whether it must be a capture: the user named it, or its name says so. Of a folder's other files
    /// (notes, keys) those that are none are left out.
    pub fn is_meant(&self) -> bool {
        let name = self.path.to_string_lossy().to_ascii_lowercase();
        let plain = name.trim_end_matches(".gz").trim_end_matches(".zst");
        self.named || [".pcap", ".pcapng", ".cap", ".dmp"].iter().any(|ending| plain.ends_with(ending))
    }

    /// Size in bytes, where it is known before reading.
    pub fn size(&self) -> Option<u64> {
        fs::metadata(&self.path).ok().map(|metadata| metadata.len())
    }

    pub fn is_table(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
    }

    pub fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    pub fn open(&self) -> Result<Box<dyn Read + Send>> {
        if self.is_stdin() {
            return Ok(Box::new(io::stdin()));
        }
        File::open(&self.path).map(|file| Box::new(file) as _).map_err(|error| self.unreadable(&error))
    }

    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes).map_err(|error| self.unreadable(&error))?;
        Ok(bytes)
    }

    /// The error for bytes that are no capture.
    pub fn no_capture(&self, problems: &[Problem]) -> Failure {
        let what = problems.first().map_or("neither pcap nor pcapng", |problem| &problem.text);
        Failure::new(format!("{}: no capture: {what}", self.path()))
            .hint("expected pcap or pcapng, plain or compressed with gzip or zstd")
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        Failure::new(format!("{}: {error}", self.path())).hint("check the path and its permissions")
    }
}

/// The file's name without its folders: what a run is called.
pub fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The artifacts that one path stands for: a file, a folder (with all below it), a pattern, or `-`.
pub fn inputs(argument: &str) -> Result<Vec<Input>> {
    let path = PathBuf::from(argument);
    if argument == "-" || path.is_file() {
        return Ok(vec![Input { path, named: true }]);
    }
    let mut found = Vec::new();
    if path.is_dir() {
        walk(&path, &mut found)?;
    } else if argument.contains(['*', '?', '[']) {
        expand(argument, &mut found)?;
    } else if path.exists() {
        // A named pipe or a device: read it as it comes.
        return Ok(vec![Input { path, named: true }]);
    } else {
        return Err(Failure::new(format!("{argument}: there is no such file or folder"))
            .hint("give a capture file, a folder of them, a pattern in quotes, or - for standard input"));
    }
    if found.is_empty() {
        return Err(Failure::new(format!("{argument}: no files there"))
            .hint("expected at least one pcap or pcapng file"));
    }
    found.sort();
    Ok(found.into_iter().map(|path| Input { path, named: false }).collect())
}

/// Builds in the order given: `NAME=PATH`, further paths belonging to the name before them.
pub fn builds(arguments: &[String]) -> Result<Vec<(String, Vec<Input>)>> {
    let mut builds: Vec<(String, Vec<Input>)> = Vec::new();
    for argument in arguments {
        match split(argument) {
            Some((name, path)) => {
                if builds.iter().any(|(known, _)| known == name) {
                    return Err(Failure::new(format!("two builds are called {name}")).hint(format!(
                        "give all its runs at once: {name}=FOLDER, or {name}=FIRST SECOND …"
                    )));
                }
                builds.push((name.to_owned(), inputs(path)?));
            }
            None => match builds.last_mut() {
                Some((_, runs)) => runs.extend(inputs(argument)?),
                None => {
                    return Err(Failure::new(format!("{argument}: which build is this?"))
                        .hint(format!("write NAME={}", argument.trim_end_matches('='))));
                }
            },
        }
    }
    Ok(builds)
}

/// `NAME=PATH`, unless the whole argument is a file that happens to hold an `=`.
fn split(argument: &str) -> Option<(&str, &str)> {
    let (name, path) = argument.split_once('=')?;
    let is_name = !name.is_empty() && !name.contains('/') && !path.is_empty();
    (is_name && !Path::new(argument).exists()).then_some((name, path))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |error: io::Error| Failure::new(format!("{}: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match () {
            () if hidden => {}
            // Links to folders are not followed: they may lead in circles.
            () if kind.is_dir() => walk(&entry.path(), found)?,
            () if entry.path().is_file() => found.push(entry.path()),
            () => {}
        }
    }
    Ok(())
}

fn expand(pattern: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    let paths = glob::glob(pattern)
        .map_err(|error| Failure::new(format!("{pattern}: {error}")).hint("put the pattern in quotes"))?;
    found.extend(paths.flatten().filter(|path| path.is_file()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_a_name_and_a_path() {
        assert_eq!(split("regular=caps/regular"), Some(("regular", "caps/regular")));
        assert_eq!(split("caps/a=b.pcap"), None, "a folder before the = is no name");
        assert_eq!(split("run1.pcap"), None);
        assert_eq!(split("=x"), None);
    }

    #[test]
    fn a_capture_by_its_name_must_be_one() {
        let brought = |path: &str| Input { path: path.into(), named: false };
        assert!(brought("runs/run1.pcapng.gz").is_meant());
        assert!(!brought("runs/README.md").is_meant());
    }

    #[test]
    fn a_path_without_a_build_is_refused() {
        let failure = builds(&["run1.pcap".into()]).unwrap_err().to_string();
        assert!(failure.contains("NAME=run1.pcap"), "{failure}");
    }
}
