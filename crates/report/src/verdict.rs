//! The verdict: three sentences that may be printed as they stand.
//!
//! Promises: the first says what was looked at and whether the builds differ at all, the second names the
//! weightiest difference (a concern named beforehand goes first), the third says what stays open and what
//! would settle it. None claims more than a test of the comparison carries.

use crate::figures::{count, counted, listed, percent, probability_of, some_of};
use crate::{concern, country, hostname, order};
use overheard_model::{
    Bundle, Comparison, Concern, ConcernTest, Key, Level, Relation, RelationResult, Verdict,
};
use std::borrow::Cow;

/// Scope, difference, what is open.
pub(crate) fn sentences(bundle: &Bundle) -> [String; 3] {
    let comparison = &bundle.comparison;
    [scope(comparison), weightiest(comparison), open(comparison)]
}

fn scope(comparison: &Comparison) -> String {
    let servers = comparison.keys.iter().filter(|key| key.level == Level::Address).count() as u64;
    let runs = comparison.builds.iter().map(|build| build.runs).sum();
    format!(
        "In {} of {}, {}{} contacted; {}.",
        counted(runs, "run"),
        counted(comparison.builds.len() as u64, "build"),
        counted(servers, "server"),
        if servers == 1 {
            format!("{} was", countries(comparison))
        } else {
            format!("{} were", countries(comparison))
        },
        overall(comparison),
    )
}

/// ` in 11 countries`: those that the databases agree on.
fn countries(comparison: &Comparison) -> String {
    let rows = comparison.keys.iter().filter(|key| key.level == Level::Country);
    match rows.filter(|key| country::certain(&key.key).is_some()).count() as u64 {
        0 => String::new(),
        1 => " in 1 country".into(),
        many => format!(" in {} countries", count(many)),
    }
}

fn overall(comparison: &Comparison) -> String {
    let reference = &comparison.reference;
    let tests = &comparison.distinguishable;
    let differing = tests.iter().filter(|(_, test)| test.verdict == Verdict::Support);
    if let Some(p) = differing.clone().map(|(_, test)| test.p).reduce(f64::max) {
        let names: Vec<String> = differing.map(|(build, _)| build.clone()).collect();
        let verb = if names.len() == 1 { "differ" } else { "each differ" };
        let p = at_most('p', p, names.len());
        let names = listed(&names);
        let shown = |key: &Key| order::differs(order::strongest(key));
        let alone = match comparison.keys.iter().any(shown) {
            true => "",
            false => ", but no single server, name, network or country is proven to",
        };
        return format!(
            "as whole sets, those of {names} {verb} from those of {reference} by more than chance ({p}){alone}"
        );
    }
    if tests.is_empty() {
        return "nothing was there to compare them with".into();
    }
    if tests.values().all(|test| test.smallest_p > 0.05) {
        return "with so few runs, no difference of the builds as wholes could have been proven".into();
    }
    format!("as whole sets, no build's are shown to differ from those of {reference}")
}

fn weightiest(comparison: &Comparison) -> String {
    let proven = comparison
        .concerns
        .iter()
        .filter(|test| test.p.is_some() && concern::verdict(test) == Some(Verdict::Support));
    if let Some(test) = proven.min_by(|a, b| smaller(a.p, b.p)) {
        return contacted(comparison, &test.concern);
    }
    let rows = [Level::Country, Level::Network, Level::Name, Level::Address]
        .into_iter()
        .flat_map(|level| order::rows(comparison, level))
        .filter(|key| order::differs(order::strongest(key)));
    if let Some(key) = rows.min_by_key(|key| order::strongest(key)) {
        return difference(comparison, key);
    }
    let met = comparison.concerns.iter().find(|test| test.cell.present > 0);
    if let Some(test) = met.or(comparison.concerns.first()) {
        return contacted(comparison, &test.concern);
    }
    if comparison.builds.len() < 2 {
        return "One build alone shows what it contacts, not what sets it apart.".into();
    }
    "No server, name, network or country is shown to belong to one build more than to another.".into()
}

/// `p=0.002`, or `p≤0.002` where it is the largest of several.
fn at_most(letter: char, p: f64, tests: usize) -> String {
    let p = probability_of(letter, p);
    if tests > 1 { p.replace('=', "≤") } else { p }
}

fn smaller(a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
    a.unwrap_or(1.0).total_cmp(&b.unwrap_or(1.0))
}

/// Who contacted what was feared, and whether that sets a build apart.
fn contacted(comparison: &Comparison, feared: &Concern) -> String {
    let tests: Vec<&ConcernTest> =
        comparison.concerns.iter().filter(|test| test.concern == *feared).collect();
    let name = concern::name(feared);
    let (met, unmet): (Vec<&ConcernTest>, Vec<&ConcernTest>) =
        tests.iter().copied().partition(|test| test.cell.present > 0);
    if met.is_empty() {
        return never(comparison, &name, &unmet);
    }
    let by = |tests: &[&ConcernTest]| {
        let each = tests.iter().map(|test| format!("{} in {}", test.build, concern::of_runs(test.cell)));
        listed(&each.collect::<Vec<_>>())
    };
    let not = if unmet.is_empty() { String::new() } else { format!(", but by {}", by(&unmet)) };
    let contacts = format!("{name}, named as a concern beforehand, was contacted by {}{not}", by(&met));
    let beside = concern::beside(&tests);
    match outcome(comparison, &tests) {
        Some(outcome) => format!("{contacts}: {outcome}{beside}."),
        None => format!("{contacts}{beside}."),
    }
}

/// What the tests against the reference show; nothing where there is none.
fn outcome(comparison: &Comparison, tests: &[&ConcernTest]) -> Option<String> {
    let against = tests.iter().filter(|test| test.p.is_some());
    let proven: Vec<&&ConcernTest> =
        against.clone().filter(|test| concern::verdict(test) == Some(Verdict::Support)).collect();
    let names: Vec<String> = proven.iter().map(|test| test.build.clone()).collect();
    if let Some(p) = proven.iter().filter_map(|test| test.p).reduce(f64::max) {
        let p = at_most('p', p, names.len());
        let (names, reference) = (listed(&names), &comparison.reference);
        return Some(format!("chance does not explain the difference of {names} from {reference} ({p})"));
    }
    let needed = against.clone().filter_map(|test| test.runs_needed).max();
    against.clone().next().map(|_| format!("that proves no difference{}", concern::settle(needed)))
}

/// A bound only where every build's absence is certain.
fn never(comparison: &Comparison, name: &str, tests: &[&ConcernTest]) -> String {
    let runs = counted(tests.iter().map(|test| test.cell.runs).sum(), "run");
    let bounds: Option<Vec<f64>> =
        tests.iter().map(|test| Some(concern::absence(comparison, test)?.rate_below)).collect();
    let beside = concern::beside(tests);
    match bounds.and_then(|bounds| bounds.into_iter().reduce(f64::max)) {
        Some(bound) => format!(
            "{name}, named as a concern beforehand, was never contacted in {runs}: for each build, contact in more \
             than {} of its runs is ruled out at 95\u{a0}%{beside}.",
            percent(bound)
        ),
        None => format!(
            "{name}, named as a concern beforehand, was not certainly contacted in {runs}, nor is it ruled out{beside}."
        ),
    }
}

/// The row's strongest relation in words, with every build that has it.
fn difference(comparison: &Comparison, key: &Key) -> String {
    let strongest = order::strongest(key);
    let sharing: Vec<(&String, &RelationResult)> =
        key.relations.iter().filter(|(_, result)| result.relation == strongest).collect();
    let cell = |build: &str| key.cells.get(build).copied().map(concern::of_runs).unwrap_or_default();
    let builds = listed(&sharing.iter().map(|(build, _)| (*build).clone()).collect::<Vec<_>>());
    let own = listed(&sharing.iter().map(|(build, _)| cell(build)).collect::<Vec<_>>());
    let other = cell(&comparison.reference);
    let verb = match strongest {
        Relation::Only => "alone contacted",
        Relation::More => "contacted more often",
        _ => "contacted less often",
    };
    let q = sharing.iter().filter_map(|(_, result)| result.q).reduce(f64::max);
    let q = q.map(|q| format!("; {}", at_most('q', q, sharing.len()))).unwrap_or_default();
    format!(
        "Compared with {}, {builds} {verb} {}: in {own} against {other}{q}.",
        comparison.reference,
        subject(key)
    )
}

fn subject(key: &Key) -> String {
    match key.level {
        Level::Country => country::spelled(&key.key),
        Level::Network => match &key.network {
            Some(network) => format!("the network {} ({network})", key.key),
            None => format!("the network {}", key.key),
        },
        Level::Name => hostname::shown(&key.key).into_owned(),
        Level::Address => {
            let country = key.country.as_deref().map(|label| country::name(label).unwrap_or(label));
            let name = key.names.first().map(|name| hostname::shown(name));
            let known: Vec<_> = name.into_iter().chain(country.map(Cow::Borrowed)).collect();
            let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
            format!("the server {}{known}", key.key)
        }
    }
}

fn open(comparison: &Comparison) -> String {
    let servers = order::rows(comparison, Level::Address);
    let unproven: Vec<&&Key> = servers.iter().filter(|key| is_open(key)).collect();
    if comparison.builds.len() < 2 {
        return "What other builds contact would have to be recorded beside it.".into();
    }
    if unproven.is_empty() {
        return bound(comparison).unwrap_or_else(|| "Every server was contacted by all builds.".into());
    }
    let mut needed: Vec<u64> = unproven.iter().map(|key| runs_needed(key).unwrap_or(u64::MAX)).collect();
    needed.sort_unstable();
    let settled = needed.get(needed.len().div_ceil(2) - 1).filter(|runs| **runs < u64::MAX);
    let half = if needed.len() == 1 { "it" } else { "half of them" };
    let settled = settled
        .map(|runs| format!("; about {} of each build would settle {half}", counted(*runs, "further run")));
    let were = if unproven.len() == 1 { "was" } else { "were" };
    let builds = |key: &Key| key.cells.values().filter(|cell| cell.present > 0).count();
    let alone = unproven.iter().filter(|key| builds(key) == 1).count();
    let seen = match unproven.len() - alone {
        0 => "seen in one build only".to_owned(),
        _ => format!("seen in some builds and not in others ({} in one build only)", count(alone as u64)),
    };
    let these = some_of(unproven.len() as u64, servers.len() as u64, "server");
    let these = match servers.iter().any(|key| order::differs(order::strongest(key))) {
        true => format!("A further {these}"),
        false => capitalized(&these),
    };
    format!("{these} {were} {seen}, which may be chance{}.", settled.unwrap_or_default())
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Some build's relation is open and none differs.
fn is_open(key: &Key) -> bool {
    let mut relations = key.relations.values().map(|result| result.relation);
    !order::differs(order::strongest(key)) && relations.any(|relation| relation == Relation::Unproven)
}

fn runs_needed(key: &Key) -> Option<u64> {
    key.relations.values().filter_map(|result| result.runs_needed).min()
}

/// The weakest bound on what some build never contacted.
fn bound(comparison: &Comparison) -> Option<String> {
    let absence = comparison.absences.iter().max_by(|a, b| a.rate_below.total_cmp(&b.rate_below))?;
    Some(format!(
        "That {} never contacted {} in {} rules out contact in more than {} of its runs, at 95\u{a0}%.",
        absence.build,
        country::spelled(&absence.key),
        counted(absence.runs, "run"),
        percent(absence.rate_below),
    ))
}
