//! The order of rows: what a reader must see comes first.
//!
//! Promises: countries with a concern or a difference come before the others; inside a country `only`
//! comes first, then `more` and `less`, `shared`, `unproven`. The order is total and the same in every
//! format.

use overheard_model::{Comparison, Concern, Key, Level, Relation};
use std::cmp::Reverse;
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
    rows.sort_by_cached_key(|&key| weight(key));
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

/// Relation, smallest p, contacts with the most first, address by its number, else the key as text. A p is not negative,
/// and the bits of such numbers are in the order of the numbers.
fn weight(key: &Key) -> (Relation, u64, Reverse<u64>, Option<IpAddr>, &str) {
    let p = key.relations.values().map(|result| result.p).fold(1.0, f64::min);
    let contacts = key.cells.values().map(|cell| cell.present).sum();
    (strongest(key), p.to_bits(), Reverse(contacts), key.key.parse().ok(), &key.key)
}
