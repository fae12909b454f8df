//! Sample sizes as text: a table and a sentence.

use super::layout::{Column, Grid, Ink, field, paragraph};
use crate::Style;
use crate::figures::{count, counted, percent};
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
    grid.render(style) + "\n" + &paragraph("", &sentence(plan), Ink::Plain, style)
}

fn sentence(plan: &Plan) -> String {
    let runs = |runs: Option<u64>| match runs {
        Some(runs) => format!("takes {} of each build", counted(runs, "run")),
        None => "is out of reach of any number of runs tried".into(),
    };
    format!(
        "To find, with a chance of {}, a server that one build contacts in {} of its runs and the reference in {}, \
         among {} compared side by side and with a false alarm in at most {} of studies, {}; had it been named as a \
         concern before the data, it {}.",
        percent(plan.target),
        percent(plan.rate),
        percent(plan.reference_rate),
        counted(plan.keys, "endpoint"),
        percent(plan.alpha),
        runs(plan.runs_needed),
        runs(plan.runs_needed_concern),
    )
}
