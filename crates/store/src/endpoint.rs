//! Endpoints as rows of the table `endpoint`.
//!
//! To extend: as for flows, one line each in `COLUMNS`, in [`Writer::write`] and in [`read`].

use crate::Error;
use crate::column::{Columns, Parsed, Strings, Word, Wrong, bits, insert_into, list, rows_of};
use overheard_model::{Endpoint, Indices, Name, Place, Protocols, Timestamp};
use rusqlite::{CachedStatement, Connection, params};
use std::sync::Arc;

const COLUMNS: &str = "capture, address, port, transport, names, domains, place, protocols, visibility, \
    packets_out, packets_in, bytes_out, bytes_in, first, last, rtt_ms, flows, packet, attempt";

/// Writes the endpoints of one run, in order, and its attempts.
pub(crate) struct Writer<'c> {
    insert: CachedStatement<'c>,
    run: i64,
    seq: i64,
}

impl<'c> Writer<'c> {
    pub(crate) fn new(connection: &'c Connection, run: usize) -> Result<Self, Error> {
        Ok(Self { insert: insert_into(connection, ("endpoint", COLUMNS))?, run: run as i64, seq: 0 })
    }

    pub(crate) fn write(&mut self, path: &str, endpoint: &Endpoint, attempt: bool) -> Result<(), Error> {
        let json = |error| Error::damaged(format!("endpoint {} to be saved", self.seq), error);
        self.insert.execute(params![
            self.run,
            self.seq,
            Some(&endpoint.capture).filter(|capture| ***capture != *path),
            endpoint.address.to_string(),
            endpoint.port,
            endpoint.transport.to_string(),
            list(&endpoint.names).map_err(json)?,
            list(&endpoint.domains).map_err(json)?,
            serde_json::to_string(&endpoint.place).map_err(json)?,
            list(&endpoint.protocols.iter().collect::<Vec<_>>()).map_err(json)?,
            Word(endpoint.visibility).to_string(),
            bits(endpoint.packets_out),
            bits(endpoint.packets_in),
            bits(endpoint.bytes_out),
            bits(endpoint.bytes_in),
            endpoint.first.map(|first| first.0),
            endpoint.last.map(|last| last.0),
            endpoint.rtt_ms,
            list(&endpoint.flows).map_err(json)?,
            bits(endpoint.packet),
            attempt,
        ])?;
        self.seq += 1;
        Ok(())
    }
}

/// What rows of a study share.
#[derive(Default)]
pub(crate) struct Shared {
    strings: Strings,
    names: Parsed<Box<[Name]>>,
    domains: Parsed<Arc<[Arc<str>]>>,
    places: Parsed<Arc<Place>>,
    protocols: Parsed<Protocols>,
    flows: Parsed<Indices>,
}

/// The endpoints of one run, in order, and its attempts.
pub(crate) fn all(
    connection: &Connection,
    run: i64,
    path: &Arc<str>,
    shared: &mut Shared,
) -> Result<[Vec<Endpoint>; 2], Error> {
    let mut both = [Vec::new(), Vec::new()];
    rows_of(connection, ("endpoint", COLUMNS), run, |mut columns| {
        let endpoint = read(&mut columns, path, shared)?;
        let attempt: bool = columns.get()?;
        both[usize::from(attempt)].push(endpoint);
        Ok(())
    })?;
    Ok(both)
}

fn read(columns: &mut Columns, path: &Arc<str>, shared: &mut Shared) -> Result<Endpoint, Wrong> {
    Ok(Endpoint {
        capture: columns.shared(&mut shared.strings)?.unwrap_or_else(|| path.clone()),
        address: columns.parsed()?,
        port: columns.get()?,
        transport: columns.parsed()?,
        names: columns.json(&mut shared.names)?,
        domains: columns.json(&mut shared.domains)?,
        place: columns.json(&mut shared.places)?,
        protocols: columns.json(&mut shared.protocols)?,
        visibility: columns.word()?,
        packets_out: columns.count()?,
        packets_in: columns.count()?,
        bytes_out: columns.count()?,
        bytes_in: columns.count()?,
        first: columns.get::<Option<i64>>()?.map(Timestamp),
        last: columns.get::<Option<i64>>()?.map(Timestamp),
        rtt_ms: columns.get()?,
        flows: columns.json(&mut shared.flows)?,
        packet: columns.count()?,
    })
}
