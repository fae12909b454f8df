//! Texts that people wrote: files in UTF-8, one text a line.
//!
//! Promises: a byte order mark, white space at the ends of lines, empty lines and repeated lines are of no consequence;
//! normal forms are left as they are, since filters compare bytes.

use crate::exit::{Failure, Result};
use overheard_report::safe;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// The lines of a file, each once, none of them empty; at least one.
pub fn lines(path: &Path) -> Result<Vec<String>> {
    let text = read(path)?;
    let mut seen = HashSet::new();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && seen.insert(*line));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    if lines.is_empty() {
        return Err(
            Failure::new(format!("{}: no words", path.display())).hint("give a file with one text a line")
        );
    }
    Ok(lines)
}

/// A whole file.
pub fn read(path: &Path) -> Result<String> {
    let text = fs::read(path).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display())).hint("give a text file in UTF-8")
    })?;
    let text = String::from_utf8(text).map_err(|_| {
        Failure::new(format!("{}: not UTF-8", path.display())).hint("convert it first, such as with iconv")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// Characters of a text that is named.
const SHORT: usize = 24;

/// Its first characters, inert, for a sentence that names it.
pub fn shortened(text: &str) -> String {
    let named = match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    safe(&named).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_counts_once_and_normal_forms_stay_apart() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text =
            "\u{feff}caf\u{e9}\n\n  \ncafe\u{301}\r\ncaf\u{e9}\n\u{5e9}\u{5dc}\u{5d5}\u{5dd}\n👩\u{200d}🚀";
        fs::write(file.path(), text).unwrap();
        let lines = lines(file.path()).unwrap();
        assert_eq!(lines, ["caf\u{e9}", "cafe\u{301}", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}", "👩\u{200d}🚀"]);
    }

    #[test]
    fn a_hundred_thousand_lines_are_read_and_none_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text: String = (0..100_000).map(|at| format!("word{at}\n")).collect();
        fs::write(file.path(), text).unwrap();
        assert_eq!(lines(file.path()).unwrap().len(), 100_000);
        fs::write(file.path(), " \n\n").unwrap();
        assert!(lines(file.path()).is_err());
        fs::write(file.path(), [0xff, 0xfe]).unwrap();
        assert!(read(file.path()).is_err());
    }
}
