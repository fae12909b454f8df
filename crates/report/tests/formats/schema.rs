//! JSON and JSON lines, held to the schemas in `docs/schema/`; these refuse fields that they do not name.

use crate::{STYLE, bundle, comparison, plan, readings};
use jsonschema::Validator;
use overheard_model::{Delivery, Found, Inquiry, Reading, Rule, SearchWarning, Signal, Strays, Timestamp};
use serde_json::Value;

fn schema(text: &str) -> Validator {
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::draft202012::new(&schema).expect("the schema is a schema")
}

fn comparison_schema() -> Validator {
    schema(include_str!("../../../../docs/schema/comparison.schema.json"))
}

fn reading_schema() -> Validator {
    schema(include_str!("../../../../docs/schema/reading.schema.json"))
}

fn plan_schema() -> Validator {
    schema(include_str!("../../../../docs/schema/plan.schema.json"))
}

fn keywords_schema() -> Validator {
    schema(include_str!("../../../../docs/schema/keywords.schema.json"))
}

fn all_readings() -> Vec<Reading> {
    bundle::two_builds().runs.into_iter().map(|run| run.reading).collect()
}

fn hold(schema: &Validator, text: &str) {
    let value: Value = serde_json::from_str(text).expect("JSON");
    if let Err(error) = schema.validate(&value) {
        panic!("{error} at {} in {text:.300}", error.instance_path);
    }
}

/// Of a search that found one rule and was broken off.
fn keywords() -> String {
    let rule = Rule { all: vec!["茶".into()], ordered: None, error_bound: 0.004, messages: 1 };
    let found = Found { rules: vec![rule], messages: 1, warnings: vec![SearchWarning::Unsettled] };
    let delivery = Delivery {
        number: 1,
        account: "alice".into(),
        text_sha256: "00".into(),
        sent: Timestamp::from_parts(0, 0),
        fate: None,
        after_ms: None,
    };
    let inquiry = Inquiry {
        found: Some(found),
        judged: None,
        signal: Signal::Delivery,
        watched: false,
        measured: false,
        lag_s: 0.0,
        acts: Vec::new(),
        copies: Vec::new(),
        broken_off: Some("it was interrupted".into()),
        budget: 5,
        target: 0.005,
        loss: 0.02,
        leak: 0.0,
        window_s: 20.0,
        deliveries: vec![delivery],
        strays: Strays { late: 1, ..Strays::default() },
    };
    let mut out = Vec::new();
    overheard_report::inquiry::json(&inquiry, &mut out).expect("memory takes it");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn documents_are_as_their_schemas_say() {
    for bundle in [bundle::two_builds(), bundle::one_run(), bundle::hostile()] {
        hold(&comparison_schema(), &comparison("json", &bundle, STYLE));
    }
    hold(&reading_schema(), &readings("json", all_readings()));
    hold(&plan_schema(), &plan("json"));
    hold(&keywords_schema(), &keywords());
}

#[test]
fn lines_are_as_their_schemas_say() {
    let (of_comparison, of_reading) = (comparison_schema(), reading_schema());
    for line in comparison("jsonl", &bundle::two_builds(), STYLE).lines() {
        hold(&of_comparison, line);
    }
    for line in readings("jsonl", all_readings()).lines() {
        hold(&of_reading, line);
    }
    hold(&plan_schema(), plan("jsonl").trim_end());
}

#[test]
fn a_field_that_the_schema_does_not_name_is_refused() {
    let mut value: Value =
        serde_json::from_str(&comparison("json", &bundle::two_builds(), STYLE)).expect("JSON");
    assert!(comparison_schema().is_valid(&value));
    value["keys"][0]["colour"] = "red".into();
    assert!(!comparison_schema().is_valid(&value));
}
