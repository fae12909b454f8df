//! What every command does alike: help with examples, completions, licences, pipes.

mod program;

use program::overheard;

#[test]
fn every_command_has_examples_in_its_help() {
    for command in ["compare", "read", "plan", "report"] {
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
