//! What is behind a cell: the runs, and in each the flows with their packets.
//!
//! Promises: bounded, so that a study of 100,000 flows still opens at once; what is left out is counted.

use super::page::{Cell, Table};
use crate::figures::{bytes, count};
use overheard_model::{Bundle, Endpoint, Flow, Key, Level, Reading, Run};
use std::collections::HashMap;

/// Flows shown of one run, and of one cell.
const FLOWS_PER_RUN: usize = 4;
const FLOWS_PER_CELL: usize = 24;

/// Endpoints by level, key and build.
pub(super) struct Evidence<'a>(HashMap<(Level, String, usize), Vec<Met<'a>>>);

/// An endpoint with the run that met it.
type Met<'a> = (&'a Run, &'a Endpoint);

impl<'a> Evidence<'a> {
    pub(super) fn of(bundle: &'a Bundle) -> Self {
        let mut behind: HashMap<_, Vec<Met>> = HashMap::new();
        for run in &bundle.runs {
            for endpoint in &run.reading.endpoints {
                for level in Level::ALL {
                    for key in level.keys_of(endpoint) {
                        behind.entry((level, key.to_string(), run.build)).or_default().push((run, endpoint));
                    }
                }
            }
        }
        Self(behind)
    }

    /// Behind the cell of a build; nothing where the build never met the key.
    pub(super) fn behind(&self, key: &Key, build: usize) -> Option<String> {
        let met = self.0.get(&(key.level, key.key.to_string(), build))?;
        let mut table = Table::new(COLUMNS.map(String::from).to_vec());
        let (mut shown, mut left_out) = (0, 0);
        let mut in_run: HashMap<&str, usize> = HashMap::new();
        for (run, endpoint) in met {
            if endpoint.flows.is_empty() && shown < FLOWS_PER_CELL {
                table.row(listed(run, endpoint));
                shown += 1;
            }
            for flow in flows(&run.reading, endpoint) {
                let of_run = in_run.entry(&run.reading.capture.path).or_default();
                *of_run += 1;
                if *of_run <= FLOWS_PER_RUN && shown < FLOWS_PER_CELL {
                    table.row(row(&run.name, flow));
                    shown += 1;
                } else {
                    left_out += 1;
                }
            }
        }
        let more = format!(
            "<p class=\"faint\">and {} more flows (overheard read --format jsonl lists all)</p>",
            count(left_out)
        );
        Some(table.html("") + if left_out > 0 { &more } else { "" })
    }
}

const COLUMNS: [&str; 9] = ["run", "flow", "protocol", "name", "packets", "first", "seconds", "out", "in"];

/// The flows of an endpoint.
fn flows<'a>(reading: &'a Reading, endpoint: &'a Endpoint) -> impl Iterator<Item = &'a Flow> {
    endpoint.flows.iter().filter_map(|index| reading.flows.get(*index as usize))
}

/// The flows behind an endpoint of a single reading.
pub(super) fn of_endpoint(reading: &Reading, endpoint: &Endpoint) -> Option<String> {
    let mut table = Table::new(COLUMNS.map(String::from).to_vec());
    for flow in flows(reading, endpoint).take(FLOWS_PER_CELL) {
        table.row(row(&reading.capture.path, flow));
    }
    let left_out = endpoint.flows.len().saturating_sub(FLOWS_PER_CELL) as u64;
    let more = format!("<p class=\"faint\">and {} more flows</p>", count(left_out));
    (!endpoint.flows.is_empty()).then(|| table.html("") + if left_out > 0 { &more } else { "" })
}

fn row(run: &str, flow: &Flow) -> Vec<Cell> {
    let tuple = format!("{} {}:{} → {}:{}", flow.transport, flow.src, flow.src_port, flow.dst, flow.dst_port);
    let name = flow.name().map(|name| format!("{} ({})", name.name, name.source)).unwrap_or_default();
    let seconds = flow.last.ms_since(flow.first) / 1000.0;
    vec![
        Cell::text(run),
        Cell::text(&tuple),
        Cell::text(&format!("{}, {}", flow.protocol, flow.visibility)),
        Cell::text(&name),
        Cell::text(&format!("{} to {}", flow.first_packet, flow.last_packet)),
        Cell::text(&flow.first.to_string()),
        Cell::number(seconds, &format!("{seconds:.1}")),
        Cell::number(flow.bytes_out as f64, &bytes(flow.bytes_out)),
        Cell::number(flow.bytes_in as f64, &bytes(flow.bytes_in)),
    ]
}

/// A line of a table that somebody kept: there are no flows behind it.
fn listed(run: &Run, endpoint: &Endpoint) -> Vec<Cell> {
    let name = endpoint.names.first().map_or("", |name| &name.name);
    let line = format!("line {}", endpoint.packet);
    let socket = format!("{} {}:{}", endpoint.transport, endpoint.address, endpoint.port);
    [&run.name, &socket, "", name, &line, "", "", "", ""].map(Cell::text).into()
}
