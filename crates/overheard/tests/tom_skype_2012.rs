//! The published table of 2012: one run of each build proves nothing, and the report says so.

mod program;

use program::{golden, overheard};
use std::collections::BTreeMap;

const TABLE: &str = "corpus/tom-skype-2012/table.csv";

fn compared(format: &str) -> program::Answer {
    overheard(&["compare", TABLE, "--reference", "regular", "--concern", "CN", "--format", format])
}

#[test]
fn the_table_has_the_published_marginals() {
    let report = compared("json").json();
    let mut marginals: BTreeMap<String, [u32; 3]> = BTreeMap::new();
    for row in report["keys"].as_array().unwrap().iter().filter(|row| row["level"] == "address") {
        let cells = row["cells"].as_object().unwrap();
        let builds = cells.values().filter(|cell| cell["present"] == 1).count();
        let country = row["country"].as_str().unwrap().to_owned();
        marginals.entry(country.clone()).or_default()[builds - 1] += 1;
        assert!(country != "CN" || row["cells"]["regular"]["present"] == 0, "{row}");
    }
    let published = [
        ("BE", [1, 0, 0]),
        ("CN", [13, 7, 0]),
        ("EE", [1, 2, 1]),
        ("GB", [1, 0, 0]),
        ("IE", [3, 1, 1]),
        ("IT", [1, 0, 0]),
        ("LU", [6, 0, 0]),
        ("SG", [1, 0, 0]),
        ("US", [19, 4, 0]),
    ];
    let published: BTreeMap<String, [u32; 3]> = published.map(|(cc, row)| (cc.to_owned(), row)).into();
    assert_eq!(marginals, published);
}

#[test]
fn nothing_is_proven_and_the_runs_needed_are_named() {
    let answer = compared("json");
    assert_eq!(answer.code, 4, "too few runs to say");
    let report = answer.json();
    for row in report["keys"].as_array().unwrap() {
        for (build, relation) in row["relations"].as_object().unwrap() {
            let cell = |build: &str| row["cells"][build]["present"].as_u64().unwrap();
            let one_sided = (cell(build) == 0) != (cell("regular") == 0);
            let expected = if one_sided { "unproven" } else { "shared" };
            assert!(cell(build) + cell("regular") == 0 || relation["relation"] == expected, "{row}");
            assert!(!one_sided || relation["runs_needed"].as_u64().unwrap() > 0, "{row}");
        }
    }
    for test in report["concerns"].as_array().unwrap() {
        assert_ne!(test["verdict"], "support", "{test}");
    }
    for difference in report["distinguishable"].as_object().unwrap().values() {
        assert_eq!(difference["verdict"], "abstain", "{difference}");
    }
}

#[test]
fn the_report_says_so_in_words() {
    let text = compared("text").stdout;
    assert!(text.contains("unproven"), "{text}");
    assert!(text.contains("further runs"), "{text}");
}

#[test]
fn each_stage_answers_as_before() {
    golden("tom-skype-2012/comparison.json", &compared("json").stdout);
    golden("tom-skype-2012/report.txt", &compared("text").stdout);
}

#[test]
fn a_reference_that_met_the_concern_proves_nothing_either() {
    let answer = overheard(&["compare", TABLE, "--reference", "tom-zh", "--concern", "CN"]);
    assert_eq!(answer.code, 4, "too few runs to say: {}", answer.stdout);
    let text = answer.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("tom-zh contacted China (CN) in 1 of 1 run; it is the reference."), "{text}");
    assert!(!text.contains("chance explains") && !text.contains("chance does not explain"), "{text}");
    assert!(text.contains("(46 in one build only)"), "{text}");
}
