//! The tables of an inquiry, which text and HTML lay out each in its own way.
//!
//! Promises: a sheet without rows is not shown; nothing is escaped here.

use super::{endpoints, rules, trial};
use crate::figures::{bytes, count, percent, probability};
use crate::foreign::quoted;
use overheard_model::{
    Detectable, DropTest, Effect, Inquiry, NAMES_ASKED, PacketRange, ReadableCopy, Rule, Timestamp, Upload,
    UploadStatistic,
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
    let words = [self::rules(inquiry), candidates(inquiry), drops(inquiry)];
    filled(words.into_iter().chain([
        uploads(inquiry),
        effects(inquiry),
        copies(inquiry),
        detectable(inquiry),
    ]))
}

/// What surrounds it, without what is empty.
pub(super) fn around(inquiry: &Inquiry) -> Vec<Sheet> {
    filled([ledger(inquiry)])
}

fn filled(sheets: impl IntoIterator<Item = Sheet>) -> Vec<Sheet> {
    sheets.into_iter().filter(|sheet| !sheet.rows.is_empty()).collect()
}

fn rules(inquiry: &Inquiry) -> Sheet {
    let found = inquiry.found.iter().flat_map(|found| &found.rules);
    let why_none = rules::no_bound(inquiry);
    let row = |rule: &Rule| {
        let bound = match why_none {
            Some(_) => said("no bound"),
            None => number(rule.error_bound, rules::at_most(rule.error_bound)),
        };
        vec![said(rules::words(rule)), bound, counted(rule.messages)]
    };
    let source = if inquiry.measured { ", as measured" } else { "" };
    let bound = match &why_none {
        Some(why) => format!("No bound holds: {why}."),
        None => format!(
            "The bound holds where {} of the messages are lost that the filter lets pass{source}, and {} pass that it \
             should stop.",
            percent(inquiry.loss),
            percent(inquiry.leak),
        ),
    };
    let exact = match inquiry.found.iter().flat_map(|found| &found.rules).all(|rule| rule.exact) {
        true => "",
        false => " Where a part of it may be the rule, wrong: it does not trigger.",
    };
    Sheet {
        title: "Words",
        note: format!(
            "All words of a rule are needed. Inexact: a character is needless or missing.{exact} {bound}"
        ),
        columns: vec!["rule", "inexact with a chance of at most", "messages"],
        rows: found.map(row).collect(),
    }
}

/// Candidates named in a cell; JSON and CSV have all.
const NAMED: usize = 200;

fn candidates(inquiry: &Inquiry) -> Sheet {
    let candidates = inquiry.found.iter().filter_map(|found| found.candidates.as_ref());
    let row = |(standing, words): (&str, &Vec<String>)| {
        let named: Vec<String> = words.iter().take(NAMED).map(|word| quoted(word)).collect();
        let more = match words.len().saturating_sub(NAMED) as u64 {
            0 => String::new(),
            more => format!(" … and {} more; see --format json or csv", count(more)),
        };
        vec![said(standing), counted(words.len() as u64), said(named.join(", ") + &more)]
    };
    let rows = candidates.flat_map(|all| [("cleared", &all.cleared), ("open", &all.open)]).map(row);
    Sheet {
        title: "Other candidates",
        note: "Cleared: sent, and it arrived. Open: nothing is known of it yet, or no longer.".into(),
        columns: vec!["standing", "number", "words"],
        rows: rows.collect(),
    }
}

/// Where factors were set; without, the answer has the one test.
fn drops(inquiry: &Inquiry) -> Sheet {
    let tests = inquiry.judged.iter().map(|judged| &judged.drops).filter(|drops| drops.len() > 1).flatten();
    let row = |test: &DropTest| {
        let what =
            if test.factors.is_empty() { "triggers".into() } else { endpoints::factors(&test.factors) };
        let share = |lost: u64, of: u64| number(lost as f64, format!("{} of {}", count(lost), count(of)));
        vec![
            said(what),
            share(test.lost, test.of),
            share(test.others_lost, test.others_of),
            number(test.p, probability(test.p)),
        ]
    };
    Sheet {
        title: "Tests of arrivals",
        note: "What did not arrive. Of triggers against benign messages; with a level of a factor against other levels, \
               by stretches of acts with the same clients, which are lost where less than half of their messages arrived. \
               p is adjusted for all levels."
            .into(),
        columns: vec!["tested", "lost", "of others", "p"],
        rows: tests.map(row).collect(),
    }
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
    if upload.factors.is_empty() { "a trigger".into() } else { endpoints::factors(&upload.factors) }
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
            "The smallest upload within {} s that such trials would show, and in how many of the tries they did when it \
             was planted in these.",
            inquiry.lag_s
        ),
        columns: vec!["endpoint", "upload of", "seen in so many of the tries"],
        rows: judged.flat_map(|judged| &judged.detectable).map(row).collect(),
    }
}

fn effects(inquiry: &Inquiry) -> Sheet {
    let points = |share: f64| format!("{:+.0}", share * 100.0).replace('-', "−");
    let row = |effect: &Effect| {
        let what = match &effect.endpoint {
            None => said("not arriving"),
            Some(endpoint) => said(format!("upload to {}", endpoints::shown(endpoint))),
        };
        vec![
            what,
            said(&effect.factor),
            said(&effect.level),
            number(effect.count as f64, format!("{} of {}", effect.count, effect.of)),
            number(effect.difference, points(effect.difference)),
            number(effect.low, format!("{} to {}", points(effect.low), points(effect.high))),
        ]
    };
    Sheet {
        title: "Effects of factors",
        note: "How many messages did not arrive, or were followed by an upload, with a level; and that share minus the \
               share with any other level, in percentage points, with its 95\u{a0}% interval. Of triggers; of all messages \
               where the level itself causes the upload."
            .into(),
        columns: vec!["what", "factor", "level", "messages", "difference", "interval"],
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
    let (mut rows, lanes) = (Vec::new(), endpoints::lanes(inquiry));
    for endpoint in endpoints::all(inquiry) {
        for lane in &lanes {
            let Some(summary) = endpoint.summary(lane) else { continue };
            let contacted = format!("{} of {}", count(summary.contacted), count(summary.acts));
            rows.push(vec![
                placed(endpoint.name),
                said(lane.label()),
                number(summary.contacted as f64, contacted),
                sized(summary.median),
                sized(summary.largest),
            ]);
        }
    }
    Sheet {
        title: "Endpoints, trial by trial",
        note: followed(inquiry),
        columns: vec!["endpoint", "after", "was sent anything", "median", "largest"],
        rows,
    }
}

/// The column of times, which do not break.
pub(super) const WHEN: &str = "at (UTC)";

/// What the figures of endpoints are.
pub(super) fn followed(inquiry: &Inquiry) -> String {
    let asked = inquiry.acts.iter().any(|act| act.traffic.contains_key(NAMES_ASKED));
    let names = match asked {
        true => " Names are asked of the room's own name server, which is Overheard's and no party.",
        false => "",
    };
    format!("Bytes out in the {} s after each act.{names}", inquiry.lag_s)
}

/// Every trial, with its packets.
pub(super) fn trials(inquiry: &Inquiry) -> Sheet {
    let folder = folder(inquiry);
    let captures = match folder {
        "" => String::new(),
        folder => format!(" Captures lie below {folder}."),
    };
    Sheet {
        title: "Trials",
        note: format!(
            "Every act, with the packets that crossed in the time after it: their numbers in the capture.{captures}"
        ),
        columns: vec!["trial", WHEN, "arm", "factors", "message", "after", "out", "packets"],
        rows: trial::all(inquiry).iter().map(|trial| of_trial(inquiry, trial, folder)).collect(),
    }
}

/// What the paths of all captures begin with, to the end of a folder's name.
fn folder(inquiry: &Inquiry) -> &str {
    let mut captures = inquiry.acts.iter().filter_map(|act| Some(act.packets.as_ref()?.capture.as_str()));
    let first = captures.next().unwrap_or_default();
    let alike = |one: &str, other: &str| one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let shared = captures.fold(first.len(), |shared, other| shared.min(alike(first, other)));
    let end = first.as_bytes()[..shared].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    first.get(..end).unwrap_or_default()
}

fn of_trial(inquiry: &Inquiry, trial: &trial::Trial, folder: &str) -> Vec<Cell> {
    let act = trial.act;
    let after = trial.delivery.and_then(|delivery| delivery.after_ms);
    let out = act.filter(|_| inquiry.watched);
    let out = out.map(|act| act.traffic.values().flat_map(|traffic| &traffic.bytes_out).sum());
    let factors = act.into_iter().flat_map(|act| &act.factors);
    let factors: Vec<String> = factors.map(|(factor, level)| format!("{factor}={level}")).collect();
    let packets = act.and_then(|act| act.packets.as_ref());
    vec![
        counted(trial.number()),
        said(trial.at().map(second).unwrap_or_default()),
        said(trial::lane(trial.arm())),
        said(factors.join(" ")),
        said(trial.fate()),
        after.map_or(said(""), |after| number(after as f64, format!("{} ms", count(after)))),
        out.map_or(said(""), sized),
        said(packets.map(|packets| range(packets, folder)).unwrap_or_default()),
    ]
}

/// `0001/sender/capture.pcapng 120 to 180`.
fn range(packets: &PacketRange, folder: &str) -> String {
    let capture = packets.capture.strip_prefix(folder).unwrap_or(&packets.capture);
    format!("{capture} {} to {}", packets.first, packets.last)
}

/// To the second, with spaces that do not break: `2026-11-25 08:24:46`.
fn second(at: Timestamp) -> String {
    at.to_string().chars().take("2026-11-25T08:24:46".len()).collect::<String>().replace('T', "\u{a0}")
}
