//! JSON: one document, versioned by its `schema` field.
//!
//! Promises: every document validates against its schema in `docs/schema/`; a field is never removed or
//! given another meaning within a version. Numbers that are not finite cannot occur (they would print as
//! `null`, which the schema refuses). Text is what was said; characters that would act on what shows it are
//! written as escapes.

use crate::foreign::Inert;
use crate::{Format, Style};
use overheard_model::{
    Bundle, Capture, Comparison, Concern, PlaceSource, Plan, Reading, Registration, Vantage,
};
use serde::{Serialize, Serializer};
use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<&'a Registration>,
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
    #[serde(skip_serializing_if = "is_none")]
    attempts: usize,
}

fn is_none(attempts: &usize) -> bool {
    *attempts == 0
}

/// `overheard-reading/1`.
#[derive(Serialize)]
struct ReadingDocument<'a> {
    schema: &'static str,
    places: &'a [PlaceSource],
    readings: Each<'a>,
}

/// Readings as a list, each made, written and dropped in turn.
struct Each<'a>(RefCell<&'a mut dyn Iterator<Item = Arc<Reading>>>);

impl Serialize for Each<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&mut **self.0.borrow_mut())
    }
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
        registration: study.registration.as_ref(),
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
            attempts: run.reading.attempts.len(),
        })
        .collect()
}

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn comparison(&self, bundle: &Bundle, _: Style, out: &mut dyn Write) -> io::Result<()> {
        let comparison = ComparisonDocument {
            schema: "overheard-comparison/1",
            study: study(bundle),
            captures: captures(bundle),
            comparison: &bundle.comparison,
        };
        document(&comparison, out)
    }

    fn readings(
        &self,
        readings: &mut dyn Iterator<Item = Arc<Reading>>,
        places: &[PlaceSource],
        _: Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let readings = Each(RefCell::new(readings));
        document(&ReadingDocument { schema: "overheard-reading/1", places, readings }, out)
    }

    fn plan(&self, plan: &Plan, _: Style, out: &mut dyn Write) -> io::Result<()> {
        document(&PlanDocument { schema: "overheard-plan/1", plan }, out)
    }
}

pub(crate) fn document(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Inert::new(out);
    serde_json::to_writer_pretty(&mut out, document)?;
    out.write_all(b"\n")?;
    out.flush()
}
