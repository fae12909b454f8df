//! Texts that many flows say, each kept once: host names and fingerprints.

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use std::sync::Arc;

/// Every text that was shared.
#[derive(Debug, Default)]
pub(crate) struct Texts(HashSet<Arc<str>, RandomState>);

impl Texts {
    /// Puts the copy that is shared in place of an equal text.
    pub(crate) fn share(&mut self, text: &mut Arc<str>) {
        *text = self.0.get_or_insert_with(text, Arc::clone).clone();
    }

    /// The copy that is shared.
    pub(crate) fn shared(&mut self, text: &str) -> Arc<str> {
        self.0.get_or_insert_with(text, |text| text.into()).clone()
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
}
