//! The order of the rows.

use super::row::Row;
use std::cmp::{Ordering, Reverse};

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The most bytes first.
    #[default]
    Bytes,
    /// Concerns first, then by country.
    Country,
    Name,
    /// The latest first.
    Seen,
}

impl Sort {
    pub fn next(self) -> Self {
        match self {
            Self::Bytes => Self::Country,
            Self::Country => Self::Name,
            Self::Name => Self::Seen,
            Self::Seen => Self::Bytes,
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Country => "country",
            Self::Name => "name",
            Self::Seen => "last seen",
        }
    }

    /// A total order: rows do not jump about where they are equal.
    pub fn compare(self, one: &Row, other: &Row) -> Ordering {
        let by = match self {
            Self::Bytes => other.volume().cmp(&one.volume()),
            Self::Country => {
                let key = |row: &Row| (Reverse(row.severity()), row.place());
                key(one).cmp(&key(other)).then_with(|| other.volume().cmp(&one.volume()))
            }
            Self::Name => by_name(one).cmp(&by_name(other)),
            Self::Seen => other.endpoint.last.cmp(&one.endpoint.last),
        };
        by.then_with(|| one.id().cmp(&other.id()))
    }
}

/// Names before addresses, those of one domain together.
fn by_name(row: &Row) -> (bool, String) {
    let endpoint = &row.endpoint;
    let name = endpoint.names.first().map(|name| name.name.split('.').rev().collect::<Vec<_>>().join("."));
    (name.is_none(), name.unwrap_or_default())
}
