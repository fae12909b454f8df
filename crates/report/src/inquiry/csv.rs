//! All trials as a tidy table: one row a trial and endpoint.
//!
//! Promises: the table is complete: where traffic was watched, every trial has a row for every endpoint, with zeros
//! where it was sent nothing, so that a mean over rows is a mean over trials. Guarded as all of this crate's CSV.
//! Columns: `number,at,arm`, one `factor_…` for each factor, `account,message,fate,after_ms`, then
//! `endpoint,flows,bytes_out,first_s` within the lag window, then `capture,first_packet,last_packet`, and `judged`: `no`
//! where the answer does not rest on the trial. Of a list that was searched there are `candidate,standing` behind them:
//! its candidates stand below the trials, without a number.

use super::endpoints::{self, Sent};
use super::trial::{self, Trial};
use crate::csv::Row;
use crate::foreign::quoted;
use overheard_model::{Act, Arm, Inquiry};
use std::collections::BTreeSet;
use std::io::{self, Write};

pub(super) fn write(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    let factors: BTreeSet<&String> = inquiry.acts.iter().flat_map(|act| act.factors.keys()).collect();
    let mut head = Row::of(["number", "at", "arm"]);
    factors.iter().for_each(|factor| _ = head.text(&format!("factor_{factor}")));
    for column in TRIAL.iter().chain(&TRAFFIC) {
        head.text(column);
    }
    let candidates = candidates(inquiry);
    if !candidates.is_empty() {
        head.text("candidate").text("standing");
    }
    let blank = if candidates.is_empty() { 0 } else { 2 };
    head.end(out)?;
    let mut end = |mut row: Row| {
        (0..blank).for_each(|_| _ = row.text(""));
        row.end(out)
    };
    let endpoints: BTreeSet<&String> = inquiry.acts.iter().flat_map(|act| act.traffic.keys()).collect();
    for trial in trial::all(inquiry) {
        match trial.act.filter(|_| inquiry.watched && !endpoints.is_empty()) {
            None => end(row(inquiry, &trial, &factors, None))?,
            Some(act) => {
                for endpoint in &endpoints {
                    end(row(inquiry, &trial, &factors, Some((act, endpoint))))?;
                }
            }
        }
    }
    for (candidate, standing) in candidates {
        let mut row = Row::default();
        (0..3 + factors.len() + TRIAL.len() + TRAFFIC.len()).for_each(|_| _ = row.text(""));
        row.text(&quoted(candidate)).text(standing);
        row.end(out)?;
    }
    Ok(())
}

/// Every candidate of a list, and what is known of it.
fn candidates(inquiry: &Inquiry) -> Vec<(&str, &'static str)> {
    let Some(found) = &inquiry.found else { return Vec::new() };
    let Some(others) = &found.candidates else { return Vec::new() };
    let ruled = found.rules.iter().flat_map(|rule| &rule.candidates);
    let ruled: BTreeSet<&String> = ruled.collect();
    let ruled = ruled.into_iter().map(|word| (word.as_str(), "in a rule"));
    let cleared = others.cleared.iter().map(|word| (word.as_str(), "cleared"));
    let open = others.open.iter().map(|word| (word.as_str(), "open"));
    let left_out = others.left_out.iter().map(|word| (word.as_str(), "left out"));
    ruled.chain(cleared).chain(open).chain(left_out).collect()
}

const TRIAL: [&str; 4] = ["account", "message", "fate", "after_ms"];
const TRAFFIC: [&str; 8] =
    ["endpoint", "flows", "bytes_out", "first_s", "capture", "first_packet", "last_packet", "judged"];

fn row(inquiry: &Inquiry, trial: &Trial, factors: &BTreeSet<&String>, endpoint: Option<(&Act, &str)>) -> Row {
    let mut row = Row::default();
    row.value(trial.number()).maybe(trial.at()).value(arm(trial.arm()));
    for factor in factors {
        let level = trial.act.and_then(|act| act.factors.get(*factor));
        row.text(level.map_or("", String::as_str));
    }
    let delivery = trial.delivery;
    row.text(delivery.map_or("", |delivery| &delivery.account))
        .maybe(delivery.map(|delivery| delivery.number))
        .value(delivery.map_or("", trial::fate))
        .maybe(delivery.and_then(|delivery| delivery.after_ms));
    match endpoint {
        None => row.text("").text("").text("").text(""),
        Some((act, endpoint)) => {
            let sent = Sent { act, traffic: act.traffic.get(endpoint) };
            row.text(&endpoints::shown(endpoint))
                .value(sent.flows())
                .value(sent.bytes())
                .maybe(sent.first_s())
        }
    };
    let packets = trial.act.and_then(|act| act.packets.as_ref());
    row.text(packets.map_or("", |packets| &packets.capture))
        .maybe(packets.map(|packets| packets.first))
        .maybe(packets.map(|packets| packets.last))
        .value(if trial.is_judged(inquiry) { "yes" } else { "no" });
    row
}

/// Empty for a message of a search.
fn arm(arm: Option<Arm>) -> &'static str {
    arm.map_or("", |arm| trial::lane(Some(arm)))
}
