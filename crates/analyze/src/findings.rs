//! Findings: what the numbers come to, in sentences that can be printed.
//!
//! Promises: no claim without its number of runs; `concern` marks the supported claims that decide exit
//! code 1 (a concern contacted more often than the reference, `only`, `more`, sets that differ), and an
//! abstaining finding stands only where there were too few runs (exit code 4).

use crate::detectable::detectable_rate;
use crate::execution::Execution;
use crate::interval::absence_bound;
use crate::relation;
use crate::table::Table;
use crate::warnings::{listed, runs_text};
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
        let concerns = self.concerns.iter().zip(&self.concern_runs);
        let mut findings: Vec<Finding> =
            concerns.map(|(test, support)| self.concern(test, support)).collect();
        for build in (0..self.study.builds.len()).filter(|build| *build != self.study.reference) {
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
        Finding {
            question: "concerns".into(),
            claim: concern_claim(test, self.reference()),
            verdict: test.verdict,
            concern: test.verdict == Verdict::Support,
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
            Relation::Only => format!("{name} contacts {what} that {reference} never did"),
            Relation::More => format!("{name} contacts {what} in more of its runs than {reference}"),
            _ => format!("{name} contacts {what} in fewer of its runs than {reference}, or in none"),
        };
        Some(Finding {
            question: "endpoints".into(),
            claim: format!("{claim}: {} (q ≤ {})", listed(&examples, SHOWN), rounded(*q)),
            verdict: Verdict::Support,
            concern: relation != Relation::Less,
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
                    "no server, name, network or country is shown to differ between {seen}; a server that one contacts in {:.0} % of its runs and the other never would have been found with 95 % certainty",
                    rate * 100.0
                );
                (Verdict::Refute, None, claim)
            }
            None => {
                let needed = open.iter().filter_map(|found| found.runs_needed).min();
                let claim = format!(
                    "nothing is proven to differ between {seen}: {} of {} servers were seen on one side only, which so few runs cannot tell from chance{}",
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

    /// The sets as wholes, where they are shown to differ.
    fn sets(&self, build: usize) -> Option<Finding> {
        let (name, reference) = (self.name(build), self.reference());
        let test = self.distinguishable.get(name).filter(|test| test.verdict == Verdict::Support)?;
        Some(Finding {
            question: "server-sets".into(),
            claim: format!(
                "as wholes, the servers of {name} and {reference} differ more than runs of one build do (p = {})",
                rounded(test.p)
            ),
            verdict: Verdict::Support,
            concern: true,
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
    let bound = absence_bound(cell.runs) * 100.0;
    let seen = match cell.present {
        0 => format!("{build} did not contact {concern} in {}", runs_text(cell.runs)),
        k => format!("{build} contacted {concern} in {k} of {}", runs_text(cell.runs)),
    };
    let Some((other, p)) = test.reference_cell.zip(test.p) else {
        return match cell.present {
            0 => format!("{seen}: contact rates of {bound:.0} % and more per run are ruled out"),
            _ => seen,
        };
    };
    let against = format!("{seen}, {reference} in {} of {}", other.present, other.runs);
    let further = test.runs_needed.map_or_else(String::new, |runs| {
        let what = if cell.present == 0 {
            "without a contact would rule out a rate of 10 %"
        } else {
            "of each would settle it"
        };
        format!("; about {} {what}", further_text(runs))
    });
    match (test.verdict, cell.present) {
        (Verdict::Support, _) => format!("{against}: more often than chance explains (p = {})", rounded(p)),
        (Verdict::Refute, 0) => {
            format!("{seen}: contact rates of {bound:.0} % and more per run are ruled out")
        }
        (Verdict::Refute, _) => format!("{against}: not more often"),
        (Verdict::Abstain, 0) => {
            format!("{seen}: only contact rates above {bound:.0} % per run are ruled out{further}")
        }
        (Verdict::Abstain, _) => format!("{against}: not proven to differ (p = {}){further}", rounded(p)),
    }
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

/// Two significant digits.
fn rounded(p: f64) -> String {
    match p {
        p if p >= 0.095 => format!("{p:.2}"),
        p if p >= 0.0095 => format!("{p:.3}"),
        p if p >= 0.00095 => format!("{p:.4}"),
        p => format!("{p:.0e}"),
    }
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
        }
    }

    #[test]
    fn sentences_give_their_numbers() {
        assert_eq!(
            concern_claim(&test(8, Verdict::Support, None), "regular"),
            "tom contacted tom.com in 8 of 8 runs, regular in 0 of 8: more often than chance explains (p = 2e-4)"
        );
        assert_eq!(
            concern_claim(&test(0, Verdict::Abstain, Some(21)), "regular"),
            "tom did not contact tom.com in 8 runs: only contact rates above 31 % per run are ruled out; about 21 further runs without a contact would rule out a rate of 10 %"
        );
        assert_eq!(
            concern_claim(&test(3, Verdict::Abstain, Some(1)), "regular"),
            "tom contacted tom.com in 3 of 8 runs, regular in 0 of 8: not proven to differ (p = 2e-4); about 1 further run of each would settle it"
        );
    }

    #[test]
    fn p_values_keep_their_size() {
        assert_eq!([0.5, 0.0345, 0.00123, 0.00001].map(rounded), ["0.50", "0.035", "0.0012", "1e-5"]);
    }
}
