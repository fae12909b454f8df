//! What each format prints of two small studies, whole, so that a change of layout is seen in review.

use crate::{STYLE, bundle, comparison, readings};
use overheard_model::{Plan, Power};
use overheard_report::Style;

pub fn plan() -> Plan {
    let power = |runs, power, absence_bound| Power { runs, power, absence_bound };
    Plan {
        rate: 0.7,
        reference_rate: 0.0,
        keys: 60,
        alpha: 0.05,
        target: 0.95,
        runs_needed: Some(18),
        runs_needed_concern: Some(10),
        table: vec![power(5, 0.0, 0.451), power(10, 0.38, 0.259), power(20, 0.973, 0.139)],
    }
}

#[test]
fn two_builds_as_text() {
    insta::assert_snapshot!(comparison("text", &bundle::two_builds(), STYLE));
}

#[test]
fn two_builds_as_csv() {
    insta::assert_snapshot!(comparison("csv", &bundle::two_builds(), STYLE));
}

#[test]
fn one_run_as_text() {
    insta::assert_snapshot!(comparison("text", &bundle::one_run(), STYLE));
}

#[test]
fn one_run_as_json() {
    insta::assert_snapshot!(comparison("json", &bundle::one_run(), STYLE));
}

#[test]
fn a_narrow_terminal() {
    let narrow = Style { width: 72, color: false };
    insta::assert_snapshot!(comparison("text", &bundle::two_builds(), narrow));
}

#[test]
fn a_reading_as_text() {
    let reading = bundle::two_builds().runs.swap_remove(8).reading;
    insta::assert_snapshot!(readings("text", vec![reading]));
}

#[test]
fn a_reading_as_csv() {
    let reading = bundle::two_builds().runs.swap_remove(8).reading;
    insta::assert_snapshot!(readings("csv", vec![reading]));
}

#[test]
fn a_plan_as_text() {
    insta::assert_snapshot!(crate::plan("text"));
}
