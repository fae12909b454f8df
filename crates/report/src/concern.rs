//! Sentences on what was feared before the data: who contacted it, and what its absence rules out.
//!
//! Promises: a difference is claimed only with its p; an absence only with its bound, and not at all
//! where a disputed place may have been a contact.

use crate::figures::{counted, percent, probability_of};
use crate::{country, hostname};
use overheard_model::{Absence, Cell, Comparison, Concern, ConcernTest, Verdict};

/// A concern in words: `China (CN)`, `AS4134`, `example.org`.
pub(crate) fn name(concern: &Concern) -> String {
    match concern {
        Concern::Country(code) => country::spelled(code.as_str()),
        other => hostname::shown(&other.to_string()).into_owned(),
    }
}

/// `3 of 8 runs`.
pub(crate) fn of_runs(cell: Cell) -> String {
    format!("{} of {}", cell.present, counted(cell.runs, "run"))
}

/// What the absence of a concern rules out; nothing where it is not certain.
pub(crate) fn absence<'a>(comparison: &'a Comparison, test: &ConcernTest) -> Option<&'a Absence> {
    let feared = test.concern.to_string();
    comparison.absences.iter().find(|absence| absence.build == test.build && absence.key == feared)
}

/// What the test does to the claim that the builds differ; nothing where the reference's own contact is
/// a fact.
pub(crate) fn verdict(test: &ConcernTest) -> Option<Verdict> {
    match test.reference_cell {
        Some(_) if test.is_less() => Some(Verdict::Support),
        None if test.cell.present > 0 => None,
        _ => Some(test.verdict),
    }
}

/// One test as a sentence.
pub(crate) fn sentence(comparison: &Comparison, test: &ConcernTest) -> String {
    let (build, name, cell) = (&test.build, name(&test.concern), test.cell);
    if cell.runs == 0 {
        return format!("{build} has no run that counts: nothing is known of {name}{}.", beside(&[test]));
    }
    if cell.present == 0 && !test.is_less() {
        return never(comparison, test, &name);
    }
    let seen = format!("{build} contacted {name} in {}", of_runs(cell));
    let Some(reference) = test.reference_cell else { return format!("{seen}; it is the reference.") };
    let against = format!("{seen}, {} in {} of {}", comparison.reference, reference.present, reference.runs);
    let p = test.p.map(|p| format!(" ({})", probability_of('p', p))).unwrap_or_default();
    match test.verdict {
        Verdict::Support => format!("{against}: more often than chance explains{p}."),
        _ if test.is_less() => format!("{against}: less often than chance explains{p}."),
        Verdict::Refute => format!("{against}: not more often{p}."),
        Verdict::Abstain => format!("{against}: no difference is shown{p}{}.", settle(test.runs_needed)),
    }
}

fn never(comparison: &Comparison, test: &ConcernTest, name: &str) -> String {
    let (build, runs) = (&test.build, counted(test.cell.runs, "run"));
    match absence(comparison, test) {
        Some(absence) => format!(
            "{build} never contacted {name} in {runs}: contact in more than {} of its runs is ruled out at 95\u{a0}%{}.",
            percent(absence.rate_below),
            beside(&[test])
        ),
        None if test.attempted > 0 => {
            format!("{build} contacted nothing that is certainly {name} in {runs}{}.", beside(&[test]))
        }
        None => format!(
            "{build} contacted nothing that is certainly {name} in {runs}, but servers whose place is not \
             certain: neither a contact nor an absence{}.",
            beside(&[test])
        ),
    }
}

/// What is no contact by count, and yet what a sceptic looks at first: tries in vain, and runs that failed.
pub(crate) fn beside(tests: &[&ConcernTest]) -> String {
    let sum = |of: fn(&ConcernTest) -> u64| tests.iter().map(|test| of(test)).sum::<u64>();
    let (attempted, failed) = (sum(|test| test.attempted), sum(|test| test.failed));
    let tried = || {
        format!(
            "; it was tried in {}, and nothing is known to have been carried there",
            counted(attempted, "run")
        )
    };
    let failures = || {
        let which =
            if failed == 1 { "that failed, and does not count," } else { "that failed, and do not count," };
        format!("; {} {which} contacted it", counted(failed, "run"))
    };
    [(attempted > 0).then(tried), (failed > 0).then(failures)].into_iter().flatten().collect()
}

/// `; about 5 further runs of each build would settle it`.
pub(crate) fn settle(runs_needed: Option<u64>) -> String {
    let further = |runs| format!("; about {} of each build would settle it", counted(runs, "further run"));
    runs_needed.map(further).unwrap_or_default()
}
