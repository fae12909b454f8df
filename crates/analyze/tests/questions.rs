//! The questions as a whole, on studies built by hand.

#[path = "world/server.rs"]
mod server;
#[path = "world/study.rs"]
mod study;

use overheard_analyze::{Conduct, Origins, compare, compare_live};
use overheard_model::{Claim, Comparison, Endpoint, FromVantage, Level, Relation, Run, Verdict};
use server::server;
use std::sync::Arc;
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
    let first = disputed.place.claims[0].clone();
    let second = Claim { country: "AU".parse().ok(), ..first.clone() };
    Arc::make_mut(&mut disputed.place).claims = [first, second].into();
    let runs: Vec<Run> =
        (0..30).map(|at| run(0, &at.to_string(), Some(at), vec![disputed.clone()])).collect();
    let comparison = compare(&study(&["regular"], &["CN"]), &runs);
    assert_eq!(comparison.concerns[0].cell.present, 0);
    assert_eq!(comparison.concerns[0].verdict, Verdict::Abstain);
    assert!(comparison.absences.is_empty());
    assert_eq!(kinds(&comparison), ["disputed-country", "disputed-concern", "unplaced-addresses"]);
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

fn finding<'a>(comparison: &'a Comparison, claim: &str) -> &'a overheard_model::Finding {
    let mut findings = comparison.findings.iter();
    findings.find(|finding| finding.claim.starts_with(claim)).unwrap_or_else(|| panic!("no {claim}"))
}

/// What the exit code asks for.
fn concerns(comparison: &Comparison) -> bool {
    comparison.findings.iter().any(|finding| finding.concern && finding.verdict == Verdict::Support)
}

fn turned(builds: &[&str], feared: &[&str]) -> overheard_model::Study {
    overheard_model::Study { reference: 1, ..study(builds, feared) }
}

#[test]
fn the_references_own_contact_proves_nothing() {
    let comparison = compare(&turned(&["regular", "tom"], &["CN"]), &planted(1));
    assert!(comparison.concerns.iter().all(|test| test.verdict == Verdict::Abstain));
    assert!(!concerns(&comparison));
    assert!(comparison.findings.iter().any(|finding| finding.verdict == Verdict::Abstain));
    assert!(comparison.findings.iter().all(|finding| !finding.claim.contains("chance explains")));
}

#[test]
fn a_concern_that_both_contact_in_all_runs_is_no_difference() {
    let comparison = compare(&study(&["regular", "tom"], &["US"]), &planted(4));
    let [_, of_tom] = &comparison.concerns[..] else { panic!("two tests") };
    assert_eq!((of_tom.verdict, of_tom.p), (Verdict::Abstain, Some(1.0)));
    let claim = "tom contacted US in 4 of 4 runs, regular in 4 of 4: no difference is shown (p=1)";
    assert!(!finding(&comparison, claim).concern);
}

#[test]
fn a_concern_that_the_reference_alone_contacts_is_a_difference() {
    let comparison = compare(&turned(&["regular", "tom"], &["CN"]), &planted(8));
    let [of_regular, of_tom] = &comparison.concerns[..] else { panic!("two tests") };
    assert!(of_regular.is_less() && of_regular.verdict == Verdict::Refute);
    assert_eq!((of_tom.verdict, of_tom.runs_needed), (Verdict::Abstain, None));
    let claim =
        "regular did not contact CN in 8 runs, tom in 8 of 8: less often than chance explains (p=0.0002)";
    let less = finding(&comparison, claim);
    assert!(less.concern && less.verdict == Verdict::Support);
}

#[test]
fn a_proven_less_is_a_finding() {
    let comparison = compare(&turned(&["regular", "tom"], &[]), &planted(8));
    assert!(finding(&comparison, "regular contacts 1 country in fewer of its runs than tom").concern);
    assert!(concerns(&comparison));
}

/// Thirty runs of each of two builds that contact the same servers.
fn alike(servers: &[Endpoint]) -> Vec<Run> {
    let of =
        |at: i64| run(usize::from(at % 4 == 1 || at % 4 == 2), &at.to_string(), Some(at), servers.to_vec());
    (0..60).map(of).collect()
}

#[test]
fn no_absence_is_claimed_where_a_place_is_unknown() {
    let nowhere = server("198.18.0.3", "", 0, "");
    let study = study(&["regular", "tom"], &["CN", "AS4134", "example.net"]);
    let known = compare(&study, &alike(&[home()]));
    assert!(known.concerns.iter().all(|test| test.verdict == Verdict::Refute));
    let open = compare(&study, &alike(&[home(), nowhere]));
    for test in &open.concerns {
        let is_name = matches!(test.concern, overheard_model::Concern::Name(_));
        assert_eq!(test.verdict, if is_name { Verdict::Refute } else { Verdict::Abstain }, "{test:?}");
        let absent = |absence: &overheard_model::Absence| {
            absence.key == test.concern.to_string() && absence.build == test.build
        };
        assert_eq!(open.absences.iter().filter(|absence| absent(absence)).count(), usize::from(is_name));
    }
    assert_eq!(kinds(&open), ["unplaced-addresses"; 2]);
    assert!(open.warnings[0].text.starts_with("1 of 2 addresses have no certain country"));
    assert!(open.findings.iter().any(|finding| finding.verdict == Verdict::Abstain) && !concerns(&open));
}

#[test]
fn no_build_without_places_lacks_a_country_that_another_contacts() {
    let mut runs = planted(8);
    runs.iter_mut().filter(|run| run.build == 0).for_each(|run| {
        run.reading.endpoints.push(server("198.18.0.3", "", 64500, ""));
    });
    let comparison = compare(&study(&["regular", "tom"], &[]), &runs);
    let keys: Vec<&str> = comparison.absences.iter().map(|absence| &*absence.key).collect();
    assert_eq!(keys, ["AS64501", "example.cn", CN, "198.18.0.3"]);
}

#[test]
fn an_absence_is_stored_once() {
    let comparison = compare(&study(&["regular", "tom", "zh"], &["CN", "example.cn"]), &planted(8));
    let mut absences: Vec<(&str, &str)> =
        comparison.absences.iter().map(|absence| (&*absence.build, &*absence.key)).collect();
    let all = absences.len();
    absences.sort_unstable();
    absences.dedup();
    assert_eq!(absences.len(), all);
}

#[test]
fn sets_that_differ_without_a_proven_key_are_told_and_no_concern() {
    // Each run meets two of its build's own three servers: no key can be proven with four runs each.
    let own = |build: usize, at: usize| server(&format!("198.18.{build}.{at}"), "US", 64500, "example.org");
    let of = |at: usize| {
        let build = usize::from(at % 4 == 1 || at % 4 == 2);
        let met = [[0, 1], [1, 2], [2, 0], [0, 1]][at / 2];
        run(build, &at.to_string(), Some(at as i64), met.map(|at| own(build, at + 9)).to_vec())
    };
    let comparison = compare(&study(&["regular", "tom"], &[]), &(0..8).map(of).collect::<Vec<_>>());
    assert_eq!(comparison.distinguishable["tom"].verdict, Verdict::Support);
    let wholes = finding(&comparison, "as wholes, the servers of tom and regular differ more");
    assert!(!wholes.concern && !concerns(&comparison));
    finding(&comparison, "no single server, name, network or country is proven to differ");
}

#[test]
fn the_control_counts_what_the_test_of_sets_raises_apart() {
    // Four runs with one server and four with another: the split between them is the one in 35.
    let one = |at: i64| server(&format!("198.18.0.{}", 20 + at / 4), "US", 64500, "example.org");
    let runs: Vec<Run> = (0..8).map(|at| run(0, &at.to_string(), Some(at), vec![one(at)])).collect();
    let control = compare(&study(&["regular"], &[]), &runs).control.unwrap();
    assert_eq!((control.splits, control.set_alarms), (35, 1));
}

#[test]
fn runs_that_lost_packets_are_warned_of_once() {
    let mut runs = planted(10);
    runs[0].reading.capture.dropped = Some(0);
    assert_eq!(kinds(&compare(&study(&["regular", "tom"], &[]), &runs)), [""; 0]);
    runs[1].reading.capture.dropped = Some(7);
    runs[2].reading.capture.problems.push(overheard_model::Problem {
        kind: "packets-lost".into(),
        text: "lost at a device".into(),
        packet: None,
        offset: None,
        count: 1,
    });
    let comparison = compare(&study(&["regular", "tom"], &[]), &runs);
    assert_eq!(kinds(&comparison), ["packets-lost"]);
    assert!(comparison.warnings[0].text.ends_with("missing: run0, run1"), "{:?}", comparison.warnings);
}

#[test]
fn what_a_live_study_knows_of_itself_is_told_and_changes_no_test() {
    let (study, runs) = (study(&["regular", "tom"], &["CN", "example.cn"]), planted(4));
    let failed = run(0, "failed", None, vec![away()]);
    // Of both builds every other run.
    let of_runs = (0..runs.len()).map(|run| run / 2 % 2).collect();
    let origins = Origins { vantages: vec!["home", "abroad"], of_runs };
    let conduct = Conduct { failed: vec![&failed], origins, stopped: None };
    let live = compare_live(&study, &runs, &conduct);
    let failed: Vec<u64> = live.concerns.iter().map(|test| test.failed).collect();
    assert_eq!(failed, [1, 0, 1, 0], "of each concern, of each build");
    let told = |from: &FromVantage| {
        let cells = ["regular", "tom"].map(|build| from.cells[build].to_string());
        format!("{} from {}: {}", from.key, from.vantage, cells.join(", "))
    };
    let expected = [
        "CN from home: 0/2, 2/2",
        "CN from abroad: 0/2, 2/2",
        "US from home: 2/2, 2/2",
        "US from abroad: 2/2, 2/2",
        "example.cn from home: 0/2, 2/2",
        "example.cn from abroad: 0/2, 2/2",
    ];
    assert_eq!(live.vantages.iter().map(told).collect::<Vec<_>>(), expected);
    let mut alike = live;
    alike.concerns.iter_mut().for_each(|test| test.failed = 0);
    alike.vantages.clear();
    assert_eq!(alike, compare(&study, &runs));
}
