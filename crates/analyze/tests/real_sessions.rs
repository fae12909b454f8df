//! Real sessions, as tables of servers per build with one run each: read where they lie beside the
//! project, skipped with a word where not.

#[path = "world/server.rs"]
mod server;
#[path = "world/study.rs"]
mod study;

use overheard_analyze::compare;
use overheard_model::{Comparison, Relation, Run, Verdict};
use server::server;
use std::collections::BTreeMap;
use std::path::Path;
use study::{run, study};

/// One run per build of `comparison/NAME/servers.tsv`.
fn sessions(name: &str) -> Option<(Vec<String>, Vec<Run>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/comparison");
    let Ok(text) = std::fs::read_to_string(root.join(name).join("servers.tsv")) else {
        println!("skipped: no {name} beside the project");
        return None;
    };
    let mut builds: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [address, build, .., country] = columns[..] else { panic!("{line}") };
        builds.entry(build).or_default().push(server(address, country, 0, ""));
    }
    let names = builds.keys().map(|name| name.to_string()).collect();
    Some((names, builds.into_values().enumerate().map(|(at, servers)| run(at, "1", None, servers)).collect()))
}

fn compared(name: &str) -> Option<Comparison> {
    let (names, runs) = sessions(name)?;
    Some(compare(&study(&names.iter().map(String::as_str).collect::<Vec<_>>(), &["CN"]), &runs))
}

fn relations(comparison: &Comparison) -> impl Iterator<Item = Relation> {
    comparison.keys.iter().flat_map(|key| key.relations.values().map(|result| result.relation))
}

fn nothing_proven(comparison: &Comparison) {
    assert!(relations(comparison).all(|relation| matches!(relation, Relation::Shared | Relation::Unproven)));
    assert!(
        comparison
            .distinguishable
            .values()
            .all(|sets| sets.verdict == Verdict::Abstain && sets.runs_needed.is_some())
    );
    let of_servers = comparison.findings.iter().filter(|finding| finding.question == "endpoints");
    assert!(
        of_servers
            .into_iter()
            .all(|finding| finding.verdict == Verdict::Abstain && finding.runs_needed.is_some())
    );
}

#[test]
fn two_sessions_of_one_app_are_not_two_apps() {
    let Some(comparison) = compared("skype_2015_two_runs") else { return };
    nothing_proven(&comparison);
    assert!(relations(&comparison).filter(|relation| *relation == Relation::Shared).count() >= 102);
}

#[test]
fn four_messengers_of_one_run_each_are_disjoint_and_still_unproven() {
    let Some(comparison) = compared("different_messengers") else { return };
    nothing_proven(&comparison);
    let shared = comparison.keys.iter().filter(|key| key.level == overheard_model::Level::Address);
    assert!(
        shared
            .flat_map(|key| key.relations.values())
            .all(|result| result.relation == Relation::Unproven && result.runs_needed.is_some())
    );
}
