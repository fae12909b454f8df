//! HTML: one file that asks nobody for anything.
//!
//! Promises: no external request and no dependency; a content security policy that allows only the
//! page's own style and script, by hash; names from captures are text wherever they stand; without
//! scripts it is a plain table whose cells still open.

mod comparison;
mod evidence;
pub(crate) mod page;
mod reading;

use crate::figures::{count, percent};
use crate::{Format, Style};
use overheard_model::{Bundle, PlaceSource, Plan, Reading};
use page::{Cell, Page, Row, Table};
use std::io::{self, Write};
use std::sync::Arc;

/// `--format html`.
pub(crate) struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn comparison(&self, bundle: &Bundle, _: Style, out: &mut dyn Write) -> io::Result<()> {
        comparison::page(bundle, out)
    }

    fn readings(
        &self,
        readings: &mut dyn Iterator<Item = Arc<Reading>>,
        places: &[PlaceSource],
        _: Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        reading::page(readings, places, out)
    }

    fn plan(&self, plan: &Plan, _: Style, out: &mut dyn Write) -> io::Result<()> {
        let columns = ["runs of each build", "chance to find it", "0 contacts rule out more than"];
        let mut table = Table::new(columns.map(String::from).to_vec());
        for power in &plan.table {
            table.row(Row::of(&[
                Cell::number(power.runs as f64, &count(power.runs)),
                Cell::number(power.power, &percent(power.power)),
                Cell::number(power.absence_bound, &format!("{} of runs", percent(power.absence_bound))),
            ]));
        }
        let mut page = Page::begin("How many runs?", out)?;
        page.verdict(&[crate::statement::plan(plan)])?;
        page.table(&table)?;
        page.end()
    }
}
