//! JSON and JSON lines, held to the schemas in `docs/schema/`; these refuse fields that they do not name.

use crate::{STYLE, bundle, comparison, inquiry, plan, readings};
use jsonschema::Validator;
use overheard_model::Reading;
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

fn inquiry_schema() -> Validator {
    schema(include_str!("../../../../docs/schema/inquiry.schema.json"))
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

#[test]
fn documents_are_as_their_schemas_say() {
    for bundle in [bundle::two_builds(), bundle::one_run(), bundle::hostile()] {
        hold(&comparison_schema(), &comparison("json", &bundle, STYLE));
    }
    hold(&reading_schema(), &readings("json", all_readings()));
    hold(&plan_schema(), &plan("json"));
    for inquiry in [inquiry::uploads(), inquiry::clean(), inquiry::search(), inquiry::calling("=\u{202e}<b>")]
    {
        hold(&inquiry_schema(), &inquiry::as_format("json", &inquiry));
    }
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
    let mut value: Value =
        serde_json::from_str(&inquiry::as_format("json", &inquiry::uploads())).expect("JSON");
    value["trials"][0]["colour"] = "red".into();
    assert!(!inquiry_schema().is_valid(&value));
}
