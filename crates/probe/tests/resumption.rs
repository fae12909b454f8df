//! A study that is stopped, in every way, goes on from there.

use overheard_model::Timestamp;
use overheard_probe::execute::{Bare, Conduct, Ended, Watch, conduct};
use overheard_probe::ledger::{Charter, FORMAT, Ledger, Outcome, Record, Terms, pedigrees};
use overheard_probe::schedule::{Plan, Slot, read};
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Four blocks of two builds; each run writes its own line beside the study.
fn plan(script: &str) -> Plan {
    let build = |name: &str| {
        format!("[[build]]\nname = \"{name}\"\ncommand = [\"sh\", \"-c\", '''{script}''', \"{name}\"]\n")
    };
    let text = format!(
        "repeats = 4\ncontrols = {{ idle = 0, twin = false }}\nlimits = {{ failures = 2 }}\n{}{}[[activity]]\nname = \"act\"\nsteps = [\"start\", {{ wait-end = \"10 s\" }}]\n",
        build("a"),
        build("b")
    );
    read(&text).unwrap_or_else(|fault| panic!("{fault}"))
}

fn open(plan: &Plan, base: &Path) -> Ledger {
    let charter = Charter {
        format: FORMAT,
        began: Timestamp::from_parts(1, 0),
        plan: plan.sha256.clone(),
        terms: Terms { repeats: plan.design.repeats, until_settled: false },
        builds: pedigrees(&plan.design.builds, base).unwrap(),
        versions: BTreeMap::new(),
        changes: Vec::new(),
    };
    Ledger::open(&base.join("app.study"), plan, charter, false).unwrap()
}

/// Stops after some block, or after some run.
struct Onlooker<'a> {
    settled_after: u32,
    interrupt_at: u32,
    interrupted: &'a AtomicBool,
}

impl Watch for Onlooker<'_> {
    fn begins(&mut self, slot: &Slot, _: &str) {
        self.interrupted.fetch_or(slot.number == self.interrupt_at, Ordering::Relaxed);
    }

    fn ended(&mut self, _: &Record) {}

    fn block_done(&mut self, block: u32, records: &[Record]) -> ControlFlow<()> {
        assert_eq!(records.len(), 2 * block as usize);
        if block == self.settled_after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn go_on(plan: &Plan, base: &Path, settled_after: u32, interrupt_at: u32) -> Ended {
    let interrupted = AtomicBool::new(false);
    let mut watch = Onlooker { settled_after, interrupt_at, interrupted: &interrupted };
    let ledger = open(plan, base);
    let how = Conduct { ledger: &ledger, plan, base, blocks: plan.design.repeats, interrupted: &interrupted };
    conduct(&how, &mut Bare, &mut watch).unwrap()
}

#[test]
fn a_study_is_run_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan("echo $0 >> made");
    assert_eq!(go_on(&plan, folder.path(), 0, 0), Ended::Complete);
    let made = fs::read_to_string(folder.path().join("made")).unwrap();
    let order: String = overheard_probe::schedule::order(&plan.design, 4)
        .iter()
        .map(|slot| format!("{}\n", slot.cell.arm.name(&plan.design)))
        .collect();
    assert_eq!(made, order);
    assert_eq!(go_on(&plan, folder.path(), 0, 0), Ended::Complete, "nothing is left to do");
    assert_eq!(fs::read_to_string(folder.path().join("made")).unwrap(), order);
}

#[test]
fn a_settled_study_makes_no_further_run() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan("true");
    assert_eq!(go_on(&plan, folder.path(), 2, 0), Ended::Settled { block: 2 });
    // The watcher is asked again before another block is begun.
    assert_eq!(go_on(&plan, folder.path(), 2, 0), Ended::Settled { block: 2 });
    assert_eq!(open(&plan, folder.path()).records().unwrap().len(), 4);
}

#[test]
fn an_interrupted_run_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan("true");
    assert_eq!(go_on(&plan, folder.path(), 0, 3), Ended::Interrupted);
    assert_eq!(open(&plan, folder.path()).records().unwrap().len(), 2);
    assert_eq!(go_on(&plan, folder.path(), 0, 0), Ended::Complete);
}

#[test]
fn too_many_failures_stop_a_study_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan("echo no luck; exit 9");
    let Ended::TooManyFailures { failed, last } = go_on(&plan, folder.path(), 0, 0) else {
        panic!("it went on")
    };
    assert!(failed == 3 && last.contains("exit status: 9"), "{failed}: {last}");
    let ledger = open(&plan, folder.path());
    let record = &ledger.records().unwrap()[2];
    assert!(matches!(record.outcome, Outcome::Failed { .. }));
    let output = fs::read_to_string(ledger.folder_of(record).join("output.txt")).unwrap();
    assert_eq!(output, "no luck\n");
}

const FOLDER: &str = "OVERHEARD_TEST_STUDY";

/// Not a test by itself: the program that the next one kills.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    assert_eq!(go_on(&plan("sleep 0.05"), Path::new(&folder), 0, 0), Ended::Complete);
}

#[test]
fn a_study_killed_again_and_again_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan("sleep 0.05");
    let made = || {
        fs::read_dir(folder.path().join("app.study/runs")).map_or(0, |runs| {
            runs.flatten().filter(|run| !run.file_name().to_string_lossy().starts_with('.')).count()
        })
    };
    let mut before = 0;
    // Longer each time, so that it comes to an end on any machine.
    for round in 1..200 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(7 * round));
        let ended = victim.try_wait().unwrap();
        victim.kill().unwrap();
        let said = victim.wait_with_output().unwrap().stderr;
        let now = made();
        assert!(now >= before, "{before} runs became {now}");
        before = now;
        if let Some(status) = ended {
            assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&said));
            break;
        }
    }
    let ledger = open(&plan, folder.path());
    let records = ledger.records().unwrap();
    let numbers: Vec<u32> = records.iter().map(|record| record.slot.number).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<u32>>());
    assert!(records.iter().all(Record::is_done));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}
