//! JSON lines: one record a line, told apart by its `record` field.
//!
//! Promises: the lines of a reading are exactly the model's observations, so that reports of several
//! artifacts may be joined end to end. The same schemas as JSON hold the records.

use crate::foreign::Inert;
use crate::json::{self, RunSummary, StudySummary};
use crate::{Format, Style};
use overheard_model::{
    Absence, BuildRuns, Bundle, Capture, ConcernTest, Control, Distinguishable, Endpoint, Finding, Flow,
    FromVantage, Key, PlaceSource, Plan, Reading, Unseen, Warning,
};
use serde::Serialize;
use std::io::{self, Write};
use std::sync::Arc;

/// `--format jsonl`.
pub(crate) struct Jsonl;

/// [`overheard_model::Observation`], borrowed.
#[derive(Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
enum ObservationLine<'a> {
    Capture(&'a Capture),
    Flow(&'a Flow),
    Endpoint(&'a Endpoint),
    Attempt(&'a Endpoint),
}

#[derive(Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
enum ComparisonLine<'a> {
    Comparison {
        schema: &'static str,
        builds: &'a [BuildRuns],
        reference: &'a str,
        study: StudySummary<'a>,
    },
    Run(RunSummary<'a>),
    Key(&'a Key),
    Concern(&'a ConcernTest),
    Absence(&'a Absence),
    Unseen(&'a Unseen),
    Distinguishable {
        build: &'a str,
        #[serde(flatten)]
        test: &'a Distinguishable,
    },
    Control(&'a Control),
    Warning(&'a Warning),
    Finding(&'a Finding),
    FromVantage(&'a FromVantage),
}

#[derive(Serialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
enum PlanLine<'a> {
    Plan(&'a Plan),
}

impl Format for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn comparison(&self, bundle: &Bundle, _: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut out = Inert::new(out);
        comparison_lines(bundle).iter().try_for_each(|record| line(record, &mut out))?;
        out.flush()
    }

    fn readings(
        &self,
        readings: &mut dyn Iterator<Item = Arc<Reading>>,
        _: &[PlaceSource],
        _: Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut out = Inert::new(out);
        for reading in readings {
            observations(&reading, &mut out)?;
            // Whoever reads along has a whole artifact now.
            out.flush()?;
        }
        Ok(())
    }

    fn plan(&self, plan: &Plan, _: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut out = Inert::new(out);
        line(&PlanLine::Plan(plan), &mut out)?;
        out.flush()
    }
}

/// The observations of one artifact: capture, flows, endpoints, attempts.
fn observations(reading: &Reading, out: &mut Inert) -> io::Result<()> {
    line(&ObservationLine::Capture(&reading.capture), out)?;
    for flow in &reading.flows {
        line(&ObservationLine::Flow(&flow), out)?;
    }
    reading.endpoints.iter().try_for_each(|endpoint| line(&ObservationLine::Endpoint(endpoint), out))?;
    reading.attempts.iter().try_for_each(|attempt| line(&ObservationLine::Attempt(attempt), out))
}

fn line(record: &impl Serialize, out: &mut Inert) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

fn comparison_lines(bundle: &Bundle) -> Vec<ComparisonLine<'_>> {
    let comparison = &bundle.comparison;
    let mut lines = vec![ComparisonLine::Comparison {
        schema: "overheard-comparison/1",
        builds: &comparison.builds,
        reference: &comparison.reference,
        study: json::study(bundle),
    }];
    lines.extend(json::captures(bundle).into_iter().map(ComparisonLine::Run));
    lines.extend(comparison.keys.iter().map(ComparisonLine::Key));
    lines.extend(comparison.concerns.iter().map(ComparisonLine::Concern));
    lines.extend(comparison.absences.iter().map(ComparisonLine::Absence));
    lines.extend(comparison.unseen.iter().map(ComparisonLine::Unseen));
    let tests = comparison.distinguishable.iter();
    lines.extend(tests.map(|(build, test)| ComparisonLine::Distinguishable { build, test }));
    lines.extend(comparison.control.iter().map(ComparisonLine::Control));
    lines.extend(comparison.warnings.iter().map(ComparisonLine::Warning));
    lines.extend(comparison.findings.iter().map(ComparisonLine::Finding));
    lines.extend(comparison.vantages.iter().map(ComparisonLine::FromVantage));
    lines
}
