//! Findings: what the numbers come to, in sentences that can be printed.
//!
//! Promises: no claim without its number of runs; `concern` marks the supported claims that decide exit
//! code 1 (a concern contacted more or less often than by the reference, `only`, `more`, `less`), and an
//! abstaining finding stands only where there were too few runs, or places are unknown (exit code 4).

use crate::detectable::detectable_rate;
use crate::execution::Execution;
use crate::interval::absence_bound;
use crate::others;
use crate::relation;
use crate::table::Table;
use crate::wording::{listed, runs_text};
use overheard_model::probability::probability_of;
use overheard_model::{
    Cell, ConcernTest, Distinguishable, Finding, Key, Level, Relation, Study, Support, Verdict,
};
use std::collections::BTreeMap;

/// Keys named in one sentence.
const SHOWN: usize = 3;

/// What the findings are drawn from.
pub(crate) struct Results<'a> {
    pub study: &'a Study,
    pub executions: &'a [Execution],
    pub table: &'a Table,
    pub keys: &'a [Key],
    pub concerns: &'a [ConcernTest],
    pub concern_runs: Vec<Vec<Support>>,
    pub distinguishable: &'a BTreeMap<String, Distinguishable>,
}

impl Results<'_> {
    /// Concerns first, then the relations build by build, then the sets as wholes.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        // What the reference contacted is said beside every other build, unless there is none.
        let alone = self.study.builds.len() < 2;
        let concerns = self.concerns.iter().zip(&self.concern_runs);
        let concerns =
            concerns.filter(|(test, _)| alone || test.reference_cell.is_some() || test.cell.present == 0);
        let mut findings: Vec<Finding> =
            concerns.map(|(test, support)| self.concern(test, support)).collect();
        for build in others(self.study) {
            let proven = self.proven(build);
            match proven.is_empty() {
                true => findings.push(self.nothing_proven(build)),
                false => findings.extend(proven),
            }
            findings.extend(self.sets(build));
        }
        findings
    }

    fn name(&self, build: usize) -> &str {
        &self.study.builds[build].name
    }

    fn reference(&self) -> &str {
        self.name(self.study.reference)
    }

    fn concern(&self, test: &ConcernTest, support: &[Support]) -> Finding {
        // A difference is shown either way: the test's own verdict is of `more often` alone.
        let verdict = if test.is_less() { Verdict::Support } else { test.verdict };
        Finding {
            question: "concerns".into(),
            claim: concern_claim(test, self.reference()),
            verdict,
            concern: verdict == Verdict::Support,
            p: test.p,
            runs_needed: test.runs_needed,
            support: support.to_vec(),
        }
    }

    /// One finding per level and proven relation.
    fn proven(&self, build: usize) -> Vec<Finding> {
        let levels = Level::ALL.into_iter().rev();
        let relations = [Relation::Only, Relation::More, Relation::Less];
        let pairs = levels.flat_map(|level| relations.map(|relation| (level, relation)));
        pairs.filter_map(|(level, relation)| self.relation(build, level, relation)).collect()
    }

    fn relation(&self, build: usize, level: Level, relation: Relation) -> Option<Finding> {
        let (name, reference) = (self.name(build), self.reference());
        let of_level = self.keys.iter().filter(|key| key.level == level);
        let mut keys: Vec<(&Key, f64)> = of_level
            .filter_map(|key| {
                Some((key, key.relations.get(name).filter(|found| found.relation == relation)?.q?))
            })
            .collect();
        keys.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (_, q) = keys.last()?;
        let cells = |key: &Key| {
            let cell = |build: &str| key.cells.get(build).map_or_else(String::new, Cell::to_string);
            format!("{} ({} against {})", key.key, cell(name), cell(reference))
        };
        let examples: Vec<String> = keys.iter().map(|(key, _)| cells(key)).collect();
        let what = counted(level, keys.len());
        let claim = match relation {
            Relation::Only => format!("{name} contacts {what} that {reference} was not seen to contact"),
            Relation::More => format!("{name} contacts {what} in more of its runs than {reference}"),
            _ => format!("{name} contacts {what} in fewer of its runs than {reference}, or in none"),
        };
        Some(Finding {
            question: "endpoints".into(),
            claim: format!("{claim}: {} ({})", listed(&examples, SHOWN), at_most('q', *q)),
            verdict: Verdict::Support,
            concern: true,
            p: Some(*q),
            runs_needed: None,
            support: keys.iter().flat_map(|(key, _)| self.support(build, key)).take(SHOWN * 2).collect(),
        })
    }

    /// The runs of the build, or where it has none those of the reference, that met the key.
    fn support(&self, build: usize, key: &Key) -> Vec<Support> {
        let level = Level::ALL.iter().position(|level| *level == key.level);
        let rows = level.and_then(|level| self.table.levels.get(level));
        let row = rows.and_then(|rows| rows.iter().find(|row| row.key == key.key));
        let Some(row) = row else { return Vec::new() };
        [build, self.study.reference]
            .into_iter()
            .map(|build| support(self.study, self.executions, build, |at| row.present.contains(at)))
            .filter(|support| !support.runs.is_empty())
            .collect()
    }

    /// Too few runs to prove anything, or enough of them and nothing there.
    fn nothing_proven(&self, build: usize) -> Finding {
        let (name, reference) = (self.name(build), self.reference());
        let (own, other) = (self.table.runs(build), self.table.runs(self.study.reference));
        let addresses = self.keys.iter().filter(|key| key.level == Level::Address);
        let compared: Vec<_> = addresses.filter_map(|key| key.relations.get(name)).collect();
        let open: Vec<_> = compared.iter().filter(|found| found.relation == Relation::Unproven).collect();
        let threshold = relation::threshold(compared.len(), self.study.builds.len() as u64 - 1);
        let seen = format!("{name} ({}) and {reference} ({})", runs_text(own), runs_text(other));
        let (verdict, runs_needed, claim) = match detectable_rate(own, other, threshold) {
            Some(rate) => {
                let claim = format!(
                    "no single server, name, network or country is shown to differ between {seen}; a server that one contacts in {:.0} % of its runs and the other never would have been found with 95 % certainty",
                    rate * 100.0
                );
                (Verdict::Refute, None, claim)
            }
            None => {
                let needed = open.iter().filter_map(|found| found.runs_needed).min();
                let claim = format!(
                    "no single server, name, network or country is proven to differ between {seen}: {} of {} servers were seen on one side only, which so few runs cannot tell from chance{}",
                    open.len(),
                    compared.len(),
                    needed.map_or_else(String::new, |runs| format!(
                        "; about {} of each would settle the first of them",
                        further_text(runs)
                    )),
                );
                (Verdict::Abstain, needed, claim)
            }
        };
        Finding {
            question: "endpoints".into(),
            claim,
            verdict,
            concern: false,
            p: None,
            runs_needed,
            support: Vec::new(),
        }
    }

    /// The sets as wholes, where they are shown to differ: told, but no reason for concern by itself,
    /// since the test names no key and its error is not within the study's.
    fn sets(&self, build: usize) -> Option<Finding> {
        let (name, reference) = (self.name(build), self.reference());
        let test = self.distinguishable.get(name).filter(|test| test.verdict == Verdict::Support)?;
        Some(Finding {
            question: "server-sets".into(),
            claim: format!(
                "as wholes, the servers of {name} and {reference} differ more than runs of one build do ({})",
                probability_of('p', test.p)
            ),
            verdict: Verdict::Support,
            concern: false,
            p: Some(test.p),
            runs_needed: None,
            support: Vec::new(),
        })
    }
}

/// The runs of a build that `met` something.
pub(crate) fn support(
    study: &Study,
    executions: &[Execution],
    build: usize,
    met: impl Fn(usize) -> bool,
) -> Support {
    let own = executions.iter().enumerate().filter(|(at, execution)| execution.build == build && met(*at));
    Support {
        build: study.builds[build].name.clone(),
        runs: own.map(|(_, execution)| execution.name.clone()).collect(),
    }
}

fn concern_claim(test: &ConcernTest, reference: &str) -> String {
    let (build, concern, cell) = (&test.build, &test.concern, test.cell);
    let seen = match cell.present {
        0 => format!("{build} did not contact {concern} in {}", runs_text(cell.runs)),
        k => format!("{build} contacted {concern} in {k} of {}", runs_text(cell.runs)),
    };
    let Some((other, p)) = test.reference_cell.zip(test.p) else {
        return if cell.present == 0 { absence_claim(test, &seen) } else { seen };
    };
    let against = format!("{seen}, {reference} in {} of {}", other.present, other.runs);
    let p = probability_of('p', p);
    match (test.verdict, cell.present) {
        (Verdict::Support, _) => format!("{against}: more often than chance explains ({p})"),
        _ if test.is_less() => format!("{against}: less often than chance explains ({p})"),
        (_, 0) => absence_claim(test, &seen),
        (Verdict::Refute, _) => format!("{against}: not more often"),
        (Verdict::Abstain, _) => {
            let further = further(test, "of each would settle it");
            format!("{against}: no difference is shown ({p}){further}")
        }
    }
}

/// What no contact comes to: a bound, or nothing where places are open.
fn absence_claim(test: &ConcernTest, seen: &str) -> String {
    // Rounded up: what is said to be ruled out is.
    let bound = (absence_bound(test.cell.runs) * 1000.0).ceil() / 10.0;
    match (test.verdict, test.runs_needed) {
        (Verdict::Refute, _) => {
            format!("{seen}: contact rates of {bound} % and more per run are ruled out")
        }
        (_, None) => format!("{seen} as far as places are known, which rules nothing out"),
        _ => {
            let further = further(test, "without a contact would rule out a rate of 10 %");
            format!("{seen}: only contact rates above {bound} % per run are ruled out{further}")
        }
    }
}

fn further(test: &ConcernTest, what: &str) -> String {
    test.runs_needed.map_or_else(String::new, |runs| format!("; about {} {what}", further_text(runs)))
}

/// `q≤0.0021`: the largest of several.
fn at_most(letter: char, p: f64) -> String {
    probability_of(letter, p).replace('=', "≤")
}

/// `1 further run`, `42 further runs`.
fn further_text(runs: u64) -> String {
    if runs == 1 { "1 further run".into() } else { format!("{runs} further runs") }
}

/// `1 network`, `3 countries`.
fn counted(level: Level, count: usize) -> String {
    let (one, many) = match level {
        Level::Address => ("address", "addresses"),
        Level::Name => ("domain", "domains"),
        Level::Network => ("network", "networks"),
        Level::Country => ("country", "countries"),
    };
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::Concern;

    fn test(present: u64, verdict: Verdict, runs_needed: Option<u64>) -> ConcernTest {
        ConcernTest {
            concern: Concern::Name("tom.com".into()),
            build: "tom".into(),
            cell: Cell { present, runs: 8 },
            reference_cell: Some(Cell { present: 0, runs: 8 }),
            difference: Some(0.0),
            low: Some(0.0),
            high: Some(0.0),
            p: Some(0.000_155),
            verdict,
            runs_needed,
            attempted: 0,
            failed: 0,
        }
    }

    #[test]
    fn sentences_give_their_numbers() {
        assert_eq!(
            concern_claim(&test(8, Verdict::Support, None), "regular"),
            "tom contacted tom.com in 8 of 8 runs, regular in 0 of 8: more often than chance explains (p=0.0002)"
        );
        assert_eq!(
            concern_claim(&test(0, Verdict::Abstain, Some(21)), "regular"),
            "tom did not contact tom.com in 8 runs: only contact rates above 31.3 % per run are ruled out; about 21 further runs without a contact would rule out a rate of 10 %"
        );
        assert_eq!(
            concern_claim(&test(3, Verdict::Abstain, Some(1)), "regular"),
            "tom contacted tom.com in 3 of 8 runs, regular in 0 of 8: no difference is shown (p=0.0002); about 1 further run of each would settle it"
        );
    }
}
