//! A comparison as a page: verdict, table with evidence, what surrounds it, and the runs.

use super::evidence::Evidence;
use super::page::{Cell, Page, Row, Table};
use crate::figures::{count, probability};
use crate::{hostname, order, relation, statement, verdict};
use overheard_model::{Bundle, Key, Level, Relation};
use std::borrow::Cow;
use std::io::{self, Write};

pub(super) fn page(bundle: &Bundle, out: &mut dyn Write) -> io::Result<()> {
    let comparison = &bundle.comparison;
    let names: Vec<String> = comparison.builds.iter().map(|build| build.name.clone()).collect();
    let mut page = Page::begin(&format!("Whom do they talk to? {}", names.join(", ")), out)?;
    page.line(&format!("Builds: {}", statement::builds(comparison)))?;
    page.verdict(&verdict::sentences(bundle))?;
    page.main_table(&keys(bundle))?;
    for (mark, meaning) in relation::legend(comparison) {
        page.line(&format!("{mark} {meaning}"))?;
    }
    for section in statement::sections(bundle) {
        page.section(&section)?;
    }
    page.heading("Runs")?;
    page.table(&runs(bundle))?;
    page.end()
}

fn keys(bundle: &Bundle) -> Table {
    let comparison = &bundle.comparison;
    let mut evidence = Evidence::of(bundle);
    let mut columns = ["level", "key", "names", "network", "country"].map(String::from).to_vec();
    for build in &comparison.builds {
        let role = if build.name == comparison.reference { " (reference)" } else { "" };
        columns.push(format!("{}{role}", build.name));
    }
    columns.extend(["relation", "p"].map(String::from));
    let mut table = Table::marked(columns, &["level", "country", "relation"]);
    let servers = order::by_country(comparison).into_iter().flat_map(|group| group.rows);
    let others = [Level::Name, Level::Network, Level::Country];
    let others = others.into_iter().flat_map(|level| order::rows(comparison, level));
    for key in servers.chain(others) {
        let words: Vec<String> = key.relations.values().map(|result| result.relation.to_string()).collect();
        let country = key.country.as_deref().unwrap_or("unknown").replace(' ', "-");
        let network = key.network.as_deref().unwrap_or_default();
        let names = key.names.iter().map(String::as_str);
        let text = format!("{} {} {network}", shown(key), hostname::listed(names));
        let marks = vec![key.level.to_string(), country, words.join(" ")];
        table.marked_row(marks, &text, cells(bundle, &mut evidence, key));
    }
    table
}

fn cells(bundle: &Bundle, evidence: &mut Evidence, key: &Key) -> Vec<Cell> {
    let comparison = &bundle.comparison;
    let asn = key.asn.map(|asn| asn.to_string());
    let network =
        [asn.as_deref(), key.network.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut cells = vec![
        Cell::classed("faint", &key.level.to_string()),
        Cell::classed("key", &shown(key)),
        Cell::text(&names(key)),
        Cell::classed("faint", &network),
        Cell::text(key.country.as_deref().unwrap_or_default()),
    ];
    for build in &comparison.builds {
        let index = bundle.study.builds.iter().position(|known| known.name == build.name);
        let cell = key.cells.get(&build.name);
        let (present, runs) = cell.map_or((0, build.runs), |cell| (cell.present, cell.runs));
        let mark = key.relations.get(&build.name).map_or("", |result| relation::mark(result.relation));
        let shown = format!("{mark} {present}/{runs}");
        let shown = Cell::number(present as f64 / runs.max(1) as f64, shown.trim_start());
        cells.push(shown.opening(index.and_then(|index| evidence.behind(key, index))));
    }
    cells.push(relation(key));
    let p = key.relations.values().map(|result| result.p).reduce(f64::min);
    cells.push(p.map_or(Cell::text(""), |p| Cell::number(p, &probability(p))));
    cells
}

/// The key; a name with its other spelling.
fn shown(key: &Key) -> Cow<'_, str> {
    if key.level == Level::Name { hostname::shown(&key.key) } else { Cow::Borrowed(&key.key) }
}

/// A server of a large network may have hundreds of names.
const NAMES: usize = 3;

fn names(key: &Key) -> String {
    let few = hostname::listed(key.names.iter().take(NAMES).map(String::as_str));
    match key.names.len().saturating_sub(NAMES) {
        0 => few,
        more => format!("{few} and {more} more"),
    }
}

fn relation(key: &Key) -> Cell {
    let open = || relation::further(key).map(|runs| format!("unproven, {runs}"));
    let words = relation::proven(key).or_else(open);
    match order::strongest(key) {
        _ if key.relations.is_empty() => Cell::text(""),
        Relation::Only => Cell::classed("only", &words.unwrap_or_default()),
        Relation::More => Cell::classed("more", &words.unwrap_or_default()),
        Relation::Less => Cell::classed("less", &words.unwrap_or_default()),
        Relation::Shared if words.is_none() && !relation::is_open(key) => Cell::classed("shared", "shared"),
        _ => Cell::classed("unproven", words.as_deref().unwrap_or("unproven")),
    }
}

fn runs(bundle: &Bundle) -> Table {
    let columns = ["build", "run", "began", "packets", "flows", "file", "SHA-256", "problems"];
    let mut table = Table::new(columns.map(String::from).to_vec());
    for run in &bundle.runs {
        let capture = &run.reading.capture;
        let build = bundle.study.builds.get(run.build).map_or("", |build| &build.name);
        let problems: Vec<String> = capture.problems.iter().map(ToString::to_string).collect();
        let flows = run.reading.flows.len() as u64;
        table.row(Row::of(&[
            Cell::text(build),
            Cell::text(&run.name),
            Cell::text(&run.began.map(|began| began.to_string()).unwrap_or_default()),
            Cell::number(capture.packets as f64, &count(capture.packets)),
            Cell::number(flows as f64, &count(flows)),
            Cell::text(&capture.path),
            Cell::classed("faint hash", capture.sha256.as_deref().unwrap_or("not taken")),
            Cell::text(&problems.join("; ")),
        ]));
    }
    table
}
