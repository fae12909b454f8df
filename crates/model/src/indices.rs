//! Indices of flows: of many endpoints in one list, since most have one or two.
//!
//! Promises: cloning copies none of them; serialises as the plain list.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A stretch of a list of indices, in 16 bytes.
#[derive(Clone, Default)]
pub struct Indices {
    /// Nothing where there are none.
    all: Option<Arc<Box<[u32]>>>,
    start: u32,
    end: u32,
}

impl Indices {
    /// The stretch of a list that others share; empty where the list does not reach as far.
    pub fn of(all: Arc<Box<[u32]>>, stretch: Range<u32>) -> Self {
        Self { all: Some(all), start: stretch.start, end: stretch.end }
    }
}

impl Deref for Indices {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        let stretch = self.start as usize..self.end as usize;
        self.all.as_ref().and_then(|all| all.get(stretch)).unwrap_or_default()
    }
}

impl FromIterator<u32> for Indices {
    fn from_iter<I: IntoIterator<Item = u32>>(indices: I) -> Self {
        let all: Box<[u32]> = indices.into_iter().collect();
        let end = all.len() as u32;
        Self::of(Arc::new(all), 0..end)
    }
}

impl PartialEq for Indices {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Indices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Serialize for Indices {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Indices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<u32>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_shows_its_own_indices_only() {
        let all: Arc<Box<[u32]>> = Arc::new([7, 8, 9].into());
        assert_eq!(*Indices::of(all.clone(), 1..3), [8, 9]);
        assert_eq!(Indices::of(all.clone(), 1..2), [8].into_iter().collect());
        assert!(Indices::of(all, 2..4).is_empty() && Indices::default().is_empty());
    }
}
