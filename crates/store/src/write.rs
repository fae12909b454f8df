//! A bundle into an empty database, in one transaction.

use crate::{Error, blob, column, endpoint, flow, schema};
use overheard_model::{Bundle, Reading, Run};
use rusqlite::{Connection, params};

pub(crate) fn bundle(mut connection: Connection, bundle: &Bundle) -> Result<(), Error> {
    // The file is a draft until it is renamed: a journal would guard what nobody reads.
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    schema::migrate(&mut connection)?;
    let transaction = connection.transaction()?;
    let plan = blob::keep(&transaction, &bundle.study)?;
    let comparison = blob::keep(&transaction, &bundle.comparison)?;
    transaction
        .execute("INSERT INTO study (id, plan, comparison) VALUES (1, ?, ?)", params![plan, comparison])?;
    for (id, run) in bundle.runs.iter().enumerate() {
        self::run(&transaction, id, run)?;
    }
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error.into())
}

fn run(connection: &Connection, id: usize, run: &Run) -> Result<(), Error> {
    let artifact = run.reading.artifact().ok_or_else(|| {
        Error::damaged(format!("run {id} to be saved"), "its artifact was read without its hash")
    })?;
    connection.execute(
        "INSERT OR IGNORE INTO artifact (sha256, path, bytes) VALUES (?, ?, ?)",
        params![artifact.sha256, artifact.path, column::bits(artifact.bytes)],
    )?;
    let capture = blob::keep(connection, &run.reading.capture)?;
    connection.execute(
        "INSERT INTO run (id, build, name, began, path, sha256, capture) VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![
            id as i64,
            run.build as i64,
            run.name,
            run.began.map(|began| began.0),
            artifact.path,
            artifact.sha256,
            capture
        ],
    )?;
    let mut flows = flow::Writer::new(connection, id)?;
    for flow in &run.reading.flows {
        flows.write(&artifact.path, &flow)?;
    }
    let mut endpoints = endpoint::Writer::new(connection, id)?;
    let Reading { endpoints: met, attempts, .. } = &run.reading;
    let met = met.iter().map(|it| (it, false)).chain(attempts.iter().map(|it| (it, true)));
    for (endpoint, attempt) in met {
        endpoints.write(&artifact.path, endpoint, attempt)?;
    }
    Ok(())
}
