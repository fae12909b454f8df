//! What is behind a cell: the runs, and in each the flows with their packets.
//!
//! Promises: bounded, so that a study of 100,000 flows still opens at once; what is left out is counted.

use super::page::{Cell, Row, Table};
use crate::figures::{bytes, count};
use crate::hostname;
use overheard_model::{Bundle, Endpoint, Flow, Key, Level, Reading, Run};
use std::collections::HashMap;
use std::sync::Arc;

/// Flows shown of one run, and of one cell.
const FLOWS_PER_RUN: usize = 4;
const FLOWS_PER_CELL: usize = 24;

/// What the cells of a comparison open.
pub(super) struct Evidence<'a> {
    /// Endpoints by level, key and build.
    met: HashMap<(Level, Arc<str>, usize), Vec<Met<'a>>>,
    /// Flows already told, by run and index: an address and its name open the same.
    told: HashMap<(usize, u32), Option<Row>>,
}

/// An endpoint with the run that met it.
#[derive(Clone, Copy)]
struct Met<'a> {
    at: usize,
    run: &'a Run,
    endpoint: &'a Endpoint,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(bundle: &'a Bundle) -> Self {
        let mut met: HashMap<_, Vec<Met>> = HashMap::new();
        for (at, run) in bundle.runs.iter().enumerate() {
            for endpoint in &run.reading.endpoints {
                for level in Level::ALL {
                    for key in level.keys_of(endpoint) {
                        met.entry((level, key, run.build)).or_default().push(Met { at, run, endpoint });
                    }
                }
            }
        }
        Self { met, told: HashMap::new() }
    }

    /// Behind the cell of a build; nothing where the build never met the key.
    pub(super) fn behind(&mut self, key: &Key, build: usize) -> Option<String> {
        let met = self.met.get(&(key.level, key.key.clone(), build))?;
        let mut table = Table::new(COLUMNS.map(String::from).to_vec());
        let (mut shown, mut left_out) = (0, 0);
        let mut in_run: HashMap<&str, usize> = HashMap::new();
        for Met { at, run, endpoint } in met {
            if endpoint.flows.is_empty() && shown < FLOWS_PER_CELL {
                table.row(listed(run, endpoint));
                shown += 1;
            }
            let of_run = in_run.entry(&run.reading.capture.path).or_default();
            let room = FLOWS_PER_RUN.saturating_sub(*of_run).min(FLOWS_PER_CELL - shown);
            for index in endpoint.flows.iter().take(room) {
                let flow = || run.reading.flows.get(*index as usize);
                let told = self.told.entry((*at, *index));
                let told = told.or_insert_with(|| flow().map(|flow| row(&run.name, &flow)));
                told.clone().into_iter().for_each(|row| table.row(row));
            }
            let told = endpoint.flows.len().min(room);
            *of_run += told;
            shown += told;
            left_out += (endpoint.flows.len() - told) as u64;
        }
        let more = format!(
            "<p class=\"faint\">and {} more flows (overheard read --format jsonl lists all)</p>",
            count(left_out)
        );
        Some(table.html() + if left_out > 0 { &more } else { "" })
    }
}

const COLUMNS: [&str; 9] = ["run", "flow", "protocol", "name", "packets", "first", "seconds", "out", "in"];

/// The flows behind an endpoint of a single reading.
pub(super) fn of_endpoint(reading: &Reading, endpoint: &Endpoint) -> Option<String> {
    let mut table = Table::new(COLUMNS.map(String::from).to_vec());
    let flows = endpoint.flows.iter().filter_map(|index| reading.flows.get(*index as usize));
    for flow in flows.take(FLOWS_PER_CELL) {
        table.row(row(&reading.capture.path, &flow));
    }
    let left_out = endpoint.flows.len().saturating_sub(FLOWS_PER_CELL) as u64;
    let more = format!("<p class=\"faint\">and {} more flows</p>", count(left_out));
    (!endpoint.flows.is_empty()).then(|| table.html() + if left_out > 0 { &more } else { "" })
}

fn row(run: &str, flow: &Flow) -> Row {
    let tuple = format!("{} {}:{} → {}:{}", flow.transport, flow.src, flow.src_port, flow.dst, flow.dst_port);
    let process = flow.process.as_ref().map(|process| format!(", {process}")).unwrap_or_default();
    let name = flow
        .name()
        .map(|name| format!("{} ({})", hostname::shown(&name.name), name.source))
        .unwrap_or_default();
    let seconds = flow.last.ms_since(flow.first) / 1000.0;
    Row::of(&[
        Cell::text(run),
        Cell::text(&(tuple + &process)),
        Cell::text(&format!("{}, {}", flow.protocol, flow.visibility)),
        Cell::text(&name),
        Cell::text(&format!("{} to {}", flow.first_packet, flow.last_packet)),
        Cell::text(&flow.first.to_string()),
        Cell::number(seconds, &format!("{seconds:.1}")),
        Cell::number(flow.bytes_out as f64, &bytes(flow.bytes_out)),
        Cell::number(flow.bytes_in as f64, &bytes(flow.bytes_in)),
    ])
}

/// A line of a table that somebody kept: there are no flows behind it.
fn listed(run: &Run, endpoint: &Endpoint) -> Row {
    let name = hostname::shown(endpoint.names.first().map_or("", |name| &name.name));
    let line = format!("line {}", endpoint.packet);
    let socket = format!("{} {}:{}", endpoint.transport, endpoint.address, endpoint.port);
    Row::of(&[&run.name, &socket, "", &name, &line, "", "", "", ""].map(Cell::text))
}
