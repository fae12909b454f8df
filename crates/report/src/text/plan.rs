//! Sample sizes as text: a table and a sentence.

use super::layout::{Column, Grid, Ink, field, paragraph};
use crate::figures::{count, percent};
use crate::{Style, statement};
use overheard_model::Plan;

pub(super) fn text(plan: &Plan, style: Style) -> String {
    let mut grid = Grid::new(vec![Column::Right, Column::Right, Column::Right]);
    let heading = |text| field(text, Ink::Strong);
    grid.row(vec![
        heading("runs of each build"),
        heading("chance to find it"),
        heading("0 contacts rule out more than"),
    ]);
    for power in &plan.table {
        let ink = if power.power >= plan.target { Ink::Strong } else { Ink::Plain };
        grid.row(vec![
            field(count(power.runs), ink),
            field(percent(power.power), ink),
            field(format!("{} of runs", percent(power.absence_bound)), ink),
        ]);
    }
    grid.render(style) + "\n" + &paragraph("", &statement::plan(plan), Ink::Plain, style)
}
