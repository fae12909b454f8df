//! The verdict: three sentences that may be printed as they stand.
//!
//! Promises: the first says what was looked at and whether the builds differ at all, the second names the
//! weightiest difference (a concern named beforehand goes first), the third says what stays open and what
//! would settle it. None claims more than a test of the comparison carries.

use crate::figures::{count, counted, listed, percent, probability_of};
use crate::{country, order, statement};
use overheard_model::{Bundle, Cell, Comparison, ConcernTest, Key, Level, Relation, RelationResult, Verdict};

/// Scope, difference, what is open.
pub(crate) fn sentences(bundle: &Bundle) -> [String; 3] {
    let comparison = &bundle.comparison;
    [scope(comparison), weightiest(comparison), open(comparison)]
}

fn scope(comparison: &Comparison) -> String {
    let rows = |level| comparison.keys.iter().filter(|key| key.level == level).count() as u64;
    let runs = comparison.builds.iter().map(|build| build.runs).sum();
    let countries = match rows(Level::Country) {
        1 => "1 country".to_owned(),
        number => format!("{} countries", count(number)),
    };
    format!(
        "In {} of {}, {} in {countries} were contacted; {}.",
        counted(runs, "run"),
        counted(comparison.builds.len() as u64, "build"),
        counted(rows(Level::Address), "server"),
        overall(comparison),
    )
}

fn overall(comparison: &Comparison) -> String {
    let reference = &comparison.reference;
    let with = |verdict| {
        let tests = comparison.distinguishable.iter().filter(move |(_, test)| test.verdict == verdict);
        tests.map(|(build, _)| build.clone()).collect::<Vec<_>>()
    };
    let (differing, hopeless) = (with(Verdict::Support), comparison.distinguishable.values());
    if !differing.is_empty() {
        let verb = if differing.len() == 1 { "differ" } else { "each differ" };
        return format!(
            "as whole sets, those of {} {verb} from those of {reference} by more than chance",
            listed(&differing)
        );
    }
    if hopeless.clone().count() > 0 && hopeless.clone().all(|test| test.smallest_p > 0.05) {
        return "with so few runs, no difference between the builds could have been proven".into();
    }
    format!("as whole sets, no build's differ from those of {reference} by more than chance may explain")
}

fn weightiest(comparison: &Comparison) -> String {
    let proven = comparison.concerns.iter().filter(|test| test.verdict == Verdict::Support);
    if let Some(test) = proven.min_by(|a, b| smaller(a.p, b.p)) {
        return feared_and_proven(comparison, test);
    }
    let rows = [Level::Country, Level::Network, Level::Name, Level::Address]
        .into_iter()
        .flat_map(|level| order::rows(comparison, level))
        .filter(|key| order::differs(order::strongest(key)));
    if let Some(key) = rows.min_by_key(|key| order::strongest(key)) {
        return difference(comparison, key);
    }
    feared_and_open(comparison).unwrap_or_else(|| {
        "No server, name, network or country is shown to belong to one build more than to another.".into()
    })
}

fn smaller(a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
    a.unwrap_or(1.0).total_cmp(&b.unwrap_or(1.0))
}

fn of_runs(cell: Cell) -> String {
    format!("{} of {}", cell.present, counted(cell.runs, "run"))
}

fn feared_and_proven(comparison: &Comparison, test: &ConcernTest) -> String {
    let against = test.reference_cell.map(|cell| format!(", {} in {}", comparison.reference, of_runs(cell)));
    let p = test.p.map(|p| format!(" ({})", probability_of('p', p)));
    format!(
        "{} contacted {}, named as a concern beforehand, in {}{}, which chance does not explain{}.",
        test.build,
        statement::concern_name(&test.concern),
        of_runs(test.cell),
        against.unwrap_or_default(),
        p.unwrap_or_default(),
    )
}

/// The row's strongest relation in words.
fn difference(comparison: &Comparison, key: &Key) -> String {
    let by_strength = |result: &&RelationResult| result.relation;
    let strongest = key.relations.iter().min_by_key(|(_, result)| by_strength(result));
    let Some((build, result)) = strongest else { return String::new() };
    let cell = |build: &str| key.cells.get(build).copied().unwrap_or(Cell { present: 0, runs: 0 });
    let (own, other) = (of_runs(cell(build)), of_runs(cell(&comparison.reference)));
    let verb = match result.relation {
        Relation::Only => "alone contacted",
        Relation::More => "contacted more often",
        _ => "contacted less often",
    };
    let q = result.q.map(|q| format!("; {}", probability_of('q', q))).unwrap_or_default();
    format!(
        "Compared with {}, {build} {verb} {}: in {own} against {other}{q}.",
        comparison.reference,
        subject(key)
    )
}

fn subject(key: &Key) -> String {
    match key.level {
        Level::Country => {
            country::name(&key.key).map_or(key.key.to_string(), |name| format!("{name} ({})", key.key))
        }
        Level::Network => match &key.network {
            Some(network) => format!("the network {} ({network})", key.key),
            None => format!("the network {}", key.key),
        },
        Level::Name => key.key.to_string(),
        Level::Address => {
            let known = [key.names.first().map(String::as_str), key.country.as_deref()];
            let known: Vec<&str> = known.into_iter().flatten().collect();
            let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
            format!("the server {}{known}", key.key)
        }
    }
}

/// A concern that was met but not proven.
fn feared_and_open(comparison: &Comparison) -> Option<String> {
    let others = || comparison.concerns.iter().filter(|test| test.reference_cell.is_some());
    let concern = &others().find(|test| test.cell.present > 0)?.concern;
    let tests: Vec<&ConcernTest> = others().filter(|test| test.concern == *concern).collect();
    let cells: Vec<String> =
        tests.iter().map(|test| format!("{} in {}", test.build, of_runs(test.cell))).collect();
    let reference = tests.first()?.reference_cell?;
    let needed = tests.iter().filter_map(|test| test.runs_needed).max();
    let needed =
        needed.map(|runs| format!(" (about {} of each build would settle it)", counted(runs, "further run")));
    Some(format!(
        "{} was contacted by {}, by {} in {}: that proves no difference{}.",
        statement::concern_name(concern),
        listed(&cells),
        comparison.reference,
        of_runs(reference),
        needed.unwrap_or_default(),
    ))
}

fn open(comparison: &Comparison) -> String {
    let servers = order::rows(comparison, Level::Address);
    let unproven: Vec<&&Key> =
        servers.iter().filter(|key| order::strongest(key) == Relation::Unproven || is_open(key)).collect();
    if unproven.is_empty() {
        return bound(comparison).unwrap_or_else(|| "No server was seen with one side only.".into());
    }
    let mut needed: Vec<u64> = unproven.iter().filter_map(|key| runs_needed(key)).collect();
    needed.sort_unstable();
    let settle = match needed.get(needed.len() / 2) {
        Some(runs) => {
            format!("; about {} of each build would settle half of them", counted(*runs, "further run"))
        }
        None => String::new(),
    };
    format!(
        "{} of the {} were seen on one side only so far, which may be chance{settle}.",
        count(unproven.len() as u64),
        counted(servers.len() as u64, "server"),
    )
}

/// Some build's relation is open and none differs.
fn is_open(key: &Key) -> bool {
    let mut relations = key.relations.values().map(|result| result.relation);
    !order::differs(order::strongest(key)) && relations.any(|relation| relation == Relation::Unproven)
}

fn runs_needed(key: &Key) -> Option<u64> {
    key.relations.values().filter_map(|result| result.runs_needed).min()
}

fn bound(comparison: &Comparison) -> Option<String> {
    let absence = comparison.absences.first()?;
    Some(format!(
        "That {} never contacted {} in {} rules out contact in more than {} of its runs, at 95 %.",
        absence.build,
        absence.key,
        counted(absence.runs, "run"),
        percent(absence.rate_below),
    ))
}
