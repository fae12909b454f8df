//! The tables of a comparison: servers under their countries, then networks and names.
//!
//! Promises: rows that differ are always shown; long runs of rows that do not are cut, with their number.
//! A build's relation to the reference is a mark in the build's own cell, explained in the legend; the
//! last column has the numbers behind the strongest of a row.

use super::layout::{Column, Field, Grid, Ink, address, field, host, paragraph};
use crate::figures::counted;
use crate::order::{self, Group};
use crate::{Style, country, relation};
use overheard_model::{BuildRuns, Comparison, Key, Level, Relation};
use unicode_width::UnicodeWidthStr;

/// A study with no more servers than this is shown whole.
const WHOLE: usize = 80;
/// Rows without a difference that a country shows in a larger study.
const ALIKE_PER_COUNTRY: usize = 8;
/// Rows without a difference that the tables by network and by name show.
const ALIKE: usize = 10;
/// Columns that the name of a build may take before it goes on in a second line.
const BUILD: usize = 10;

/// Addresses under their countries, whose own cells head each group.
pub(super) fn servers(comparison: &Comparison, style: Style) -> String {
    let groups = order::by_country(comparison);
    let total: usize = groups.iter().map(|group| group.rows.len()).sum();
    let alike = if total <= WHOLE { usize::MAX } else { ALIKE_PER_COUNTRY };
    let mut grid = titled(comparison, ["server", "name", "network"]);
    for group in &groups {
        grid.row(country_row(comparison, group));
        let (shown, cut) = cut(&group.rows, alike);
        for key in shown {
            grid.row(server_row(comparison, key));
        }
        if cut > 0 {
            let more = counted(cut as u64, "server");
            grid.note(
                format!("  … and {more} without a proven difference; see --format html or csv"),
                Ink::Faint,
            );
        }
    }
    grid.render(style)
}

/// The short table of the networks or of the names.
pub(super) fn of_level(comparison: &Comparison, level: Level, style: Style) -> String {
    let rows = order::rows(comparison, level);
    if rows.is_empty() {
        return String::new();
    }
    let (shown, cut) = cut(&rows, ALIKE);
    let beside = if level == Level::Network { "name" } else { "" };
    let mut grid = titled(comparison, [&level.to_string(), beside, "country"]);
    for key in shown {
        grid.row(level_row(comparison, key));
    }
    if cut > 0 {
        let more = counted(cut as u64, &format!("more {level}"));
        grid.note(format!("… and {more} without a proven difference"), Ink::Faint);
    }
    format!("\n{}", grid.render(style))
}

/// What the marks mean, of those that the tables show.
pub(super) fn legend(comparison: &Comparison, style: Style) -> String {
    if comparison.builds.len() < 2 {
        return String::new();
    }
    let line = |(mark, meaning): (&str, String)| paragraph(&format!("{mark} "), &meaning, Ink::Faint, style);
    let marks: String = relation::legend(comparison).into_iter().map(line).collect();
    format!("\n{}{marks}", paragraph("* ", "the reference", Ink::Faint, style))
}

fn titled(comparison: &Comparison, first: [&str; 3]) -> Grid {
    let mut columns = vec![Column::Elastic(15), Column::Elastic(16), Column::Yielding("a concern".len())];
    columns.extend(comparison.builds.iter().map(|_| Column::Right));
    columns.push(Column::Left);
    let mut grid = Grid::new(columns);
    let builds: Vec<[String; 2]> = comparison.builds.iter().map(|build| heading(comparison, build)).collect();
    let line = |first: [&str; 3], builds: Vec<&str>, last: &str| {
        let titles = first.into_iter().chain(builds).chain([last]);
        titles.map(|title| field(title, Ink::Strong)).collect::<Vec<Field>>()
    };
    if builds.iter().any(|[above, _]| !above.is_empty()) {
        grid.row(line([""; 3], builds.iter().map(|[above, _]| &**above).collect(), ""));
    }
    let last = if comparison.builds.len() > 1 { "relation" } else { "" };
    grid.row(line(first, builds.iter().map(|[_, below]| &**below).collect(), last));
    grid
}

/// The name of a build in two lines, broken where a word ends; the first is empty where one will do.
fn heading(comparison: &Comparison, build: &BuildRuns) -> [String; 2] {
    let reference = build.name == comparison.reference;
    let title = format!("{}{}", build.name, if reference { "*" } else { "" });
    if title.width() <= BUILD {
        return [String::new(), title];
    }
    let is_break = |character: char| "-_. /".contains(character);
    let breaks = title.char_indices().rev().filter(|(_, character)| is_break(*character));
    let breaks = breaks.map(|(index, _)| index + 1).filter(|index| *index < title.len());
    let halves = |index: usize| title.split_at(index);
    let wider = |index: &usize| {
        let (above, below) = halves(*index);
        above.width().max(below.width())
    };
    let best = breaks.min_by_key(wider);
    let middle = || title.char_indices().nth(title.chars().count().div_ceil(2)).map(|(index, _)| index);
    let (above, below) = halves(best.or_else(middle).unwrap_or(0));
    [above.to_owned(), below.to_owned()]
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
    let concern = if feared { "a concern" } else { "" };
    let servers = counted(group.rows.len() as u64, "server");
    let mut fields = vec![field(label, ink), field(servers, Ink::Faint), field(concern, Ink::Alarm)];
    match group.own {
        Some(key) => fields.extend(measured(comparison, key, Ink::Strong)),
        None => fields.extend(comparison.builds.iter().map(|_| Field::default())),
    }
    fields
}

fn server_row(comparison: &Comparison, key: &Key) -> Vec<Field> {
    let network = key.network.clone().or_else(|| key.asn.map(|asn| asn.to_string())).unwrap_or_default();
    let mut fields = vec![
        address(format!("  {}", key.key), ink_of(key)),
        name(comparison, key),
        field(network, Ink::Faint),
    ];
    fields.extend(measured(comparison, key, Ink::Plain));
    fields
}

fn level_row(comparison: &Comparison, key: &Key) -> Vec<Field> {
    let own = match (key.level, &key.network) {
        (Level::Network, Some(network)) => field(format!("{} {network}", key.key), ink_of(key)),
        (Level::Name, _) => host(&key.key, std::iter::empty(), ink_of(key)),
        _ => address(&key.key, ink_of(key)),
    };
    let beside = if key.level == Level::Name { Field::default() } else { name(comparison, key) };
    let mut fields = vec![own, beside, field(key.country.as_deref().unwrap_or_default(), Ink::Faint)];
    fields.extend(measured(comparison, key, Ink::Plain));
    fields
}

fn name(comparison: &Comparison, key: &Key) -> Field {
    let domains = comparison.keys.iter().filter(|key| key.level == Level::Name).map(|key| &*key.key);
    host(key.names.first().map_or("", String::as_str), domains, Ink::Plain)
}

/// A cell a build, then the numbers of the strongest relation.
fn measured(comparison: &Comparison, key: &Key, ink: Ink) -> Vec<Field> {
    let cell = |build: &BuildRuns| {
        let present = key.cells.get(&build.name).map_or(0, |cell| cell.present);
        let shown = format!("{present}/{}", build.runs);
        let relation = key.relations.get(&build.name).map(|result| result.relation);
        let ink = match relation {
            Some(relation) if order::differs(relation) => relation_ink(relation),
            _ if present == 0 => Ink::Faint,
            _ => ink,
        };
        match (build.name == comparison.reference, relation.map_or("", relation::mark)) {
            (true, _) => field(shown, ink),
            (false, mark) => field(format!("{shown} {mark:1}"), ink),
        }
    };
    let mut fields: Vec<Field> = comparison.builds.iter().map(cell).collect();
    fields.push(field(relation(key), relation_ink(order::strongest(key))));
    fields
}

fn relation_ink(relation: Relation) -> Ink {
    match relation {
        Relation::Only => Ink::Alarm,
        Relation::More | Relation::Less => Ink::Notice,
        Relation::Shared | Relation::Unproven => Ink::Faint,
    }
}

fn ink_of(key: &Key) -> Ink {
    let strongest = order::strongest(key);
    if order::differs(strongest) { relation_ink(strongest) } else { Ink::Plain }
}

/// `only q=0.003`, `+5–26 runs`, `shared`; nothing where there is no other build.
fn relation(key: &Key) -> String {
    let open = || relation::further(key).or_else(|| relation::is_open(key).then(|| "unproven".to_owned()));
    let shared = || (!key.relations.is_empty()).then(|| "shared".to_owned());
    relation::proven(key).or_else(open).or_else(shared).unwrap_or_default()
}
