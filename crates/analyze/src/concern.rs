//! Concerns: countries, networks and names that were feared before the data, one test per build.
//!
//! Promises: outside the family of keys; adjusted (Holm) for the number of concerns × builds alone.
//! A place that is unknown, on which databases disagree, or which physics objects to, is never counted
//! as a contact, and never lets an absence be claimed; neither is, nor does, one that was tried in vain.

use crate::bits::Bits;
use crate::execution::Execution;
use crate::family::ALPHA;
use crate::places;
use crate::table::{Table, attempts, endpoints};
use crate::{fisher, interval, needed, step};
use overheard_model::{Cell, Concern, ConcernTest, Endpoint, Level, Run, Study, Verdict};

/// A contact rate below which a concern counts as refuted: 29 clean runs.
pub(crate) const NEGLIGIBLE_RATE: f64 = 0.1;

/// Executions that contacted a concern, and those of which it cannot be said.
#[derive(Clone, Debug)]
pub(crate) struct Contacts {
    pub concern: Concern,
    pub certain: Bits,
    /// Met an address that some source places there.
    pub possible: Bits,
    /// Met an address that may stand anywhere.
    pub unplaced: Bits,
    /// Tried one that is any of these and nothing is known to have been carried there, nor contacted another for certain.
    pub attempted: Bits,
}

impl Contacts {
    /// Whether these executions can show that they did not contact the concern.
    pub(crate) fn rules_out(&self, executions: &Bits) -> bool {
        [&self.possible, &self.unplaced, &self.attempted].iter().all(|met| met.count_in(executions) == 0)
    }
}

/// How an endpoint stands to a concern, from the least to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contact {
    #[default]
    None,
    /// It may stand anywhere.
    Unplaced,
    /// Some source places it there.
    Possible,
    Certain,
}

/// How an endpoint, already placed, stands to a concern.
pub fn contact(concern: &Concern, endpoint: &Endpoint) -> Contact {
    let place = &endpoint.place;
    if place.local {
        return Contact::None;
    }
    match concern {
        Concern::Country(country) if place.agreed() == Some(*country) => Contact::Certain,
        Concern::Country(country) if !place.anycast && place.countries().contains(country) => {
            Contact::Possible
        }
        Concern::Network(asn) if place.asn() == Some(*asn) => Contact::Certain,
        Concern::Network(asn) if place.claims.iter().any(|claim| claim.asn == Some(*asn)) => {
            Contact::Possible
        }
        Concern::Name(domain) if names(endpoint).any(|name| is_below(name, domain)) => Contact::Certain,
        Concern::Country(_) if places::is_open(Level::Country, place) => Contact::Unplaced,
        Concern::Network(_) if places::is_open(Level::Network, place) => Contact::Unplaced,
        _ => Contact::None,
    }
}

fn names(endpoint: &Endpoint) -> impl Iterator<Item = &str> {
    endpoint.names.iter().map(|name| &*name.name).chain(endpoint.domains.iter().map(|domain| &**domain))
}

fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The contacts of every concern of the study.
pub(crate) fn contacts(study: &Study, executions: &[Execution], runs: &[Run]) -> Vec<Contacts> {
    let with = |concern: &Concern, wanted: Contact| {
        let met = executions.iter().enumerate().filter(|(_, execution)| {
            endpoints(execution, runs).any(|endpoint| contact(concern, endpoint) == wanted)
        });
        Bits::of(executions.len(), met.map(|(at, _)| at))
    };
    let attempted = |concern: &Concern| {
        let tried = executions.iter().enumerate().filter(|(_, execution)| {
            let is_certain = |endpoint| contact(concern, endpoint) == Contact::Certain;
            attempts(execution, runs).any(|attempt| contact(concern, attempt) != Contact::None)
                && !endpoints(execution, runs).any(is_certain)
        });
        Bits::of(executions.len(), tried.map(|(at, _)| at))
    };
    let concerns = study.concerns.iter();
    concerns
        .map(|concern| Contacts {
            concern: concern.clone(),
            certain: with(concern, Contact::Certain),
            possible: with(concern, Contact::Possible),
            unplaced: with(concern, Contact::Unplaced),
            attempted: attempted(concern),
        })
        .collect()
}

/// Every concern with every build, in the order of the concerns, then of the builds.
pub(crate) fn pairs<'a>(
    study: &'a Study,
    contacts: &'a [Contacts],
) -> impl Iterator<Item = (&'a Contacts, usize)> {
    contacts.iter().flat_map(|contacts| (0..study.builds.len()).map(move |build| (contacts, build)))
}

/// Tests every concern for every build, in the order of [`pairs`]; `failed` are runs that do not count.
pub(crate) fn tests(
    study: &Study,
    table: &Table,
    contacts: &[Contacts],
    failed: &[&Run],
) -> Vec<ConcernTest> {
    let cell = |contacts: &Contacts, build: usize| Cell {
        present: contacts.certain.count_in(&table.builds[build]),
        runs: table.runs(build),
    };
    let compared = pairs(study, contacts).filter(|(_, build)| *build != study.reference);
    let p: Vec<f64> = compared
        .map(|(contacts, build)| {
            let (own, other) = (cell(contacts, build), cell(contacts, study.reference));
            fisher::two_sided(own.present, own.runs, other.present, other.runs)
        })
        .collect();
    let threshold = ALPHA / p.len().max(1) as f64;
    let mut adjusted = step::holm(&p).into_iter();
    let test = |(contacts, build): (&Contacts, usize)| {
        let own = &table.builds[build];
        let failed = failed.iter().filter(|run| run.build == build && met(&contacts.concern, run));
        let shown = Shown {
            concern: contacts.concern.clone(),
            build: study.builds[build].name.clone(),
            cell: cell(contacts, build),
            clean: contacts.rules_out(own),
            attempted: contacts.attempted.count_in(own),
            failed: failed.count() as u64,
        };
        match build == study.reference {
            true => shown.alone(),
            false => {
                shown.against(cell(contacts, study.reference), adjusted.next().unwrap_or(1.0), threshold)
            }
        }
    };
    pairs(study, contacts).map(test).collect()
}

/// Whether a run contacted a concern for certain.
pub(crate) fn met(concern: &Concern, run: &Run) -> bool {
    run.reading.endpoints.iter().any(|endpoint| contact(concern, endpoint) == Contact::Certain)
}

/// What the runs of a build show of a concern.
struct Shown {
    concern: Concern,
    build: String,
    cell: Cell,
    /// Whether they can show that they did not contact it.
    clean: bool,
    /// See [`ConcernTest`].
    attempted: u64,
    failed: u64,
}

impl Shown {
    /// The reference has nothing to be held against: a contact is a fact that needs no verdict, its absence
    /// has a bound.
    fn alone(self) -> ConcernTest {
        let Self { cell, clean, .. } = self;
        let verdict = match cell.present {
            0 if clean && refuted(cell) => Verdict::Refute,
            _ => Verdict::Abstain,
        };
        let open = verdict == Verdict::Abstain && clean && cell.present == 0;
        self.judged(verdict, open.then(|| clean_runs_needed(cell)))
    }

    fn against(self, reference: Cell, p: f64, threshold: f64) -> ConcernTest {
        let Self { cell, clean, .. } = self;
        let interval = interval::difference(cell, reference);
        let difference = interval::rate(cell) - interval::rate(reference);
        let verdict = match (p <= ALPHA, cell.present) {
            (true, _) if difference > 0.0 => Verdict::Support,
            _ if !clean => Verdict::Abstain,
            (true, _) => Verdict::Refute,
            (false, 0) if refuted(cell) => Verdict::Refute,
            (false, _) if interval.high < NEGLIGIBLE_RATE => Verdict::Refute,
            (false, _) => Verdict::Abstain,
        };
        let runs_needed = match (verdict, cell.present, clean) {
            (Verdict::Abstain, 0, true) => Some(clean_runs_needed(cell)),
            (Verdict::Abstain, 0, false) => None,
            (Verdict::Abstain, _, _) if p > ALPHA => needed::further_runs(cell, reference, threshold),
            _ => None,
        };
        ConcernTest {
            reference_cell: Some(reference),
            difference: Some(difference),
            low: Some(interval.low),
            high: Some(interval.high),
            p: Some(p),
            ..self.judged(verdict, runs_needed)
        }
    }

    /// The test of a build that is held against none.
    fn judged(self, verdict: Verdict, runs_needed: Option<u64>) -> ConcernTest {
        let Self { concern, build, cell, attempted, failed, .. } = self;
        let (reference_cell, difference, low, high, p) = (None, None, None, None, None);
        ConcernTest {
            concern,
            build,
            cell,
            reference_cell,
            difference,
            low,
            high,
            p,
            verdict,
            runs_needed,
            attempted,
            failed,
        }
    }
}

fn refuted(cell: Cell) -> bool {
    cell.present == 0 && interval::absence_bound(cell.runs) < NEGLIGIBLE_RATE
}

/// Further runs without a contact that bring the bound below [`NEGLIGIBLE_RATE`].
fn clean_runs_needed(cell: Cell) -> u64 {
    let enough = (1..).find(|&runs| interval::absence_bound(runs) < NEGLIGIBLE_RATE).unwrap_or(0);
    u64::saturating_sub(enough, cell.runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_below_its_domain_and_no_other() {
        assert!(is_below("a.tom.com", "tom.com") && is_below("tom.com", "tom.com"));
        assert!(!is_below("atom.com", "tom.com") && !is_below("tom.com.example", "tom.com"));
    }

    fn judged(k: u64, n: u64, l: u64, m: u64, p: f64) -> ConcernTest {
        judged_with(k, n, l, m, p, true)
    }

    fn judged_with(k: u64, n: u64, l: u64, m: u64, p: f64, clean: bool) -> ConcernTest {
        shown(Cell { present: k, runs: n }, clean).against(Cell { present: l, runs: m }, p, ALPHA)
    }

    fn shown(cell: Cell, clean: bool) -> Shown {
        let (concern, build) = (Concern::Name("tom.com".into()), "tom".into());
        Shown { concern, build, cell, clean, attempted: 0, failed: 0 }
    }

    #[test]
    fn verdicts_follow_the_evidence() {
        assert_eq!(judged(8, 8, 0, 8, 0.000_16).verdict, Verdict::Support);
        assert_eq!(judged(0, 8, 8, 8, 0.000_16).verdict, Verdict::Refute);
        assert_eq!(judged(0, 29, 0, 29, 1.0).verdict, Verdict::Refute);
        assert_eq!(judged(50, 200, 60, 200, 0.3).verdict, Verdict::Refute);
        assert_eq!(judged(3, 8, 0, 8, 0.2).verdict, Verdict::Abstain);
        let clean = judged(0, 8, 0, 8, 1.0);
        assert_eq!((clean.verdict, clean.runs_needed), (Verdict::Abstain, Some(21)));
    }

    #[test]
    fn open_places_refute_nothing() {
        for (k, l, p) in [(0, 0, 1.0), (10, 10, 1.0), (0, 30, 0.0001)] {
            assert_eq!(judged_with(k, 300, l, 300, p, true).verdict, Verdict::Refute);
            assert_eq!(judged_with(k, 300, l, 300, p, false).verdict, Verdict::Abstain);
        }
        assert_eq!(judged_with(8, 8, 0, 8, 0.000_16, false).verdict, Verdict::Support);
    }

    #[test]
    fn the_references_own_contact_is_no_verdict() {
        let of = |present| {
            let test = shown(Cell { present, runs: 30 }, true).alone();
            (test.verdict, test.runs_needed)
        };
        assert_eq!(of(30), (Verdict::Abstain, None));
        assert_eq!(of(0), (Verdict::Refute, None));
    }

    #[test]
    fn one_contact_in_one_run_each_says_how_many_more() {
        let open = judged(1, 1, 0, 1, 1.0);
        assert_eq!(open.verdict, Verdict::Abstain);
        assert!(open.runs_needed.is_some_and(|runs| (10..30).contains(&runs)), "{:?}", open.runs_needed);
    }
}
