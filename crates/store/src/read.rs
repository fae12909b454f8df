//! A database back into the bundle that it was written from.

use crate::{Error, blob, endpoint, flow};
use overheard_model::{Bundle, Capture, Reading, Run, Timestamp};
use rusqlite::Connection;

pub(crate) fn bundle(connection: &Connection) -> Result<Bundle, Error> {
    let documents = connection.query_row("SELECT plan, comparison FROM study", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    });
    let (plan, comparison) = documents.map_err(|error| Error::damaged("the table study", error))?;
    Ok(Bundle {
        study: blob::find(connection, &plan, "the plan")?,
        runs: runs(connection)?,
        comparison: blob::find(connection, &comparison, "the comparison")?,
    })
}

/// A row of the table `run`.
struct RunRow {
    id: i64,
    build: i64,
    name: String,
    began: Option<i64>,
    capture: String,
}

fn runs(connection: &Connection) -> Result<Vec<Run>, Error> {
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
    let (mut flows, mut endpoints) = (flow::Shared::default(), endpoint::Shared::default());
    let mut runs = Vec::new();
    for row in rows {
        let RunRow { id, build, name, began, capture } =
            row.map_err(|error| Error::damaged(format!("run {}", runs.len()), error))?;
        let build = usize::try_from(build).map_err(|error| Error::damaged(format!("run {id}"), error))?;
        let capture: Capture = blob::find(connection, &capture, &format!("the capture of run {id}"))?;
        let reading = Reading {
            flows: flow::all(connection, id, &capture.path, &mut flows)?,
            endpoints: endpoint::all(connection, id, &capture.path, &mut endpoints)?,
            capture,
        };
        runs.push(Run { build, name, began: began.map(Timestamp), reading });
    }
    Ok(runs)
}
