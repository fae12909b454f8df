//! Relations of builds to the reference as marks and words, shared by text and HTML.
//!
//! Promises: within a row all `●` mean the same relation, for `only` excludes that the reference has any
//! contact; words give the weakest number of those that they stand for.

use crate::figures::{count, counted, probability_of};
use crate::order;
use overheard_model::{Comparison, Key, Relation, RelationResult};

/// How a build's cell shows its relation to the reference.
pub(crate) fn mark(relation: Relation) -> &'static str {
    match relation {
        Relation::Only | Relation::More => "●",
        Relation::Less => "○",
        Relation::Unproven => "?",
        Relation::Shared => "",
    }
}

/// The marks of a comparison, each with its meaning.
pub(crate) fn legend(comparison: &Comparison) -> Vec<(&'static str, String)> {
    let results = || comparison.keys.iter().flat_map(|key| key.relations.values());
    let shown = |known: &str| results().any(|result| mark(result.relation) == known);
    let reference = &comparison.reference;
    let meanings = [
        ("●", format!("in this build only, or in more of its runs than in those of {reference}; q ≤ 0.05")),
        ("○", format!("in fewer of its runs than in those of {reference}, or in none; q ≤ 0.05")),
        (
            "?",
            format!(
                "in runs of this build or of {reference} only, which may be chance: unproven; \
                 +5 runs: about 5 further runs of each build would settle it"
            ),
        ),
    ];
    meanings.into_iter().filter(|(mark, _)| shown(mark)).collect()
}

/// `only q=0.003`, or `only q≤0.005` of several builds; nothing where none is shown to differ.
pub(crate) fn proven(key: &Key) -> Option<String> {
    let strongest = order::strongest(key);
    if !order::differs(strongest) {
        return None;
    }
    let q: Vec<f64> = of(key, strongest).filter_map(|result| result.q).collect();
    let largest = q.iter().copied().reduce(f64::max).map(|largest| probability_of('q', largest))?;
    let largest = if q.len() > 1 { largest.replace('=', "≤") } else { largest };
    Some(format!("{strongest} {largest}"))
}

/// Whether a build's contacts or the reference's stand alone so far.
pub(crate) fn is_open(key: &Key) -> bool {
    of(key, Relation::Unproven).next().is_some()
}

/// `+26 runs`, `+26–168 runs`: what would settle an open row, where any number tried would.
pub(crate) fn further(key: &Key) -> Option<String> {
    let needed: Vec<u64> = of(key, Relation::Unproven).filter_map(|result| result.runs_needed).collect();
    let (least, most) = (needed.iter().min()?, needed.iter().max()?);
    Some(match least < most {
        true => format!("+{}–{} runs", count(*least), count(*most)),
        false => format!("+{}", counted(*least, "run")),
    })
}

fn of(key: &Key, wanted: Relation) -> impl Iterator<Item = &RelationResult> {
    key.relations.values().filter(move |result| result.relation == wanted)
}
