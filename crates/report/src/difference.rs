//! Sentences on what differs: one for each build and relation, over all levels.
//!
//! Promises: what is shown to differ carries the largest q among it; what the analysis found beside the
//! relations of keys is said in its own words.

use crate::figures::{counted, listed, probability_of};
use crate::section::Statement;
use crate::{country, hostname, order};
use overheard_model::{Comparison, Key, Level, Relation, RelationResult, Verdict};

/// Keys named of one level.
const NAMED: usize = 3;

pub(crate) fn statements(comparison: &Comparison) -> Vec<Statement> {
    let relations = [Relation::Only, Relation::More, Relation::Less];
    let builds = comparison.builds.iter().map(|build| build.name.as_str());
    let pairs = builds.flat_map(|build| relations.map(|relation| (build, relation)));
    let proven = pairs.filter_map(|(build, relation)| sentence(comparison, build, relation));
    let proven = proven.map(|text| Statement { verdict: Some(Verdict::Support), text });
    proven.chain(open(comparison)).collect()
}

/// Findings that neither the relations of keys nor the sections of concerns and whole sets say.
fn open(comparison: &Comparison) -> impl Iterator<Item = Statement> {
    let said = |question: &str, verdict| match question {
        "concerns" | "server-sets" => true,
        "endpoints" => verdict == Verdict::Support,
        _ => false,
    };
    let findings =
        comparison.findings.iter().filter(move |finding| !said(&finding.question, finding.verdict));
    findings.map(|finding| Statement {
        verdict: Some(finding.verdict),
        text: format!("{}.", finding.claim.trim_end_matches('.')),
    })
}

fn sentence(comparison: &Comparison, build: &str, relation: Relation) -> Option<String> {
    let levels = [Level::Country, Level::Network, Level::Name, Level::Address];
    let rows = levels.map(|level| {
        let rows =
            order::rows(comparison, level).into_iter().filter(|key| shown(key, build, relation).is_some());
        (level, rows.collect::<Vec<&Key>>())
    });
    let q = rows
        .iter()
        .flat_map(|(_, rows)| rows)
        .filter_map(|key| shown(key, build, relation)?.q)
        .reduce(f64::max)?;
    let counts: Vec<String> =
        rows.iter().filter(|(_, rows)| !rows.is_empty()).map(|(level, rows)| counts(*level, rows)).collect();
    let (what, reference) = (listed(&counts), &comparison.reference);
    let q = probability_of('q', q).replace('=', "≤");
    Some(match relation {
        Relation::Only => format!("{build} contacts {what} that {reference} was not seen to contact ({q})."),
        Relation::More => format!("{build} contacts {what} in more of its runs than {reference} ({q})."),
        _ => format!("{build} contacts {what} in fewer of its runs than {reference}, or in none ({q})."),
    })
}

/// The build's result for a key, where it shows this relation.
fn shown<'a>(key: &'a Key, build: &str, relation: Relation) -> Option<&'a RelationResult> {
    key.relations.get(build).filter(|result| result.relation == relation)
}

/// `2 networks (AS64504, AS64505)`; servers are in the table above.
fn counts(level: Level, rows: &[&Key]) -> String {
    let number = rows.len() as u64;
    let counted = match (level, number) {
        (Level::Country, 1) => "1 country".into(),
        (Level::Country, many) => format!("{many} countries"),
        (Level::Network, number) => counted(number, "network"),
        (Level::Name, number) => counted(number, "name"),
        (Level::Address, number) => return counted(number, "server"),
    };
    let name = |key: &&Key| match level {
        Level::Country => country::name(&key.key).map_or_else(|| key.key.to_string(), String::from),
        Level::Network => key.network.clone().unwrap_or_else(|| key.key.to_string()),
        Level::Name => hostname::shown(&key.key).into_owned(),
        Level::Address => key.key.to_string(),
    };
    let mut named: Vec<String> = rows.iter().take(NAMED).map(name).collect();
    if let Some(more) = rows.len().checked_sub(NAMED).filter(|more| *more > 0) {
        named.push(format!("{more} more"));
    }
    format!("{counted} ({})", named.join(", "))
}
