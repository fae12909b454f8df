//! An inquiry as text: the answer, the tables, a strip of figures for each endpoint, the trials, the warnings.
//!
//! Promises: as all text of this crate, but for lines that are too wide: what an answer rests on is never cut. Every trial up to [`TRIALS`] is listed, and how many are not is said.

use super::endpoints::{self, Endpoint, Lane, Sent};
use super::scale::Scale;
use super::sheet::{self, Sheet};
use super::{sentences, warnings};
use crate::Style;
use crate::figures::{bytes, count};
use crate::text::layout::{Column, Grid, Ink, field, paragraph};
use overheard_model::Inquiry;
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

const STYLE: Style = Style { width: 110, color: false };
/// Trials listed, and endpoints drawn.
const TRIALS: usize = 400;
const STRIPS: usize = 12;
/// Columns of a strip, and most before it.
const WIDTH: usize = 60;
const LABEL: usize = 32;

pub(super) fn write(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    for sentence in sentences::of(inquiry) {
        out.write_all(paragraph("", &sentence, Ink::Strong, STYLE).as_bytes())?;
    }
    sheet::found(inquiry).into_iter().try_for_each(|sheet| table(sheet, out))?;
    strips(inquiry, out)?;
    sheet::around(inquiry).into_iter().try_for_each(|sheet| table(sheet, out))?;
    trials(inquiry, out)?;
    let warnings = warnings::all(inquiry);
    if !warnings.is_empty() {
        writeln!(out, "\nWarnings")?;
    }
    for warning in warnings {
        let text = format!("{} ({})", warning.text, warning.kind);
        out.write_all(paragraph("  ! ", &text, Ink::Plain, STYLE).as_bytes())?;
    }
    out.flush()
}

fn trials(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    let mut sheet = sheet::trials(inquiry);
    let more = sheet.rows.len().saturating_sub(TRIALS);
    sheet.rows.truncate(TRIALS);
    if !sheet.rows.is_empty() {
        table(sheet, out)?;
    }
    further(more, out)
}

fn further(more: usize, out: &mut dyn Write) -> io::Result<()> {
    if more == 0 {
        return Ok(());
    }
    writeln!(out, "  … and {} more; see --format html, csv or json", count(more as u64))
}

fn table(sheet: Sheet, out: &mut dyn Write) -> io::Result<()> {
    let sheet = sheet.dense();
    writeln!(out, "\n{}", sheet.title)?;
    out.write_all(paragraph("  ", &sheet.note, Ink::Plain, STYLE).as_bytes())?;
    let column = |column| if sheet.is_numeric(column) { Column::Right } else { Column::Left };
    let mut grid = Grid::new((0..sheet.columns.len()).map(column).collect());
    grid.row(sheet.columns.iter().map(|title| field(title, Ink::Plain)).collect());
    for row in &sheet.rows {
        grid.row(row.iter().map(|cell| field(&cell.shown, Ink::Plain)).collect());
    }
    let lines = grid.render(STYLE);
    lines.lines().try_for_each(|line| writeln!(out, "  {line}"))
}

/// Trials of each arm along the bytes that each endpoint was sent.
fn strips(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    let endpoints = endpoints::all(inquiry);
    if endpoints.is_empty() || !inquiry.watched {
        return Ok(());
    }
    let (scale, lanes) = (Scale::of(&endpoints), endpoints::lanes(inquiry));
    let label = |lane: &Lane| field(lane.label(), Ink::Plain).fitted(LABEL).into_owned();
    let width = lanes.iter().map(|lane| label(lane).width()).max().unwrap_or_default();
    writeln!(out, "\nEndpoints, trial by trial")?;
    let note = format!("{} A figure is a number of trials, + is more than nine.", sheet::followed(inquiry));
    out.write_all(paragraph("  ", &note, Ink::Plain, STYLE).as_bytes())?;
    writeln!(out, "  {:width$} {}", "", axis(scale))?;
    for endpoint in endpoints.iter().take(STRIPS) {
        out.write_all(paragraph("  ", &endpoints::shown(endpoint.name), Ink::Plain, STYLE).as_bytes())?;
        for lane in &lanes {
            let label = label(lane);
            let margin = " ".repeat(width - label.width());
            writeln!(out, "  {margin}{label} {}", strip(endpoint, lane, scale))?;
        }
    }
    further(endpoints.len().saturating_sub(STRIPS), out)
}

fn column(scale: Scale, bytes: u64) -> usize {
    (scale.place(bytes) * (WIDTH - 1) as f64) as usize
}

fn axis(scale: Scale) -> String {
    scale.ticks().fold(String::new(), |line, tick| {
        let start = column(scale, tick);
        if start < line.len() { line } else { format!("{line:start$}{} ", bytes(tick)) }
    })
}

fn strip(endpoint: &Endpoint, lane: &Lane, scale: Scale) -> String {
    let mut counts = [0_u32; WIDTH];
    endpoint.of_lane(lane).map(Sent::bytes).for_each(|bytes| counts[column(scale, bytes)] += 1);
    let figure = |count: &u32| match count {
        0 => '·',
        more => char::from_digit(*more, 10).unwrap_or('+'),
    };
    counts.iter().map(figure).collect()
}
