//! Where the places come from: databases with date and credit, and what a country means here.
//!
//! Promises: every database that a shown place rests on is named with its licence; others are not.

use crate::figures::dates;
use overheard_model::{Endpoint, Place, PlaceSource, Timestamp};
use std::sync::Arc;

/// What the places rest on that a report has shown.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// Names of the sources that claim something of them.
    claiming: Vec<Arc<str>>,
    anycast: bool,
}

impl Met {
    pub(crate) fn add(&mut self, place: &Place) {
        self.anycast |= place.anycast;
        for claim in place.claims.iter() {
            // Nearly always the very text, which is one comparison.
            let known = |name: &Arc<str>| Arc::ptr_eq(name, &claim.source) || *name == claim.source;
            if !self.claiming.iter().any(known) {
                self.claiming.push(claim.source.clone());
            }
        }
    }
}

impl<'a> Extend<&'a Endpoint> for Met {
    fn extend<I: IntoIterator<Item = &'a Endpoint>>(&mut self, endpoints: I) {
        endpoints.into_iter().for_each(|endpoint| self.add(&endpoint.place));
    }
}

/// One line a database, then what a country means; nothing where no place is known.
pub(crate) fn sentences(
    sources: &[PlaceSource],
    met: &Met,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
) -> Vec<String> {
    let claimed = |source: &PlaceSource| met.claiming.iter().any(|name| **name == *source.name);
    let mut sentences: Vec<String> = sources.iter().filter(|source| claimed(source)).map(line).collect();
    let looked_up = !sentences.is_empty();
    if met.anycast {
        sentences.push("Anycast: from what operators and RFCs say of their own services.".into());
    }
    let given = |name: &str| !sources.iter().any(|source| *source.name == *name);
    if met.claiming.iter().any(|name| given(name)) {
        sentences.push("Where a table gives the country, it is the table's.".into());
    }
    if !looked_up {
        return sentences;
    }
    if let Some(dates) = dates(first, last) {
        sentences.push(format!("The captures are of {dates}; addresses may have moved since, or before."));
    }
    sentences.push(
        "A country of a database is where an address is registered or announced, which need not be where the machine stands. \
         CN/AU?: the databases disagree; anycast: many places answer."
            .into(),
    );
    sentences
}

/// `asn 2026-06-17: © NRO (nro.net), CC BY 4.0, repacked.`
fn line(source: &PlaceSource) -> String {
    let PlaceSource { name, date, attribution } = source;
    let dated = if date.is_empty() { name.to_string() } else { format!("{name} {date}") };
    if attribution.is_empty() { format!("{dated}.") } else { format!("{dated}: {attribution}.") }
}
