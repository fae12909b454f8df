//! The words of `fuzz/dictionary.txt`: magic numbers, versions, and words of protocols.
//!
//! Format: libFuzzer's and AFL's, a word in quotes a line, `\xNN` for a byte, `\\` and `\"` for themselves.

const TEXT: &str = include_str!("../dictionary.txt");

/// Every word as bytes.
pub fn words() -> Vec<Vec<u8>> {
    let quoted = TEXT.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'));
    quoted.map(unescaped).collect()
}

fn unescaped(quoted: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = quoted.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = || u8::from_str_radix(std::str::from_utf8(after.get(1..3)?).ok()?, 16).ok();
        let (byte, taken) = match (first, after.first()) {
            (b'\\', Some(b'x')) => (hex().unwrap_or(b'?'), 3),
            (b'\\', Some(escaped)) => (*escaped, 1),
            _ => (*first, 0),
        };
        bytes.push(byte);
        rest = after.get(taken..).unwrap_or_default();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_comment_or_a_word() {
        let lines = TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(words().len(), lines);
        assert!(words().iter().all(|word| !word.is_empty() && word.len() <= 64));
        assert_eq!(unescaped(r#"a\x0d\"\\"#), b"a\x0d\"\\");
    }
}
