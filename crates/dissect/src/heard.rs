//! A name as it was heard: what the model keeps as a [`Name`], borrowed from whoever keeps its text.
//!
//! For: choosing among the names of many flows, most of which are equal, before any is copied.

use overheard_model::{Learned, Name, NameSource};
use std::sync::Arc;

/// A [`Name`] whose text is another's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard<'a> {
    pub(crate) name: &'a Arc<str>,
    pub(crate) source: NameSource,
    pub(crate) packet: Option<u64>,
    pub(crate) learned: Learned,
}

impl Heard<'_> {
    /// What it is sorted by: the most trusted first, of equally trusted ones the earliest.
    pub(crate) fn order(&self) -> (u8, Option<u64>) {
        (self.source.rank(self.learned), self.packet)
    }

    /// The same name, sharing its text.
    pub(crate) fn to_name(self) -> Name {
        let Self { name, source, packet, learned } = self;
        Name { name: name.clone(), source, packet, learned }
    }
}
