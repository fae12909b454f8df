//! What every command does alike: help with examples, completions, licences, pipes.

mod program;

use program::overheard;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

#[test]
fn every_command_has_examples_in_its_help() {
    for command in ["compare", "read", "plan", "report", "confine", "verify"] {
        let help = overheard(&[command, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.stdout.contains("Examples:"), "{command}: {}", help.stdout);
    }
    assert!(overheard(&["--help"]).stdout.contains("Exit codes:"));
}

#[test]
fn completions_exist_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let completions = overheard(&["completions", shell]);
        assert_eq!(completions.code, 0);
        assert!(completions.stdout.contains("overheard"), "{shell}");
    }
}

#[test]
fn licences_carry_the_attribution_of_the_places() {
    let text = overheard(&["--licenses"]).stdout;
    for owed in ["NRO", "Route Views", "DB-IP", "CC BY 4.0", "ring"] {
        assert!(text.contains(owed), "{owed} is missing");
    }
}

#[test]
fn a_plan_grows_with_what_is_asked() {
    let runs = |rate: &str, keys: &str| {
        let answer = overheard(&["plan", "--rate", rate, "--keys", keys, "--format", "json"]);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        answer.json()["runs_needed"].as_u64().unwrap()
    };
    assert!(runs("0.7", "60") <= 20, "20 runs find a server that is contacted in 70 % of runs");
    assert!(runs("0.3", "60") > runs("0.7", "60"));
    assert!(runs("0.7", "6000") > runs("0.7", "6"));
}

#[test]
fn a_pipe_gets_no_colour() {
    let text = overheard(&["read", "corpus/messenger/regular/run1.pcapng"]).stdout;
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn standard_input_reads_as_the_file_does() {
    let path = "corpus/messenger/regular/run1.pcapng";
    let bytes = std::fs::read(program::root().join(path)).unwrap();
    let piped = program::overheard_fed(&["read", "-", "--format", "jsonl"], &bytes);
    let named = overheard(&["read", path, "--format", "jsonl"]);
    assert_eq!(
        piped.stdout.replace("\"capture\":\"-\"", ""),
        named
            .stdout
            .replace(&format!("\"capture\":\"{path}\""), "")
            .replace(&format!("\"path\":\"{path}\""), "\"path\":\"-\"")
    );
}

#[test]
fn the_hash_is_taken_where_it_is_shown() {
    let path = "corpus/messenger/regular/run1.pcapng";
    let bytes = std::fs::read(program::root().join(path)).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
    let sha256: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    for (format, shown) in [("json", true), ("jsonl", true), ("html", true), ("csv", false), ("text", false)]
    {
        let answer = overheard(&["read", path, "--format", format]);
        assert_eq!(answer.stdout.contains(&sha256), shown, "{format}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = program::command(&["read", "corpus", "--format", "jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let answer = child.wait_with_output().unwrap();
    assert_eq!(answer.status.code(), Some(0));
    assert!(!String::from_utf8_lossy(&answer.stderr).contains("error"));
}

#[test]
fn a_full_disk_is_an_error() {
    let path = "corpus/messenger/regular/run1.pcapng";
    let answer = overheard(&["read", path, "--format", "html", "-o", "/dev/full"]);
    answer.refuses("/dev/full");
}

/// The report is begun with the first capture, and the second never comes.
#[test]
fn an_interrupted_report_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    std::fs::write(&report, "old").unwrap();
    let path = "corpus/messenger/regular/run1.pcapng";
    let mut child = program::command(&["read", path, "-", "-o", &report.to_string_lossy()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // Waiting for a child closes its input, which would end the program before the signal does.
    let _open = child.stdin.take();
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    let begun = (0..1000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        files() == 2
    });
    let signal = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(begun && signal.success());
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert_eq!((std::fs::read_to_string(&report).unwrap(), files()), ("old".into(), 1));
}
