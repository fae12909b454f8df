//! The whole inquiry as one JSON document, `overheard-inquiry/1`.
//!
//! Promises: as all of this crate's JSON; every trial is there, with all that was measured of it.

use super::{answer, rules, sentences, trial, warnings};
use crate::json::document;
use overheard_model::{
    Arm, Candidates, Delivery, Detectable, DropTest, Effect, Fate, Inquiry, Others, Outcome, PacketRange,
    ReadableCopy, Rule, Searched, Signal, Strays, Timestamp, Traffic, Upload, Uploads, Warning,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    outcome: Option<Outcome>,
    judged: answer::Standing,
    answer: Vec<String>,
    signal: &'a Signal,
    watched: bool,
    rules: Vec<Bounded<'a>>,
    /// Absent where no words were searched for.
    others: Option<Others>,
    /// Absent where no list was searched.
    candidates: Option<&'a Candidates>,
    messages: usize,
    ledger: Ledger<'a>,
    dropped_p: Option<f64>,
    drops: &'a [DropTest],
    copied_p: Option<f64>,
    looks: Option<u32>,
    /// Absent where traffic was not watched.
    uploads: Option<&'a [Upload]>,
    hints: Option<&'a [Upload]>,
    after_every_message: Option<&'a [Upload]>,
    detectable: Option<&'a [Detectable]>,
    copies: &'a [ReadableCopy],
    searched: Option<Searched>,
    asks_more: Option<&'a Upload>,
    effects: &'a [Effect],
    texts: Vec<trial::ByText>,
    assumed: Assumed,
    trials: Vec<Trial<'a>>,
    strays: Strays,
    warnings: Vec<Warning>,
}

/// A rule with its bound, absent where what it rests on is broken.
#[derive(Serialize)]
struct Bounded<'a> {
    all: &'a [String],
    ordered: Option<bool>,
    candidates: &'a [String],
    exact: bool,
    error_bound: Option<f64>,
    messages: u64,
}

#[derive(Serialize)]
struct Ledger<'a> {
    budget: u64,
    accounts: BTreeMap<&'a str, u64>,
}

/// What the search took for granted, or measured.
#[derive(Serialize)]
struct Assumed {
    loss: f64,
    leak: f64,
    measured: bool,
    error: f64,
    window_s: f64,
    lag_s: f64,
}

#[derive(Serialize)]
struct Trial<'a> {
    number: u64,
    at: Option<Timestamp>,
    arm: Option<Arm>,
    judged: bool,
    factors: Option<&'a BTreeMap<String, String>>,
    message: Option<u64>,
    account: Option<&'a str>,
    text_sha256: Option<&'a str>,
    fate: Option<Fate>,
    reason: Option<&'a str>,
    after_ms: Option<u64>,
    packets: Option<&'a PacketRange>,
    /// By endpoint; absent where traffic was not watched.
    traffic: Option<BTreeMap<&'a str, Vec<Second>>>,
}

/// A second in which something was sent.
#[derive(Serialize)]
struct Second {
    second: usize,
    flows: u64,
    bytes_out: u64,
}

pub(super) fn write(inquiry: &Inquiry, out: &mut dyn Write) -> io::Result<()> {
    let judged = inquiry.judged.as_ref();
    let watched = judged.filter(|_| inquiry.watched);
    let found = Document {
        schema: "overheard-inquiry/1",
        outcome: answer::word(inquiry),
        judged: answer::standing(inquiry),
        answer: sentences::of(inquiry),
        signal: &inquiry.signal,
        watched: inquiry.watched,
        rules: inquiry
            .found
            .iter()
            .flat_map(|found| &found.rules)
            .map(|rule| bounded(inquiry, rule))
            .collect(),
        others: inquiry.found.as_ref().map(|found| found.others),
        candidates: inquiry.found.as_ref().and_then(|found| found.candidates.as_ref()),
        messages: inquiry.deliveries.len(),
        ledger: Ledger { budget: inquiry.budget, accounts: trial::accounts(inquiry) },
        dropped_p: judged.map(Uploads::dropped_p),
        drops: judged.map_or(&[], |judged| &judged.drops),
        copied_p: watched.map(|judged| judged.copied_p),
        looks: judged.map(|judged| judged.looks),
        uploads: watched.map(|judged| &judged.uploads[..]),
        after_every_message: watched.and_then(|judged| judged.after_every_message.as_deref()),
        hints: watched.map(|judged| &judged.hints[..]),
        detectable: watched.map(|judged| &judged.detectable[..]),
        copies: &inquiry.copies,
        searched: inquiry.searched,
        asks_more: inquiry.asks_more.as_ref(),
        effects: judged.map_or(&[], |judged| &judged.effects),
        texts: trial::by_text(inquiry),
        assumed: Assumed {
            loss: inquiry.loss,
            leak: inquiry.leak,
            measured: inquiry.measured,
            error: inquiry.target,
            window_s: inquiry.window_s,
            lag_s: inquiry.lag_s,
        },
        trials: trial::all(inquiry).iter().map(|trial| of_trial(inquiry, trial)).collect(),
        strays: inquiry.strays,
        warnings: warnings::all(inquiry),
    };
    document(&found, out)
}

fn bounded<'a>(inquiry: &Inquiry, rule: &'a Rule) -> Bounded<'a> {
    let Rule { all, ordered, candidates, exact, error_bound, messages } = rule;
    let error_bound = rules::no_bound(inquiry).is_none().then_some(*error_bound);
    Bounded { all, ordered: *ordered, candidates, exact: *exact, error_bound, messages: *messages }
}

fn of_trial<'a>(inquiry: &Inquiry, trial: &trial::Trial<'a>) -> Trial<'a> {
    let (act, delivery): (_, Option<&'a Delivery>) = (trial.act, trial.delivery);
    let traffic = act.filter(|_| inquiry.watched).map(|act| {
        act.traffic.iter().map(|(endpoint, traffic)| (endpoint.as_str(), seconds(traffic))).collect()
    });
    Trial {
        number: trial.number(),
        at: trial.at(),
        arm: trial.arm(),
        judged: trial.is_judged(inquiry),
        factors: act.map(|act| &act.factors),
        message: delivery.map(|delivery| delivery.number),
        account: delivery.map(|delivery| delivery.account.as_str()),
        text_sha256: delivery.map(|delivery| delivery.text_sha256.as_str()),
        fate: delivery.and_then(|delivery| delivery.fate),
        reason: delivery.and_then(|delivery| delivery.reason.as_deref()),
        after_ms: delivery.and_then(|delivery| delivery.after_ms),
        packets: act.and_then(|act| act.packets.as_ref()),
        traffic,
    }
}

fn seconds(traffic: &Traffic) -> Vec<Second> {
    let of = |series: &[u64], second: usize| series.get(second).copied().unwrap_or_default();
    let all = (0..traffic.flows.len().max(traffic.bytes_out.len())).map(|second| Second {
        second,
        flows: of(&traffic.flows, second),
        bytes_out: of(&traffic.bytes_out, second),
    });
    all.filter(|second| second.flows > 0 || second.bytes_out > 0).collect()
}
