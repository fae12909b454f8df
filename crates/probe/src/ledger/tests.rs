//! A study's folder: what counts, what is swept away, and what is refused.

use super::*;
use crate::schedule::read;
use overheard_model::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const PLAN: &str = "repeats = 2\ncontrols = { idle = 0, twin = false }\n\n[[build]]\nname = \"a\"\ncommand = [\"true\"]\nfiles = [\"app\"]\n\n[[build]]\nname = \"b\"\ncommand = [\"true\"]\n";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app"), "one").unwrap();
        Self { folder }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("app.study")
    }

    fn open_with(&self, text: &str, repeats: u32, accept: bool) -> Result<(Ledger, Plan), LedgerFault> {
        let plan = read(text).unwrap();
        let charter = Charter {
            format: FORMAT,
            began: Timestamp::from_parts(1, 0),
            plan: plan.sha256.clone(),
            terms: Terms { repeats, until_settled: false },
            builds: pedigrees(&plan.design.builds, self.folder.path()).unwrap(),
            versions: BTreeMap::new(),
            changes: Vec::new(),
        };
        Ledger::open(&self.root(), &plan, charter, accept).map(|ledger| (ledger, plan))
    }

    fn open(&self) -> (Ledger, Plan) {
        self.open_with(PLAN, 2, false).unwrap()
    }
}

fn record(slot: Slot, plan: &Plan, outcome: Outcome) -> Record {
    let (began, ended) = (Timestamp::from_parts(5, 0), Timestamp::from_parts(8, 0));
    Record {
        slot,
        name: slot.name(&plan.design),
        began,
        ended,
        outcome,
        capture: None,
        left: Default::default(),
        proxy: None,
        doors: Default::default(),
    }
}

fn make(ledger: &Ledger, plan: &Plan, slot: Slot, outcome: Outcome) {
    let attempt = ledger.begin(&slot.name(&plan.design)).unwrap();
    fs::write(attempt.folder().join("output.txt"), "hello").unwrap();
    attempt.keep(&record(slot, plan, outcome)).unwrap();
}

#[test]
fn what_is_kept_counts_and_what_is_not_leaves_nothing() {
    let place = Place::new();
    let (ledger, plan) = place.open();
    let missing = ledger.missing(&plan, 2).unwrap();
    assert_eq!(missing.len(), 4);
    make(&ledger, &plan, missing[0], Outcome::Done);
    drop(ledger.begin(&missing[1].name(&plan.design)).unwrap());
    drop(ledger);
    let (ledger, plan) = place.open();
    assert_eq!(ledger.missing(&plan, 2).unwrap(), missing[1..]);
    assert_eq!(fs::read_dir(place.root().join("runs")).unwrap().count(), 1);
    assert_eq!(ledger.records().unwrap()[0].seconds(), 3.0);
}

#[test]
fn what_a_killed_call_left_is_swept() {
    let place = Place::new();
    let (ledger, plan) = place.open();
    let slot = ledger.missing(&plan, 1).unwrap()[0];
    let attempt = ledger.begin(&slot.name(&plan.design)).unwrap();
    fs::write(attempt.folder().join("run.json"), "{").unwrap();
    std::mem::forget(attempt);
    drop(ledger);
    let (ledger, plan) = place.open();
    assert!(ledger.records().unwrap().is_empty());
    make(&ledger, &plan, slot, Outcome::Done);
}

#[test]
fn a_study_whose_beginning_was_cut_short_begins_again() {
    let place = Place::new();
    fs::create_dir(place.root()).unwrap();
    fs::write(place.root().join("lock"), "").unwrap();
    fs::write(place.root().join(".study.json.partial"), "{").unwrap();
    let (ledger, plan) = place.open();
    assert_eq!(ledger.missing(&plan, 2).unwrap().len(), 4);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let place = Place::new();
    fs::create_dir(place.root()).unwrap();
    fs::write(place.root().join("notes.txt"), "mine").unwrap();
    assert!(matches!(place.open_with(PLAN, 2, true), Err(LedgerFault::Damaged { .. })));
    assert_eq!(fs::read_dir(place.root()).unwrap().count(), 1);
}

#[test]
fn one_call_at_a_time() {
    let place = Place::new();
    let (ledger, _) = place.open();
    assert!(matches!(place.open_with(PLAN, 2, false), Err(LedgerFault::Busy { .. })));
    drop(ledger);
    place.open();
}

#[test]
fn a_change_is_shown_and_refused_unless_accepted() {
    let place = Place::new();
    let (ledger, plan) = place.open();
    make(&ledger, &plan, ledger.missing(&plan, 1).unwrap()[0], Outcome::Done);
    drop(ledger);
    let feared = format!("concerns = [\"CN\"]\n{PLAN}");
    let refused = place.open_with(&feared, 2, false).unwrap_err();
    assert!(refused.to_string().contains("+ concerns = [\"CN\"]"), "{refused}");
    let (ledger, _) = place.open_with(&feared, 2, true).unwrap();
    let change = &ledger.charter().changes[0];
    assert_eq!((change.runs, change.plan == plan.sha256), (1, false));
    drop(ledger);
    // What was accepted is the plan from then on, and the old one is the change.
    place.open_with(&feared, 2, false).unwrap();
    assert!(matches!(place.open_with(PLAN, 2, false), Err(LedgerFault::Changed { .. })));
}

/// A login is in the plan alone, which nobody else may read, and is never shown.
#[test]
fn a_proxys_login_stays_with_its_owner() {
    let place = Place::new();
    let proxied = |password: &str| {
        format!(
            "{PLAN}\n[[vantage]]\nname = \"far\"\ndns = \"198.18.0.53\"\nproxy = \"socks5://alice:{password}@127.0.0.1:1080\"\n"
        )
    };
    drop(place.open_with(&proxied("secret-1"), 2, false).unwrap());
    let refused = place.open_with(&proxied("secret-2"), 2, false).unwrap_err().to_string();
    assert!(
        refused.contains("+ proxy = \"socks5://…@127.0.0.1:1080\"") && !refused.contains("secret"),
        "{refused}"
    );
    for file in fs::read_dir(place.root()).unwrap() {
        let path = file.unwrap().path();
        let holds = path.is_file() && fs::read_to_string(&path).unwrap().contains("secret");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert!(!holds || mode & 0o077 == 0, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn more_repeats_and_a_changed_build_are_changes() {
    let place = Place::new();
    place.open();
    let refused = place.open_with(PLAN, 3, false).unwrap_err().to_string();
    assert!(refused.contains("- repeats 2") && refused.contains("+ repeats 3"), "{refused}");
    fs::write(place.folder.path().join("app"), "two").unwrap();
    let refused = place.open_with(PLAN, 2, false).unwrap_err().to_string();
    assert!(refused.contains("+ build a:") && refused.contains("app sha256 "), "{refused}");
}

#[test]
fn another_order_is_refused_whatever_is_said() {
    let place = Place::new();
    place.open();
    for other in [
        format!("seed = 3\n{PLAN}"),
        PLAN.replace("twin = false", "twin = true"),
        PLAN.replace("name = \"b\"", "name = \"c\""),
    ] {
        assert!(matches!(place.open_with(&other, 2, true), Err(LedgerFault::AnotherOrder { .. })), "{other}");
    }
}

#[test]
fn failed_runs_stay_until_they_are_asked_for_again() {
    let place = Place::new();
    let (ledger, plan) = place.open();
    let first = ledger.missing(&plan, 1).unwrap()[0];
    for round in 1..=2 {
        make(&ledger, &plan, first, Outcome::Failed { reason: "never ready".into() });
        assert_eq!(ledger.missing(&plan, 1).unwrap().len(), 1);
        assert_eq!(ledger.retry_failed().unwrap(), 1);
        assert_eq!(ledger.missing(&plan, 1).unwrap().len(), 2);
        assert_eq!(fs::read_dir(place.root().join("failed")).unwrap().count(), round);
    }
}

#[test]
fn a_run_without_its_record_is_named_with_what_makes_it_again() {
    let place = Place::new();
    let (ledger, plan) = place.open();
    let slot = ledger.missing(&plan, 1).unwrap()[0];
    make(&ledger, &plan, slot, Outcome::Done);
    let folder = place.root().join("runs").join(slot.name(&plan.design));
    for damage in [Some("{"), None] {
        match damage {
            Some(text) => fs::write(folder.join("run.json"), text).unwrap(),
            None => fs::remove_file(folder.join("run.json")).unwrap(),
        }
        let fault = ledger.records().unwrap_err();
        assert!(
            fault.to_string().contains("run.json") && fault.hint().contains("makes that run again"),
            "{fault}"
        );
    }
}

#[test]
fn a_tampered_plan_or_charter_is_named() {
    let place = Place::new();
    place.open();
    fs::write(place.root().join("plan.toml"), PLAN.replace("repeats = 2", "repeats = 9")).unwrap();
    assert!(place.open_with(PLAN, 2, true).unwrap_err().to_string().contains("plan.toml"));
    fs::write(place.root().join("study.json"), "{}").unwrap();
    assert!(matches!(place.open_with(PLAN, 2, true), Err(LedgerFault::Damaged { .. })));
}
