//! Flows as rows of the table `flow`.
//!
//! Promises: an opened study holds none of them; each is read when somebody asks, and what is wrong with
//! one is kept for [`overheard_model::Flows::failure`].
//! To extend: a field of [`Flow`] is one column in a migration, and one line in `COLUMNS`, in
//! [`Writer::write`] and in [`read`], in the same order in all three.

use crate::Error;
use crate::column::{Columns, Parsed, Strings, Word, Wrong, bits, insert_into, list};
use overheard_model::{Asn, Flow, Measure, Name, Process, Tell, Timestamp};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const COLUMNS: &str = "capture, transport, src, src_port, dst, dst_port, began_by, ours, state, packets_out, \
    packets_in, bytes_out, bytes_in, first, last, first_packet, last_packet, retransmissions, gap_bytes, \
    conflicting_bytes, rtt_ms, names, protocol, measure, visibility, ja4, ja4_normalised, community_id, \
    tunnel, country, asn, process";

/// Writes the flows of one run, in order.
pub(crate) struct Writer<'c> {
    insert: CachedStatement<'c>,
    run: i64,
    seq: i64,
}

impl<'c> Writer<'c> {
    pub(crate) fn new(connection: &'c Connection, run: usize) -> Result<Self, Error> {
        Ok(Self { insert: insert_into(connection, ("flow", COLUMNS))?, run: run as i64, seq: 0 })
    }

    pub(crate) fn write(&mut self, path: &str, flow: &Flow) -> Result<(), Error> {
        let json = |error| Error::damaged(format!("flow {} to be saved", self.seq), error);
        let measure = flow.measure.as_ref().map(serde_json::to_string).transpose().map_err(json)?;
        let process = flow.process.as_ref().map(serde_json::to_string).transpose().map_err(json)?;
        self.insert.execute(params![
            self.run,
            self.seq,
            Some(&flow.capture).filter(|capture| ***capture != *path),
            flow.transport.to_string(),
            flow.src.to_string(),
            flow.src_port,
            flow.dst.to_string(),
            flow.dst_port,
            Word(flow.began_by).to_string(),
            Word(flow.ours).to_string(),
            Word(flow.state).to_string(),
            bits(flow.packets_out),
            bits(flow.packets_in),
            bits(flow.bytes_out),
            bits(flow.bytes_in),
            flow.first.0,
            flow.last.0,
            bits(flow.first_packet),
            bits(flow.last_packet),
            bits(flow.retransmissions),
            bits(flow.gap_bytes),
            bits(flow.conflicting_bytes),
            flow.rtt_ms,
            list(&flow.names).map_err(json)?,
            Word(flow.protocol).to_string(),
            measure,
            Word(flow.visibility).to_string(),
            flow.ja4,
            flow.ja4_normalised,
            flow.community_id,
            flow.tunnel,
            flow.country,
            flow.asn.map(|asn| asn.0),
            process,
        ])?;
        self.seq += 1;
        Ok(())
    }
}

/// A kept study that its flows are read from.
pub(crate) struct Source {
    connection: Connection,
    shared: Shared,
    /// The first flow that could not be read, and why.
    damage: Option<Error>,
}

/// What rows of a study share.
#[derive(Default)]
struct Shared {
    strings: Strings,
    names: Parsed<Vec<Name>>,
    measures: Parsed<Option<Measure>>,
    processes: Parsed<Option<Arc<Process>>>,
}

impl Source {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, shared: Shared::default(), damage: None }
    }

    fn count(&self, run: i64) -> Result<usize, Error> {
        let select = "SELECT seq FROM flow WHERE run = ? ORDER BY seq DESC LIMIT 1";
        let last = self.connection.prepare_cached(select)?.query_row([run], |row| row.get(0)).optional()?;
        let count = last.map_or(0, |last: i64| last.saturating_add(1));
        usize::try_from(count).map_err(|error| Error::damaged(format!("run {run}, the last flow"), error))
    }

    fn flow(&mut self, run: i64, path: &Arc<str>, index: usize) -> Result<Flow, Error> {
        let select = format!("SELECT {COLUMNS} FROM flow WHERE run = ? AND seq = ?");
        let mut select = self.connection.prepare_cached(&select)?;
        let mut rows = select.query(params![run, index as i64])?;
        let damaged = |what: &str| Error::damaged(format!("run {run}, flow {index}"), what);
        let row = rows.next()?.ok_or_else(|| damaged("it is missing"))?;
        read(Columns::of(row), path, &mut self.shared).map_err(|what| damaged(&what))
    }
}

/// The flows of one run, each read when somebody asks: most reports show a few of them.
pub(crate) struct Kept {
    source: Arc<Mutex<Source>>,
    run: i64,
    path: Arc<str>,
    len: usize,
}

impl Kept {
    /// Flows of a study are numbered from 0 without gaps.
    pub(crate) fn of(source: &Arc<Mutex<Source>>, run: i64, path: &Arc<str>) -> Result<Self, Error> {
        let len = source.lock().unwrap_or_else(PoisonError::into_inner).count(run)?;
        Ok(Self { source: source.clone(), run, path: path.clone(), len })
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tell for Kept {
    fn len(&self) -> usize {
        self.len
    }

    fn tell(&self, index: usize) -> Option<Flow> {
        if index >= self.len {
            return None;
        }
        let mut source = self.source();
        match source.flow(self.run, &self.path, index) {
            Ok(flow) => Some(flow),
            Err(damage) => {
                source.damage.get_or_insert(damage);
                None
            }
        }
    }

    fn failure(&self) -> Option<String> {
        self.source().damage.as_ref().map(ToString::to_string)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("run", &self.run).field("len", &self.len).finish_non_exhaustive()
    }
}

fn read(mut columns: Columns, path: &Arc<str>, shared: &mut Shared) -> Result<Flow, Wrong> {
    Ok(Flow {
        capture: columns.shared(&mut shared.strings)?.unwrap_or_else(|| path.clone()),
        transport: columns.parsed()?,
        src: columns.parsed()?,
        src_port: columns.get()?,
        dst: columns.parsed()?,
        dst_port: columns.get()?,
        began_by: columns.word()?,
        ours: columns.word()?,
        state: columns.word()?,
        packets_out: columns.count()?,
        packets_in: columns.count()?,
        bytes_out: columns.count()?,
        bytes_in: columns.count()?,
        first: Timestamp(columns.get()?),
        last: Timestamp(columns.get()?),
        first_packet: columns.count()?,
        last_packet: columns.count()?,
        retransmissions: columns.count()?,
        gap_bytes: columns.count()?,
        conflicting_bytes: columns.count()?,
        rtt_ms: columns.get()?,
        names: columns.json(&mut shared.names)?,
        protocol: columns.word()?,
        measure: columns.json(&mut shared.measures)?,
        visibility: columns.word()?,
        ja4: columns.shared(&mut shared.strings)?,
        ja4_normalised: columns.shared(&mut shared.strings)?,
        community_id: columns.text()?.to_owned(),
        tunnel: columns.shared(&mut shared.strings)?,
        country: columns.shared(&mut shared.strings)?,
        asn: columns.get::<Option<u32>>()?.map(Asn),
        process: columns.json(&mut shared.processes)?,
    })
}
