//! JSON and JSON lines, held to the schemas in `docs/schema/`; these refuse fields that they do not name.

use crate::{STYLE, bundle, format, snapshot};
use jsonschema::Validator;
use overheard_model::Reading;
use serde_json::Value;

fn schema(text: &str) -> Validator {
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::draft202012::new(&schema).expect("the schema is a schema")
}

fn comparison() -> Validator {
    schema(include_str!("../../../../docs/schema/comparison.schema.json"))
}

fn reading() -> Validator {
    schema(include_str!("../../../../docs/schema/reading.schema.json"))
}

fn plan() -> Validator {
    schema(include_str!("../../../../docs/schema/plan.schema.json"))
}

fn readings() -> Vec<Reading> {
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
    let json = format("json");
    for bundle in [bundle::two_builds(), bundle::one_run(), bundle::hostile()] {
        hold(&comparison(), &json.comparison(&bundle, STYLE));
    }
    hold(&reading(), &json.readings(&readings(), &bundle::places(), STYLE));
    hold(&plan(), &json.plan(&snapshot::plan(), STYLE));
}

#[test]
fn lines_are_as_their_schemas_say() {
    let jsonl = format("jsonl");
    let (comparison, reading) = (comparison(), reading());
    for line in jsonl.comparison(&bundle::two_builds(), STYLE).lines() {
        hold(&comparison, line);
    }
    for line in jsonl.readings(&readings(), &bundle::places(), STYLE).lines() {
        hold(&reading, line);
    }
    hold(&plan(), jsonl.plan(&snapshot::plan(), STYLE).trim_end());
}

#[test]
fn a_field_that_the_schema_does_not_name_is_refused() {
    let mut value: Value =
        serde_json::from_str(&format("json").comparison(&bundle::two_builds(), STYLE)).expect("JSON");
    assert!(comparison().is_valid(&value));
    value["keys"][0]["colour"] = "red".into();
    assert!(!comparison().is_valid(&value));
}
