//! Where the places come from: databases with date and credit, and what a country means here.
//!
//! Promises: every database that a shown place rests on is named with its licence; others are not.

use crate::figures::dates;
use overheard_model::{Place, PlaceSource, Timestamp};

/// One line a database, then what a country means; nothing where no place is known.
pub(crate) fn sentences<'a>(
    sources: &[PlaceSource],
    places: impl Iterator<Item = &'a Place> + Clone,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
) -> Vec<String> {
    let claimed = |source: &PlaceSource| {
        places.clone().any(|place| place.claims.iter().any(|claim| *claim.source == *source.name))
    };
    let mut sentences: Vec<String> = sources.iter().filter(|source| claimed(source)).map(line).collect();
    let looked_up = !sentences.is_empty();
    if places.clone().any(|place| place.anycast) {
        sentences.push("Anycast: from what operators and RFCs say of their own services.".into());
    }
    let given = |name: &str| !sources.iter().any(|source| *source.name == *name);
    if places.clone().any(|place| place.claims.iter().any(|claim| given(&claim.source))) {
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
