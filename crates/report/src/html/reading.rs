//! Readings as a page: endpoints, each opening its flows.

use super::evidence;
use super::page::{Cell, Page, Table};
use crate::endpoint::attempted;
use crate::figures::{bytes, counted, milliseconds};
use crate::{hostname, source};
use overheard_model::{Endpoint, PlaceSource, Reading};
use std::io::{self, Write};
use std::sync::Arc;

pub(super) fn page(
    readings: &mut dyn Iterator<Item = Arc<Reading>>,
    places: &[PlaceSource],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::begin("Whom does it talk to?", out)?;
    let (first, second) = (readings.next(), readings.next());
    // Of a single reading, the line above the table names the capture.
    let several = second.is_some();
    let mut table = endpoints_table(several);
    let mut met = source::Met::default();
    for reading in first.into_iter().chain(second).chain(readings) {
        headlines(&reading, &mut page)?;
        met.extend(&reading.endpoints);
        reading.endpoints.iter().for_each(|endpoint| add(&mut table, &reading, endpoint, several));
    }
    page.main_table(&table)?;
    for sentence in source::sentences(places, &met, None, None) {
        page.line(&sentence)?;
    }
    page.end()
}

/// What the capture is, and what went wrong.
fn headlines(Reading { capture, flows, attempts, .. }: &Reading, page: &mut Page) -> io::Result<()> {
    let figures = [counted(capture.packets, "packet"), counted(flows.len() as u64, "flow")].join(", ");
    let hash = capture.sha256.as_deref().unwrap_or("not taken");
    page.line(&format!("{}: {}, {figures}, SHA-256 {hash}", capture.path, capture.format))?;
    capture.problems.iter().try_for_each(|problem| page.line(&format!("! {problem}")))?;
    attempted(attempts).into_iter().try_for_each(|tried| page.line(&tried))
}

fn endpoints_table(several: bool) -> Table {
    let columns =
        ["country", "address", "port", "names", "network", "protocol", "on the wire", "out", "in", "rtt"];
    let columns = columns.into_iter().chain(several.then_some("capture"));
    Table::marked(columns.map(String::from).collect(), &["country", "wire"])
}

fn add(table: &mut Table, reading: &Reading, endpoint: &Endpoint, several: bool) {
    let country = endpoint.place.label().unwrap_or_else(|| "unknown".into());
    let marks = vec![country.replace(' ', "-"), endpoint.visibility.to_string()];
    let text = format!("{} {}", endpoint.address, names(endpoint));
    let mut cells = cells(reading, endpoint, &country);
    cells.extend(several.then(|| Cell::classed("faint", &endpoint.capture)));
    table.marked_row(marks, &text, cells);
}

fn names(endpoint: &Endpoint) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in &endpoint.names {
        if !names.contains(&&*name.name) {
            names.push(&name.name);
        }
    }
    hostname::listed(names)
}

fn cells(reading: &Reading, endpoint: &Endpoint, country: &str) -> Vec<Cell> {
    let port = match endpoint.transport.has_ports() {
        true => format!("{}/{}", endpoint.port, endpoint.transport),
        false => endpoint.transport.to_string(),
    };
    let rtt = endpoint.rtt_ms.map_or(Cell::text(""), |rtt| Cell::number(rtt, &milliseconds(rtt)));
    vec![
        Cell::text(country),
        Cell::classed("key", &endpoint.address.to_string()).opening(evidence::of_endpoint(reading, endpoint)),
        Cell::number(endpoint.port.into(), &port),
        Cell::text(&names(endpoint)),
        Cell::classed("faint", endpoint.place.network().unwrap_or_default()),
        Cell::text(&endpoint.protocols.to_string()),
        Cell::text(&endpoint.visibility.to_string()),
        Cell::number(endpoint.bytes_out as f64, &bytes(endpoint.bytes_out)),
        Cell::number(endpoint.bytes_in as f64, &bytes(endpoint.bytes_in)),
        rtt,
    ]
}
