//! Bytes to each endpoint, trial by trial: a panel for each endpoint, a lane for each arm, a dot for each trial.
//!
//! Promises: inline SVG that asks nobody for anything; all panels share one scale; the order of the dots in a lane, from
//! the top, is the order of the trials. Every dot says in words what it is, and a table beneath says it all again.

use super::endpoints::{self, Endpoint, Lane, Sent};
use super::scale::Scale;
use super::trial;
use crate::figures::{bytes, count, probability_of};
use crate::foreign::escaped;
use overheard_model::Inquiry;
use std::fmt::Write;

/// Endpoints drawn; the table beneath has all.
pub(super) const PANELS: usize = 12;

/// Of a panel, in its own units.
pub(super) const WIDTH: f64 = 380.0;
pub(super) const LEFT: f64 = 62.0;
pub(super) const RIGHT: f64 = 16.0;
pub(super) const FOOT: f64 = 22.0;
/// Between lanes.
const GAP: f64 = 10.0;

/// Every panel, the most telling first.
pub(super) fn panels(inquiry: &Inquiry) -> String {
    let endpoints = endpoints::all(inquiry);
    let scale = Scale::of(&endpoints);
    let lanes = endpoints::lanes(inquiry);
    let panels = endpoints.iter().take(PANELS).enumerate();
    panels.map(|(index, endpoint)| panel(index, endpoint, &lanes, scale)).collect()
}

fn panel(index: usize, endpoint: &Endpoint, lanes: &[Lane], scale: Scale) -> String {
    let name = endpoints::shown(endpoint.name);
    let mut marks = String::new();
    let mut top = GAP / 2.0;
    let mut described = Vec::new();
    for lane in lanes {
        let height = height(endpoint.of_lane(lane).count(), lane);
        dots(&mut marks, endpoint, lane, scale, (top, height));
        top += height + GAP;
        described.extend(described_lane(endpoint, lane));
    }
    let axis = axis(scale, top);
    let height = top + FOOT;
    format!(
        "<figure class=\"panel\"><figcaption>{}{}</figcaption>\
         <svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-labelledby=\"panel{index} panel{index}-said\">\
         <title id=\"panel{index}\">Bytes out to {}</title><desc id=\"panel{index}-said\">{}</desc>{axis}{marks}</svg></figure>\n",
        escaped(&name),
        role(endpoint),
        escaped(&name),
        escaped(&described.join("; ")),
    )
}

/// Why the endpoint is of interest, if it is.
fn role(endpoint: &Endpoint) -> String {
    let upload = endpoint.upload.map(|upload| format!("upload, {}", probability_of('p', upload.p)));
    let copies = match endpoint.copies {
        0 => None,
        1 => Some("1 readable copy".to_owned()),
        many => Some(format!("{} readable copies", count(many as u64))),
    };
    let roles: Vec<String> = upload.into_iter().chain(copies).collect();
    if roles.is_empty() { String::new() } else { format!(" <b>{}</b>", escaped(&roles.join(", "))) }
}

fn described_lane(endpoint: &Endpoint, lane: &Lane) -> Option<String> {
    let summary = endpoint.summary(lane)?;
    Some(format!(
        "after {}: sent anything in {} of {} trials, median {}, largest {}",
        lane.label(),
        summary.contacted,
        summary.acts,
        bytes(summary.median),
        bytes(summary.largest)
    ))
}

/// Of a lane with so many dots; its name may take two lines.
fn height(dots: usize, lane: &Lane) -> f64 {
    let least = if lane.levels.is_empty() { 18.0 } else { 28.0 };
    (dots as f64 * 2.4).clamp(least, 84.0)
}

/// The name of a lane around this height: the arm, and its levels beneath.
pub(super) fn named(lane: &Lane, middle: f64) -> String {
    let line = |y: f64, text: &str| {
        let short = match text.chars().count() > LONGEST {
            true => text.chars().take(LONGEST - 1).chain(['…']).collect(),
            false => text.to_owned(),
        };
        format!(
            "<text class=\"lane\" x=\"0\" y=\"{y:.1}\">{}<title>{}</title></text>",
            escaped(&short),
            escaped(&lane.label())
        )
    };
    let arm = trial::lane(lane.arm);
    match lane.levels.is_empty() {
        true => line(middle + 4.0, arm),
        false => line(middle - 3.0, arm) + &line(middle + 11.0, &lane.brief()),
    }
}

/// Characters of a line beside a lane.
const LONGEST: usize = 9;

fn x(scale: Scale, bytes: u64) -> f64 {
    LEFT + scale.place(bytes) * (WIDTH - LEFT - RIGHT)
}

/// Lines at 0 and the powers of ten, with what they are.
fn axis(scale: Scale, bottom: f64) -> String {
    let mut axis = String::new();
    for tick in scale.ticks() {
        let x = x(scale, tick);
        // Writing to a string cannot fail.
        let _ = write!(
            axis,
            "<path class=\"rule\" d=\"M{x:.1} 0V{bottom:.0}\"/><text class=\"tick\" x=\"{x:.1}\" y=\"{:.0}\">{}</text>",
            bottom + 14.0,
            short(tick)
        );
    }
    axis
}

/// `0`, `10`, `1k`, `1M`: labels stand close.
fn short(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1_000_000_000 => format!("{}G", bytes / 1_000_000_000),
        bytes if bytes >= 1_000_000 => format!("{}M", bytes / 1_000_000),
        bytes if bytes >= 1000 => format!("{}k", bytes / 1000),
        bytes => bytes.to_string(),
    }
}

fn dots(marks: &mut String, endpoint: &Endpoint, lane: &Lane, scale: Scale, (top, height): (f64, f64)) {
    let acts: Vec<&Sent> = endpoint.of_lane(lane).collect();
    let Some(summary) = endpoint.summary(lane) else { return };
    let (arm, median) = (trial::lane(lane.arm), x(scale, summary.median));
    let said = escaped(&lane.label());
    *marks += &named(lane, top + height / 2.0);
    let _ = write!(
        marks,
        "<path class=\"median\" d=\"M{median:.1} {:.1}v{:.1}\"><title>median {}</title></path>",
        top - 2.0,
        height + 4.0,
        bytes(summary.median)
    );
    let step = height / acts.len() as f64;
    for (row, sent) in acts.iter().enumerate() {
        let (x, y) = (x(scale, sent.bytes()), top + (row as f64 + 0.5) * step);
        let _ = write!(
            marks,
            "<circle class=\"{arm}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>trial {}, {said}: {}</title></circle>",
            sent.act.number,
            bytes(sent.bytes())
        );
    }
}
