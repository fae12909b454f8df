//! An inquiry as a page: the answer, the tables, the plots with a table beneath, the warnings, every trial.
//!
//! Promises: as all pages of this crate; a trial opens what each endpoint was sent after it.

use super::sheet::{self, Sheet};
use super::{endpoints, plot, raster, sentences, trial, warnings};
use crate::figures::{bytes, count};
use crate::html::page::{Cell, Page, Row, Table};
use crate::section::{Section, Statement};
use overheard_model::{Act, Inquiry};
use std::io::{self, Write};

pub(super) fn write(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::begin("Is what is written dropped, or copied away?", out)?;
    page.verdict(&sentences::of(inquiry))?;
    warned(inquiry, &mut page)?;
    sheet::found(inquiry).iter().try_for_each(|sheet| shown(sheet, &mut page))?;
    if inquiry.watched {
        plots(inquiry, &mut page)?;
    }
    sheet::around(inquiry).iter().try_for_each(|sheet| shown(sheet, &mut page))?;
    trials(inquiry, &mut page)?;
    page.end()
}

fn shown(sheet: &Sheet, page: &mut Page) -> io::Result<()> {
    headed(sheet, page)?;
    page.table(&table(sheet))
}

fn headed(sheet: &Sheet, page: &mut Page) -> io::Result<()> {
    page.heading(sheet.title)?;
    page.line(&sheet.note)
}

fn table(sheet: &Sheet) -> Table {
    let mut table = Table::new(sheet.columns.iter().map(|title| (*title).to_owned()).collect());
    for row in &sheet.rows {
        table.row(Row::of(&cells(sheet, row)));
    }
    table
}

fn cells(sheet: &Sheet, row: &[sheet::Cell]) -> Vec<Cell> {
    let cell = |(cell, title): (&sheet::Cell, &&'static str)| {
        let written = match cell.number {
            Some(number) => Cell::number(number, &cell.shown),
            None if *title == sheet::WHEN => Cell::classed("when", &cell.shown),
            None => Cell::text(&cell.shown),
        };
        written.labelled(title)
    };
    row.iter().zip(&sheet.columns).map(cell).collect()
}

fn warned(inquiry: &Inquiry, page: &mut Page) -> io::Result<()> {
    let statement = |text| Statement { verdict: None, text };
    let warnings = warnings::all(inquiry).into_iter();
    let statements: Vec<Statement> =
        warnings.map(|warning| statement(format!("{} ({})", warning.text, warning.kind))).collect();
    match statements.is_empty() {
        true => Ok(()),
        false => page.section(&Section { title: "Warnings", statements }),
    }
}

fn plots(inquiry: &Inquiry, page: &mut Page) -> io::Result<()> {
    let sheet = sheet::endpoints(inquiry);
    if sheet.rows.is_empty() {
        return Ok(());
    }
    headed(&sheet, page)?;
    let more = endpoints::all(inquiry).len().saturating_sub(plot::PANELS) as u64;
    let drawn = "A dot is a trial; those of an arm stand in the order of acting, the first on top. The bar is the median.";
    page.line(&match more {
        0 => drawn.to_owned(),
        more => format!("{drawn} {} more endpoints are in the table beneath.", count(more)),
    })?;
    page.markup(&format!("<div class=\"panels\">\n{}</div>\n", plot::panels(inquiry)))?;
    page.folded("As a table", &table(&sheet))?;
    let rasters = raster::panels(inquiry);
    if rasters.is_empty() {
        return Ok(());
    }
    page.heading("Second by second")?;
    page.line("A row is a trial, a mark is a second after the act in which bytes went out; the stronger, the more of them. The window in which the upload shows best is shaded.")?;
    page.markup(&format!("<div class=\"panels\">\n{rasters}</div>\n"))
}

fn trials(inquiry: &Inquiry, page: &mut Page) -> io::Result<()> {
    let sheet = sheet::trials(inquiry);
    headed(&sheet, page)?;
    let columns = sheet.columns.iter().map(|title| (*title).to_owned()).collect();
    let mut table = Table::marked(columns, &["arm", "message"]);
    for (trial, row) in trial::all(inquiry).iter().zip(&sheet.rows) {
        let marks = [trial::lane(trial.arm()), trial.fate()].map(|mark| mark.replace(' ', "-"));
        let text: Vec<&str> = row.iter().map(|cell| cell.shown.as_str()).collect();
        let behind = trial.act.filter(|_| inquiry.watched).and_then(followed);
        let mut cells = cells(&sheet, row);
        let last = cells.pop().map(|cell| cell.opening(behind));
        cells.extend(last);
        table.marked_row(marks.to_vec(), &text.join(" "), cells);
    }
    page.main_table(&table)
}

/// What each endpoint was sent after an act.
fn followed(act: &Act) -> Option<String> {
    let columns = ["endpoint", "flows begun", "bytes out", "first after"];
    let mut table = Table::new(columns.map(String::from).to_vec());
    for (endpoint, traffic) in &act.traffic {
        let sent = endpoints::Sent { act, traffic: Some(traffic) };
        let first = sent
            .first_s()
            .map_or(Cell::text(""), |second| Cell::number(second as f64, &format!("{second} s")));
        table.row(Row::of(&[
            Cell::text(&endpoints::shown(endpoint)),
            Cell::number(sent.flows() as f64, &count(sent.flows())),
            Cell::number(sent.bytes() as f64, &bytes(sent.bytes())),
            first,
        ]));
    }
    (!act.traffic.is_empty()).then(|| table.html())
}
