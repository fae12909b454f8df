//! A reading as text: what the capture is, what went wrong, and whom it shows, most talked-to first.

use super::layout::{Column, Field, Grid, Ink, address, field, host, paragraph};
use crate::figures::{bytes, count, counted, milliseconds};
use crate::{Style, owner, source};
use overheard_model::{Capture, Endpoint, LocalRule, PlaceSource, Reading, Visibility};

/// Endpoints shown; every one is in the other formats.
const ROWS: usize = 60;
/// Attempts shown.
const ATTEMPTS: usize = 20;

/// What the places of all readings rest on.
pub(super) fn sources(places: &[PlaceSource], met: &source::Met, style: Style) -> String {
    let sentences = source::sentences(places, met, None, None);
    sentences.iter().map(|sentence| paragraph("", sentence, Ink::Faint, style)).collect()
}

pub(super) fn text(reading: &Reading, style: Style) -> String {
    let capture = &reading.capture;
    let mut text = paragraph("", &capture.path, Ink::Strong, style);
    text += &paragraph("  ", &summary(reading), Ink::Plain, style);
    text += &paragraph("  ", &whose(capture), Ink::Faint, style);
    for problem in &capture.problems {
        text += &paragraph("  ! ", &problem.to_string(), Ink::Notice, style);
    }
    text + "\n" + &endpoints(reading, style)
}

fn summary(reading: &Reading) -> String {
    let capture = &reading.capture;
    let mut parts = vec![
        capture.format.clone(),
        counted(capture.packets, "packet"),
        counted(reading.flows.len() as u64, "flow"),
        counted(reading.endpoints.len() as u64, "endpoint"),
    ];
    if let (Some(first), Some(last)) = (capture.first, capture.last) {
        parts.push(format!("{first} for {:.1} s", last.ms_since(first) / 1000.0));
    }
    if capture.undecoded > 0 {
        parts.push(format!("{} without readable IP", count(capture.undecoded)));
    }
    if let Some(dropped) = capture.dropped.filter(|dropped| *dropped > 0) {
        parts.push(format!("{} dropped while capturing", count(dropped)));
    }
    if !capture.complete {
        parts.push("the file is cut short".into());
    }
    parts.join(", ")
}

/// Which side is ours, and which rule said so.
fn whose(capture: &Capture) -> String {
    let rule = match capture.local_rule {
        LocalRule::Given => "given",
        LocalRule::Interface => "addresses of the interface",
        LocalRule::Private => "private addresses",
        LocalRule::Shared => "the address that all flows share",
        LocalRule::Originator => "the side that began each flow",
        LocalRule::Table => return "A table: it lists remote ends only.".into(),
    };
    let few: Vec<String> = capture.local.iter().take(4).map(ToString::to_string).collect();
    match capture.local.len() {
        0 => format!("Our side: {rule}."),
        known if known > few.len() => {
            format!("Our side: {} and {} more ({rule}).", few.join(", "), known - few.len())
        }
        _ => format!("Our side: {} ({rule}).", few.join(", ")),
    }
}

fn endpoints(reading: &Reading, style: Style) -> String {
    let endpoints = &reading.endpoints;
    let shown: Vec<(&Endpoint, String)> =
        most_talked_to(endpoints).into_iter().map(|it| (it, owner::names(reading, it))).collect();
    let owned = shown.iter().any(|(_, owner)| !owner.is_empty());
    let mut columns = vec![
        Column::Left,
        Column::Elastic(15),
        Column::Elastic(16),
        Column::Yielding(10),
        Column::Elastic(5),
        Column::Left,
        Column::Right,
        Column::Right,
        Column::Right,
    ];
    columns.extend(owned.then_some(Column::Elastic(7)));
    let mut grid = Grid::new(columns);
    let titles = ["", "address", "name", "network", "protocol", "on the wire", "out", "in", "rtt"];
    let titles = titles.into_iter().chain(owned.then_some("process"));
    grid.row(titles.map(|title| field(title, Ink::Strong)).collect());
    for (endpoint, owner) in &shown {
        let mut fields = row(endpoint);
        fields.extend(owned.then(|| field(owner, Ink::Faint)));
        grid.row(fields);
    }
    if endpoints.len() > shown.len() {
        let more = counted((endpoints.len() - shown.len()) as u64, "endpoint");
        grid.note(format!("… and {more} with less traffic; see --format csv, jsonl or html"), Ink::Faint);
    }
    let tried =
        attempted(&reading.attempts).map(|tried| format!("\n{}", paragraph("", &tried, Ink::Notice, style)));
    grid.render(style) + &tried.unwrap_or_default()
}

/// What was tried and is no contact, if anything was.
pub(crate) fn attempted(attempts: &[Endpoint]) -> Option<String> {
    let label = |attempt: &Endpoint| attempt.place.label().unwrap_or_else(|| "?".into());
    let few: Vec<String> =
        attempts.iter().take(ATTEMPTS).map(|it| format!("{} ({})", socket(it), label(it))).collect();
    let more = match attempts.len() - few.len() {
        0 => String::new(),
        more => format!(" and {} more", count(more as u64)),
    };
    (!few.is_empty())
        .then(|| format!("Tried, but nothing is known to have been carried there: {}{more}.", few.join(", ")))
}

/// The endpoints that are shown, those beyond our own network first, then by their traffic. Only these
/// few of many are sorted.
fn most_talked_to(endpoints: &[Endpoint]) -> Vec<&Endpoint> {
    let volume = |endpoint: &Endpoint| endpoint.bytes_out.saturating_add(endpoint.bytes_in);
    let rank = |endpoint: &Endpoint| (endpoint.place.local, u64::MAX - volume(endpoint));
    let mut ranked: Vec<_> = endpoints.iter().map(rank).zip(0..).collect();
    if ranked.len() > ROWS {
        ranked.select_nth_unstable(ROWS);
        ranked.truncate(ROWS);
    }
    ranked.sort_unstable();
    ranked.iter().filter_map(|&(_, at): &(_, usize)| endpoints.get(at)).collect()
}

fn row(endpoint: &Endpoint) -> Vec<Field> {
    let place = &endpoint.place;
    let label = place.label().unwrap_or_else(|| "?".into());
    let name = endpoint.names.first().map_or("", |name| &name.name);
    let ink = if place.local { Ink::Faint } else { Ink::Plain };
    let seen = match endpoint.visibility {
        Visibility::Readable => field("readable", Ink::Alarm),
        other => field(other.to_string(), ink),
    };
    vec![
        field(label, ink),
        address(socket(endpoint), ink),
        host(name, endpoint.domains.iter().map(|domain| &**domain), ink),
        field(network(endpoint), Ink::Faint),
        field(endpoint.protocols.to_string(), ink),
        seen,
        field(bytes(endpoint.bytes_out), ink),
        field(bytes(endpoint.bytes_in), ink),
        field(endpoint.rtt_ms.map(milliseconds).unwrap_or_default(), Ink::Faint),
    ]
}

/// The name of the network, else its number; empty where neither is known.
pub(crate) fn network(endpoint: &Endpoint) -> String {
    let place = &endpoint.place;
    let name = place.network().map(str::to_owned);
    name.or_else(|| place.asn().map(|asn| asn.to_string())).unwrap_or_default()
}

/// `203.0.113.9:443`, `[2001:db8::1]:443/udp`, `203.0.113.9 icmp`.
pub(crate) fn socket(endpoint: &Endpoint) -> String {
    let Endpoint { address, port, transport, .. } = endpoint;
    if !transport.has_ports() {
        return format!("{address} {transport}");
    }
    let socket = std::net::SocketAddr::new(*address, *port);
    match transport {
        overheard_model::Transport::Tcp => socket.to_string(),
        other => format!("{socket}/{other}"),
    }
}
