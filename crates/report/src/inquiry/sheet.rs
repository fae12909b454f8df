//! The tables of an inquiry, which text and HTML lay out each in its own way.
//!
//! Promises: a sheet without rows is not shown; nothing is escaped here.

use super::{answer, endpoints, trial};
use crate::figures::{bytes, count, percent, probability};
use overheard_model::{
    Detectable, Effect, Inquiry, PacketRange, ReadableCopy, Rule, Upload, UploadStatistic,
};

/// A table with its heading.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub title: &'static str,
    /// What the table is, in a sentence or two.
    pub note: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<Cell>>,
}

/// What is shown, and the number that it is sorted by where it is one.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub shown: String,
    pub number: Option<f64>,
}

impl Sheet {
    /// Whether a column stands to the right.
    pub fn is_numeric(&self, column: usize) -> bool {
        self.rows.iter().any(|row| row[column].number.is_some())
    }

    /// Without the columns in which nothing is said.
    pub fn dense(mut self) -> Self {
        for column in (0..self.columns.len()).rev() {
            if self.rows.iter().all(|row| row[column].shown.is_empty()) {
                self.columns.remove(column);
                self.rows.iter_mut().for_each(|row| _ = row.remove(column));
            }
        }
        self
    }
}

fn said(text: impl Into<String>) -> Cell {
    Cell { shown: text.into(), number: None }
}

fn number(number: f64, shown: impl Into<String>) -> Cell {
    Cell { shown: shown.into(), number: Some(number) }
}

fn counted(value: u64) -> Cell {
    number(value as f64, count(value))
}

fn sized(value: u64) -> Cell {
    number(value as f64, bytes(value))
}

fn placed(endpoint: &str) -> Cell {
    said(endpoints::shown(endpoint))
}

/// What was found, without what is empty.
pub(super) fn found(inquiry: &Inquiry) -> Vec<Sheet> {
    filled([rules(inquiry), uploads(inquiry), copies(inquiry), detectable(inquiry)])
}

/// What surrounds it, without what is empty.
pub(super) fn around(inquiry: &Inquiry) -> Vec<Sheet> {
    filled([effects(inquiry), ledger(inquiry)])
}

fn filled<const N: usize>(sheets: [Sheet; N]) -> Vec<Sheet> {
    sheets.into_iter().filter(|sheet| !sheet.rows.is_empty()).collect()
}

fn rules(inquiry: &Inquiry) -> Sheet {
    let found = inquiry.found.iter().flat_map(|found| &found.rules);
    let row = |rule: &Rule| {
        let bound = number(rule.error_bound, at_most(rule.error_bound));
        vec![said(answer::words(rule)), bound, counted(rule.messages)]
    };
    let source = if inquiry.measured { ", as measured" } else { "" };
    Sheet {
        title: "Words",
        note: format!(
            "All words of a rule are needed. Inexact: a character is needless or missing. The bound holds where {} of the \
             messages are lost that the filter lets pass{source}, and {} pass that it should stop.",
            percent(inquiry.loss),
            percent(inquiry.leak),
        ),
        columns: vec!["rule", "inexact with a chance of at most", "messages"],
        rows: found.map(row).collect(),
    }
}

/// Rounded up: a bound stays one.
fn at_most(chance: f64) -> String {
    percent((chance * 1e3).ceil().max(1.0) / 1e3)
}

fn uploads(inquiry: &Inquiry) -> Sheet {
    let judged = inquiry.judged.iter().filter(|_| inquiry.watched);
    let row = |upload: &Upload| {
        vec![
            placed(&upload.endpoint),
            said(statistic(upload.statistic)),
            number(upload.window_s as f64, format!("{} s", upload.window_s)),
            number(upload.p, probability(upload.p)),
            number(upload.bytes_more as f64, signed(upload.bytes_more)),
            said(cause(upload)),
        ]
    };
    Sheet {
        title: "Uploads",
        note: "Endpoints that are sent more after a trigger; with a level of a factor, after any message, though not with \
               other levels. p is adjusted for all endpoints, statistics, windows and levels."
            .into(),
        columns: vec!["endpoint", "shows best by", "within", "p", "more at the median", "after"],
        rows: judged.flat_map(|judged| &judged.uploads).map(row).collect(),
    }
}

fn cause(upload: &Upload) -> String {
    if upload.factors.is_empty() { "a trigger".into() } else { answer::levels(&upload.factors) }
}

fn statistic(statistic: UploadStatistic) -> String {
    match statistic {
        UploadStatistic::Contacted => "sent anything".into(),
        UploadStatistic::Flows => "flows begun".into(),
        UploadStatistic::BytesOut => "bytes out".into(),
        UploadStatistic::Bursts { from, to } => format!("bursts of {from} to {} B", to.saturating_sub(1)),
    }
}

fn signed(more: i64) -> String {
    let sign = if more < 0 { "−" } else { "+" };
    format!("{sign}{}", bytes(more.unsigned_abs()))
}

fn copies(inquiry: &Inquiry) -> Sheet {
    let row = |copy: &ReadableCopy| {
        vec![
            counted(copy.act),
            placed(&copy.endpoint),
            said(&copy.encoding),
            sized(copy.bytes),
            said(&copy.flow),
            said(&copy.capture),
            counted(copy.packet),
        ]
    };
    Sheet {
        title: "Copies that can be read",
        note: "Parts of the text that were found in what the client sent elsewhere.".into(),
        columns: vec!["trial", "went to", "written as", "in one piece", "flow", "capture", "packet"],
        rows: inquiry.copies.iter().map(row).collect(),
    }
}

fn detectable(inquiry: &Inquiry) -> Sheet {
    let judged = inquiry.judged.iter().filter(|_| inquiry.watched);
    let row = |size: &Detectable| {
        let elsewhere = || said("one that is sent nothing else");
        let none = number(f64::INFINITY, "none that was tried");
        vec![
            size.endpoint.as_deref().map_or_else(elsewhere, placed),
            size.bytes.map_or(none, sized),
            number(size.power, percent(size.power)),
        ]
    };
    Sheet {
        title: "What would have been seen",
        note: format!(
            "The smallest upload within {} s that such trials would show, and the chance of it: measured by planting it \
             in these.",
            inquiry.lag_s
        ),
        columns: vec!["endpoint", "upload of", "seen with a chance of"],
        rows: judged.flat_map(|judged| &judged.detectable).map(row).collect(),
    }
}

fn effects(inquiry: &Inquiry) -> Sheet {
    let points = |share: f64| format!("{:+.0}", share * 100.0).replace('-', "−");
    let row = |effect: &Effect| {
        vec![
            said(&effect.factor),
            said(&effect.level),
            number(effect.lost as f64, format!("{} of {}", effect.lost, effect.of)),
            number(effect.difference, points(effect.difference)),
            number(effect.low, format!("{} to {}", points(effect.low), points(effect.high))),
        ]
    };
    Sheet {
        title: "Effects of factors",
        note: "Share of triggers lost with a level minus the share lost with any other, in percentage points, with its \
               95\u{a0}% interval."
            .into(),
        columns: vec!["factor", "level", "lost", "difference", "interval"],
        rows: inquiry.judged.iter().flat_map(|judged| &judged.effects).map(row).collect(),
    }
}

fn ledger(inquiry: &Inquiry) -> Sheet {
    let fates = |account: &str| {
        let of = |fate| {
            let own = inquiry.deliveries.iter().filter(|delivery| delivery.account == account);
            counted(own.filter(|delivery| trial::fate(delivery) == fate).count() as u64)
        };
        ["delivered", "lost", "refused", "unknown"].map(of)
    };
    let row = |(account, spent): (&str, u64)| {
        [said(account), counted(spent)].into_iter().chain(fates(account)).collect()
    };
    Sheet {
        title: "Ledger",
        note: format!(
            "{} of {} messages are spent. Lost is what did not arrive within {} s.",
            count(inquiry.deliveries.len() as u64),
            count(inquiry.budget),
            inquiry.window_s
        ),
        columns: vec!["account", "spent", "delivered", "lost", "refused", "not known"],
        rows: trial::accounts(inquiry).into_iter().map(row).collect(),
    }
}

/// What each endpoint was sent, arm by arm: the table beneath the plot.
pub(super) fn endpoints(inquiry: &Inquiry) -> Sheet {
    let mut rows = Vec::new();
    for endpoint in endpoints::all(inquiry) {
        for arm in endpoints::lanes(inquiry) {
            let Some(summary) = endpoint.summary(arm) else { continue };
            let contacted = format!("{} of {}", count(summary.contacted), count(summary.acts));
            rows.push(vec![
                placed(endpoint.name),
                said(trial::lane(arm)),
                number(summary.contacted as f64, contacted),
                sized(summary.median),
                sized(summary.largest),
            ]);
        }
    }
    Sheet {
        title: "Endpoints, trial by trial",
        note: format!("Bytes out in the {} s after each act.", inquiry.lag_s),
        columns: vec!["endpoint", "after", "was sent anything", "median", "largest"],
        rows,
    }
}

/// Every trial, with its packets.
pub(super) fn trials(inquiry: &Inquiry) -> Sheet {
    Sheet {
        title: "Trials",
        note: "Every act, with the packets that crossed in the time after it.".into(),
        columns: vec!["trial", "at", "arm", "factors", "message", "after", "out", "packets"],
        rows: trial::all(inquiry).iter().map(|trial| of_trial(inquiry, trial)).collect(),
    }
}

fn of_trial(inquiry: &Inquiry, trial: &trial::Trial) -> Vec<Cell> {
    let act = trial.act;
    let after = trial.delivery.and_then(|delivery| delivery.after_ms);
    let out = act.filter(|_| inquiry.watched);
    let out = out.map(|act| act.traffic.values().flat_map(|traffic| &traffic.bytes_out).sum());
    let factors = act.into_iter().flat_map(|act| &act.factors);
    let factors: Vec<String> = factors.map(|(factor, level)| format!("{factor}={level}")).collect();
    let packets = act.and_then(|act| act.packets.as_ref());
    vec![
        counted(trial.number()),
        said(trial.at().map(|at| at.to_string()).unwrap_or_default()),
        said(trial::lane(trial.arm())),
        said(factors.join(" ")),
        said(trial.fate()),
        after.map_or(said(""), |after| number(after as f64, format!("{} ms", count(after)))),
        out.map_or(said(""), sized),
        said(packets.map(range).unwrap_or_default()),
    ]
}

/// `sender.pcapng 120 to 180`.
fn range(packets: &PacketRange) -> String {
    format!("{} {} to {}", packets.capture, packets.first, packets.last)
}
