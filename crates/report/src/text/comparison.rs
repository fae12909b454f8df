//! A comparison as text: the table by country, the shorter tables by network and name, what surrounds
//! them, and the verdict last.
//!
//! Promises: rows that differ are always shown; long runs of rows that do not are cut, with their number.

use super::layout::{Column, Field, Grid, Ink, elided, field, paragraph};
use crate::figures::{count, counted, probability_of};
use crate::order::{self, Group};
use crate::statement::{self, Section, Statement};
use crate::{Style, country, verdict};
use overheard_model::{BuildRuns, Bundle, Comparison, Key, Level, Relation, RelationResult, Verdict};

/// A study with no more servers than this is shown whole.
const WHOLE: usize = 80;
/// Rows without a difference that a country shows in a larger study.
const ALIKE_PER_COUNTRY: usize = 8;
/// Rows without a difference that the tables by network and by name show.
const ALIKE: usize = 10;
/// Statements of one section; findings may be hundreds.
const STATEMENTS: usize = 12;

pub(super) fn text(bundle: &Bundle, style: Style) -> String {
    let comparison = &bundle.comparison;
    let mut text = paragraph("", &format!("Builds: {}", statement::builds(comparison)), Ink::Strong, style);
    text += "\n";
    text += &servers(comparison, style);
    for (level, title) in [(Level::Network, "network"), (Level::Name, "name")] {
        text += &compact(comparison, level, title, style);
    }
    for section in statement::sections(bundle) {
        text += &section_text(&section, style);
    }
    text += &heading("Verdict", style);
    for sentence in verdict::sentences(bundle) {
        text += &paragraph("  ", &sentence, Ink::Strong, style);
    }
    text
}

fn heading(title: &str, style: Style) -> String {
    format!("\n{}\n", Ink::Strong.paint(title, style))
}

fn columns(comparison: &Comparison) -> Vec<Column> {
    let mut columns = vec![Column::Elastic(15), Column::Elastic(12), Column::Elastic(8)];
    columns.extend(comparison.builds.iter().map(|_| Column::Right));
    columns.push(Column::Elastic(16));
    columns
}

fn titles(comparison: &Comparison, first: [&str; 3]) -> Vec<Field> {
    let mut fields = first.map(|title| field(title, Ink::Strong)).to_vec();
    fields.extend(comparison.builds.iter().map(|build| {
        let mark = if build.name == comparison.reference { "*" } else { "" };
        field(format!("{}{mark}", elided(&build.name, 12)), Ink::Strong)
    }));
    fields.push(field(format!("relation to {}*", comparison.reference), Ink::Strong));
    fields
}

/// Addresses under their countries, whose own cells head each group.
fn servers(comparison: &Comparison, style: Style) -> String {
    let groups = order::by_country(comparison);
    let total: usize = groups.iter().map(|group| group.rows.len()).sum();
    let alike = if total <= WHOLE { usize::MAX } else { ALIKE_PER_COUNTRY };
    let mut grid = Grid::new(columns(comparison));
    grid.row(titles(comparison, ["server", "name", "network"]));
    for group in &groups {
        grid.row(country_row(comparison, group));
        let (shown, cut) = cut(&group.rows, alike);
        for key in shown {
            grid.row(row(comparison, key, "  "));
        }
        if cut > 0 {
            grid.note(
                format!(
                    "  … and {} without a proven difference; see --format html or csv",
                    counted(cut as u64, "server")
                ),
                Ink::Faint,
            );
        }
    }
    grid.render(style)
}

/// All that differ, then as many others as `alike`, and how many that leaves out.
fn cut<'a>(rows: &[&'a Key], alike: usize) -> (Vec<&'a Key>, usize) {
    let differing = rows.iter().filter(|key| order::differs(order::strongest(key))).count();
    let shown = differing.saturating_add(alike).min(rows.len());
    (rows[..shown].to_vec(), rows.len() - shown)
}

fn country_row(comparison: &Comparison, group: &Group) -> Vec<Field> {
    let label = group.country.map_or("country unknown".into(), country::titled);
    let feared = group.country.is_some_and(|label| order::is_feared(comparison, label));
    let ink = if feared { Ink::Alarm } else { Ink::Strong };
    let concern = if feared { "named as a concern" } else { "" };
    let servers = counted(group.rows.len() as u64, "server");
    let mut fields = vec![field(label, ink), field(servers, Ink::Faint), field(concern, Ink::Alarm)];
    match group.own {
        Some(key) => fields.extend(measured(comparison, key, Ink::Strong)),
        None => fields.extend(comparison.builds.iter().map(|_| Field::default())),
    }
    fields
}

fn row(comparison: &Comparison, key: &Key, indent: &str) -> Vec<Field> {
    let relation = order::strongest(key);
    let ink = if order::differs(relation) { relation_ink(relation) } else { Ink::Plain };
    let name = key.names.first().map_or("", String::as_str);
    let network = key.network.clone().or_else(|| key.asn.map(|asn| asn.to_string())).unwrap_or_default();
    let mut fields =
        vec![field(format!("{indent}{}", key.key), ink), field(name, Ink::Plain), field(network, Ink::Faint)];
    fields.extend(measured(comparison, key, Ink::Plain));
    fields
}

/// A cell a build, then the relations.
fn measured(comparison: &Comparison, key: &Key, ink: Ink) -> Vec<Field> {
    let cell = |build: &BuildRuns| match key.cells.get(&build.name) {
        Some(cell) if cell.present == 0 => field(cell.to_string(), Ink::Faint),
        Some(cell) => field(cell.to_string(), ink),
        None => field(format!("0/{}", build.runs), Ink::Faint),
    };
    let mut fields: Vec<Field> = comparison.builds.iter().map(cell).collect();
    fields.push(field(relations(comparison, key), relation_ink(order::strongest(key))));
    fields
}

fn relation_ink(relation: Relation) -> Ink {
    match relation {
        Relation::Only => Ink::Alarm,
        Relation::More | Relation::Less => Ink::Notice,
        Relation::Shared | Relation::Unproven => Ink::Faint,
    }
}

/// One relation where all builds have the same, else each with its build.
fn relations(comparison: &Comparison, key: &Key) -> String {
    let words: Vec<(&String, String)> =
        key.relations.iter().map(|(build, result)| (build, relation(result))).collect();
    let everyone = words.len() + 1 == comparison.builds.len();
    let alike = everyone && words.windows(2).all(|pair| matches!(pair, [a, b] if a.1 == b.1));
    match words.first() {
        None => String::new(),
        Some((_, word)) if alike => word.clone(),
        Some(_) => {
            let each: Vec<String> = words.iter().map(|(build, word)| format!("{build} {word}")).collect();
            each.join(", ")
        }
    }
}

/// `only q=0.003`, `shared`, `unproven, +5 runs`.
fn relation(result: &RelationResult) -> String {
    match (result.relation, result.q, result.runs_needed) {
        (Relation::Only | Relation::More | Relation::Less, Some(q), _) => {
            format!("{} {}", result.relation, probability_of('q', q))
        }
        (Relation::Unproven, _, Some(runs)) => format!("unproven, +{}", counted(runs, "run")),
        (relation, ..) => relation.to_string(),
    }
}

/// The short table of a level.
fn compact(comparison: &Comparison, level: Level, title: &str, style: Style) -> String {
    let rows = order::rows(comparison, level);
    if rows.is_empty() {
        return String::new();
    }
    let (shown, cut) = cut(&rows, ALIKE);
    let mut grid = Grid::new(columns(comparison));
    grid.row(titles(comparison, [title, if level == Level::Name { "" } else { "names" }, "country"]));
    for key in shown {
        grid.row(compact_row(comparison, key));
    }
    if cut > 0 {
        let more = format!("… and {} more {title}s without a proven difference", count(cut as u64));
        grid.note(more, Ink::Faint);
    }
    format!("\n{}", grid.render(style))
}

fn compact_row(comparison: &Comparison, key: &Key) -> Vec<Field> {
    let (own, beside) = match (key.level, &key.network) {
        (Level::Network, Some(network)) => (format!("{} {network}", key.key), key.names.first()),
        (Level::Name, _) => (key.key.to_string(), None),
        _ => (key.key.to_string(), key.names.first()),
    };
    let mut fields = vec![
        field(own, relation_ink_of(key)),
        field(beside.map_or("", String::as_str), Ink::Plain),
        field(key.country.as_deref().unwrap_or_default(), Ink::Faint),
    ];
    fields.extend(measured(comparison, key, Ink::Plain));
    fields
}

fn relation_ink_of(key: &Key) -> Ink {
    let strongest = order::strongest(key);
    if order::differs(strongest) { relation_ink(strongest) } else { Ink::Plain }
}

fn section_text(section: &Section, style: Style) -> String {
    let mut text = heading(section.title, style);
    for statement in section.statements.iter().take(STATEMENTS) {
        text += &statement_text(statement, style);
    }
    let cut = section.statements.len().saturating_sub(STATEMENTS);
    if cut > 0 {
        text += &paragraph(
            "  ",
            &format!("… and {} more; see --format json or html", count(cut as u64)),
            Ink::Faint,
            style,
        );
    }
    text
}

fn statement_text(statement: &Statement, style: Style) -> String {
    let (bullet, ink) = match statement.verdict {
        None => ("  ", Ink::Plain),
        Some(Verdict::Support) => ("  ● ", Ink::Notice),
        Some(Verdict::Refute) => ("  ○ ", Ink::Plain),
        Some(Verdict::Abstain) => ("  ? ", Ink::Plain),
    };
    paragraph(bullet, &statement.text, ink, style)
}
