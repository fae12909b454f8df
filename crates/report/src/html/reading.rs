//! Readings as a page: endpoints, each opening its flows.

use super::evidence;
use super::page::{Cell, Page, Table};
use crate::figures::{bytes, counted, milliseconds};
use crate::source;
use overheard_model::{Endpoint, PlaceSource, Reading};

pub(super) fn page(readings: &[Reading], places: &[PlaceSource]) -> String {
    let mut page = Page::new("Whom does it talk to?");
    for Reading { capture, flows, .. } in readings {
        let figures = [counted(capture.packets, "packet"), counted(flows.len() as u64, "flow")].join(", ");
        page.line(&format!("{}: {}, {figures}, SHA-256 {}", capture.path, capture.format, capture.sha256));
        for problem in &capture.problems {
            page.line(&format!("! {problem}"));
        }
    }
    page.main_table(&endpoints(readings));
    let endpoints = readings.iter().flat_map(|reading| &reading.endpoints);
    let met = endpoints.map(|endpoint| &endpoint.place);
    for sentence in source::sentences(places, met, None, None) {
        page.line(&sentence);
    }
    page.finish()
}

fn endpoints(readings: &[Reading]) -> Table {
    let columns =
        ["country", "address", "port", "names", "network", "protocol", "on the wire", "out", "in", "rtt"];
    // Of a single reading, the line above the table names the capture.
    let several = readings.len() > 1;
    let columns = columns.into_iter().chain(several.then_some("capture"));
    let mut table = Table::marked(columns.map(String::from).collect(), &["country", "wire"]);
    for reading in readings {
        for endpoint in &reading.endpoints {
            let country = endpoint.place.label().unwrap_or_else(|| "unknown".into());
            let marks = vec![country.replace(' ', "-"), endpoint.visibility.to_string()];
            let text = format!("{} {}", endpoint.address, names(endpoint));
            let mut cells = cells(reading, endpoint, &country);
            cells.extend(several.then(|| Cell::classed("faint", &endpoint.capture)));
            table.marked_row(marks, &text, cells);
        }
    }
    table
}

fn names(endpoint: &Endpoint) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in &endpoint.names {
        if !names.contains(&&*name.name) {
            names.push(&name.name);
        }
    }
    names.join(", ")
}

fn cells(reading: &Reading, endpoint: &Endpoint, country: &str) -> Vec<Cell> {
    let protocols: Vec<String> = endpoint.protocols.iter().map(ToString::to_string).collect();
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
        Cell::text(&protocols.join(" ")),
        Cell::text(&endpoint.visibility.to_string()),
        Cell::number(endpoint.bytes_out as f64, &bytes(endpoint.bytes_out)),
        Cell::number(endpoint.bytes_in as f64, &bytes(endpoint.bytes_in)),
        rtt,
    ]
}
