//! What each endpoint was sent, act by act.
//!
//! Promises: acts after which an endpoint was sent nothing count, with 0 bytes; the most telling endpoints come first:
//! those that are uploads, those with readable copies, then by how much more they are sent after a trigger.

use super::trial::LANES;
use crate::hostname;
use overheard_model::{Act, Arm, Inquiry, Traffic, Upload};
use std::borrow::Cow;
use std::collections::BTreeSet;

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
    pub fn of_arm(&self, arm: Option<Arm>) -> impl Iterator<Item = &Sent<'_>> {
        self.acts.iter().filter(move |sent| sent.act.arm == arm)
    }

    /// Nothing where the arm has no acts.
    pub fn summary(&self, arm: Option<Arm>) -> Option<Summary> {
        let mut bytes: Vec<u64> = self.of_arm(arm).map(Sent::bytes).collect();
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
            let logarithms: Vec<f64> =
                self.of_arm(Some(arm)).map(|sent| (sent.bytes() as f64).ln_1p()).collect();
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
        let acts = inquiry.acts.iter().map(|act| Sent { act, traffic: act.traffic.get(name) });
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

/// Arms that acts were assigned.
pub(super) fn lanes(inquiry: &Inquiry) -> impl Iterator<Item = Option<Arm>> {
    LANES.into_iter().filter(|arm| inquiry.acts.iter().any(|act| act.arm == *arm))
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
