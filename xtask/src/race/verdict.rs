//! The measures, each with what is to be reached and its floor.
//!
//! Promises: a measure whose program or file was not there says so and fails nothing.

use super::Outcome;
use super::contest::{CAT, MERCURY, NDPI, SURICATA, TCPDUMP, TEXT, TSHARK_FIELDS};
use super::growth::Sized;
use anyhow::{Result, bail};

pub(super) struct Verdict {
    pub measure: String,
    pub value: Option<f64>,
    /// As it is shown, with its unit.
    pub shown: String,
    pub aim: Bound,
    pub floor: Bound,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
        }
    }
}

impl Verdict {
    fn new(measure: impl Into<String>, value: Option<f64>, aim: Bound, floor: Bound) -> Self {
        let shown = value.map_or("not measured".into(), |value| format!("{value:.2} ×"));
        Self { measure: measure.into(), value, shown, aim, floor }
    }

    pub(super) fn word(&self) -> &'static str {
        match self.value {
            None => "",
            Some(value) if self.aim.holds(value) => "reached",
            Some(value) if self.floor.holds(value) => "above the floor",
            Some(_) => "missed",
        }
    }
}

pub(super) fn all(outcome: &Outcome) -> Vec<Verdict> {
    use Bound::{AtLeast, AtMost};
    let cpu = |name: &str| outcome.contest.usage(name).map(|usage| usage.cpu);
    let ours = cpu(TEXT);
    let against = |name: &str| Some(ours? / cpu(name)?);
    let faster = |name: &str| Some(cpu(name)? / ours?);
    let mut all = vec![
        Verdict::new("CPU against `cat`", against(CAT), AtMost(2.5), AtMost(4.0)),
        Verdict::new("CPU against `tcpdump -w /dev/null`", against(TCPDUMP), AtMost(0.8), AtMost(1.2)),
        Verdict::new("faster than mercury", faster(MERCURY), AtLeast(4.0), AtLeast(2.5)),
        Verdict::new("faster than `ndpiReader -q`", faster(NDPI), AtLeast(15.0), AtLeast(9.0)),
        Verdict::new("faster than Suricata EVE", faster(SURICATA), AtLeast(25.0), AtLeast(14.0)),
        Verdict::new("faster than `tshark -T fields`", faster(TSHARK_FIELDS), AtLeast(150.0), AtLeast(80.0)),
    ];
    let growth = &outcome.growth;
    let threads = growth.threads.as_ref();
    let name = threads.map_or("two threads".into(), |threads| {
        let same = if threads.identical { "the same bytes" } else { "OTHER BYTES" };
        format!("{} threads against one, wall, 2 GB, {same}", threads.number)
    });
    // Other bytes are no result, however fast they come.
    let ratio = threads
        .map(|threads| if threads.identical { threads.all.wall / threads.one.wall } else { f64::INFINITY });
    all.push(Verdict::new(name, ratio, AtMost(0.62), AtMost(0.75)));
    if let Some((first, larger)) = growth.sizes.split_first() {
        all.extend(larger.iter().map(|size| grown(first, size)));
        all.extend(growth.sizes.iter().map(memory));
    } else if let Some(usage) = outcome.contest.usage(TEXT) {
        all.push(memory(&Sized { counts: outcome.input.counts, told: outcome.input.counts.flows, usage }));
    }
    let many = growth.many.as_ref().and_then(|many| {
        let per_byte = many.usage.cpu / many.counts.bytes as f64;
        Some(per_byte / (ours? / outcome.input.counts.bytes as f64))
    });
    all.push(Verdict::new(
        "2,000 small files, CPU per byte, against one file",
        many,
        AtMost(1.5),
        AtMost(2.0),
    ));
    all
}

fn grown(from: &Sized, to: &Sized) -> Verdict {
    let cpu = to.usage.cpu / from.usage.cpu;
    let bytes = to.counts.bytes as f64 / from.counts.bytes as f64;
    let [from, to] = [from, to].map(|size| size.counts.bytes / 1_000_000);
    let measure = format!("CPU growth over byte growth, {from} MB → {to} MB");
    Verdict::new(measure, Some(cpu / bytes), Bound::AtMost(1.05), Bound::AtMost(1.15))
}

/// Peak memory against a base and so much per flow told; names come on top and are not granted here.
fn memory(size: &Sized) -> Verdict {
    let mib = |bytes: f64| (bytes / 1_048_576.0).round();
    let granted =
        |base: u32, per_flow: u64| mib((f64::from(base) * 1_048_576.0) + (per_flow * size.told) as f64);
    let peak = mib(size.usage.peak);
    Verdict {
        measure: format!(
            "peak memory in MiB, {} MB, {} flows told of {}",
            size.counts.bytes / 1_000_000,
            size.told,
            size.counts.flows
        ),
        value: Some(peak),
        shown: format!("{peak}"),
        aim: Bound::AtMost(granted(16, 160)),
        floor: Bound::AtMost(granted(32, 256)),
    }
}

/// Fails where a floor was missed.
pub(super) fn insist(verdicts: &[Verdict]) -> Result<()> {
    let missed: Vec<&str> = verdicts
        .iter()
        .filter(|verdict| verdict.word() == "missed")
        .map(|verdict| verdict.measure.as_str())
        .collect();
    if !missed.is_empty() {
        bail!("missed: {}", missed.join("; "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Bound, Verdict, insist};

    #[test]
    fn what_misses_its_floor_fails_and_what_was_not_measured_does_not() {
        let verdict = |value| Verdict::new("x", value, Bound::AtLeast(4.0), Bound::AtLeast(2.5));
        assert_eq!(verdict(Some(4.0)).word(), "reached");
        assert_eq!(verdict(Some(3.0)).word(), "above the floor");
        assert!(insist(&[verdict(Some(3.0)), verdict(None)]).is_ok());
        assert!(insist(&[verdict(Some(2.0))]).is_err());
    }
}
