//! Lists of words that others made, where they lie beside the checkout.
//!
//! Promises: whatever is in the folder is read as text, line by line and field by field; nothing of it is kept.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Longest word that is taken, characters.
const LONGEST: usize = 8;

/// All fields of all files that are words of Chinese characters.
pub(super) fn listed(folder: &Path) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(text) = fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) else {
                continue;
            };
            let fields = text.split(['\n', '\r', ',', '\t', '"', '|']).map(str::trim);
            words.extend(fields.filter(|field| is_word(field)).map(str::to_owned));
        }
    }
    words
}

fn is_word(field: &str) -> bool {
    let han = |character| matches!(character, '\u{3400}'..='\u{9fff}');
    (1..=LONGEST).contains(&field.chars().count()) && field.chars().all(han)
}
