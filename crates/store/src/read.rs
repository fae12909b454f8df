//! A database back into the bundle that it was written from.

use crate::flow::{Kept, Source};
use crate::{Error, blob, endpoint};
use overheard_model::{Bundle, Capture, Comparison, Flows, Reading, Run, Study, Timestamp};
use rusqlite::Connection;
use std::sync::{Arc, Mutex};

pub(crate) fn bundle(connection: Connection) -> Result<Bundle, Error> {
    let (study, comparison) = documents(&connection)?;
    let kept = runs(&connection)?;
    let flows = Arc::new(Mutex::new(Source::new(connection)));
    let with_flows = |(id, mut run): (i64, Run)| {
        run.reading.flows = Flows::new(Kept::of(&flows, id, &run.reading.capture.path)?);
        Ok(run)
    };
    Ok(Bundle { study, runs: kept.into_iter().map(with_flows).collect::<Result<_, Error>>()?, comparison })
}

fn documents(connection: &Connection) -> Result<(Study, Comparison), Error> {
    let documents = connection.query_row("SELECT plan, comparison FROM study", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    });
    let (plan, comparison) = documents.map_err(|error| Error::damaged("the table study", error))?;
    let study = blob::find(connection, &plan, "the plan")?;
    Ok((study, blob::find(connection, &comparison, "the comparison")?))
}

/// A row of the table `run`.
struct RunRow {
    id: i64,
    build: i64,
    name: String,
    began: Option<i64>,
    capture: String,
}

/// Every run with its number, still without its flows.
fn runs(connection: &Connection) -> Result<Vec<(i64, Run)>, Error> {
    let mut select = connection.prepare("SELECT id, build, name, began, capture FROM run ORDER BY id")?;
    let rows = select.query_map([], |row| {
        Ok(RunRow {
            id: row.get(0)?,
            build: row.get(1)?,
            name: row.get(2)?,
            began: row.get(3)?,
            capture: row.get(4)?,
        })
    })?;
    let mut endpoints = endpoint::Shared::default();
    let mut runs = Vec::new();
    for row in rows {
        let RunRow { id, build, name, began, capture } =
            row.map_err(|error| Error::damaged(format!("run {}", runs.len()), error))?;
        let build = usize::try_from(build).map_err(|error| Error::damaged(format!("run {id}"), error))?;
        let capture: Capture = blob::find(connection, &capture, &format!("the capture of run {id}"))?;
        let [met, attempts] = endpoint::all(connection, id, &capture.path, &mut endpoints)?;
        let reading = Reading { flows: Flows::default(), endpoints: met, attempts, capture };
        runs.push((id, Run { build, name, began: began.map(Timestamp), reading }));
    }
    Ok(runs)
}
