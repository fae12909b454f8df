//! JSON: one document, versioned by its `schema` field.
//!
//! Promises: every document validates against its schema in `docs/schema/`; a field is never removed or
//! given another meaning within a version. Numbers that are not finite cannot occur (they would print as
//! `null`, which the schema refuses).

use crate::{Format, Style};
use overheard_model::{Bundle, Capture, Comparison, Concern, PlaceSource, Plan, Reading, Vantage};
use serde::Serialize;

/// `--format json`.
pub(crate) struct Json;

/// `overheard-comparison/1`.
#[derive(Serialize)]
struct ComparisonDocument<'a> {
    schema: &'static str,
    study: StudySummary<'a>,
    captures: Vec<RunSummary<'a>>,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

/// What was fixed before the data.
#[derive(Serialize)]
pub(crate) struct StudySummary<'a> {
    concerns: &'a [Concern],
    vantage: Option<&'a Vantage>,
    seed: u64,
    places: &'a [PlaceSource],
}

/// One run and the artifact behind it.
#[derive(Serialize)]
pub(crate) struct RunSummary<'a> {
    build: &'a str,
    run: &'a str,
    #[serde(flatten)]
    capture: &'a Capture,
    flows: usize,
    endpoints: usize,
}

/// `overheard-reading/1`.
#[derive(Serialize)]
struct ReadingDocument<'a> {
    schema: &'static str,
    places: &'a [PlaceSource],
    readings: &'a [Reading],
}

/// `overheard-plan/1`.
#[derive(Serialize)]
struct PlanDocument<'a> {
    schema: &'static str,
    #[serde(flatten)]
    plan: &'a Plan,
}

pub(crate) fn study(bundle: &Bundle) -> StudySummary<'_> {
    let study = &bundle.study;
    StudySummary {
        concerns: &study.concerns,
        vantage: study.vantage.as_ref(),
        seed: study.seed,
        places: &study.places,
    }
}

pub(crate) fn captures(bundle: &Bundle) -> Vec<RunSummary<'_>> {
    bundle
        .runs
        .iter()
        .map(|run| RunSummary {
            build: bundle.study.builds.get(run.build).map_or("", |build| &build.name),
            run: &run.name,
            capture: &run.reading.capture,
            flows: run.reading.flows.len(),
            endpoints: run.reading.endpoints.len(),
        })
        .collect()
}

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn comparison(&self, bundle: &Bundle, _: Style) -> String {
        document(&ComparisonDocument {
            schema: "overheard-comparison/1",
            study: study(bundle),
            captures: captures(bundle),
            comparison: &bundle.comparison,
        })
    }

    fn readings(&self, readings: &[Reading], places: &[PlaceSource], _: Style) -> String {
        document(&ReadingDocument { schema: "overheard-reading/1", places, readings })
    }

    fn plan(&self, plan: &Plan, _: Style) -> String {
        document(&PlanDocument { schema: "overheard-plan/1", plan })
    }
}

fn document(document: &impl Serialize) -> String {
    // The nouns have string keys and no fallible serialisers: writing them to memory cannot fail.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// One value on one line.
pub(crate) fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
