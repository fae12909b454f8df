//! What each endpoint was sent, act by act.
//!
//! Promises: acts that are not judged do not count; those after which an endpoint was sent nothing do, with 0 bytes; the
//! most telling endpoints come first: those that are uploads, those with readable copies, then by how much more they are
//! sent after a trigger.
//! Where factors were set, acts of one arm are told apart by their levels too, unless these are many.

use super::trial::{self, LANES};
use crate::hostname;
use overheard_model::{Act, Arm, Inquiry, Traffic, Upload};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// One endpoint and the traffic that every act was followed by.
#[derive(Clone, Debug)]
pub(super) struct Endpoint<'a> {
    pub name: &'a str,
    pub upload: Option<&'a Upload>,
    pub copies: usize,
    pub acts: Vec<Sent<'a>>,
}

#[derive(Clone, Debug)]
pub(super) struct Sent<'a> {
    pub act: &'a Act,
    /// Absent where the endpoint was sent nothing.
    pub traffic: Option<&'a Traffic>,
}

impl Sent<'_> {
    pub fn flows(&self) -> u64 {
        self.traffic.map_or(0, |traffic| traffic.flows.iter().sum())
    }

    pub fn bytes(&self) -> u64 {
        self.traffic.map_or(0, |traffic| traffic.bytes_out.iter().sum())
    }

    /// The first second in which something was sent.
    pub fn first_s(&self) -> Option<usize> {
        self.traffic?.bytes_out.iter().position(|bytes| *bytes > 0)
    }
}

/// What an endpoint was sent after the acts of one arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub acts: u64,
    /// Acts after which it was sent anything.
    pub contacted: u64,
    pub median: u64,
    pub largest: u64,
}

impl Endpoint<'_> {
    pub fn of_lane(&self, lane: &Lane) -> impl Iterator<Item = &Sent<'_>> {
        self.acts.iter().filter(move |sent| lane.holds(sent.act))
    }

    /// Nothing where the lane has no acts.
    pub fn summary(&self, lane: &Lane) -> Option<Summary> {
        let mut bytes: Vec<u64> = self.of_lane(lane).map(Sent::bytes).collect();
        bytes.sort_unstable();
        Some(Summary {
            acts: bytes.len() as u64,
            contacted: bytes.iter().filter(|bytes| **bytes > 0).count() as u64,
            median: *bytes.get(bytes.len() / 2)?,
            largest: *bytes.last()?,
        })
    }

    /// How far apart triggers and benign messages are, on the scale of the plot.
    fn apart(&self) -> f64 {
        let mean = |arm| {
            let of_arm = self.acts.iter().filter(|sent| sent.act.arm == Some(arm));
            let logarithms: Vec<f64> = of_arm.map(|sent| (sent.bytes() as f64).ln_1p()).collect();
            logarithms.iter().sum::<f64>() / logarithms.len().max(1) as f64
        };
        (mean(Arm::Trigger) - mean(Arm::Benign)).abs()
    }

    fn total(&self) -> u64 {
        self.acts.iter().map(Sent::bytes).sum()
    }
}

pub(super) fn all(inquiry: &Inquiry) -> Vec<Endpoint<'_>> {
    let uploads = inquiry.judged.iter().flat_map(|judged| &judged.uploads);
    let met = inquiry.acts.iter().flat_map(|act| act.traffic.keys());
    let names: BTreeSet<&str> = met.map(String::as_str).collect();
    let mut endpoints: Vec<(usize, Endpoint)> = Vec::new();
    for name in names {
        let rank = uploads.clone().position(|upload| upload.endpoint == name);
        let acts = trial::judged(inquiry).map(|act| Sent { act, traffic: act.traffic.get(name) });
        let endpoint = Endpoint {
            name,
            upload: uploads.clone().find(|upload| upload.endpoint == name),
            copies: inquiry.copies.iter().filter(|copy| copy.endpoint == name).count(),
            acts: acts.collect(),
        };
        endpoints.push((rank.unwrap_or(usize::MAX), endpoint));
    }
    endpoints.sort_by(|(a_rank, a), (b_rank, b)| {
        let certain = a_rank.cmp(b_rank).then((b.copies > 0).cmp(&(a.copies > 0)));
        certain.then(b.apart().total_cmp(&a.apart())).then(b.total().cmp(&a.total()))
    });
    endpoints.into_iter().map(|(_, endpoint)| endpoint).collect()
}

/// Combinations of levels beyond which lanes are not split by them.
const MOST_COMBINATIONS: usize = 6;

/// Acts that are shown together: of one arm, and of one combination of levels where factors were set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lane<'a> {
    pub arm: Option<Arm>,
    /// Name and level of each factor; empty where lanes are not split.
    pub levels: Vec<(&'a str, &'a str)>,
}

impl Lane<'_> {
    fn holds(&self, act: &Act) -> bool {
        let has = |(name, level): &(&str, &str)| act.factors.get(*name).is_some_and(|own| own == level);
        act.arm == self.arm && self.levels.iter().all(has)
    }

    /// `trigger, user=carol`.
    pub fn label(&self) -> String {
        let levels = self.levels.iter().map(|(name, level)| format!("{name}={level}"));
        let parts: Vec<String> = [trial::lane(self.arm).to_owned()].into_iter().chain(levels).collect();
        parts.join(", ")
    }

    /// The levels alone, for a place where the factors are known: `carol`.
    pub fn brief(&self) -> String {
        self.levels.iter().map(|(_, level)| *level).collect::<Vec<_>>().join(", ")
    }
}

/// Levels of factors, as commands name them.
pub(super) fn factors(factors: &BTreeMap<String, String>) -> String {
    let all: Vec<String> = factors.iter().map(|(name, level)| format!("{name}={level}")).collect();
    shown(&all.join(", ")).into_owned()
}

/// Arms that acts were assigned, each split by the levels of the factors that were set.
pub(super) fn lanes(inquiry: &Inquiry) -> Vec<Lane<'_>> {
    let mut combinations: BTreeSet<Vec<(&str, &str)>> = inquiry.acts.iter().map(levels).collect();
    if combinations.len() < 2 || combinations.len() > MOST_COMBINATIONS {
        combinations = [Vec::new()].into();
    }
    let all = LANES
        .into_iter()
        .flat_map(|arm| combinations.iter().map(move |levels| Lane { arm, levels: levels.clone() }));
    all.filter(|lane| inquiry.acts.iter().any(|act| lane.holds(act))).collect()
}

/// Of the factors that were set; the hour comes as it comes.
fn levels(act: &Act) -> Vec<(&str, &str)> {
    let set = act.factors.iter().filter(|(name, _)| *name != "time");
    set.map(|(name, level)| (name.as_str(), level.as_str())).collect()
}

/// A name that passes for another has its other spelling beside it; a port stays behind.
pub(super) fn shown(endpoint: &str) -> Cow<'_, str> {
    match endpoint.rsplit_once(':') {
        Some((host, port)) if !host.is_ascii() && port.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Cow::Owned(format!("{}:{port}", hostname::shown(host)))
        }
        _ => hostname::shown(endpoint),
    }
}
