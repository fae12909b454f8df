//! What comparing builds came to: the table of the investigation and the tests behind it.
//!
//! Promises: serialises as `overheard compare --format json` prints it; `docs/schema/` holds the
//! schema. Numbers mean what `docs/methods/endpoints.md` says.

use crate::{Asn, Concern, Country, Endpoint, Finding, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Granularity of a comparison; each is its own family of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// IP address.
    Address,
    /// Registrable domain.
    Name,
    /// Autonomous system.
    Network,
    /// Country.
    Country,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::Address, Self::Name, Self::Network, Self::Country];

    /// The keys under which an endpoint counts at this level; none for local endpoints.
    pub fn keys_of(self, endpoint: &Endpoint) -> Vec<Arc<str>> {
        if endpoint.place.local {
            return Vec::new();
        }
        match self {
            Self::Address => vec![endpoint.address.to_string().into()],
            Self::Name => endpoint.domains.to_vec(),
            Self::Network => endpoint.place.asn().iter().map(|asn| asn.to_string().into()).collect(),
            Self::Country => endpoint.place.label().map(Arc::from).into_iter().collect(),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// *k of n runs*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Runs in which the key was contacted.
    pub present: u64,
    /// Runs in all.
    pub runs: u64,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.present, self.runs)
    }
}

/// A build's relation to the reference for one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Seen in it, never in the reference, q ≤ 0.05.
    Only,
    /// Seen in more of its runs, q ≤ 0.05.
    More,
    /// Seen in fewer of its runs, or in none, q ≤ 0.05.
    Less,
    /// Seen in both; no difference shown.
    Shared,
    /// One-sided so far, not significant.
    Unproven,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A relation with the numbers behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelationResult {
    pub relation: Relation,
    /// Contact rate of the build minus that of the reference, with its 95 % interval.
    pub difference: f64,
    pub low: f64,
    pub high: f64,
    /// Two-sided exact test.
    pub p: f64,
    /// Adjusted for the family; absent where the key could not have reached significance (Tarone).
    pub q: Option<f64>,
    /// Further runs of each build that would settle an `unproven`, at the rates seen so far.
    pub runs_needed: Option<u64>,
}

/// One row: an address, name, network or country.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub level: Level,
    pub key: Arc<str>,
    /// [`crate::Place::label`]; absent where unknown or mixed.
    pub country: Option<String>,
    pub asn: Option<Asn>,
    /// Holder of the network, where known.
    pub network: Option<String>,
    /// Host names seen with it, best first.
    pub names: Vec<String>,
    /// By build.
    pub cells: BTreeMap<String, Cell>,
    /// By build, to the reference; none for the reference itself, and none for a build that never
    /// contacted a key which the reference never contacted either.
    pub relations: BTreeMap<String, RelationResult>,
}

/// A country, network or name that was named before the data: one test per build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConcernTest {
    pub concern: Concern,
    pub build: String,
    pub cell: Cell,
    /// Absent when the build is the reference itself.
    pub reference_cell: Option<Cell>,
    pub difference: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Exact, two-sided, unadjusted but for the number of concerns × builds; 1/e where the study could stop early.
    pub p: Option<f64>,
    /// Of the claim that the build contacts the concern in more of its runs than the reference. The
    /// reference itself abstains where it contacted it: that is a fact, and there is no claim.
    pub verdict: Verdict,
    pub runs_needed: Option<u64>,
    /// Runs in which the build tried what may be it, and nothing is known to have been carried there: neither contacts nor absences.
    #[serde(default, skip_serializing_if = "is_none")]
    pub attempted: u64,
    /// Runs of the build that failed, and so do not count, but contacted it.
    #[serde(default, skip_serializing_if = "is_none")]
    pub failed: u64,
}

fn is_none(runs: &u64) -> bool {
    *runs == 0
}

impl ConcernTest {
    /// The build is shown to contact the concern in fewer of its runs than the reference, or in none.
    pub fn is_less(&self) -> bool {
        self.p.is_some_and(|p| p <= 0.05) && self.difference.is_some_and(|difference| difference < 0.0)
    }
}

/// Nothing was seen in n runs: what that rules out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Absence {
    pub build: String,
    /// The concern, or the key that another build contacts.
    pub key: String,
    pub runs: u64,
    /// Contact rates per run above this are ruled out at 95 %: 1 − 0.05^(1/n).
    pub rate_below: f64,
}

/// What a build contacts beyond what was seen (Chao2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unseen {
    pub build: String,
    pub level: Level,
    /// Distinct keys seen.
    pub observed: u64,
    /// Estimated number in all; absent for a single run, which says nothing of what it missed.
    pub chao2: Option<f64>,
    /// 95 % interval of it; `low` is never below `observed`, `high` is absent for a single run.
    pub low: f64,
    pub high: Option<f64>,
    /// Chance that the next contact is with a key already seen, 0 to 1; absent for a single run.
    pub coverage: Option<f64>,
}

/// Whether a build's server sets differ from the reference's at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distinguishable {
    /// Permutation test on Jaccard distances between runs.
    pub p: f64,
    /// Smallest p that these numbers of runs could give.
    pub smallest_p: f64,
    /// Mean distance between the builds minus mean distance within them, 0 to 1.
    pub statistic: f64,
    /// Relabellings tried.
    pub permutations: u64,
    /// All relabellings were tried, not a sample.
    pub exact: bool,
    pub verdict: Verdict,
    pub runs_needed: Option<u64>,
}

/// A against A: runs of one build, split in two and compared as if they were two builds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    pub build: String,
    pub splits: u64,
    /// Splits with any relation but `shared` or `unproven` at any level.
    pub false_alarms: u64,
    pub rate: f64,
    /// Upper 95 % bound of the rate (Clopper–Pearson over distinct splits).
    pub high: f64,
    /// Splits that the test of whole sets takes for two builds; it names no key, and has a 5 % error
    /// of its own.
    pub set_alarms: u64,
}

/// Something about the design of the data that a reader must know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Short and stable, such as `not-interleaved`, `one-run`, `incomplete-capture`.
    pub kind: String,
    pub text: String,
}

/// How often a build was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRuns {
    pub name: String,
    pub runs: u64,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// In the study's order.
    pub builds: Vec<BuildRuns>,
    pub reference: String,
    pub keys: Vec<Key>,
    pub concerns: Vec<ConcernTest>,
    pub absences: Vec<Absence>,
    pub unseen: Vec<Unseen>,
    /// By build, to the reference.
    pub distinguishable: BTreeMap<String, Distinguishable>,
    /// Absent where no build has the runs for it.
    pub control: Option<Control>,
    pub warnings: Vec<Warning>,
    pub findings: Vec<Finding>,
    /// Of a live study from several vantages: countries, and what was feared, as contacted from each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vantages: Vec<FromVantage>,
}

/// Who contacted something from one vantage. The tests pool the vantages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromVantage {
    /// A label of a country, or a concern.
    pub key: String,
    pub vantage: String,
    /// By build.
    pub cells: BTreeMap<String, Cell>,
}

impl Comparison {
    /// Countries a label stands for: `CN/AU?` gives CN and AU.
    pub fn countries_in(label: &str) -> Vec<Country> {
        let codes = label.trim_end_matches('?').trim_end_matches(" impossible");
        codes.split('/').filter_map(|code| code.parse().ok()).collect()
    }
}
