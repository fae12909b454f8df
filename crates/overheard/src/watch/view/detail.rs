//! One endpoint: its names and who said them, its places and who claims them, and its flows.

use super::ink::{FAINT, STRONG};
use super::row::Row;
use super::{Page, State};
use overheard_model::{Claim, Flow, Learned, Name, Side, Timestamp};
use overheard_report::{cell, safe};
use ratatui::text::Line;

/// How many lines there are.
pub(super) fn length(state: &State) -> usize {
    lines(state, 80).len()
}

pub(super) fn lines(state: &State, width: usize) -> Vec<Line<'static>> {
    let Page::Detail(id) = state.page else { return Vec::new() };
    let Some(row) = state.row(id) else { return vec![Line::styled("It is no longer there.", FAINT)] };
    let plain = |text: String| Line::from(cell::text(&text, width));
    let mut lines =
        vec![Line::styled(cell::text(&title(row), width), state.ink(row.severity()).patch(STRONG))];
    lines.extend(summary(row).into_iter().map(plain));
    let names = row.endpoint.names.iter().map(|name| said(name, row, width));
    let places = row.endpoint.place.claims.iter().map(claimed);
    let flows = state.flows.iter().rev().map(told);
    for (title, told) in [
        ("Names", names.collect::<Vec<_>>()),
        ("Places", places.collect()),
        ("Flows, the latest first", flows.collect()),
    ] {
        lines.extend((!told.is_empty()).then(|| Line::styled(title, STRONG)));
        lines.extend(told.into_iter().map(plain));
    }
    lines
}

fn title(row: &Row) -> String {
    let mut title = format!("{} {}", cell::socket(&row.endpoint), cell::country(&row.place()));
    if !row.sign().is_empty() {
        title.insert_str(0, &format!("{} ", row.sign()));
    }
    title
}

fn summary(row: &Row) -> Vec<String> {
    let endpoint = &row.endpoint;
    let seen = match row.carried {
        true => format!("{} on the wire", endpoint.visibility),
        false => row.wire(),
    };
    let mut lines = vec![
        format!("  {}, {seen}", row.protocol()),
        format!(
            "  out {} in {}, in {} in {}",
            cell::bytes(endpoint.bytes_out),
            cell::counted(endpoint.packets_out, "packet"),
            cell::bytes(endpoint.bytes_in),
            cell::counted(endpoint.packets_in, "packet"),
        ),
    ];
    if let (Some(first), Some(last)) = (endpoint.first, endpoint.last) {
        lines.push(format!("  first {}, last {} UTC", clock(first), clock(last)));
    }
    if let Some(rtt_ms) = endpoint.rtt_ms {
        lines.push(format!("  round trip {}", cell::milliseconds(rtt_ms)));
    }
    lines.extend(row.processes.iter().map(|process| format!("  process {process}")));
    lines
}

fn said(name: &Name, row: &Row, width: usize) -> String {
    let learned = match name.learned {
        Learned::Within => "",
        Learned::Before => ", before",
        Learned::After => ", after",
    };
    let source = format!("{}{learned}", name.source);
    let room = width.saturating_sub(source.len() + 4);
    format!("  {}  {source}", cell::host(&name.name, &row.endpoint, room))
}

fn claimed(claim: &Claim) -> String {
    let country = claim.country.map_or_else(|| "?".to_owned(), |country| cell::country(country.as_str()));
    let asn = claim.asn.map(|asn| format!("  {asn}")).unwrap_or_default();
    let network = claim.network.as_deref().map(|network| format!(" {network}")).unwrap_or_default();
    format!("  {country}{asn}{network}  ({})", claim.source)
}

fn told(flow: &Flow) -> String {
    let rtt = flow.rtt_ms.map(|rtt_ms| format!("  {}", cell::milliseconds(rtt_ms))).unwrap_or_default();
    let name = flow.name().map(|name| format!("  {}", safe(&name.name))).unwrap_or_default();
    let (bytes_out, bytes_in) = match flow.ours {
        Side::Src => (flow.bytes_out, flow.bytes_in),
        Side::Dst => (flow.bytes_in, flow.bytes_out),
    };
    format!(
        "  {}  :{}  {}  {}  {}  out {}  in {}{rtt}{name}",
        clock(flow.first),
        flow.local().1,
        flow.state,
        flow.protocol,
        flow.visibility,
        cell::bytes(bytes_out),
        cell::bytes(bytes_in),
    )
}

/// `03:33:20`, of the day.
fn clock(time: Timestamp) -> String {
    time.to_string().chars().skip(11).take(8).collect()
}
