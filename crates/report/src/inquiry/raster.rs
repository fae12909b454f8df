//! An endpoint second by second: a row for each trial, a mark for each second in which it was sent something.
//!
//! Promises: as the plot; the more bytes, the stronger the mark. Rows of an arm stand together, in the order of trials.

use super::endpoints::{self, Endpoint, Lane, Sent};
use super::plot::{FOOT, LEFT, RIGHT, WIDTH, named};
use super::trial;
use crate::figures::bytes;
use crate::foreign::escaped;
use overheard_model::Inquiry;
use std::fmt::Write;

/// Endpoints drawn.
const PANELS: usize = 4;
const GAP: f64 = 8.0;

/// Of the endpoints that are uploads or were sent readable copies.
pub(super) fn panels(inquiry: &Inquiry) -> String {
    let lanes = endpoints::lanes(inquiry);
    let endpoints = endpoints::all(inquiry);
    let telling = endpoints.iter().filter(|endpoint| endpoint.upload.is_some() || endpoint.copies > 0);
    telling
        .take(PANELS)
        .enumerate()
        .map(|(index, endpoint)| panel(inquiry, index, endpoint, &lanes))
        .collect()
}

/// Seconds and their places.
struct Axis {
    seconds: usize,
}

impl Axis {
    fn x(&self, second: usize) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * second as f64 / self.seconds as f64
    }

    fn ticks(&self) -> impl Iterator<Item = usize> {
        let step =
            [1, 2, 5, 10, 20, 60, 300].into_iter().find(|step| self.seconds / step <= 6).unwrap_or(1800);
        (0..=self.seconds).step_by(step)
    }

    fn drawn(&self, bottom: f64) -> String {
        let tick = |second| {
            let x = self.x(second);
            format!(
                "<path class=\"rule\" d=\"M{x:.1} 0V{bottom:.0}\"/><text class=\"tick\" x=\"{x:.1}\" y=\"{:.0}\">{second}\u{a0}s</text>",
                bottom + 14.0
            )
        };
        self.ticks().map(tick).collect()
    }
}

fn panel(inquiry: &Inquiry, index: usize, endpoint: &Endpoint, lanes: &[Lane]) -> String {
    let lengths = endpoint.acts.iter().filter_map(|sent| Some(sent.traffic?.bytes_out.len()));
    let axis = Axis { seconds: lengths.max().unwrap_or(0).max(inquiry.lag_s.ceil() as usize).max(1) };
    let strongest = endpoint.acts.iter().flat_map(series).copied().max().unwrap_or(1);
    let mut marks = String::new();
    let mut top = GAP / 2.0;
    let step = (300.0 / endpoint.acts.len().max(1) as f64).clamp(2.0, 7.0);
    for lane in lanes {
        let acts: Vec<&Sent> = endpoint.of_lane(lane).collect();
        let rows = acts.len() as f64 * step;
        let height = rows.max(if lane.levels.is_empty() { 14.0 } else { 28.0 });
        marks += &named(lane, top + height / 2.0);
        for (row, sent) in acts.iter().enumerate() {
            seconds(&mut marks, sent, &axis, (top + row as f64 * step, step), strongest);
        }
        top += height + GAP;
    }
    let window = endpoint.upload.map(|upload| window(&axis, upload.window_s, top)).unwrap_or_default();
    let name = escaped(&endpoints::shown(endpoint.name));
    format!(
        "<figure class=\"raster\"><figcaption>{name}</figcaption><svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" \
         aria-labelledby=\"raster{index} raster{index}-said\"><title id=\"raster{index}\">{name}, second by second</title>\
         <desc id=\"raster{index}-said\">{}</desc>{window}{}{marks}</svg></figure>\n",
        top + FOOT,
        escaped(&described(endpoint, lanes)),
        axis.drawn(top),
    )
}

fn series<'a>(sent: &Sent<'a>) -> &'a [u64] {
    sent.traffic.map_or(&[], |traffic| &traffic.bytes_out)
}

/// When it is usually sent something first, arm by arm.
fn described(endpoint: &Endpoint, lanes: &[Lane]) -> String {
    let lane_said = |lane: &Lane| {
        let mut first: Vec<usize> = endpoint.of_lane(lane).filter_map(Sent::first_s).collect();
        first.sort_unstable();
        match first.get(first.len() / 2) {
            Some(second) => format!("after {}: first in second {second} at the median", lane.label()),
            None => format!("after {}: nothing", lane.label()),
        }
    };
    lanes.iter().map(lane_said).collect::<Vec<_>>().join("; ")
}

/// The window in which the upload shows best.
fn window(axis: &Axis, seconds: usize, height: f64) -> String {
    let width = axis.x(seconds.min(axis.seconds)) - LEFT;
    format!(
        "<rect class=\"window\" x=\"{LEFT}\" y=\"0\" width=\"{width:.1}\" height=\"{height:.0}\"><title>within {seconds} s</title></rect>"
    )
}

fn seconds(marks: &mut String, sent: &Sent, axis: &Axis, (top, step): (f64, f64), strongest: u64) {
    let name = trial::lane(sent.act.arm);
    for (second, sum) in series(sent).iter().enumerate().filter(|(_, sum)| **sum > 0) {
        let strength = 0.25 + 0.75 * (*sum as f64).ln_1p() / (strongest as f64).ln_1p();
        let _ = write!(
            marks,
            "<rect class=\"{name}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill-opacity=\"{strength:.2}\">\
             <title>trial {}, {name}, second {second}: {}</title></rect>",
            axis.x(second),
            (axis.x(1) - LEFT - 0.5).max(1.0),
            step * 0.85,
            sent.act.number,
            bytes(*sum)
        );
    }
}
