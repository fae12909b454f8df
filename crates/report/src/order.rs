//! The order of rows: what a reader must see comes first.
//!
//! Promises: countries with a concern or a difference come before the others; inside a country `only`
//! comes first, then `more` and `less`, `shared`, `unproven`. The order is total and the same in every
//! format.

use overheard_model::{Comparison, Concern, Key, Level, Relation};
use std::cmp::Ordering;
use std::net::IpAddr;

/// Rows of one level that share a country label.
pub(crate) struct Group<'a> {
    /// [`overheard_model::Place::label`]; absent where no database knows.
    pub(crate) country: Option<&'a str>,
    /// The row of the country itself.
    pub(crate) own: Option<&'a Key>,
    pub(crate) rows: Vec<&'a Key>,
}

/// The strongest relation that any build has; rows without one (a single build) count as shared.
pub(crate) fn strongest(key: &Key) -> Relation {
    key.relations.values().map(|result| result.relation).min().unwrap_or(Relation::Shared)
}

/// Whether a relation says that two builds differ.
pub(crate) fn differs(relation: Relation) -> bool {
    matches!(relation, Relation::Only | Relation::More | Relation::Less)
}

/// All rows of one level, most telling first.
pub(crate) fn rows(comparison: &Comparison, level: Level) -> Vec<&Key> {
    let mut rows: Vec<&Key> = comparison.keys.iter().filter(|key| key.level == level).collect();
    rows.sort_by(|a, b| by_weight(a, b));
    rows
}

/// Addresses by country.
pub(crate) fn by_country(comparison: &Comparison) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for key in rows(comparison, Level::Address) {
        let country = key.country.as_deref();
        match groups.iter_mut().find(|group| group.country == country) {
            Some(group) => group.rows.push(key),
            None => groups.push(Group { country, own: own_row(comparison, country), rows: vec![key] }),
        }
    }
    groups.sort_by(|a, b| group_weight(comparison, a).cmp(&group_weight(comparison, b)));
    groups
}

fn own_row<'a>(comparison: &'a Comparison, country: Option<&str>) -> Option<&'a Key> {
    let country = country?;
    comparison.keys.iter().find(|key| key.level == Level::Country && &*key.key == country)
}

/// Not feared and alike last; the country of most servers first among equals.
fn group_weight<'a>(comparison: &Comparison, group: &Group<'a>) -> (bool, Relation, usize, &'a str) {
    let feared = group.country.is_some_and(|country| is_feared(comparison, country));
    let rows = group.rows.iter().copied().chain(group.own);
    let strongest = rows.map(strongest).filter(|relation| differs(*relation)).min();
    let label = group.country.unwrap_or("\u{10ffff}");
    (!feared, strongest.unwrap_or(Relation::Unproven), usize::MAX - group.rows.len(), label)
}

/// Whether a concern names a country that the label mentions.
pub(crate) fn is_feared(comparison: &Comparison, label: &str) -> bool {
    let countries = Comparison::countries_in(label);
    comparison.concerns.iter().any(|test| match &test.concern {
        Concern::Country(country) => countries.contains(country),
        _ => false,
    })
}

fn by_weight(a: &Key, b: &Key) -> Ordering {
    let contacts = |key: &Key| key.cells.values().map(|cell| cell.present).sum::<u64>();
    strongest(a)
        .cmp(&strongest(b))
        .then_with(|| smallest_p(a).total_cmp(&smallest_p(b)))
        .then_with(|| contacts(b).cmp(&contacts(a)))
        .then_with(|| address(a).cmp(&address(b)))
        .then_with(|| a.key.cmp(&b.key))
}

fn smallest_p(key: &Key) -> f64 {
    key.relations.values().map(|result| result.p).fold(1.0, f64::min)
}

fn address(key: &Key) -> Option<IpAddr> {
    key.key.parse().ok()
}
