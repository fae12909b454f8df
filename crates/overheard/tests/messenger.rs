//! The main job on the recorded study: a regular and two co-branded builds, eight interleaved runs each.

mod program;

use program::{golden, overheard};
use serde_json::Value;

const STUDY: [&str; 7] = [
    "compare",
    "regular=corpus/messenger/regular",
    "co-branded=corpus/messenger/co-branded",
    "co-branded-zh=corpus/messenger/co-branded-zh",
    "--mmdb=corpus/places.mmdb",
    "--concern=CN",
    "--vantage=NL",
];

fn study(more: &[&str]) -> program::Answer {
    overheard(&[&STUDY[..], more].concat())
}

fn key<'a>(report: &'a Value, level: &str, key: &str) -> Option<&'a Value> {
    report["keys"].as_array().unwrap().iter().find(|row| row["level"] == level && row["key"] == key)
}

#[test]
fn the_co_branded_builds_alone_talk_to_china() {
    let answer = study(&["--format=json"]);
    assert_eq!(answer.code, 1, "a finding of concern: {}", answer.stderr);
    let report = answer.json();
    let china = key(&report, "country", "CN").expect("CN is a key");
    assert_eq!(china["cells"]["regular"]["present"], 0);
    assert_eq!(china["cells"]["regular"]["runs"], 8);
    for build in ["co-branded", "co-branded-zh"] {
        assert_eq!(china["cells"][build]["present"], 8);
        assert_eq!(china["relations"][build]["relation"], "only");
        assert!(china["relations"][build]["q"].as_f64().unwrap() <= 0.05);
    }
    let concerns = report["concerns"].as_array().unwrap();
    let verdict = |build: &str| {
        let test = concerns.iter().find(|test| test["build"] == build);
        test.map(|test| test["verdict"].as_str().unwrap().to_owned())
    };
    assert_eq!(verdict("co-branded").as_deref(), Some("support"));
    assert_eq!(verdict("co-branded-zh").as_deref(), Some("support"));
}

#[test]
fn the_runs_were_interleaved_and_the_report_does_not_complain() {
    let report = study(&["--format=json"]).json();
    let warnings = report["warnings"].as_array().unwrap();
    assert!(!warnings.iter().any(|warning| warning["kind"] == "not-interleaved"), "{warnings:?}");
}

#[test]
fn regular_against_itself_shows_no_difference() {
    let halves = |runs: [u8; 4]| runs.map(|run| format!("corpus/messenger/regular/run{run}.pcapng")).to_vec();
    let mut args = vec!["compare".to_owned(), "--mmdb=corpus/places.mmdb".into(), "--format=json".into()];
    for (name, runs) in [("odd", [1, 3, 5, 7]), ("even", [2, 4, 6, 8])] {
        let mut files = halves(runs);
        files[0] = format!("{name}={}", files[0]);
        args.extend(files);
    }
    let answer = overheard(&args);
    assert_ne!(answer.code, 1, "{}", answer.stdout);
    for row in answer.json()["keys"].as_array().unwrap() {
        let relation = row["relations"]["even"]["relation"].as_str().unwrap();
        assert!(["shared", "unproven"].contains(&relation), "{row}");
    }
}

#[test]
fn a_saved_study_renders_again_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("study.overheard");
    let file = file.to_str().unwrap();
    for format in ["text", "json", "jsonl", "csv", "html"] {
        let _ = std::fs::remove_file(file);
        let format = format!("--format={format}");
        let first = study(&[&format, "--save", file]);
        assert_eq!(first.code, 1, "{}", first.stderr);
        let again = overheard(&["report", file, &format]);
        assert_eq!(first.stdout, again.stdout, "{format}");
        assert_eq!(first.code, again.code);
    }
}

#[test]
fn one_run_of_each_build_proves_nothing() {
    let run = |build: &str| format!("{build}=corpus/messenger/{build}/run1.pcapng");
    let answer = overheard(&["compare", &run("regular"), &run("co-branded"), "--format=json"]);
    assert_eq!(answer.code, 4, "too few runs to say: {}", answer.stderr);
    let report = answer.json();
    let warnings = report["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["kind"] == "one-run"), "{warnings:?}");
}

#[test]
fn a_build_without_packets_is_a_run_without_contacts() {
    let folder = tempfile::tempdir().unwrap();
    // A pcap header and nothing after it: https://www.tcpdump.org/manpages/pcap-savefile.5.html.
    let header = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    std::fs::write(folder.path().join("silent.pcap"), header).unwrap();
    let silent = format!("silent={}", folder.path().display());
    let answer = overheard(&["compare", "regular=corpus/messenger/regular", &silent, "--format=json"]);
    assert_eq!(answer.code, 4, "{}", answer.stderr);
    let warnings = answer.json()["warnings"].clone();
    let silent = warnings.as_array().unwrap().iter().find(|warning| warning["kind"] == "empty-run");
    assert!(silent.is_some_and(|warning| warning["text"].to_string().contains("silent.pcap")), "{warnings}");
}

#[test]
fn the_same_study_gives_the_same_bytes() {
    assert_eq!(study(&["--format=json"]).stdout, study(&["--format=json"]).stdout);
}

#[test]
fn each_stage_answers_as_before() {
    golden("messenger/comparison.json", &study(&["--format=json"]).stdout);
    golden("messenger/report.txt", &study(&["--format=text"]).stdout);
}

fn words(answer: &program::Answer) -> String {
    answer.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_concern_that_only_the_reference_meets_is_said_to_be_its_own() {
    let answer = study(&["--reference=co-branded"]);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    let text = words(&answer);
    let less =
        "regular contacted China (CN) in 0 of 8 runs, co-branded in 8 of 8: less often than chance explains";
    assert!(text.contains(less), "{text}");
    assert!(text.contains("chance does not explain the difference of regular from co-branded"), "{text}");
}

#[test]
fn without_places_no_country_is_absent() {
    let known: Vec<&str> = STUDY.into_iter().filter(|arg| !arg.starts_with("--mmdb")).collect();
    let text = words(&overheard(&known));
    assert!(!text.contains("never contacted China"), "{text}");
    assert!(text.contains("addresses have no certain country"), "{text}");
    let both = "co-branded and co-branded-zh alone contacted lantern.example";
    assert!(text.contains(both), "{text}");
}

#[test]
fn halves_that_differ_as_sets_alone_are_no_finding() {
    let of = |name: &str, runs: [u8; 4]| {
        let path = |run: u8| format!("corpus/messenger/regular/run{run}.pcapng");
        let mut files = runs.map(path).to_vec();
        files[0] = format!("{name}={}", files[0]);
        files
    };
    let options = vec!["compare".to_owned(), "--mmdb=corpus/places.mmdb".into()];
    let answer = overheard(&[options, of("a", [1, 4, 6, 7]), of("b", [2, 3, 5, 8])].concat());
    assert_eq!(answer.code, 4, "{}", answer.stdout);
    let said = "by more than chance (p=0.029), but no single server, name, network or country is proven to";
    assert!(words(&answer).contains(said), "{}", answer.stdout);
}

#[test]
fn the_readme_shows_what_its_command_prints() {
    let readme = std::fs::read_to_string(program::root().join("README.md")).unwrap();
    let command = readme.lines().find(|line| line.starts_with("cargo run --release -- compare")).unwrap();
    let args: Vec<&str> = command.split_whitespace().skip(4).collect();
    let printed = overheard(&args).stdout;
    let (_, picture) = readme.split_once("```text\n").unwrap();
    let (picture, _) = picture.split_once("```").unwrap();
    for line in picture.lines().filter(|line| line.trim() != "…") {
        assert!(printed.lines().any(|other| other == line), "the command no longer prints {line:?}");
    }
}
