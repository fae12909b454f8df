//! The questions as a whole, on studies built by hand.

#[path = "world/server.rs"]
mod server;
#[path = "world/study.rs"]
mod study;

use overheard_analyze::compare;
use overheard_model::{Comparison, Endpoint, Level, Relation, Run, Verdict};
use server::server;
use study::{run, study};

const US: &str = "198.18.0.1";
const CN: &str = "198.18.0.2";

fn home() -> Endpoint {
    server(US, "US", 64500, "example.org")
}

fn away() -> Endpoint {
    server(CN, "CN", 64501, "example.cn")
}

/// `n` runs each, alternating; build 1 alone meets the server in China.
fn planted(n: i64) -> Vec<Run> {
    let pair = |at: i64| {
        let name = format!("run{at}");
        [
            run(0, &name, Some(4 * at + at % 2), vec![home()]),
            run(1, &name, Some(4 * at + 1 - at % 2), vec![home(), away()]),
        ]
    };
    (0..n).flat_map(pair).collect()
}

fn relation(comparison: &Comparison, level: Level, key: &str, build: &str) -> Relation {
    let row = comparison.keys.iter().find(|row| row.level == level && &*row.key == key);
    row.unwrap_or_else(|| panic!("no {key} at {level}")).relations[build].relation
}

fn kinds(comparison: &Comparison) -> Vec<&str> {
    comparison.warnings.iter().map(|warning| warning.kind.as_str()).collect()
}

#[test]
fn a_server_of_one_build_is_shown_at_all_levels() {
    let comparison = compare(&study(&["regular", "tom"], &["CN"]), &planted(10));
    for (level, key) in [
        (Level::Address, CN),
        (Level::Name, "example.cn"),
        (Level::Network, "AS64501"),
        (Level::Country, "CN"),
    ] {
        assert_eq!(relation(&comparison, level, key, "tom"), Relation::Only);
    }
    assert_eq!(relation(&comparison, Level::Address, US, "tom"), Relation::Shared);
    let [of_regular, of_tom] = &comparison.concerns[..] else { panic!("two tests") };
    assert_eq!((of_regular.verdict, of_regular.runs_needed), (Verdict::Abstain, Some(19)));
    assert_eq!(of_tom.verdict, Verdict::Support);
    assert!((of_tom.p.unwrap() - 2.0 / 184_756.0).abs() < 1e-12);
    assert_eq!(comparison.distinguishable["tom"].verdict, Verdict::Support);
    assert_eq!(comparison.control.as_ref().map(|control| control.false_alarms), Some(0));
    assert_eq!(kinds(&comparison), [""; 0]);
    assert!(comparison.findings.iter().any(|finding| finding.concern && finding.support[0].runs.len() == 10));
    let absent = &comparison.absences[0];
    assert_eq!((&*absent.build, &*absent.key, absent.runs), ("regular", "CN", 10));
}

#[test]
fn the_reference_that_has_more_makes_the_other_less() {
    let mut turned = study(&["regular", "tom"], &[]);
    turned.reference = 1;
    let comparison = compare(&turned, &planted(10));
    assert_eq!(relation(&comparison, Level::Country, "CN", "regular"), Relation::Less);
    assert!(comparison.keys.iter().all(|key| !key.relations.contains_key("tom")));
}

#[test]
fn one_run_each_proves_nothing_and_says_what_would() {
    let comparison = compare(&study(&["regular", "tom"], &["CN"]), &planted(1));
    assert_eq!(relation(&comparison, Level::Address, CN, "tom"), Relation::Unproven);
    let row = comparison.keys.iter().find(|row| &*row.key == CN).unwrap();
    assert!(row.relations["tom"].q.is_none() && row.relations["tom"].p == 1.0);
    assert!(row.relations["tom"].runs_needed > Some(5));
    assert_eq!(comparison.concerns[1].verdict, Verdict::Abstain);
    assert!(comparison.concerns[1].runs_needed > Some(5));
    let sets = &comparison.distinguishable["tom"];
    assert_eq!(
        (sets.p, sets.smallest_p, sets.runs_needed, sets.verdict),
        (1.0, 1.0, Some(3), Verdict::Abstain)
    );
    assert!(comparison.unseen.iter().all(|unseen| unseen.chao2.is_none() && unseen.coverage.is_none()));
    assert!(comparison.findings.iter().all(|finding| finding.verdict != Verdict::Support));
    assert!(comparison.findings.iter().any(|finding| finding.runs_needed.is_some()));
    assert!(comparison.control.is_none());
    assert_eq!(kinds(&comparison), ["one-run", "one-run"]);
}

#[test]
fn builds_that_are_the_same_are_said_to_be() {
    let runs: Vec<Run> = (0..40)
        .map(|at| run(usize::from(at % 4 == 1 || at % 4 == 2), &at.to_string(), Some(at), vec![home()]))
        .collect();
    let comparison = compare(&study(&["regular", "tom"], &["CN"]), &runs);
    let endpoints = comparison.findings.iter().find(|finding| finding.question == "endpoints").unwrap();
    assert_eq!(endpoints.verdict, Verdict::Refute);
    assert_eq!(comparison.distinguishable["tom"].p, 1.0);
}

#[test]
fn runs_that_did_not_alternate_are_warned_of() {
    let runs: Vec<Run> =
        (0..8).map(|at| run(usize::from(at >= 4), &at.to_string(), Some(at), vec![home()])).collect();
    let comparison = compare(&study(&["regular", "tom"], &[]), &runs);
    assert_eq!(kinds(&comparison), ["not-interleaved"]);
}

#[test]
fn a_disputed_country_is_neither_contact_nor_absence() {
    let mut disputed = away();
    let mut second = disputed.place.claims[0].clone();
    second.country = "AU".parse().ok();
    disputed.place.claims.push(second);
    let runs: Vec<Run> =
        (0..30).map(|at| run(0, &at.to_string(), Some(at), vec![disputed.clone()])).collect();
    let comparison = compare(&study(&["regular"], &["CN"]), &runs);
    assert_eq!(comparison.concerns[0].cell.present, 0);
    assert_eq!(comparison.concerns[0].verdict, Verdict::Abstain);
    assert!(comparison.absences.is_empty());
    assert_eq!(kinds(&comparison), ["disputed-country", "disputed-concern"]);
}

#[test]
fn a_build_without_runs_or_servers_is_no_panic() {
    let comparison = compare(
        &study(&["regular", "tom", "none"], &["CN"]),
        &[run(0, "a", None, vec![]), run(1, "b", None, vec![])],
    );
    assert!(comparison.keys.is_empty() && comparison.control.is_none());
    assert_eq!(kinds(&comparison), ["one-run", "one-run", "no-run", "undated", "empty-run", "empty-run"]);
    assert!(serde_json::to_string(&comparison).is_ok());
    assert!(compare(&study(&["regular"], &[]), &[]).keys.is_empty());
}

#[test]
fn the_same_seed_gives_the_same_comparison() {
    let study = study(&["regular", "tom"], &["CN"]);
    assert_eq!(compare(&study, &planted(9)), compare(&study, &planted(9)));
}
