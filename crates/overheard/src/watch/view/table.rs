//! The table of endpoints: its columns, and which of them a screen has room for.

use super::State;
use super::ink::{CHOSEN, FAINT, STRONG};
use super::order::Sort;
use super::pulse::bars;
use super::row::{Row, Severity, Sight};
use overheard_model::Visibility;
use overheard_report::cell;
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::Span;
use ratatui::widgets::{Cell, HighlightSpacing, Paragraph, Row as Shown, Table, TableState};
use std::ops::Range;

/// One column.
struct Column {
    title: &'static str,
    sort: Option<Sort>,
    /// Widths of the screen, in columns of characters, at which it is shown.
    screens: Range<u16>,
    wide: Wide,
    text: fn(&Row, &Sight, usize) -> String,
}

#[derive(Clone, Copy)]
enum Wide {
    /// At the right of so many characters.
    Number(u16),
    Text(u16),
    /// So many parts of what the others leave.
    Parts(u16),
}

const ANY: u16 = u16::MAX;

const COLUMNS: [Column; 14] = [
    column("", None, 0..ANY, Wide::Text(1), |row, _, _| row.sign().into()),
    column("place", Some(Sort::Country), 0..ANY, Wide::Text(7), |row, _, width| {
        cell::text(&row.place(), width)
    }),
    column("server", Some(Sort::Name), 0..ANY, Wide::Parts(3), |row, _, width| {
        cell::who(&row.endpoint, width)
    }),
    column("address", None, 150..ANY, Wide::Text(26), |row, _, width| {
        cell::address(&cell::socket(&row.endpoint), width)
    }),
    column("network", None, 100..ANY, Wide::Parts(2), |row, _, width| {
        cell::text(&cell::network(&row.endpoint), width)
    }),
    column("protocol", None, 60..100, Wide::Text(9), |row, _, width| cell::text(&row.protocol(), width)),
    column("protocol", None, 100..ANY, Wide::Text(10), |row, _, width| cell::text(&row.protocol(), width)),
    column("wire", None, 72..ANY, Wide::Text(9), |row, _, width| {
        cell::text(&if row.carried { row.wire() } else { "tried".into() }, width)
    }),
    column("process", None, 110..ANY, Wide::Text(12), |row, _, width| cell::text(&row.process(), width)),
    column("bytes", Some(Sort::Bytes), 0..72, Wide::Number(7), |row, _, _| cell::bytes(row.volume())),
    column("out", Some(Sort::Bytes), 72..ANY, Wide::Number(7), |row, _, _| {
        cell::bytes(row.endpoint.bytes_out)
    }),
    column("in", Some(Sort::Bytes), 72..ANY, Wide::Number(7), |row, _, _| cell::bytes(row.endpoint.bytes_in)),
    column("trend", None, 72..ANY, Wide::Text(8), |row, _, width| bars(&row.trend, width)),
    column("seen", Some(Sort::Seen), 90..ANY, Wide::Number(5), |row, sight, _| seen(row, sight)),
];

const fn column(
    title: &'static str,
    sort: Option<Sort>,
    screens: Range<u16>,
    wide: Wide,
    text: fn(&Row, &Sight, usize) -> String,
) -> Column {
    Column { title, sort, screens, wide, text }
}

/// How long ago it was seen last.
fn seen(row: &Row, sight: &Sight) -> String {
    let (Some(last), Some(now)) = (row.endpoint.last, sight.now) else { return String::new() };
    match (now.ms_since(last) / 1000.0).max(0.0) as u64 {
        0 => "now".into(),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let rows = state.rows();
    if rows.is_empty() {
        let filtered = !state.sight.rows.is_empty();
        let text = if filtered { "Nothing passes the filter." } else { "Nothing was heard so far." };
        return frame.render_widget(Paragraph::new(text).style(FAINT), area);
    }
    let named = rows.iter().any(|row| !row.processes.is_empty());
    let fits =
        |column: &&Column| column.screens.contains(&area.width) && (named || column.title != "process");
    let columns: Vec<&Column> = COLUMNS.iter().filter(fits).collect();
    let mark = 1;
    let widths = widths(&columns, area.width.saturating_sub(mark));
    let titles = columns.iter().zip(&widths).map(|(column, width)| title(column, state, *width));
    let cursor = state.cursor(&rows);
    // Only what may be seen is made.
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let first = (cursor + 1).saturating_sub(height);
    let shown = rows.iter().skip(first).take(height).map(|row| {
        let cells = columns.iter().zip(&widths);
        let cells = cells.map(|(column, width)| field(column, row, state, *width));
        Shown::new(cells).style(state.ink(row.severity()))
    });
    let constraints = widths.iter().map(|width| Constraint::Length(*width));
    let table = Table::new(shown, constraints)
        .header(Shown::new(titles).style(STRONG))
        .row_highlight_style(CHOSEN)
        .highlight_spacing(HighlightSpacing::Always)
        .highlight_symbol("▸");
    let mut chosen = TableState::new().with_selected(cursor - first);
    frame.render_stateful_widget(table, area, &mut chosen);
}

/// What each column gets, a space between two of them.
fn widths(columns: &[&Column], available: u16) -> Vec<u16> {
    let gaps = columns.len().saturating_sub(1) as u16;
    let (fixed, parts) = columns.iter().fold((gaps, 0), |(fixed, parts), column| match column.wide {
        Wide::Number(width) | Wide::Text(width) => (fixed + width, parts),
        Wide::Parts(own) => (fixed, parts + own),
    });
    let left = available.saturating_sub(fixed);
    let width = |column: &&Column| match column.wide {
        Wide::Number(width) | Wide::Text(width) => width,
        Wide::Parts(own) => left * own / parts,
    };
    columns.iter().map(width).collect()
}

fn title(column: &Column, state: &State, width: u16) -> Cell<'static> {
    let arrow = if state.reversed { "▴" } else { "▾" };
    let sorted = column.sort == Some(state.sort);
    let text = format!("{}{}", column.title, if sorted { arrow } else { "" });
    aligned(column, text, width, Style::new())
}

fn field(column: &Column, row: &Row, state: &State, width: u16) -> Cell<'static> {
    let text = (column.text)(row, &state.sight, usize::from(width));
    let readable = row.endpoint.visibility == Visibility::Readable && row.severity() > Severity::Tried;
    let alarming = readable && column.title == "wire";
    aligned(column, text, width, if alarming { state.alarm() } else { Style::new() })
}

fn aligned(column: &Column, text: String, width: u16, style: Style) -> Cell<'static> {
    let width = usize::from(width);
    let text = if matches!(column.wide, Wide::Number(_)) { format!("{text:>width$}") } else { text };
    Cell::from(Span::styled(text, style))
}
