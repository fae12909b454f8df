//! The last of what an app printed: bounded, and searched from a place on.

/// Characters kept.
const KEPT: usize = 64 * 1024;

/// A text of which the beginning is forgotten; places count from its very first byte.
#[derive(Debug, Default)]
pub(super) struct Tail {
    text: String,
    forgotten: usize,
}

impl Tail {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        // Twice the bound before anything moves, so that each byte is moved once at most.
        if self.text.len() > 2 * KEPT {
            let mut cut = self.text.len() - KEPT;
            while !self.text.is_char_boundary(cut) {
                cut += 1;
            }
            self.text.drain(..cut);
            self.forgotten += cut;
        }
    }

    /// The place behind the first occurrence of `wanted` at or after `from`.
    pub(super) fn find(&self, wanted: &str, from: usize) -> Option<usize> {
        let start = from.saturating_sub(self.forgotten);
        let found = self.text.get(start..)?.find(wanted)?;
        Some(self.forgotten + start + found + wanted.len())
    }

    /// What is kept.
    pub(super) fn text(&self) -> &str {
        let mut from = self.text.len().saturating_sub(KEPT);
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        &self.text[from..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_outlast_what_is_forgotten() {
        let mut tail = Tail::default();
        tail.push("ready ");
        let first = tail.find("ready", 0).unwrap();
        assert_eq!((first, tail.find("ready", first)), (5, None));
        (0..40_000).for_each(|_| tail.push("é---"));
        tail.push("ready");
        assert_eq!(tail.find("ready", first), Some(tail.forgotten + tail.text.len()));
        assert!(tail.text().len() <= KEPT && tail.text().ends_with("ready"));
    }

    #[test]
    fn a_place_behind_the_end_finds_nothing() {
        assert_eq!(Tail::default().find("", 9), None);
    }
}
