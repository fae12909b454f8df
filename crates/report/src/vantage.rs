//! Sentences on a live study from several vantages: what was contacted from one of them more than from another.
//!
//! Promises: counts alone, no test; the table and its tests pool the vantages.

use crate::concern::of_runs;
use crate::country;
use crate::figures::listed;
use overheard_model::{Cell, Comparison, FromVantage};

/// One for each country or concern that some build did not contact alike from everywhere.
pub(crate) fn statements(comparison: &Comparison) -> Vec<String> {
    let keys = comparison.vantages.chunk_by(|one, other| one.key == other.key);
    let differing = keys.filter(|from| comparison.builds.iter().any(|build| differs(from, &build.name)));
    let told: Vec<String> = differing.map(|from| statement(comparison, from)).collect();
    match told.is_empty() && !comparison.vantages.is_empty() {
        true => vec![
            "No build contacted a country in more of its runs from one vantage than from another.".into(),
        ],
        false => told,
    }
}

/// `China (CN): pushy in 0 of 8 runs from home and 8 of 8 runs from abroad.`
fn statement(comparison: &Comparison, from: &[FromVantage]) -> String {
    let builds = comparison.builds.iter().map(|build| &build.name);
    let met = builds.filter(|build| cells(from, build).any(|(_, cell)| cell.present > 0));
    let told = met.map(|build| {
        let each = cells(from, build).map(|(vantage, cell)| format!("{} from {vantage}", of_runs(cell)));
        format!("{build} in {}", listed(&each.collect::<Vec<_>>()))
    });
    let name = from.first().map_or_else(String::new, |from| country::spelled(&from.key));
    format!("{name}: {}.", told.collect::<Vec<_>>().join("; "))
}

fn cells<'a>(from: &'a [FromVantage], build: &'a str) -> impl Iterator<Item = (&'a str, Cell)> {
    from.iter().filter_map(move |from| Some((&*from.vantage, *from.cells.get(build)?)))
}

/// Whether the build's rates are not the same from all vantages.
fn differs(from: &[FromVantage], build: &str) -> bool {
    let mut made = cells(from, build).map(|(_, cell)| cell).filter(|cell| cell.runs > 0);
    let Some(first) = made.next() else { return false };
    made.any(|other| other.present * first.runs != first.present * other.runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::BuildRuns;
    use std::collections::BTreeMap;

    fn of(rows: &[(&str, &str, u64, u64)]) -> Vec<String> {
        let from = |&(key, vantage, regular, pushy): &(&str, &str, u64, u64)| {
            let cells = [("regular", regular), ("pushy", pushy)];
            let cells = cells.map(|(build, present)| (build.to_owned(), Cell { present, runs: 8 }));
            FromVantage { key: key.into(), vantage: vantage.into(), cells: cells.into() }
        };
        statements(&Comparison {
            builds: ["regular", "pushy"].map(|name| BuildRuns { name: name.into(), runs: 16 }).into(),
            reference: "regular".into(),
            keys: Vec::new(),
            concerns: Vec::new(),
            absences: Vec::new(),
            unseen: Vec::new(),
            distinguishable: BTreeMap::new(),
            control: None,
            warnings: Vec::new(),
            findings: Vec::new(),
            vantages: rows.iter().map(from).collect(),
        })
    }

    #[test]
    fn what_depends_on_the_vantage_is_told_with_its_counts() {
        let alike = [("US", "home", 8, 8), ("US", "abroad", 8, 8)];
        let told = of(&[&alike[..], &[("CN", "home", 0, 0), ("CN", "abroad", 0, 8)]].concat());
        assert_eq!(told, ["China (CN): pushy in 0 of 8 runs from home and 8 of 8 runs from abroad."]);
        assert!(of(&alike)[0].starts_with("No build contacted a country in more"));
        assert!(of(&[]).is_empty(), "one vantage");
    }
}
