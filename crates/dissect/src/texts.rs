//! Texts that are said again and again, each kept once: host names and fingerprints.
//!
//! Promises: memory within a bound; a text that was forgotten for it is the same, yet takes room twice.

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use std::sync::Arc;

/// Texts that are remembered. Of host names, which have 253 bytes at most, they take 18 MB.
const MOST: usize = 1 << 16;

/// The texts that were shared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts(HashSet<Arc<str>, RandomState>);

impl Texts {
    /// Puts the copy that is shared in place of an equal text.
    pub(crate) fn share(&mut self, text: &mut Arc<str>) {
        self.make_room();
        *text = self.0.get_or_insert_with(text, Arc::clone).clone();
    }

    /// The copy that is shared.
    pub(crate) fn shared(&mut self, text: &str) -> Arc<str> {
        self.make_room();
        self.0.get_or_insert_with(text, |text| text.into()).clone()
    }

    fn make_room(&mut self) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_become_one() {
        let mut texts = Texts::default();
        let [mut one, mut other]: [Arc<str>; 2] = ["example.org".into(), "example.org".into()];
        texts.share(&mut one);
        texts.share(&mut other);
        assert!(Arc::ptr_eq(&one, &other));
        assert!(Arc::ptr_eq(&one, &texts.shared("example.org")));
    }

    #[test]
    fn so_many_are_remembered() {
        let mut texts = Texts::default();
        (0..=MOST).for_each(|number| assert_eq!(*texts.shared(&number.to_string()), *number.to_string()));
        assert_eq!(texts.0.len(), 1);
    }
}
